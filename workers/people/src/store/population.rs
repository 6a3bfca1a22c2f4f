//! The statement for a page of populations, now or as of a time.

use domain::{Moment, PlaceId};
use http_semantics::media::ListFraming;
use http_semantics::{MediaType, Validator, csv};
use tables::population::{Measure, Order, PopulationQuery, Position};
use tables::statement::{Bind, Statement, framing_binds};

const POPULATION: &str = include_str!("population.sql");

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
    SELECT min(place_id) FROM population_history WHERE place_id > {first_after}
    UNION ALL
    SELECT (SELECT min(place_id) FROM population_history WHERE place_id > place.id)
    FROM place
    WHERE id IS NOT NULL
    ORDER BY 1
  ),
  past AS (
    SELECT
      place_id, living, dead, king_id,
      living + dead AS total, -living AS living_down, -(living + dead) AS total_down
    FROM place CROSS JOIN population_history
    WHERE place_id = place.id
      AND at = (SELECT max(at) FROM population_history WHERE place_id = place.id AND at <= ?10)
      AND living + dead > 0
  ),";

/// The parts of the statement that depend on whether the query has a time.
struct TimeParts {
    /// The populations.
    source: &'static str,
    /// The name of a place's king.
    king_name: &'static str,
    /// The row of the history that counts all people: place id -1.
    total: &'static str,
    /// The number of dead people without a place: place id 0.
    dead_without_place: &'static str,
}

/// Uses the primary keys.
const PRESENT_PARTS: TimeParts = TimeParts {
    source: "population",
    king_name: "(SELECT name FROM person WHERE id = king_id)",
    total: "FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1",
    dead_without_place: "SELECT dead FROM population WHERE place_id = 0",
};

/// Uses the primary key of `population_history`, and the unique index
/// `person_change (person_id, version)`.
const PAST_PARTS: TimeParts = TimeParts {
    source: "past",
    king_name: "(
      SELECT name FROM person_change WHERE person_id = king_id AND at <= ?10
      ORDER BY version DESC LIMIT 1
    )",
    total: "FROM population_history
    WHERE place_id = -1 AND at <= ?10 ORDER BY at DESC LIMIT 1",
    dead_without_place: "SELECT dead FROM population_history
    WHERE place_id = 0 AND at <= ?10 ORDER BY at DESC LIMIT 1",
};

/// A page of populations. `known_change_seq` is the change sequence of the page that the client has
/// cached. If it is still current, the page is empty.
#[must_use]
pub fn population(
    query: &PopulationQuery,
    format: MediaType,
    known_change_seq: Option<Validator>,
) -> Statement {
    let number = sort_number(query.order);
    let (past, parts) = if query.as_of.is_some() {
        // In any other order, the page can begin with any place.
        let first_after = if query.order == Order::Id { "?9" } else { "0" };
        (PAST.replace("{first_after}", first_after), PAST_PARTS)
    } else {
        (String::new(), PRESENT_PARTS)
    };
    let order = match (query.order, &query.as_of) {
        (Order::Id, None) => "ORDER BY place_id".to_owned(),
        // `past` returns the places in this order. Sorting would read all of them before the first.
        (Order::Id, Some(_)) => String::new(),
        _ => format!("ORDER BY {number}, place_id"),
    };
    let cursor = match query.order {
        Order::Id => "'i' || place_id",
        _ => "'p' || abs(number) || '.' || place_id",
    };
    let record = match format {
        MediaType::Json | MediaType::NdJson => JSON.to_owned(),
        MediaType::Csv => CSV_LINE.replace("{king_cell}", &csv::sql_text_cell("king_name")),
    };
    let sql = POPULATION
        .replace("{record}", &record)
        .replace("{past}", &past)
        .replace("{source}", parts.source)
        .replace("{sort_number}", number)
        .replace("{after}", &after(query, number))
        .replace("{order}", &order)
        .replace("{cursor}", cursor)
        .replace("{king_name}", parts.king_name)
        .replace("{total}", parts.total)
        .replace("{dead_without_place}", parts.dead_without_place);
    Statement {
        sql,
        binds: binds(query, format.framing_with_header(HEADER), known_change_seq),
    }
}

/// The column that the places are sorted by. A descending order uses a column of negative numbers,
/// because equal places are sorted by ascending id.
fn sort_number(order: Order) -> &'static str {
    match order {
        Order::Id => "0",
        Order::Up(Measure::Living) => "living",
        Order::Down(Measure::Living) => "living_down",
        Order::Up(Measure::Total) => "total",
        Order::Down(Measure::Total) => "total_down",
    }
}

/// The condition for the places after the position of the query.
fn after(query: &PopulationQuery, number: &str) -> String {
    let position = format!("({number}, place_id) > (?8, ?9) AND place_id > 0");
    match query.order {
        // One seek per id.
        Order::Id if query.ids.is_some() => {
            "place_id > ?9 AND place_id IN (SELECT value FROM json_each(?11))".to_owned()
        }
        Order::Id => "place_id > ?9".to_owned(),
        // In this order, the minimum is the end of the range in the index.
        Order::Down(Measure::Living) => format!("{position} AND {number} <= -?7"),
        _ => position,
    }
}

fn binds(query: &PopulationQuery, framing: ListFraming, known: Option<Validator>) -> Vec<Bind> {
    let min_living = query.least.unwrap_or_default();
    let start = start(query, min_living);
    let mut binds = vec![Bind::Integer(query.limit.get().into())];
    binds.extend(framing_binds(framing));
    binds.push(known.into());
    binds.extend([min_living, start.number, start.place].map(Bind::from));
    if query.as_of.is_some() || query.ids.is_some() {
        binds.push(query.as_of.as_ref().map(Moment::milliseconds).into());
    }
    binds.extend(query.ids.as_ref().map(|ids| Bind::from(ids.to_json())));
    binds
}

/// The position after which the page begins, in the numbers of [`sort_number`].
fn start(query: &PopulationQuery, min_living: i64) -> Position {
    let first = Position {
        number: -PlaceId::MAX_ID,
        place: 0,
    };
    match (query.order, query.after) {
        (Order::Down(_), Some(after)) => Position {
            number: -after.number,
            ..after
        },
        // The index seeks to the minimum, and skips all places with fewer people.
        (Order::Up(Measure::Living), Some(after)) if after.number >= min_living => after,
        (Order::Up(Measure::Living), _) => Position {
            number: min_living,
            place: 0,
        },
        (_, after) => after.unwrap_or(first),
    }
}
