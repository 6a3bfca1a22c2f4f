//! The statement for a page of populations, now or as of a time.

use domain::{Moment, PlaceId};
use http_semantics::media::ListFraming;
use http_semantics::{MediaType, Validator, csv};
use tables::list::MAX_MATCHES;
use tables::population::{Measure, Order, PopulationQuery, Position};
use tables::statement::{Bind, Statement, framing_binds};

const POPULATION: &str = include_str!("population.sql");

/// The maximum number of places that a page reads.
const MAX_CANDIDATES: i64 = 5_000;

/// The CSV header.
pub const HEADER: &str = "placeId,total,living,dead,kingId,kingName\r\n";

/// A population as a line of CSV.
const CSV_LINE: &str = "place_id || ',' || (living + dead) || ',' || living || ',' || dead
      || ',' || coalesce(king_id, '') || ',' || coalesce({king_cell}, '')";

/// A population as JSON.
const JSON: &str = r#"'{"placeId":' || place_id
      || ',"total":' || (living + dead)
      || ',"living":' || living
      || ',"dead":' || dead
      || ',"king":' || coalesce(
        '{"id":' || king_id || ',"name":' || json_quote(king_name) || '}', 'null'
      )
      || '}'"#;

/// The populations as of a time: the last row of each place. Uses the primary key of
/// `population_history`: one seek finds the next place, and one finds its last row at the time. A
/// scan would read every row of the history. Places without people are left out.
const PAST: &str = "place (id) AS (
    SELECT {first}(place_id) FROM population_history WHERE place_id > 0 AND place_id {beyond} {start}
    UNION ALL
    SELECT (
      SELECT {first}(place_id) FROM population_history
      WHERE place_id > 0 AND place_id {beyond} place.id
    )
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

/// The parts of the statement that depend on whether the query has a time.
struct TimeParts {
    /// The name of a place's king.
    king_name: &'static str,
    /// The row of the history that counts all people: place id -1.
    total: &'static str,
    /// The number of dead people without a place: place id 0.
    dead_without_place: &'static str,
}

/// Uses the primary keys.
const PRESENT_PARTS: TimeParts = TimeParts {
    king_name: "(SELECT name FROM person WHERE id = king_id)",
    total: "FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1",
    dead_without_place: "SELECT dead FROM population WHERE place_id = 0",
};

/// Uses the primary key of `population_history`, and the unique index
/// `person_change (person_id, version)`.
const PAST_PARTS: TimeParts = TimeParts {
    king_name: "(
      SELECT name FROM person_change WHERE person_id = king_id AND at <= ?10
      ORDER BY version DESC LIMIT 1
    )",
    total: "FROM population_history
    WHERE place_id = -1 AND at <= ?10 ORDER BY at DESC LIMIT 1",
    dead_without_place: "SELECT dead FROM population_history
    WHERE place_id = 0 AND at <= ?10 ORDER BY at DESC LIMIT 1",
};

/// The places of a list.
#[derive(Debug, Clone)]
pub struct ListedPlaces {
    /// Their ids, as a JSON array.
    pub ids: String,
    /// Whether to include those without people.
    pub includes_empty: bool,
}

/// The source of the places.
struct Source {
    /// Its common table expression.
    sql: String,
    /// Its name.
    name: &'static str,
    /// The maximum number of places that it has.
    max_places: i64,
    /// A condition: there are too many places to sort.
    has_too_many: String,
}

/// The condition that there are too many places to sort.
fn more_than_max_matches(places: &str) -> String {
    format!("(SELECT count(*) FROM ({places} LIMIT {MAX_MATCHES} + 1)) > {MAX_MATCHES}")
}

impl Source {
    fn new(query: &PopulationQuery, is_listed: bool) -> Self {
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
            (Some(_), false) if is_sorted => {
                let past = PAST.replace("{beyond} {start}", "> 0");
                Self {
                    has_too_many: more_than_max_matches("SELECT 1 FROM place"),
                    ..without_limit(&past, "past")
                }
            }
            (Some(_), false) => Self {
                max_places: MAX_CANDIDATES,
                ..without_limit(&PAST.replace("{start}", "?9"), "past")
            },
        }
    }
}

