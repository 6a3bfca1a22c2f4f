//! `GET /v1/people/export`

use edge::export::{self, Export};
use edge::{Answer, Call, Error};

use crate::domain::PeopleList;
use crate::store;

/// What of a list's query an export takes, and the form.
pub const PARAMETERS: &[&str] = &["format", "isAlive", "isKing", "placeId", "name", "ids"];

/// The whole register, or those of it that match, as CSV or as lines of JSON.
///
/// # Errors
/// A query that cannot be used.
pub async fn export(call: Call) -> Result<Answer, Error> {
    let params = call.params(PARAMETERS)?;
    let format = export::format(&call, &params)?;
    let list = PeopleList::read(&params)?;
    let export = Export {
        name: "people",
        register: store::REGISTER,
        filters: Box::new(move || store::filters(&list)),
    };
    export::export(&call, format, export)
}
