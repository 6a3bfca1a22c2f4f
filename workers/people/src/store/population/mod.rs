//! The statement that reads a page of populations, now or as of a time.

mod source;

use domain::{Moment, PlaceId};
use http_semantics::media::ListFraming;
use http_semantics::{MediaType, Validator, csv};
use tables::population::{Measure, Order, PopulationQuery, Position};
use tables::statement::{Bind, Statement, framing_binds};

use source::Source;

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

/// The parts of the statement that depend on whether the query has a time.
struct TimeParts {
    /// The name of a place's king.
    king_name: &'static str,
    /// The row of the history that counts all people: place id -1.
    total: &'static str,
    /// The number of dead people without a place: place id 0.
    dead_without_place: &'static str,
    /// The total of the place with the most people. As of a time, it would read all places.
    largest: &'static str,
}

/// Uses the primary keys and `population_by_total`. Without the plus, SQLite would read all places in
/// the order of their ids, and sort them.
const PRESENT_PARTS: TimeParts = TimeParts {
    king_name: "(SELECT name FROM person WHERE id = king_id)",
    total: "FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1",
    dead_without_place: "SELECT dead FROM population WHERE place_id = 0",
    largest: "SELECT total FROM population WHERE +place_id > 0 ORDER BY total DESC LIMIT 1",
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
    largest: "NULL",
};

/// The places of a list.
#[derive(Debug, Clone)]
pub struct ListedPlaces {
    /// Their ids, as a JSON array.
    pub ids: String,
    /// Whether to include those without people.
    pub includes_empty: bool,
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
        _ => format!("ORDER BY number {direction}, place_id {direction}"),
    };
    let cursor = match query.order.measure() {
        None => "'i' || place_id".to_owned(),
        Some(measure) => format!("'{}' || number || '.' || place_id", measure.letter()),
    };
    let record = match format {
        MediaType::Json | MediaType::NdJson => JSON.to_owned(),
        MediaType::Csv => CSV_LINE.replace("{king_cell}", &csv::sql_text_cell("king_name")),
    };
    let non_empty = match &listed {
        Some(listed) if !listed.includes_empty => " AND total > 0",
        _ => "",
    };
    let candidates = after(query, number, source.is_in_order())
        .into_iter()
        .map(|after| {
            let name = source.name;
            format!(
                "SELECT place_id, living, dead, king_id, {number} AS number
    FROM {name} WHERE {after}{non_empty}"
            )
        });
    let candidates: Vec<_> = candidates.collect();
    let sql = POPULATION
        .replace("{record}", &record)
        .replace("{places}", &past)
        .replace("{candidates}", &candidates.join("\n    UNION ALL\n    "))
        .replace("{order}", &order)
        .replace("{cursor}", &cursor)
        .replace("{king_name}", parts.king_name)
        .replace("{total}", parts.total)
        .replace("{dead_without_place}", parts.dead_without_place)
        .replace("{largest}", parts.largest)
        .replace("{max_places}", &source.max_places.to_string())
        // Only a page in the order of its source skips places.
        .replace(
            "{is_sorted}",
            if source.is_in_order() {
                "FALSE"
            } else {
                "TRUE"
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

/// The conditions for the places after the position of the query, one for each range of the source.
///
/// Places with an equal number are a range of their own: SQLite does not seek to a row value whose last
/// column is the rowid, so one range would read all of them on each page.
fn after(query: &PopulationQuery, number: &str, is_in_order: bool) -> Vec<String> {
    let beyond = if query.order.is_descending() {
        "<"
    } else {
        ">"
    };
    let end = match query.order.measure() {
        // The range has one lower bound: SQLite would seek to 0 and skip all places before ?9.
        None if beyond == "<" => return vec!["place_id > 0 AND place_id < ?9".to_owned()],
        None => return vec!["place_id > max(0, ?9)".to_owned()],
        // The minimum is the other end of the range, so the page skips nothing.
        Some(Measure::Living) => " AND living >= ?7",
        Some(_) => "",
    };
    if is_in_order {
        vec![
            format!("{number} = ?8 AND place_id {beyond} ?9 AND place_id > 0{end}"),
            format!("{number} {beyond} ?8 AND place_id > 0{end}"),
        ]
    } else {
        vec![format!(
            "({number}, place_id) {beyond} (?8, ?9) AND place_id > 0{end}"
        )]
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
