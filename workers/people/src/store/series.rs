//! The statement that reads a time series of a population.

use domain::PlaceId;
use http_semantics::{MediaType, Validator};
use tables::series::SeriesQuery;
use tables::statement::{Bind, Statement, framing_binds};

const SERIES: &str = include_str!("series.sql");

/// The CSV header.
pub const HEADER: &str = "at,living,dead\r\n";

const CSV_LINE: &str = "at || ',' || living || ',' || dead";

const JSON: &str = r#"'{"at":"' || at || '","living":' || living || ',"dead":' || dead || '}'"#;

/// The place id of the rows that count all people.
const ALL_PEOPLE: i64 = -1;

/// The population at each point. `known_change_seq` is the change sequence of the series that the
/// client has cached. If it is still current, there are no points.
#[must_use]
pub fn series(
    query: &SeriesQuery,
    format: MediaType,
    known_change_seq: Option<Validator>,
) -> Statement {
    let point = match format {
        MediaType::Json | MediaType::NdJson => JSON,
        MediaType::Csv => CSV_LINE,
    };
    let place = query.place.map_or(ALL_PEOPLE, PlaceId::get);
    let mut binds = vec![Bind::Integer(place)];
    binds.extend(framing_binds(format.framing_with_header(HEADER)));
    binds.push(known_change_seq.into());
    binds.push(query.points_json().into());
    Statement {
        sql: SERIES.replace("{point}", point),
        binds,
    }
}
