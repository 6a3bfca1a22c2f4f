//! Tests time series of populations: compares them with the history from which they are read.

use http_semantics::{MediaType, Params, Validator};
use tables::series::SeriesQuery;
use tables::statement::Statement;

use super::filled_by;
use crate::store;

/// 1970-01-01T00:00:10Z
const NOW: i64 = 10_000;

/// Place 3 has its first people at second 2, and loses some at second 4.
const HISTORY: &str = "
INSERT INTO population_history (place_id, at, living, dead) VALUES
  (3, 2000, 5, 1), (3, 4000, 2, 4), (4, 3000, 7, 7);
UPDATE population_history SET at = 0 WHERE place_id = -1;
INSERT INTO population_history (place_id, at, living, dead) VALUES (-1, 3000, 12, 8);";

fn series(query: &str, format: MediaType, known_change_seq: Option<Validator>) -> Statement {
    let params = Params::parse(query, SeriesQuery::PARAMETERS_WITH_PLACE).unwrap();
    let query = SeriesQuery::from_params(&params, NOW).unwrap();
    store::series(&query, format, known_change_seq)
}

fn body(query: &str, format: MediaType) -> String {
    let rows = filled_by(HISTORY).rows(&series(query, format, None));
    rows.unwrap().remove(0).text("body").to_owned()
}

#[test]
fn a_point_has_the_last_population_until_then() {
    let at =
        |time| format!("placeId=3&from=1970-01-01T00:00:0{time}Z&to=1970-01-01T00:00:0{time}Z");
    for (time, living, dead) in [(1, 0, 0), (2, 5, 1), (3, 5, 1), (4, 2, 4), (9, 2, 4)] {
        let expected = format!(
            r#"[{{"at":"1970-01-01T00:00:0{time}.000Z","living":{living},"dead":{dead}}}]"#
        );
        assert_eq!(body(&at(time), MediaType::Json), expected);
    }
}

#[test]
fn a_series_without_a_place_counts_all_people() {
    assert_eq!(
        body(
            "from=1970-01-01T00:00:02Z&to=1970-01-01T00:00:03Z",
            MediaType::Csv
        ),
        "at,living,dead\r\n1970-01-01T00:00:02.000Z,0,0\r\n1970-01-01T00:00:03.000Z,12,8\r\n"
    );
}

#[test]
fn the_points_of_a_series_are_in_order_of_time() {
    let csv = body("placeId=3&from=1969-12-01&step=hour", MediaType::Csv);
    let times: Vec<&str> = csv.lines().skip(1).collect();
    assert_eq!(times.len(), 31 * 24 + 2);
    assert!(times.is_sorted());
}

#[test]
fn an_unchanged_series_has_no_row() {
    let testbed = filled_by(HISTORY);
    let known = Some(testbed.validator(0));
    let statement = series("placeId=3", MediaType::Json, known);
    assert!(testbed.rows(&statement).unwrap().is_empty());
}