/// A page of populations, only of the places in `listed`, if there is a list. `known_change_seq` is
/// the change sequence of the page that the client has cached. If it is still current, the page is
/// empty.
#[must_use]
pub fn population(
    query: &PopulationQuery,
    listed: Option<ListedPlaces>,
    format: MediaType,
    known_change_seq: Option<Validator>,
) -> Statement {
    let number = sort_number(query.order);
    let (first, beyond, direction) = if query.order.is_descending() {
        ("max", "<", "DESC")
    } else {
        ("min", ">", "ASC")
    };
    let is_by_id = query.order.measure().is_none();
    let parts = if query.as_of.is_some() {
        PAST_PARTS
    } else {
        PRESENT_PARTS
    };
    let source = Source::new(query, listed.is_some());
    let past = source
        .sql
        .replace("{first}", first)
        .replace("{beyond}", beyond)
        .replace("{direction}", direction);
    let order = match (is_by_id, source.name) {
        // `past` returns the places in this order. Sorting would read all of them before the first.
        (true, "past") => String::new(),
        (true, _) => format!("ORDER BY place_id {direction}"),
        _ => format!("ORDER BY {number} {direction}, place_id {direction}"),
    };
    let cursor = if is_by_id {
        "'i' || place_id"
    } else {
        "'p' || number || '.' || place_id"
    };
    let record = match format {
        MediaType::Json | MediaType::NdJson => JSON.to_owned(),
        MediaType::Csv => CSV_LINE.replace("{king_cell}", &csv::sql_text_cell("king_name")),
    };
    let mut after = after(query, number);
    if listed.as_ref().is_some_and(|listed| !listed.includes_empty) {
        after.push_str(" AND total > 0");
    }
    let sql = POPULATION
        .replace("{record}", &record)
        .replace("{places}", &past)
        .replace("{source}", source.name)
        .replace("{sort_number}", number)
        .replace("{after}", &after)
        .replace("{order}", &order)
        .replace("{cursor}", cursor)
        .replace("{king_name}", parts.king_name)
        .replace("{total}", parts.total)
        .replace("{dead_without_place}", parts.dead_without_place)
        .replace("{max_places}", &source.max_places.to_string())
        // Only a page in the order of its source skips places.
        .replace(
            "{is_sorted}",
            if source.max_places > MAX_CANDIDATES {
                "TRUE"
            } else {
                "FALSE"
            },
        )
        .replace("{has_too_many}", &source.has_too_many);
    let framing = format.framing_with_header(HEADER);
    Statement {
        sql,
        binds: binds(query, listed, framing, known_change_seq),
    }
}

/// The column that the places are sorted by.
fn sort_number(order: Order) -> &'static str {
    match order.measure() {
        None => "0",
        Some(Measure::Living) => "living",
        Some(Measure::Dead) => "dead",
        Some(Measure::Total) => "total",
    }
}

/// The condition for the places after the position of the query.
fn after(query: &PopulationQuery, number: &str) -> String {
    let beyond = if query.order.is_descending() {
        "<"
    } else {
        ">"
    };
    match query.order.measure() {
        // The range has one lower bound: SQLite would seek to 0 and skip all places before ?9.
        None if beyond == "<" => "place_id > 0 AND place_id < ?9".to_owned(),
        None => "place_id > max(0, ?9)".to_owned(),
        // The first comparison bounds the range of the index. If it is sorted by the living, the
        // minimum is its other end, so the page skips nothing.
        Some(measure) => {
            let end = if measure == Measure::Living {
                " AND living >= ?7"
            } else {
                ""
            };
            format!(
                "{number} {beyond}= ?8 AND ({number}, place_id) {beyond} (?8, ?9){end}
      AND place_id > 0"
            )
        }
    }
}

fn binds(
    query: &PopulationQuery,
    listed: Option<ListedPlaces>,
    framing: ListFraming,
    known: Option<Validator>,
) -> Vec<Bind> {
    let min_living = query.least.unwrap_or_default();
    let start = start(query, min_living);
    let mut binds = vec![Bind::Integer(query.limit.get().into())];
    binds.extend(framing_binds(framing));
    binds.push(known.into());
    binds.extend([min_living, start.number, start.place].map(Bind::from));
    if query.as_of.is_some() || listed.is_some() {
        binds.push(query.as_of.as_ref().map(Moment::milliseconds).into());
    }
    binds.extend(listed.map(|listed| Bind::from(listed.ids)));
    binds
}

/// The position after which the page begins, in the numbers of [`sort_number`].
fn start(query: &PopulationQuery, min_living: i64) -> Position {
    let first = if query.order.is_descending() {
        Position {
            number: PlaceId::MAX_ID,
            place: PlaceId::MAX_ID + 1,
        }
    } else {
        Position {
            number: 0,
            place: 0,
        }
    };
    match (query.order, query.after) {
        // The index seeks to the minimum, and skips all places with fewer people.
        (Order::Up(Measure::Living), Some(after)) if after.number >= min_living => after,
        (Order::Up(Measure::Living), _) => Position {
            number: min_living,
            place: 0,
        },
        (_, after) => after.unwrap_or(first),
    }
}
