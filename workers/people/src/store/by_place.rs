//! People grouped by place.

use http_semantics::media::ListFraming;
use tables::page::MAX_PAGE_SIZE;
use tables::statement::{Bind, Statement};

use crate::domain::ByPlace;

const BY_PLACE: &str = include_str!("by_place.sql");

/// The people after which a statement begins no further group: its answer holds at most
/// so many and one more group, which bounds what an isolate has in memory at a time.
pub const PEOPLE_A_STATEMENT: i64 = 20_000;

/// The groups asked for, as many as one statement answers; none if nothing has changed since
/// the counter that was `seen`.
#[must_use]
pub fn by_place(ask: &ByPlace, frame: ListFraming, seen: Option<i64>) -> Statement {
    let numbers = [
        ask.range.after,
        ask.range.through,
        ask.limit.get().into(),
        ask.people.get().into(),
        PEOPLE_A_STATEMENT,
    ];
    let mut binds: Vec<Bind> = numbers.map(Bind::from).into();
    binds.push(frame.between.into());
    binds.push(seen.into());
    let sql = BY_PLACE.replace("{max_page_size}", &MAX_PAGE_SIZE.to_string());
    Statement { sql, binds }
}
