//! The query for places as of a time.

use domain::id::Ids;
use domain::{Moment, Param};
use http_semantics::params::parse_as_of;
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::PageSize;

/// The query for places as of a time.
#[derive(Debug)]
pub struct PlacesAsOfQuery {
    /// The time, if not now.
    pub as_of: Option<Moment>,
    /// The only places to include.
    pub ids: Option<Ids>,
    /// The maximum number of places.
    pub limit: PageSize,
    /// The last place of the page before, or 0.
    pub after: i64,
}

impl PlacesAsOfQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["asOf", "ids", "limit", "after"];

    /// Parses the query. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(params: &Params, now: i64) -> Result<Self, Problem> {
        let after = match params.get("after")? {
            None => 0,
            Some(Cursor::Id(id)) => id,
            Some(_) => return Err(Problem::invalid_parameter("after", Cursor::EXPECTED)),
        };
        Ok(Self {
            as_of: parse_as_of(params, now)?,
            ids: params.get("ids")?,
            limit: params.get("limit")?.unwrap_or_default(),
            after,
        })
    }
}
