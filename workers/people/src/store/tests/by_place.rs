//! Tests the statement for people grouped by place.

use http_semantics::media::ListFraming;
use http_semantics::{MediaType, Params, Validator};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tables::Cursor;
use tables::by_place::{ByPlaceQuery, LINE_FRAMING};
use tables::page::MAX_PAGE_SIZE;
use tables::schema::PERSON;
use tables::statement::Statement;
use testbed::Testbed;

use super::{PersonRow, as_text, filled, filled_by, list, people};
use crate::store::{self, GroupFormat};

fn by_place(query: &str, framing: ListFraming, known_change_seq: Option<Validator>) -> Statement {
    let params = Params::parse(query, ByPlaceQuery::PARAMETERS).unwrap();
    let query = ByPlaceQuery::from_params(&params).unwrap();
    store::by_place(&query, GroupFormat::Json, framing, known_change_seq)
}

/// The groups that one statement returns.
fn groups(testbed: &Testbed, query: &str) -> Vec<Json> {
    let statement = by_place(query, MediaType::NdJson.framing(), None);
    let rows = testbed.rows(&statement).unwrap();
    let text: String = rows
        .iter()
        .filter_map(|row| as_text(&row["text"]))
        .collect();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The groups that one statement returns, as lines.
fn lines(testbed: &Testbed, query: &str) -> String {
    let params = Params::parse(query, ByPlaceQuery::PARAMETERS).unwrap();
    let query = ByPlaceQuery::from_params(&params).unwrap();
    let statement = store::by_place(&query, GroupFormat::CsvLines, LINE_FRAMING, None);
    let rows = testbed.rows(&statement).unwrap();
    let texts = rows.iter().filter_map(|row| as_text(&row["text"]));
    texts.collect()
}

/// Whether a person matches a filter.
type Matches = fn(&PersonRow) -> bool;

/// A filter for people: its parameters, and whether a person matches it.
type Filter = (String, Matches);

fn filters() -> Vec<Filter> {
    let filters: [(&str, Matches); 9] = [
        ("", |_| true),
        ("&isAlive=true", |p| p.is_alive),
        ("&isAlive=false", |p| !p.is_alive),
        ("&isKing=true", |p| p.is_king),
        ("&isKing=false", |p| !p.is_king),
        ("&isAlive=true&isKing=true", |p| p.is_alive && p.is_king),
        ("&isAlive=true&isKing=false", |p| p.is_alive && !p.is_king),
        ("&isAlive=false&isKing=true", |_| false),
        ("&isAlive=false&isKing=false", |p| !p.is_alive),
    ];
    filters
        .map(|(query, matches)| (query.to_owned(), matches))
        .into()
}

/// Selections of places: their parameters, and the ids in order.
fn selections(after: i64) -> Vec<(String, Vec<i64>)> {
    let cursor = Cursor::Id(after);
    vec![
        (String::new(), (1..6).collect()),
        (format!("&after={cursor}"), (after + 1..6).collect()),
        ("&sort=-id".to_owned(), (1..6).rev().collect()),
        (
            format!("&sort=-id&after={cursor}"),
            (1..after).rev().collect(),
        ),
        (format!("&placeId={after}"), vec![after]),
        ("&placeId=4,99,1,5,4".to_owned(), vec![4, 1, 5]),
        (format!("&placeId=5,1&after={}", Cursor::Id(1)), vec![5]),
        (format!("&placeId=1&after={}", Cursor::Id(1)), vec![]),
    ]
}

/// The cells of a person. These names have no formulas.
fn cells(person: &PersonRow) -> String {
    let person = person.json();
    let fields = PERSON.fields.iter().filter(|field| **field != "placeId");
    let cell = |field: &&str| match &person[*field] {
        Json::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
        Json::Null => String::new(),
        other => other.to_string(),
    };
    fields.map(cell).collect::<Vec<_>>().join(",")
}

/// Compares the groups of every selection and filter with a filter over the people.
fn assert_groups(people: &[PersonRow], limit: usize, people_limit: usize, after: i64) {
    let testbed = filled(people);
    for (selection, places) in selections(after) {
        for (filter, matches) in filters() {
            let query = format!("limit={limit}&peopleLimit={people_limit}{selection}{filter}");
            let (mut expected, mut expected_lines) = (Vec::new(), Vec::new());
            for place in &places {
                let residents: Vec<&PersonRow> =
                    people.iter().filter(|p| p.place == Some(*place)).collect();
                if residents.is_empty() || expected.len() == limit {
                    continue;
                }
                let residents: Vec<&PersonRow> =
                    residents.into_iter().filter(|p| matches(p)).collect();
                let shown = &residents[..people_limit.min(residents.len())];
                let json: Vec<Json> = shown.iter().map(|p| p.resident_json()).collect();
                let mut group = json!({"placeId": place, "people": json});
                if residents.len() > people_limit {
                    let cursor = Cursor::Id(residents[people_limit - 1].id);
                    let next = format!(
                        "/v1/people?placeId={place}{filter}&limit={MAX_PAGE_SIZE}&after={cursor}"
                    );
                    group["next"] = next.into();
                }
                expected.push(group);
                let line = |p: &&PersonRow| format!("{place},{}", cells(p));
                expected_lines.extend(shown.iter().map(line));
                if shown.is_empty() {
                    expected_lines.push(format!("{place}{}", ",".repeat(PERSON.fields.len() - 1)));
                }
            }
            assert_eq!(groups(&testbed, &query), expected, "{query}");
            assert_eq!(
                lines(&testbed, &query),
                expected_lines.join("\n"),
                "{query}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn groups_are_the_matching_people_of_each_place_up_to_the_limits(
        people in people(), limit in 1..7usize, people_limit in 1..6usize, after in 1..5i64,
    ) {
        assert_groups(&people, limit, people_limit, after);
    }
}

#[test]
fn few_matches_among_many_others_are_found() {
    for (rare_is_alive, kings) in [(true, [31, 62]), (false, [1, 2])] {
        let person = |id: i64| PersonRow {
            id,
            name: "x".to_owned(),
            is_alive: (id % 31 == 0) == rare_is_alive,
            is_king: kings.contains(&id),
            place: Some(1 + id % 2),
        };
        let people: Vec<PersonRow> = (1..250).map(person).collect();
        for people_limit in [2, 9] {
            assert_groups(&people, 5, people_limit, 1);
        }
    }
}

#[test]
fn few_matches_among_many_others_cost_the_same_with_any_number_of_others() {
    let steps = |count: i64| {
        let testbed = filled_by(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO person (id, name, name_key, is_alive, place_id)
            SELECT i, 'x', 'x', i > {count} - 5, 1 + i % 2 FROM n"
        ));
        let filters = [
            "isAlive=true",
            "isAlive=true&peopleLimit=1",
            "isAlive=true&isKing=false",
            "isAlive=true&isKing=true",
            "isAlive=false&isKing=true",
        ];
        filters.map(|filter| {
            let statement = by_place(filter, MediaType::Json.framing(), None);
            testbed.steps(&statement).unwrap()
        })
    };
    assert_eq!(steps(500), steps(20_000));
}

#[test]
fn the_chunks_of_a_long_group_form_one_group() {
    let testbed = filled_by(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
        INSERT INTO person (id, name, name_key, is_alive, place_id)
        SELECT 3 * i, 'x', 'x', 1, 7 FROM n",
    );
    for (limit, shown) in [
        (999, 999),
        (1000, 1000),
        (1001, 1001),
        (2000, 2000),
        (2500, 2500),
        (10_000, 2500),
    ] {
        let groups = groups(&testbed, &format!("peopleLimit={limit}"));
        assert_eq!(groups.len(), 1);
        let people = groups[0]["people"].as_array().unwrap().iter();
        let ids: Vec<i64> = people.filter_map(|person| person["id"].as_i64()).collect();
        let expected: Vec<i64> = (1..=shown).map(|i| 3 * i).collect();
        assert_eq!(ids, expected, "{limit}");
        assert_eq!(groups[0].get("next").is_some(), limit < 2500, "{limit}");
    }
}

#[test]
fn a_statement_begins_no_group_after_its_target_number_of_people() {
    let testbed = filled_by(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 44999)
        INSERT INTO person (name, name_key, is_alive, place_id)
        SELECT 'x', 'x', 1, 1 + i / 9000 FROM n",
    );
    let statement = by_place("peopleLimit=10000", MediaType::NdJson.framing(), None);
    let rows = testbed.rows(&statement).unwrap();
    let last = rows.last().unwrap();
    // After two groups it has 18,000 people, which is less than 20,000, so it adds a third group.
    // Two groups remain.
    assert_eq!(
        (last.integer("place_id"), last.integer("remaining")),
        (3, 2)
    );
}

#[test]
fn groups_are_read_from_indexes() {
    let testbed = filled(&[]);
    for (selection, _) in selections(3) {
        for (filter, _) in filters() {
            let query = format!("limit=9{selection}{filter}");
            let statement = by_place(&query, MediaType::Json.framing(), None);
            let plan = testbed.plan(&statement).unwrap();
            assert!(
                !plan.walks("person") && !plan.walks("population"),
                "{query}: {plan:?}"
            );
        }
    }
}

#[test]
fn an_unchanged_response_costs_the_same_with_any_number_of_people() {
    let steps = |count: i64| {
        let testbed = filled_by(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO person (name, name_key, is_alive, place_id) SELECT 'x', 'x', 1, i FROM n"
        ));
        let known = Some(testbed.validator(count));
        [
            list("count=exact&sort=name", known),
            by_place("", MediaType::Json.framing(), known),
        ]
        .map(|statement| testbed.steps(&statement).unwrap())
    };
    let (few, many) = (steps(10), steps(3000));
    assert_eq!(few, many);
    assert!(many.iter().all(|steps| *steps < 250), "{many:?}");
}

