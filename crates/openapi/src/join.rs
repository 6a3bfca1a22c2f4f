//! What the join worker answers: its own, and what it passes on.

use http_semantics::problem::Kind;
use join::domain::statistics::{COLUMNS, StatisticsQuery};
use join::domain::{ChangesQuery, ListQuery, READ_PARAMETERS};
use join::routes::integrity;

use crate::examples;
use crate::operation::{Answer, Operation};
use crate::views::{Change, Dataset, Integrity, PlaceWithPeople, Repair, Statistics};
use crate::{people, places, shared};

/// Its operations.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let passed_on = [places::operations(), people::operations()].concat();
    let passed_on = passed_on
        .into_iter()
        .filter(|operation| !shared::is_each_workers_own(operation.path));
    let own = [joined(), about(), kept(), shared::health()].concat();
    own.into_iter()
        .chain(passed_on.map(Operation::needs_a_service))
        .chain(shared::document())
        .map(Operation::guarded)
        .collect()
}

fn joined() -> Vec<Operation> {
    let tag = "people per place";
    vec![
        Operation::new("get", "/v1/people-per-place", "listPeoplePerPlace", "A page of places with their people")
            .says("All places, in order of id, those without anybody, too. Where the owner of people is down, and no answer was kept, `people` is null: they are not known.")
            .query(ListQuery::PARAMETERS)
            .conditional("ListTag")
            .needs_a_service()
            .answers(
                200,
                Answer::list::<PlaceWithPeople>("Places with their people.")
                    .header("ListTag")
                    .header("Link")
                    .header("X-Total-Count")
                    .seen("GET /v1/people-per-place?limit=2&peopleLimit=2", examples::PLACES_WITH_PEOPLE)
                    .link("read", "readPeopleOfPlace", "$response.body#/0/id"),
            ),
        Operation::new("get", "/v1/people-per-place/{id}", "readPeopleOfPlace", "One place with its people")
            .id("placeInPath")
            .query(READ_PARAMETERS)
            .conditional("ListTag")
            .problems(&[Kind::NotFound])
            .needs_a_service()
            .answers(
                200,
                Answer::of::<PlaceWithPeople>("The place with its people.")
                    .header("ListTag")
                    .seen("GET /v1/people-per-place/3", examples::PLACE_WITH_PEOPLE),
            ),
        Operation::new("get", "/v1/statistics/places", "listStatistics", "How many live in each place, and its king")
            .says("All places, those without anybody, too, and behind the last one those of no place. A page may be shorter than its limit: `Link` tells whether there is more.")
            .query_as(StatisticsQuery::PARAMETERS, &[("sort", "populationSort")])
            .conditional("ListTag")
            .needs_a_service()
            .answers(
                200,
                Answer::list::<Statistics>("Places in numbers.")
                    .table(COLUMNS)
                    .header("ListTag")
                    .header("Link")
                    .seen("GET /v1/statistics/places?least=5", STATISTICS)
                    .link("people", "readPeopleOfPlace", "$response.body#/0/id"),
            ),
    ]
    .into_iter()
    .map(|operation| operation.tag_if_none(tag).outlasts())
    .collect()
}

fn about() -> Vec<Operation> {
    vec![
        Operation::new("get", "/v1", "readDataset", "What this registry is")
            .tag_if_none("about")
            .answers(
                200,
                Answer::of::<Dataset>("Its description, and all routes.").header("Vary"),
            ),
        Operation::new(
            "get",
            "/v1/changes",
            "listChanges",
            "The changes of both registers",
        )
        .says("By time, each once. There is always a next page, for what is yet to come.")
        .tag_if_none("changes")
        .query(ChangesQuery::PARAMETERS)
        .needs_a_service()
        .answers(
            200,
            Answer::list::<Change>("Changes.")
                .header("LinkToCome")
                .seen("GET /v1/changes?limit=1", CHANGES),
        ),
    ]
}

fn kept() -> Vec<Operation> {
    let tag = "integrity";
    vec![
        Operation::new(
            "get",
            "/v1/integrity",
            "readIntegrity",
            "Whether the two registers fit together",
        )
        .tag_if_none(tag)
        .needs_a_service()
        .answers(
            200,
            Answer::of::<Integrity>("The report.").seen("GET /v1/integrity", SOUND),
        ),
        Operation::new(
            "post",
            "/v1/integrity/repair",
            "repair",
            "End what crashes left half-done",
        )
        .says("The two registers do the same each minute by themselves.")
        .tag_if_none(tag)
        .query(integrity::PARAMETERS)
        .for_admins()
        .needs_a_service()
        .answers(200, Answer::of::<Repair>("What was done, or would be.")),
    ]
}

const STATISTICS: &str = r#"[{"id":18,"name":"Meereendero","total":7,"living":6,"dead":1,"share":0.113208,"king":{"id":51,"name":"Daenaris Tarambana"}},{"id":null,"name":null,"total":7,"living":0,"dead":7,"share":0,"king":null}]"#;
const CHANGES: &str = r#"[{"at":"2026-11-24T22:31:55.809Z","register":"places","seq":1,"kind":"created","id":1,"version":1,"record":{"id":1,"name":"Descaro del Rey"}}]"#;
const SOUND: &str = r#"{"consistent":true,"complete":true,"withoutPlace":[],"doubleKings":[],"deleting":[],"pending":[]}"#;
