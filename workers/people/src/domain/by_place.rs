//! People grouped by place: the stream that the join merges with its places.

use registry::page::{Limit, PeopleLimit};
use registry::{Cursor, Param, Params, PlaceId, Problem};

/// A range of place ids: after one, up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Not this one, nor any before; 0 is before all.
    pub after: i64,
    /// This one still, but none behind.
    pub through: i64,
}

/// Which groups, and how many people of each.
#[derive(Debug)]
pub struct ByPlace {
    /// The places.
    pub range: Range,
    /// The most groups.
    pub limit: Limit,
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
        let after: Option<Cursor> = params.get("after")?;
        let range = match (params.get::<PlaceId>("placeId")?, after) {
            (Some(place), _) => Range {
                after: place.get() - 1,
                through: place.get(),
            },
            (None, None) => Range {
                after: 0,
                through: PlaceId::MOST,
            },
            (None, Some(Cursor::Id(id))) => Range {
                after: id,
                through: PlaceId::MOST,
            },
            (None, Some(Cursor::Name { .. })) => {
                return Err(Problem::invalid_parameter("after", Cursor::EXPECTED));
            }
        };
        Ok(Self {
            range,
            limit: params.get("limit")?.unwrap_or_default(),
            people: params.get("peopleLimit")?.unwrap_or_default(),
        })
    }
}
