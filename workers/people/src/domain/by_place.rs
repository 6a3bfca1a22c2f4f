//! People grouped by place: the stream that the join merges with its places.

use domain::{Param, PlaceId};
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::{PageSize, PeopleLimit};

/// A range of place ids: after one, up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Not this one, nor any before; 0 is before all.
    pub after: i64,
    /// This one still, but none behind.
    pub through: i64,
}

/// The id of a cursor in the order of ids, the only order of groups.
fn by_id(cursor: &Cursor) -> Result<i64, Problem> {
    match cursor {
        Cursor::Id(id) => Ok(*id),
        Cursor::Name { .. } | Cursor::Pair(..) => {
            Err(Problem::invalid_parameter("after", Cursor::EXPECTED))
        }
    }
}

/// Which groups, and how many people of each.
#[derive(Debug)]
pub struct ByPlace {
    /// The places.
    pub range: Range,
    /// The most groups.
    pub limit: PageSize,
    /// The most people of a group.
    pub people: PeopleLimit,
}

impl ByPlace {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "placeId", "peopleLimit"];

    /// Reads the query: a page of places after a cursor, or one place.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        let place: Option<PlaceId> = params.get("placeId")?;
        let after: Option<Cursor> = params.get("after")?;
        let after = after.as_ref().map_or(Ok(0), by_id)?;
        Ok(Self {
            range: Range {
                after: place.map_or(after, |place| after.max(place.get() - 1)),
                through: place.map_or(PlaceId::MAX_ID, PlaceId::get),
            },
            limit: params.get("limit")?.unwrap_or_default(),
            people: params.get("peopleLimit")?.unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(query: &str) -> Result<Range, Problem> {
        ByPlace::read(&Params::parse(query, ByPlace::PARAMETERS)?).map(|ask| ask.range)
    }

    #[test]
    fn groups_are_of_a_page_of_places_or_of_one() {
        let all = Range {
            after: 0,
            through: PlaceId::MAX_ID,
        };
        assert_eq!(range(""), Ok(all));
        assert_eq!(range("after=6939"), Ok(Range { after: 9, ..all }));
        assert_eq!(
            range("placeId=3"),
            Ok(Range {
                after: 2,
                through: 3
            })
        );
        // Behind the place there is nothing.
        let none = Range {
            after: 9,
            through: 3,
        };
        assert_eq!(range("placeId=3&after=6939"), Ok(none));
        assert!(range("after=6e313a61").is_err());
    }
}
