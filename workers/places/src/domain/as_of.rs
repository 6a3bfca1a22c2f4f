//! The query for places as of a time.

use domain::id::Ids;
use domain::{Moment, Param};
use http_semantics::params::parse_as_of;
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::PageSize;

/// An order by id. The value is whether the greatest id comes first.
pub struct IdOrder(bool);

impl IdOrder {
    /// Both orders, with their names in a query.
    pub const ALL: [(&'static str, Self); 2] = [("id", Self(false)), ("-id", Self(true))];
}

impl Param for IdOrder {
    const EXPECTED: &'static str = "id or -id";

    fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|(name, _)| *name == text).map(|(_, order)| order)
    }
}

/// The query for places as of a time.
#[derive(Debug)]
pub struct PlacesAsOfQuery {
    /// The time, if not now.
    pub as_of: Option<Moment>,
    /// The only places to include.
    pub ids: Option<Ids>,
    /// The maximum number of places.
    pub limit: PageSize,
    /// The last place of the page before, or none for the first page.
    pub after: Option<i64>,
    /// Whether the greatest id comes first.
    pub descending: bool,
}

impl PlacesAsOfQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["asOf", "ids", "limit", "after", "sort"];

    /// Parses the query. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(params: &Params, now: i64) -> Result<Self, Problem> {
        let after = match params.get("after")? {
            None => None,
            Some(Cursor::Id(id)) => Some(id),
            Some(_) => return Err(Problem::invalid_parameter("after", Cursor::EXPECTED)),
        };
        Ok(Self {
            as_of: parse_as_of(params, now)?,
            ids: params.get("ids")?,
            limit: params.get("limit")?.unwrap_or_default(),
            after,
            descending: params.get::<IdOrder>("sort")?.is_some_and(|order| order.0),
        })
    }
}
