//! `GET /v1/places/export`

use edge::export::{self, Export};
use edge::{Answer, Call, Error};

use crate::domain::PlaceList;
use crate::store;

/// What of a list's query an export takes, and the form.
pub const PARAMETERS: &[&str] = &["format", "name", "ids"];

/// The whole register, or those of it that match, as CSV or as lines of JSON.
///
/// # Errors
/// A query that cannot be used.
pub async fn export(call: Call) -> Result<Answer, Error> {
    let params = call.params(PARAMETERS)?;
    let format = export::format(&call, &params)?;
    let list = PlaceList::read(&params)?;
    let export = Export {
        name: "places",
        register: store::REGISTER,
        filters: Box::new(move || store::filters(&list)),
    };
    export::export(&call, format, export)
}
