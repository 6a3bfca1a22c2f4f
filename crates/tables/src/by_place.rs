//! The query for people grouped by place. The gateway renders the query as a URL, and the people
//! worker parses it. So both use one definition.

use std::collections::HashSet;

use domain::Param;
use domain::id::Ids;
use http_semantics::Problem;
use http_semantics::media::ListFraming;
use http_semantics::params::Params;

use crate::Cursor;
use crate::page::{PageSize, PeopleLimit};

/// The filters for the people of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PeopleFilter {
    /// Only the living, or only the dead.
    pub is_alive: Option<bool>,
    /// Only kings, or only other people.
    pub is_king: Option<bool>,
}

impl PeopleFilter {
    /// The parameters.
    pub const PARAMETERS: [&str; 2] = ["isAlive", "isKing"];

    /// Parses the filters.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(params: &Params) -> Result<Self, Problem> {
        Ok(Self {
            is_alive: params.get("isAlive")?,
            is_king: params.get("isKing")?,
        })
    }

    /// The number of people who match in a place with this population.
    #[must_use]
    pub fn count(self, living: i64, dead: i64, has_king: bool) -> i64 {
        let kings = i64::from(has_king);
        let (matching_living, matching_dead) = match self.is_king {
            None => (living, dead),
            // A king is alive.
            Some(true) => (kings, 0),
            Some(false) => (living - kings, dead),
        };
        match self.is_alive {
            None => matching_living + matching_dead,
            Some(true) => matching_living,
            Some(false) => matching_dead,
        }
    }
}

/// The filters as parameters that follow others: `&isAlive=true`.
impl std::fmt::Display for PeopleFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let values = [self.is_alive, self.is_king];
        for (name, value) in Self::PARAMETERS.iter().zip(values) {
            if let Some(value) = value {
                write!(f, "&{name}={value}")?;
            }
        }
        Ok(())
    }
}

/// The text around the lines that the gateway makes CSV from. A line with a point ends them, because
/// a list of lines that broke off could not be told from a complete one.
pub const LINE_FRAMING: ListFraming = ListFraming {
    open: "",
    between: "\n",
    close: "\n.",
    none: ".",
};

/// The places of the groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceSelection {
    /// The places after one, or all, in order of id.
    After {
        /// The place before the first one.
        place: Option<i64>,
        /// Whether the greatest id comes first.
        descending: bool,
    },
    /// These places, in this order. Each is listed once. The list can be empty.
    Listed(Vec<i64>),
}

/// The query for people grouped by place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByPlaceQuery {
    /// The places.
    pub places: PlaceSelection,
    /// The maximum number of groups.
    pub limit: PageSize,
    /// The maximum number of people per group.
    pub people_limit: PeopleLimit,
    /// The people.
    pub filter: PeopleFilter,
}

