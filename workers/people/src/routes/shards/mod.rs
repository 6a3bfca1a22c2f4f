//! The routes of a register over several databases: each asks all that have something to say at once,
//! and makes one answer of theirs (`docs/scale.md`). It is read only: a rule over several of them
//! has no protocol yet.

mod export;
mod groups;
mod integrity;
mod log;
mod pages;
mod person;

pub use export::export;
pub use groups::groups;
pub use integrity::{integrity, residents};
pub use log::{changes, counter, history};
pub use pages::{list, population};
pub use person::person;

use edge::shards::{Shards, is_several};
use edge::{Call, Error, Method, Row, access};
use registry::Problem;
use registry::access::Token;
use registry::sql::Statement;

use crate::store::CHANGES;

/// The guard of an owner, before which nobody writes to several databases.
///
/// # Errors
/// A request without what it needs, or one that writes.
pub fn guard(call: &Call, method: Method) -> Result<Option<Token>, Error> {
    let admitted = access::at_an_owner(call, method)?;
    if !method.is_safe() && is_several(&call.env) {
        return Err(Problem::method_not_allowed("GET, HEAD, OPTIONS").into());
    }
    Ok(admitted)
}

/// Asks all databases for a statement's row, and how far each of them is: the rows, and the change
/// counter of the register, which is the sum of theirs.
async fn asked(shards: &Shards, statement: Statement) -> Result<(Vec<Option<Row>>, i64), Error> {
    let answers = shards.ask(&[statement, CHANGES.counter()]).await?;
    let (mut rows, mut sum) = (Vec::new(), 0);
    for mut of_one in answers {
        let counter = of_one.pop().flatten();
        sum += counter.and_then(|row| row.integer(0)).unwrap_or_default();
        rows.push(of_one.pop().flatten());
    }
    Ok((rows, sum))
}
