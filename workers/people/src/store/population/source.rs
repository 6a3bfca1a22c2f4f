//! The first part of the statement for populations: a common table expression that finds the
//! populations before they are filtered and sorted.

use tables::list::MAX_MATCHES;
use tables::population::{Measure, PopulationQuery};

/// The maximum number of places that a page reads.
const MAX_CANDIDATES: i64 = 5_000;

/// The populations as of a time: the last row of each place. Uses the primary key of
/// `population_history`: one seek finds the next place, and one finds its last row at the time. A
/// scan would read every row of the history. Places without people are left out.
const PAST: &str = "place (id) AS (
    SELECT {first}(place_id) FROM population_history WHERE {after_start}
    UNION ALL
    SELECT (SELECT {first}(place_id) FROM population_history WHERE {after_place})
    FROM place
    WHERE id IS NOT NULL
    ORDER BY 1 {direction}
    LIMIT {max_places}
  ),
  past AS (
    SELECT
      place_id, living, dead, king_id, living + dead AS total
    FROM place CROSS JOIN population_history
    WHERE place_id = place.id
      AND at = (SELECT max(at) FROM population_history WHERE place_id = place.id AND at <= ?10)
      AND living + dead > 0
  ),";

/// The populations of these places, now. Uses the primary key of `population`.
const LISTED: &str = "listed AS (
    SELECT
      listed_id AS place_id, coalesce(living, 0) AS living, coalesce(dead, 0) AS dead, king_id,
      coalesce(total, 0) AS total
    FROM (SELECT DISTINCT value AS listed_id FROM json_each(?11))
    LEFT JOIN population ON population.place_id = listed_id
  ),";

/// The populations of these places, as of a time. Two seeks in `population_history` per place.
const LISTED_PAST: &str = "listed AS (
    SELECT
      listed_id AS place_id, coalesce(living, 0) AS living, coalesce(dead, 0) AS dead, king_id,
      coalesce(living + dead, 0) AS total
    FROM (SELECT DISTINCT value AS listed_id FROM json_each(?11))
    LEFT JOIN population_history AS history ON history.place_id = listed_id
      AND at = (SELECT max(at) FROM population_history WHERE place_id = listed_id AND at <= ?10)
  ),";

/// The source of the places.
pub struct Source {
    /// Its common table expression.
    pub sql: String,
    /// Its name.
    pub name: &'static str,
    /// The maximum number of places that it has.
    pub max_places: i64,
    /// A condition: there are too many places to sort.
    pub has_too_many: String,
}

/// The condition that there are too many places to sort.
fn more_than_max_matches(places: &str) -> String {
    format!("(SELECT count(*) FROM ({places} LIMIT {MAX_MATCHES} + 1)) > {MAX_MATCHES}")
}

impl Source {
    /// Whether it has the places in the order of the page, so that the page can end within it.
    pub fn is_in_order(&self) -> bool {
        self.max_places == MAX_CANDIDATES
    }

    /// The source of a query. `is_listed` if it has a list of places.
    pub fn new(query: &PopulationQuery, is_listed: bool) -> Self {
        let is_sorted = match query.order.measure() {
            None => false,
            // No index has the dead: it would cost one more row of each write.
            Some(Measure::Dead) => true,
            Some(_) => query.as_of.is_some(),
        };
        let without_limit = |sql: &str, name| Self {
            sql: sql.to_owned(),
            name,
            max_places: MAX_MATCHES + 1,
            has_too_many: "FALSE".to_owned(),
        };
        // With two lower bounds, SQLite seeks to the first one and reads the rows up to the other.
        let beyond = |id: &str| {
            if query.order.is_descending() {
                format!("place_id > 0 AND place_id < {id}")
            } else {
                format!("place_id > max(0, {id})")
            }
        };
        let past = |after_start: &str| {
            PAST.replace("{after_start}", after_start)
                .replace("{after_place}", &beyond("place.id"))
        };
        match (&query.as_of, is_listed) {
            (None, true) => without_limit(LISTED, "listed"),
            (Some(_), true) => without_limit(LISTED_PAST, "listed"),
            (None, false) if is_sorted => Self {
                has_too_many: more_than_max_matches("SELECT 1 FROM population"),
                ..without_limit("", "population")
            },
            (None, false) => Self {
                max_places: MAX_CANDIDATES,
                ..without_limit("", "population")
            },
            // In order of id, the places as of a time are the candidates. In any other order all of
            // them are sorted, because the page can begin with any place.
            (Some(_), false) if is_sorted => Self {
                has_too_many: more_than_max_matches("SELECT 1 FROM place"),
                ..without_limit(&past("place_id > 0"), "past")
            },
            (Some(_), false) => Self {
                max_places: MAX_CANDIDATES,
                ..without_limit(&past(&beyond("?9")), "past")
            },
        }
    }
}
