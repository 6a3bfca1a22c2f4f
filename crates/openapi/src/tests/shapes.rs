//! Runs the statements on the seed data, and compares their JSON with the schemas. A body must
//! parse as its type, and the type must serialize to the same body.

use std::fs;

use crate::views;
use ::join::domain::statistics;
use ::people::store::GroupFormat;
use ::places::domain::PlacesAsOfQuery;
use domain::name::Normalize;
use http_semantics::media::ListFraming;
use http_semantics::problem::Kind;
use http_semantics::{MediaType, Params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tables::change_feed::{self, ChangeFormat, Since};
use tables::page::PageSize;
use tables::population::PopulationQuery;
use tables::schema::{PERSON, PLACE};
use tables::statement::Statement;
use tables::{ByPlaceQuery, ChangesQuery, ListQuery, TableSpec, list, record};
use testbed::{Testbed, Value};

const FRAME: fn() -> ListFraming = || MediaType::Json.framing();

/// A database with the seed.
fn seeded(name: &str) -> Testbed {
    let testbed = Testbed::migrated(name).unwrap();
    let root = format!("{}/../..", env!("CARGO_MANIFEST_DIR"));
    let seed = fs::read_to_string(format!("{root}/seed.sql")).unwrap();
    let (_, section) = seed.split_once(&format!("-- database: {name}\n")).unwrap();
    let section = section.split("-- database:").next().unwrap();
    testbed.execute(section).unwrap();
    testbed
}

fn text(testbed: &Testbed, statement: &Statement) -> String {
    let row = testbed.rows(statement).unwrap().swap_remove(0);
    match row.values().first() {
        Some(Value::Text(text)) => text.clone(),
        other => panic!("{other:?} is no text"),
    }
}

/// Reads the first page of a table.
fn list(table: &'static TableSpec) -> Statement {
    list::page(table, &ListQuery::default(), MediaType::Json, None)
}

/// Asserts that a body has the shape of a type.
fn assert_shape<T: DeserializeOwned + Serialize>(body: &str) -> T {
    let parsed: T = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let expected: Json = serde_json::from_str(body).unwrap();
    assert_eq!(serde_json::to_value(&parsed).unwrap(), expected);
    assert_ne!(body, "[]");
    parsed
}

/// The first page of the feed of a table.
fn changes(table: &TableSpec) -> Statement {
    let query = ChangesQuery {
        since: Since::Beginning,
        descending: false,
        after: None,
        limit: PageSize::MAX,
        place: None,
        person: None,
    };
    change_feed::page(table, &query, FRAME(), ChangeFormat::Json)
}

fn params(known: &'static [&'static str], query: &str) -> Params {
    Params::parse(query, known).unwrap()
}

#[test]
fn place_schemas_match_the_statements() {
    let testbed = seeded("places");
    testbed.execute("DELETE FROM place WHERE id = 30").unwrap();
    assert_shape::<Vec<views::Place>>(&text(&testbed, &list(&PLACE)));
    assert_shape::<views::Place>(&text(&testbed, &record::read(&PLACE, 2, None)));
    let query =
        PlacesAsOfQuery::from_params(&params(PlacesAsOfQuery::PARAMETERS, ""), 0, Normalize::NONE)
            .unwrap();
    assert_shape::<Vec<views::Place>>(&text(
        &testbed,
        &::places::store::as_of(&query, MediaType::Json, None),
    ));
    let feed = changes(&PLACE);
    let changes = text(&testbed, &feed);
    let changes = assert_shape::<Vec<views::PlaceChange>>(&changes);
    assert!(changes.iter().any(|change| change.record.is_none()));
}

