//! The routes of a register over several databases: each asks all that have something to say at once,
//! and makes one answer of theirs; who goes from one to another is handed over (`docs/scale.md`).

mod export;
mod find;
mod groups;
mod handover;
mod import;
mod integrity;
mod log;
mod open;
mod pages;
mod person;
mod repair;
mod residents;
mod write;

pub use export::export;
pub use find::{Layout, find};
pub use groups::groups;
pub use import::Taker;
pub use integrity::integrity;
pub use log::{changes, counter, history};
pub use pages::{list, population};
pub use person::person;
pub use repair::repair;
pub use residents::{count, release, relocate};
pub use write::create;

use edge::shards::Shards;
use edge::{Error, Row, TRIES};
use registry::Problem;
use registry::shards::handover::{Passages, has_everybody_once};
use registry::sql::Statement;

use crate::store::CHANGES;
use crate::store::known::state;

/// Asks all databases for a statement's row, and how far each of them is: the rows, and the change
/// counter of the register, which is the sum of theirs.
async fn asked(shards: &Shards, statement: &Statement) -> Result<(Vec<Row>, i64), Error> {
    let each = vec![statement.clone(); shards.map.shards().len()];
    asked_each(shards, each).await
}

/// The same for a statement of each database's own. They answer each at a moment of its own, and are
/// asked again where somebody has gone from one to another in between.
async fn asked_each(shards: &Shards, each: Vec<Statement>) -> Result<(Vec<Row>, i64), Error> {
    let both = |statement| vec![statement, state()];
    let batches: Vec<_> = each.into_iter().map(both).enumerate().collect();
    for _ in 0..TRIES {
        let (mut rows, mut states) = (Vec::new(), Vec::new());
        for answers in shards.run(&batches).await? {
            let mut first = answers
                .into_iter()
                .filter_map(|rows| rows.into_iter().next());
            rows.extend(first.next());
            states.extend(first.next());
        }
        let is_expecting = states.iter().any(|state| state.truth(2));
        if is_expecting && open::end(shards, None).await?.have_ended {
            continue;
        }
        let passages: Vec<Passages> = states.iter().map(passages).collect();
        if has_everybody_once(&shards.map, &passages) {
            let counters = states.iter().filter_map(|state| state.integer(0));
            return Ok((rows, counters.sum()));
        }
    }
    Err(Problem::being_written().into())
}

fn passages(state: &Row) -> Passages {
    let text = state.text(1).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// The change counter of the register.
async fn counters(shards: &Shards) -> Result<i64, Error> {
    let rows = shards.rows(&CHANGES.counter()).await?;
    Ok(rows.iter().filter_map(|row| row.integer(0)).sum())
}