#[test]
fn an_equal_change_sequence_of_another_epoch_is_not_current() {
    let testbed = filled_by(
        "INSERT INTO person (name, name_key, is_alive, place_id) VALUES ('x', 'x', 1, 1)",
    );
    let before = Some(testbed.validator(1));
    let statements = || {
        [
            list("", before),
            by_place("", MediaType::Json.framing(), before),
        ]
    };
    let is_empty = |statement: &Statement| {
        let rows = testbed.rows(statement).unwrap();
        let row = format!("{rows:?}");
        !row.contains("isAlive")
    };
    assert!(statements().iter().all(is_empty));
    let restart = "UPDATE schema SET epoch = lower(hex(randomblob(4)))";
    testbed.execute(restart).unwrap();
    assert!(!statements().iter().any(is_empty));
}

#[test]
fn a_resident_is_a_person_without_the_place() {
    let testbed = filled(&[PersonRow {
        id: 1,
        name: "\"é\"".to_owned(),
        is_alive: true,
        is_king: true,
        place: Some(7),
    }]);
    let sql = format!(
        "SELECT resident, json_remove({}, '$.placeId') AS declared FROM person",
        PERSON.json
    );
    let statement = Statement::new(&sql, Vec::new());
    let row = testbed.rows(&statement).unwrap().remove(0);
    assert_eq!(row.text("resident"), row.text("declared"));
}
