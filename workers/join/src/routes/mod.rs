//! The handlers, one file per path. A handler parses the request, calls the service layer, and
//! makes the response.

mod changes;
mod dataset;
mod delete_person;
pub mod forward;
pub mod integrity;
pub mod pages;
pub mod people;
pub mod people_per_place;
mod ready;
pub mod statistics;

use edge::Request;
use http_semantics::media::TABLE_MEDIA_TYPES;
use http_semantics::{MediaType, Params, Problem};

pub use changes::changes;
pub use dataset::dataset;
pub use delete_person::delete_person;
pub use integrity::{integrity, repair};
pub use ready::ready;

/// The format of a table: the parameter `format`, or else what `Accept` allows.
fn table_format(request: &Request, params: &Params) -> Result<MediaType, Problem> {
    match params.get("format")? {
        Some(format) => Ok(format),
        None => request.format(TABLE_MEDIA_TYPES),
    }
}
