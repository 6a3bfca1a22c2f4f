//! The population of each place, now or as of a time.

use domain::{Moment, PlaceId};
use http_semantics::media::ListFraming;
use http_semantics::{MediaType, csv};
use tables::population::{Measure, Order, PopulationQuery, Position};
use tables::statement::{Bind, Statement};

const POPULATION: &str = include_str!("population.sql");

/// A population as JSON.
const RECORD: &str = r#"'{"placeId":' || place_id
      || ',"total":' || (living + dead)
      || ',"living":' || living
      || ',"dead":' || dead
      || ',"king":' || coalesce('{"id":' || king_id || ',"name":' || json_quote(king) || '}', 'null')
      || '}'"#;

/// A population as a line of a table.
pub const HEADER: &str = "placeId,total,living,dead,kingId,kingName\r\n";
const LINE: &str = "place_id || ',' || (living + dead) || ',' || living || ',' || dead
      || ',' || coalesce(king_id, '') || ',' || coalesce({king_name}, '')";

/// Every place's last row at a time. The places come one seek each, in order of id, because
/// history has many rows a place; who has died out or moved away entirely is no row.
const PAST: &str = "known (id) AS (
    SELECT min(place_id) FROM population_history WHERE place_id > {behind}
    UNION ALL
    SELECT (SELECT min(place_id) FROM population_history WHERE place_id > known.id)
    FROM known
    WHERE id IS NOT NULL
    ORDER BY 1
  ),
  past AS (
    SELECT
      place_id, living, dead, king_id,
      living + dead AS total, -living AS living_down, -(living + dead) AS total_down
    FROM known CROSS JOIN population_history
    WHERE place_id = known.id
      AND at = (SELECT max(at) FROM population_history WHERE place_id = known.id AND at <= ?10)
      AND living + dead > 0
  ),";

/// A king's name by the primary key, or the last one at a time by the unique index on person
/// and version.
const KING: &str = "(SELECT name FROM person WHERE id = king_id)";
const PAST_KING: &str = "(
      SELECT name FROM person_change WHERE person_id = king_id AND at <= ?10
      ORDER BY version DESC LIMIT 1
    )";

const EVERYONE: &str = "FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1";
const PAST_EVERYONE: &str = "FROM population_history
    WHERE place_id = -1 AND at <= ?10 ORDER BY at DESC LIMIT 1";

const NOWHERE: &str = "SELECT dead FROM population WHERE place_id = 0";
const PAST_NOWHERE: &str = "SELECT dead FROM population_history
    WHERE place_id = 0 AND at <= ?10 ORDER BY at DESC LIMIT 1";

/// The populations asked for; none if nothing has changed since the counter that was `seen`.
#[must_use]
pub fn population(ask: &PopulationQuery, format: MediaType, seen: Option<i64>) -> Statement {
    let number = match ask.order {
        Order::Id => "0",
        Order::Up(Measure::Living) => "living",
        Order::Down(Measure::Living) => "living_down",
        Order::Up(Measure::Total) => "total",
        Order::Down(Measure::Total) => "total_down",
    };
    let after = match ask.order {
        // A seek each.
        Order::Id if ask.ids.is_some() => {
            "place_id > ?9 AND place_id IN (SELECT value FROM json_each(?11))".to_owned()
        }
        Order::Id => "place_id > ?9".to_owned(),
        // The least bounds this index from its other end.
        Order::Down(Measure::Living) => format!("{} AND {number} <= -?7", behind(number)),
        _ => behind(number),
    };
    let order = match (ask.order, &ask.as_of) {
        (Order::Id, None) => "ORDER BY place_id".to_owned(),
        // As the places come. To sort them would take them all before the first.
        (Order::Id, Some(_)) => String::new(),
        _ => format!("ORDER BY {number}, place_id"),
    };
    let cursor = match ask.order {
        Order::Id => "'i' || place_id",
        _ => "'p' || abs(number) || '.' || place_id",
    };
    let (source, king, everyone, nowhere) = match ask.as_of {
        None => ("population", KING, EVERYONE, NOWHERE),
        Some(_) => ("past", PAST_KING, PAST_EVERYONE, PAST_NOWHERE),
    };
    let past = match (&ask.as_of, ask.order) {
        (None, _) => String::new(),
        (Some(_), Order::Id) => PAST.replace("{behind}", "?9"),
        (Some(_), _) => PAST.replace("{behind}", "0"),
    };
    let record = match format {
        MediaType::Json | MediaType::NdJson => RECORD.to_owned(),
        MediaType::Csv => LINE.replace("{king_name}", &csv::sql_text_cell("king")),
    };
    let sql = POPULATION
        .replace("{record}", &record)
        .replace("{past}", &past)
        .replace("{source}", source)
        .replace("{number}", number)
        .replace("{after}", &after)
        .replace("{order}", &order)
        .replace("{cursor}", cursor)
        .replace("{king}", king)
        .replace("{everyone}", everyone)
        .replace("{nowhere}", nowhere);
    Statement {
        sql,
        binds: binds(ask, format.framing_with_header(HEADER), seen),
    }
}

fn behind(number: &str) -> String {
    format!("({number}, place_id) > (?8, ?9) AND place_id > 0")
}

fn binds(ask: &PopulationQuery, frame: ListFraming, seen: Option<i64>) -> Vec<Bind> {
    let least = ask.least.unwrap_or_default();
    let from = start(ask, least);
    let mut binds = vec![Bind::Integer(ask.limit.get().into())];
    binds.extend([frame.open, frame.between, frame.close, frame.end(true)].map(Bind::from));
    binds.push(seen.into());
    binds.extend([least, from.number, from.place].map(Bind::from));
    if ask.as_of.is_some() || ask.ids.is_some() {
        binds.push(ask.as_of.as_ref().map(Moment::milliseconds).into());
    }
    binds.extend(ask.ids.as_ref().map(|ids| Bind::from(ids.to_json())));
    binds
}

/// What the page begins behind, in the numbers of its column.
fn start(ask: &PopulationQuery, least: i64) -> Position {
    let first = Position {
        number: -PlaceId::MAX_ID,
        place: 0,
    };
    match (ask.order, ask.after) {
        (Order::Down(_), after) => after.map_or(first, |after| Position {
            number: -after.number,
            ..after
        }),
        // Nobody with fewer than the least is even looked at.
        (Order::Up(Measure::Living), Some(after)) if after.number >= least => after,
        (Order::Up(Measure::Living), _) => Position {
            number: least,
            place: 0,
        },
        (_, after) => after.unwrap_or(first),
    }
}
