//! The statement for people grouped by place.

use http_semantics::Validator;
use http_semantics::media::ListFraming;
use tables::page::MAX_PAGE_SIZE;
use tables::statement::{Bind, Statement};

use crate::domain::ByPlaceQuery;

const BY_PLACE: &str = include_str!("by_place.sql");

/// The number of people after which a statement begins no other group. So a statement returns at
/// most this number of people and one more group, which bounds the memory of the isolate.
pub const TARGET_PEOPLE_PER_STATEMENT: i64 = 20_000;

/// The groups of a page, as many as one statement returns. `known_change_seq` is the change
/// sequence of the groups that the client has cached. If it is still current, there are no groups.
#[must_use]
pub fn by_place(
    query: &ByPlaceQuery,
    framing: ListFraming,
    known_change_seq: Option<Validator>,
) -> Statement {
    let numbers = [
        query.range.after,
        query.range.through,
        query.limit.get().into(),
        query.people_limit.get().into(),
        TARGET_PEOPLE_PER_STATEMENT,
    ];
    let mut binds: Vec<Bind> = numbers.map(Bind::from).into();
    binds.push(framing.between.into());
    binds.push(known_change_seq.into());
    let sql = BY_PLACE.replace("{max_page_size}", &MAX_PAGE_SIZE.to_string());
    Statement { sql, binds }
}