impl ByPlaceQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &[
        "limit",
        "after",
        "sort",
        "placeId",
        "isAlive",
        "isKing",
        "peopleLimit",
    ];

    /// Parses the query: a page of places after a cursor, or a list of places. Without `sort`, the
    /// list has the order of the ids that it was given. A cursor leaves out the places before its id.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(params: &Params) -> Result<Self, Problem> {
        let listed: Option<Ids> = params.get("placeId")?;
        let after = match params.get("after")? {
            None => None,
            Some(Cursor::Id(id)) => Some(id),
            Some(_) => return Err(Problem::invalid_parameter("after", Cursor::EXPECTED)),
        };
        let is_descending = params.parse_value("sort", "id or -id", |text| match text {
            "id" => Some(false),
            "-id" => Some(true),
            _ => None,
        })?;
        let places = match listed {
            Some(ids) => {
                let mut seen = HashSet::new();
                let is_after = |id: &i64| match (after, is_descending) {
                    (None, _) => true,
                    (Some(after), Some(true)) => *id < after,
                    (Some(after), _) => *id > after,
                };
                let ids = ids.iter().filter(is_after);
                let mut ids: Vec<i64> = ids.filter(|id| seen.insert(*id)).collect();
                if let Some(is_descending) = is_descending {
                    ids.sort_unstable();
                    if is_descending {
                        ids.reverse();
                    }
                }
                PlaceSelection::Listed(ids)
            }
            None => PlaceSelection::After {
                place: after,
                descending: is_descending.unwrap_or(false),
            },
        };
        Ok(Self {
            places,
            limit: params.get("limit")?.unwrap_or_default(),
            people_limit: params.get("peopleLimit")?.unwrap_or_default(),
            filter: PeopleFilter::from_params(params)?,
        })
    }

    /// The path and query of the request to the people backend. `path` is one of its routes.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        let places = match &self.places {
            PlaceSelection::After { place, descending } => {
                let sort = if *descending { "&sort=-id" } else { "" };
                let after = place.map(|place| format!("&after={}", Cursor::Id(place)));
                format!("{sort}{}", after.unwrap_or_default())
            }
            PlaceSelection::Listed(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                format!("&placeId={}", ids.join(","))
            }
        };
        let (limit, people_limit) = (self.limit.get(), self.people_limit.get());
        let filter = self.filter;
        format!("{path}?limit={limit}&peopleLimit={people_limit}{filter}{places}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<ByPlaceQuery, Problem> {
        ByPlaceQuery::from_params(&Params::parse(query, ByPlaceQuery::PARAMETERS)?)
    }

    fn places(query: &str) -> Result<PlaceSelection, Problem> {
        parse(query).map(|query| query.places)
    }

    #[test]
    fn a_query_selects_the_places_after_a_cursor_or_a_list_of_places() {
        let after = |place, descending| PlaceSelection::After { place, descending };
        assert_eq!(places(""), Ok(after(None, false)));
        assert_eq!(places("after=6939"), Ok(after(Some(9), false)));
        assert_eq!(places("sort=-id&after=6939"), Ok(after(Some(9), true)));
        assert_eq!(places("placeId=3"), Ok(PlaceSelection::Listed(vec![3])));
        let repeated = places("placeId=5,2,5,9");
        assert_eq!(repeated, Ok(PlaceSelection::Listed(vec![5, 2, 9])));
        let after_5 = places("placeId=9,5,2,7&after=6935");
        assert_eq!(after_5, Ok(PlaceSelection::Listed(vec![9, 7])));
        let sorted = places("placeId=5,2,9&sort=id");
        assert_eq!(sorted, Ok(PlaceSelection::Listed(vec![2, 5, 9])));
        let before_9 = places("placeId=2,5,9&sort=-id&after=6939");
        assert_eq!(before_9, Ok(PlaceSelection::Listed(vec![5, 2])));
        for rejected in ["after=6e313a61", "sort=name", "placeId=0", "isKing=1"] {
            assert!(places(rejected).is_err(), "{rejected}");
        }
    }

    #[test]
    fn a_rendered_query_parses_to_the_same_query() -> Result<(), Problem> {
        let selections = [
            PlaceSelection::After {
                place: None,
                descending: false,
            },
            PlaceSelection::After {
                place: Some(7),
                descending: true,
            },
            PlaceSelection::Listed(vec![9, 2, 5]),
        ];
        let any = [None, Some(true), Some(false)];
        for places in selections {
            for (is_alive, is_king) in any.into_iter().flat_map(|a| any.map(|b| (a, b))) {
                let original = ByPlaceQuery {
                    places: places.clone(),
                    limit: PageSize::MAX,
                    people_limit: PeopleLimit::default(),
                    filter: PeopleFilter { is_alive, is_king },
                };
                let url = original.url("/x");
                let (_, query) = url.split_once('?').unwrap_or_default();
                assert_eq!(parse(query)?, original);
            }
        }
        Ok(())
    }

    #[test]
    fn the_number_of_matches_follows_from_the_population() {
        let count = |query: &str| {
            let filter = parse(query).map(|query| query.filter).unwrap_or_default();
            [filter.count(5, 3, true), filter.count(5, 3, false)]
        };
        assert_eq!(count(""), [8, 8]);
        assert_eq!(count("isAlive=true"), [5, 5]);
        assert_eq!(count("isAlive=false"), [3, 3]);
        assert_eq!(count("isKing=true"), [1, 0]);
        assert_eq!(count("isKing=false"), [7, 8]);
        assert_eq!(count("isAlive=true&isKing=true"), [1, 0]);
        assert_eq!(count("isAlive=true&isKing=false"), [4, 5]);
        assert_eq!(count("isAlive=false&isKing=true"), [0, 0]);
        assert_eq!(count("isAlive=false&isKing=false"), [3, 3]);
    }
}
