//! What the statements make of the seed's rows is what the documents say: each body is read as
//! its type, and written again as it was.

use std::fs;

use crate::views;
use ::join::domain::statistics;
use ::people::domain::ByPlace;
use ::places::domain::PlacesAsOf;
use http_semantics::media::ListFraming;
use http_semantics::problem::Kind;
use http_semantics::{MediaType, Params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use tables::page::PageSize;
use tables::population::PopulationQuery;
use tables::schema::{PERSON, PLACE};
use tables::statement::Statement;
use tables::{ListQuery, TableSpec, change_log, list_statement, record_statement};
use testbed::{Testbed, Value};

const FRAME: fn() -> ListFraming = || MediaType::Json.framing();

/// A database with its migrations and its section of the seed.
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

/// The first page of a table.
fn all(table: &'static TableSpec) -> Statement {
    list_statement::page(table, &ListQuery::default(), MediaType::Json, None)
}

/// Reads a body as a type, and holds what that writes against it.
fn is<T: DeserializeOwned + Serialize>(body: &str) -> T {
    let read: T = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let before: Json = serde_json::from_str(body).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), before);
    assert_ne!(body, "[]");
    read
}

fn params(known: &'static [&'static str], query: &str) -> Params {
    Params::parse(query, known).unwrap()
}

#[test]
fn places() {
    let testbed = seeded("places");
    testbed.execute("DELETE FROM place WHERE id = 30").unwrap();
    is::<Vec<views::Place>>(&text(&testbed, &all(&PLACE)));
    is::<views::Place>(&text(&testbed, &record_statement::read(&PLACE, 2)));
    let ask = PlacesAsOf::read(&params(PlacesAsOf::PARAMETERS, ""), 0).unwrap();
    is::<Vec<views::Place>>(&text(
        &testbed,
        &::places::store::as_of(&ask, MediaType::Json, None),
    ));
    let changes = change_log::since(&PLACE, 0, PageSize::MAX, FRAME());
    let changes = text(&testbed, &changes);
    let changes = is::<Vec<views::PlaceChange>>(&changes);
    assert!(changes.iter().any(|change| change.record.is_none()));
}

#[test]
fn people() {
    let testbed = seeded("people");
    testbed.execute("DELETE FROM person WHERE id = 77").unwrap();
    is::<Vec<views::Person>>(&text(&testbed, &all(&PERSON)));
    is::<views::Person>(&text(&testbed, &record_statement::read(&PERSON, 4)));
    let changes = change_log::since(&PERSON, 0, PageSize::MAX, FRAME());
    let changes = is::<Vec<views::Change>>(&text(&testbed, &changes));
    assert!(
        changes
            .iter()
            .all(|one| matches!(one, views::Change::Person(_)))
    );
    let ask = |query| ByPlace::read(&params(ByPlace::PARAMETERS, query)).unwrap();
    for query in ["placeId=1", "placeId=1&peopleLimit=1"] {
        let group = text(
            &testbed,
            &::people::store::by_place(&ask(query), FRAME(), None),
        );
        let group = is::<views::PeopleOfPlace>(&group);
        assert_eq!(group.next.is_some(), query.contains("Limit"));
    }
    let ask = PopulationQuery::from_params(&params(PopulationQuery::PARAMETERS, ""), 0).unwrap();
    let all = text(
        &testbed,
        &::people::store::population(&ask, MediaType::Json, None),
    );
    is::<Vec<views::Population>>(&all);
}

#[test]
fn statistics_and_the_dataset() {
    let (places, people) = (seeded("places"), seeded("people"));
    let ask = PopulationQuery::from_params(&params(PopulationQuery::PARAMETERS, ""), 0).unwrap();
    let populations = text(
        &people,
        &::people::store::population(&ask, MediaType::Json, None),
    );
    let names = text(&places, &all(&PLACE));
    let populations = statistics::populations(populations.as_bytes()).unwrap();
    let rows = statistics::places(names.as_bytes()).unwrap().into_iter();
    let rows = rows.map(|place| statistics::Row {
        population: populations
            .iter()
            .find(|one| one.place_id == place.id)
            .cloned(),
        place,
    });
    let rows: Vec<statistics::Row> = rows.collect();
    let body = statistics::render(&rows, 53, Some(7), MediaType::Json);
    is::<Vec<views::Statistics>>(&body);
    is::<views::Dataset>(&text(&seeded("join"), &::join::store::dataset()));
}

#[test]
fn problems_of_every_kind() {
    for kind in Kind::ALL {
        is::<views::ProblemBody>(&crate::problems::sample(kind).to_json());
    }
}

#[test]
fn both_forms_of_a_report() {
    use tables::import::{BatchResult, Batches, Counts, ImportFile, Outcome, Refusal, Report};
    let done = || {
        let problem = crate::problems::sample(Kind::NameTaken);
        let failed = BatchResult::failed(crate::problems::sample(Kind::BeingWritten));
        let refused = BatchResult::refused(vec![Refusal { line: 2, problem }]);
        let kinds = [
            Outcome::Written,
            Outcome::AlreadyWritten,
            Outcome::WouldBeWritten,
        ];
        let well = kinds.map(|outcome| BatchResult::new(outcome, Counts::default()));
        well.into_iter().chain([refused, failed])
    };
    for by_line in [false, true] {
        let file = ImportFile::open(
            tables::import::FileFormat::Csv,
            b"name\nx\n".to_vec(),
            &PLACE,
        );
        let scope = String::new();
        let batches = Batches::<::places::domain::Place>::new(file.unwrap(), scope, str::to_owned);
        let batch = batches.into_iter().next().unwrap();
        let mut report = Report::new(false, by_line);
        for done in done() {
            let line = report.add(&batch, done);
            if by_line {
                is::<views::BatchReport>(&line);
            }
        }
        if by_line {
            is::<views::ImportSummary>(&report.to_json());
        } else {
            is::<views::ImportReport>(&report.to_json());
        }
    }
}
