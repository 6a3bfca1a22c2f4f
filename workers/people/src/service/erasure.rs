//! Erases a person: deletes the record, and removes the person's names from the history.

use domain::PersonId;
use edge::collection::{not_found, read_current};
use edge::{Database, Error, MAX_WRITE_ATTEMPTS};
use http_semantics::{Preconditions, Problem};
use tables::record::Author;

use crate::domain::Person;
use crate::store;

/// Erases a person, who may be deleted already. The result is the change sequence of the erasure.
///
/// # Errors
/// A person who never existed, or a precondition that fails.
pub async fn erase(
    database: &Database,
    id: PersonId,
    preconditions: &Preconditions,
    author: &Author,
) -> Result<i64, Error> {
    for _ in 0..MAX_WRITE_ATTEMPTS {
        let current = read_current::<Person>(database, id).await?;
        let version = current.map(|current| current.version);
        preconditions.check(version)?;
        let version = version.map(|version| version.number);
        let results = database.batch(&store::erase(id, version, author)).await?;
        let last_change = results.last().and_then(|rows| rows.first());
        let last_change = last_change.ok_or_else(|| not_found::<Person>(id))?;
        if last_change.text("kind").as_deref() == Some("erased") {
            let seq = last_change.integer("seq");
            return Ok(seq.ok_or_else(Problem::internal)?);
        }
    }
    Err(Problem::being_written().into())
}
