//! The statement that reads the latest changes of the population of a place.

use domain::PlaceId;
use tables::schema::PERSON;
use tables::statement::Statement;

const POPULATION_CHANGES: &str = include_str!("population_changes.sql");

const TIME: &str =
    r#"'{"at":"' || strftime('%Y-%m-%dT%H:%M:%fZ', log.at / 1000.0, 'unixepoch') || '"'"#;

/// The arrivals, departures, deaths and crownings of a place at the latest `limit` moments before a
/// time, in milliseconds since 1970. Latest first.
#[must_use]
pub fn population_changes(place: PlaceId, before: i64, limit: i64) -> Statement {
    let sql = POPULATION_CHANGES
        .replace("{time}", TIME)
        .replace("{previous}", &PERSON.logged_json_from("previous"))
        .replace("{log}", &PERSON.logged_json_from("log"));
    let binds = vec![place.get().into(), before.into(), limit.into()];
    Statement { sql, binds }
}
