//! Parses the query for the places that existed at a time (`asOf`).

use domain::Moment;
use domain::Param;
use domain::id::Ids;
use domain::name::{Normalize, SearchWords};
use http_semantics::params::parse_moment;
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::{PageSize, Sort};

/// The query for places as of a time.
#[derive(Debug)]
pub struct PlacesAsOfQuery {
    /// The time, if not now.
    pub as_of: Option<Moment>,
    /// The only places to include.
    pub ids: Option<Ids>,
    /// The words of a search in the names of that time.
    pub words: Option<SearchWords>,
    /// The maximum number of places.
    pub limit: PageSize,
    /// The last place of the page before, or none for the first page.
    pub after: Option<Cursor>,
    /// The order.
    pub sort: Sort,
}

impl PlacesAsOfQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["asOf", "q", "ids", "limit", "after", "sort"];

    /// Parses the query. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(params: &Params, now: i64, normalize: Normalize) -> Result<Self, Problem> {
        let sort: Sort = params.get("sort")?.unwrap_or_default();
        let after: Option<Cursor> = params.get("after")?;
        if after.as_ref().is_some_and(|cursor| !sort.accepts(cursor)) {
            return Err(Problem::invalid_parameter("after", Cursor::EXPECTED));
        }
        let words = |text: &str| SearchWords::new(text, normalize);
        Ok(Self {
            as_of: parse_moment(params, "asOf", now)?,
            ids: params.get("ids")?,
            words: params.parse_value("q", SearchWords::EXPECTED, words)?,
            limit: params.get("limit")?.unwrap_or_default(),
            after,
            sort,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_as_of_a_time_continue_only_after_a_cursor_of_the_same_order() {
        let by_id = Cursor::Id(7);
        let parse = |order: &str| {
            let query = format!("after={by_id}{order}");
            let params = Params::parse(&query, PlacesAsOfQuery::PARAMETERS).unwrap();
            PlacesAsOfQuery::from_params(&params, 0, Normalize::NONE).map(|query| query.after)
        };
        assert_eq!(parse("").unwrap(), Some(Cursor::Id(7)));
        assert!(parse("&sort=name").is_err());
    }
}