#[test]
fn person_schemas_match_the_statements() {
    let testbed = seeded("people");
    testbed.execute("DELETE FROM person WHERE id = 77").unwrap();
    assert_shape::<Vec<views::Person>>(&text(&testbed, &list(&PERSON)));
    assert_shape::<views::Person>(&text(&testbed, &record::read(&PERSON, 4, None)));
    let feed = changes(&PERSON);
    let changes = assert_shape::<Vec<views::Change>>(&text(&testbed, &feed));
    assert!(
        changes
            .iter()
            .all(|change| matches!(change, views::Change::Person(_)))
    );
    let parse =
        |query| ByPlaceQuery::from_params(&params(ByPlaceQuery::PARAMETERS, query)).unwrap();
    for query in ["placeId=1", "placeId=1&peopleLimit=1"] {
        let group = text(
            &testbed,
            &::people::store::by_place(&parse(query), GroupFormat::Json, FRAME(), None),
        );
        let group = assert_shape::<views::PeopleOfPlace>(&group);
        assert_eq!(group.next.is_some(), query.contains("Limit"));
    }
    let query = PopulationQuery::from_params(&params(PopulationQuery::PARAMETERS, ""), 0).unwrap();
    let all = text(
        &testbed,
        &::people::store::population(&query, None, MediaType::Json, None),
    );
    assert_shape::<Vec<views::Population>>(&all);
}

#[test]
fn statistics_and_dataset_schemas_match_the_responses() {
    let (places, people) = (seeded("places"), seeded("people"));
    let query = PopulationQuery::from_params(&params(PopulationQuery::PARAMETERS, ""), 0).unwrap();
    let populations = text(
        &people,
        &::people::store::population(&query, None, MediaType::Json, None),
    );
    let names = text(&places, &list(&PLACE));
    let populations = statistics::populations(populations.as_bytes()).unwrap();
    let rows = statistics::places(names.as_bytes()).unwrap().into_iter();
    let rows = rows.map(|place| statistics::Row {
        population: populations
            .iter()
            .find(|population| population.place_id == place.id)
            .cloned(),
        place,
    });
    let rows: Vec<statistics::Row> = rows.collect();
    let body = statistics::render(&rows, 53, Some(7), MediaType::Json, FRAME());
    assert_shape::<Vec<views::Statistics>>(&body);
    assert_shape::<views::Dataset>(&text(&seeded("join"), &::join::store::dataset()));
}

#[test]
fn the_problem_schema_matches_every_problem_type() {
    for kind in Kind::ALL {
        assert_shape::<views::ProblemBody>(&crate::problems::sample(kind).to_json());
    }
}

#[test]
fn report_schemas_match_both_formats_of_a_report() {
    use tables::import::{
        BatchResult, Batches, Counts, ImportFile, Outcome, RecordPosition, Refusal, Report,
    };
    let results = || {
        let problem = crate::problems::sample(Kind::NameTaken);
        let failed = BatchResult::failed(crate::problems::sample(Kind::BeingWritten));
        let refused = BatchResult::refused(vec![Refusal {
            position: RecordPosition {
                line: 2,
                index: Some(1),
            },
            problem,
        }]);
        let outcomes = [
            Outcome::Written,
            Outcome::AlreadyWritten,
            Outcome::WouldBeWritten,
        ];
        let successes = outcomes.map(|outcome| BatchResult::new(outcome, Counts::default()));
        successes.into_iter().chain([refused, failed])
    };
    for by_line in [false, true] {
        let file = ImportFile::open(
            tables::import::FileFormat::Csv,
            b"name\nx\n".to_vec(),
            &PLACE,
        );
        let scope = String::new();
        let batches =
            Batches::<::places::domain::Place>::new(file.unwrap(), scope, false, Normalize::NONE);
        let batch = batches.into_iter().next().unwrap();
        let mut report = Report::new(false, by_line);
        for result in results() {
            let line = report.add(&batch, result);
            if by_line {
                assert_shape::<views::BatchReport>(&line);
            }
        }
        if by_line {
            assert_shape::<views::ImportSummary>(&report.to_json());
        } else {
            assert_shape::<views::ImportReport>(&report.to_json());
        }
    }
}
