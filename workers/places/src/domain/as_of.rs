//! Places as they were.

use domain::id::Ids;
use domain::{Moment, Param};
use http_semantics::params::parse_as_of;
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::PageSize;

/// Which places, as of when, how many.
#[derive(Debug)]
pub struct PlacesAsOf {
    /// The time, if it is not now.
    pub as_of: Option<Moment>,
    /// Only these.
    pub ids: Option<Ids>,
    /// The most places.
    pub limit: PageSize,
    /// The place that the page before ended with.
    pub after: i64,
}

impl PlacesAsOf {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["asOf", "ids", "limit", "after"];

    /// Reads the query; `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn read(params: &Params, now: i64) -> Result<Self, Problem> {
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
