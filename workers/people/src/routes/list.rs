//! `GET /v1/people`

use edge::{Answer, Call, Database, Error};
use http_semantics::media::TABLE;

use crate::domain::PeopleList;
use crate::store;

/// A page of people.
///
/// # Errors
/// A query that cannot be used.
pub async fn list(call: Call) -> Result<Answer, Error> {
    let list = PeopleList::read(&call.params(PeopleList::PARAMETERS)?)?;
    let format = call.format(TABLE)?;
    let seen = call.seen(format)?;
    let page = Database::of(&call.env)?
        .page(&store::list(&list, format, seen))
        .await?;
    Ok(page.into_answer(format, "/v1/people", &call.query, seen))
}
