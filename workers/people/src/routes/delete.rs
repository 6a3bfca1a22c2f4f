//! `DELETE /v1/people/{id}`

use edge::{Answer, Call, Error, TRIES};
use registry::{PersonId, Problem};

use super::settling::Registrar;
use crate::store;

/// Removes a person from the register; the history stays.
///
/// # Errors
/// A person who does not exist, or a precondition that is not met.
pub async fn delete(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let id: PersonId = call.id()?;
    let preconditions = call.preconditions()?;
    let registrar = Registrar::of(&call.env)?;
    for _ in 0..TRIES {
        let current = registrar.current(id).await?;
        let current = current.ok_or_else(|| Problem::not_found("person", id.get()))?;
        preconditions.check(Some(current.version))?;
        let delete = store::delete(id, current.version);
        let is_done = registrar.database.batch(&[delete]).await?;
        if is_done.iter().any(|rows| !rows.is_empty()) {
            return Ok(Answer::no_content());
        }
    }
    Err(Problem::being_written().into())
}
