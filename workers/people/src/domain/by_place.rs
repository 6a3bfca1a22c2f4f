//! The query for people grouped by place. The gateway merges the groups with its places.

use domain::{Param, PlaceId};
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::{PageSize, PeopleLimit};

/// A range of place ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceRange {
    /// The id before the range, or 0.
    pub after: i64,
    /// The last id of the range.
    pub through: i64,
}

/// The query for people grouped by place.
#[derive(Debug)]
pub struct ByPlaceQuery {
    /// The places.
    pub range: PlaceRange,
    /// The maximum number of groups.
    pub limit: PageSize,
    /// The maximum number of people per group.
    pub people_limit: PeopleLimit,
}

impl ByPlaceQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "placeId", "peopleLimit"];

    /// Parses the query: a page of places after a cursor, or one place.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(params: &Params) -> Result<Self, Problem> {
        let place: Option<PlaceId> = params.get("placeId")?;
        // Groups have only one order, by id.
        let after = match params.get("after")? {
            None => 0,
            Some(Cursor::Id(id)) => id,
            Some(_) => return Err(Problem::invalid_parameter("after", Cursor::EXPECTED)),
        };
        Ok(Self {
            range: PlaceRange {
                after: place.map_or(after, |place| after.max(place.get() - 1)),
                through: place.map_or(PlaceId::MAX_ID, PlaceId::get),
            },
            limit: params.get("limit")?.unwrap_or_default(),
            people_limit: params.get("peopleLimit")?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(query: &str) -> Result<PlaceRange, Problem> {
        let params = Params::parse(query, ByPlaceQuery::PARAMETERS)?;
        ByPlaceQuery::from_params(&params).map(|query| query.range)
    }

    #[test]
    fn a_query_selects_all_places_after_a_cursor_or_one_place() {
        let all = PlaceRange {
            after: 0,
            through: PlaceId::MAX_ID,
        };
        assert_eq!(range(""), Ok(all));
        assert_eq!(range("after=6939"), Ok(PlaceRange { after: 9, ..all }));
        let one = PlaceRange {
            after: 2,
            through: 3,
        };
        assert_eq!(range("placeId=3"), Ok(one));
        // A cursor after the place selects nothing.
        let empty = PlaceRange {
            after: 9,
            through: 3,
        };
        assert_eq!(range("placeId=3&after=6939"), Ok(empty));
        assert!(range("after=6e313a61").is_err());
    }
}
