//! What the people worker answers.

use edge::collection::Writer;
use edge::{JSON, MERGE_PATCH, collection, import};
use http_semantics::problem::Kind;
use people::domain::ByPlace;
use people::service::PersonWriter;
use people::store::POPULATION_HEADER;
use tables::population::PopulationQuery;
use tables::schema::PERSON;

use crate::examples;
use crate::operation::{Answer, Operation};
use crate::shared::{self, export_of, import_of};
use crate::views::{
    ImportReport, ImportedPerson, NewPerson, PeopleOfPlace, Person, PersonChange, PersonPatch,
    Population, PutPerson,
};

const PEOPLE: &str = "/v1/people";
const PERSON_PATH: &str = "/v1/people/{id}";
const CREATED: &str = "$response.body#/id";

/// Where to go from a person.
fn with_links(answer: Answer, id: &'static str) -> Answer {
    answer
        .link("read", "readPerson", id)
        .link("replace", "replacePerson", id)
        .link("change", "changePerson", id)
        .link("remove", "deletePerson", id)
        .link("history", "readPersonHistory", id)
}

fn person(says: &'static str) -> Answer {
    Answer::of::<Person>(says).header("ETag")
}

/// Its operations.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let all = [
        reads(),
        groups(),
        writes(),
        shared::document(),
        shared::health(),
    ]
    .concat();
    all.into_iter()
        .map(|operation| operation.tag_if_none("people"))
        .collect()
}

fn reads() -> Vec<Operation> {
    vec![
        Operation::new("get", PEOPLE, "listPeople", "A page of people")
            .says("The pages behind it are in `Link`.")
            .query(&PERSON.list_parameters)
            .conditional("ListTag")
            .answers(
                200,
                with_links(Answer::list::<Person>("People.").table(&PERSON.csv_header), "$response.body#/0/id")
                    .header("ListTag")
                    .header("Link")
                    .header("X-Total-Count")
                    .seen("GET /v1/people?isKing=true&sort=name&limit=2", examples::KINGS),
            ),
        Operation::new("get", PERSON_PATH, "readPerson", "One person")
            .id("personInPath")
            .conditional("ETag")
            .problems(&[Kind::NotFound])
            .answers(
                200,
                with_links(person("The person."), "$request.path.id").seen("GET /v1/people/4", examples::PERSON),
            ),
        Operation::new("get", "/v1/people/{id}/history", "readPersonHistory", "The versions of one person")
            .says("Oldest first, those of a deleted person, too.")
            .id("personInPath")
            .query(collection::HISTORY_PARAMETERS)
            .problems(&[Kind::NotFound])
            .answers(
                200,
                Answer::list::<PersonChange>("Their changes.")
                    .header("Link")
                    .seen("GET /v1/people/4/history", examples::PERSON_HISTORY),
            ),
        Operation::new("get", "/v1/people/changes", "listPersonChanges", "The changes of all people")
            .says("In the order in which they were made. There is always a next page, for what is yet to come.")
            .query(collection::CHANGES_PARAMETERS)
            .answers(
                200,
                Answer::list::<PersonChange>("Changes.")
                    .header("LinkToCome")
                    .seen("GET /v1/people/changes?limit=1&since=6933", examples::PERSON_HISTORY),
            ),
        export_of::<Person>(
            "/v1/people/export",
            "exportPeople",
            "All people as a file",
            &PERSON.csv_header,
        )
        .query_as(&PERSON.export_parameters, &[("format", "fileFormat")]),
    ]
}

fn groups() -> Vec<Operation> {
    vec![
        Operation::new(
            "get",
            "/v1/people/by-place",
            "listPeopleByPlace",
            "People by place",
        )
        .says("A group for each place that has people, in order of place.")
        .query(ByPlace::PARAMETERS)
        .conditional("ListTag")
        .answers(
            200,
            Answer::list::<PeopleOfPlace>("Groups of people.")
                .header("ListTag")
                .seen(
                    "GET /v1/people/by-place?placeId=1&peopleLimit=1",
                    examples::PEOPLE_BY_PLACE,
                ),
        ),
        Operation::new(
            "get",
            "/v1/people/population",
            "listPopulations",
            "How many people each place has",
        )
        .says("Of places that have anybody, as far as their owner knows them: by id alone.")
        .query_as(PopulationQuery::PARAMETERS, &[("sort", "populationSort")])
        .conditional("ListTag")
        .answers(
            200,
            Answer::list::<Population>("Places in numbers.")
                .table(POPULATION_HEADER)
                .header("ListTag")
                .header("Link")
                .header("X-Total-Living")
                .header("X-Total-Dead")
                .header("X-Total-Nowhere")
                .seen("GET /v1/people/population?sort=-living&limit=1", POPULATION),
        ),
    ]
}

fn writes() -> Vec<Operation> {
    vec![
        Operation::new("post", PEOPLE, "createPerson", "Add a person")
            .says("The register gives the id.")
            .takes("Idempotency-Key")
            .record::<NewPerson>(JSON, NEW)
            .problems(&[Kind::IdempotencyKeyReused, Kind::RequestInFlight])
            .problems(BROKEN_RULES)
            .needs_a_service()
            .answers(
                201,
                with_links(person("The new person."), CREATED)
                    .header("Location")
                    .header("Idempotency-Replayed"),
            ),
        Operation::new(
            "put",
            PERSON_PATH,
            "replacePerson",
            "Put a person under an id",
        )
        .says("They take the place of the one who is there, or are added.")
        .id("idToPut")
        .query(PersonWriter::PARAMETERS)
        .takes("If-Match")
        .takes("putOnlyIf")
        .record::<PutPerson>(JSON, NEW)
        .problems(&[Kind::PreconditionFailed])
        .problems(BROKEN_RULES)
        .needs_a_service()
        .answers(200, person("The person as they are now."))
        .answers(
            201,
            with_links(person("The new person."), "$request.path.id").header("Location"),
        ),
        Operation::new("patch", PERSON_PATH, "changePerson", "Change a person")
            .says("A merge patch (RFC 7396). A second king is refused; `depose` swaps the two.")
            .id("personInPath")
            .query(PersonWriter::PARAMETERS)
            .takes("If-Match")
            .record::<PersonPatch>(MERGE_PATCH, r#"{"isKing":true}"#)
            .problems(&[Kind::NotFound, Kind::PreconditionFailed])
            .problems(BROKEN_RULES)
            .needs_a_service()
            .answers(200, person("The person as they are now.")),
        Operation::new("delete", PERSON_PATH, "deletePerson", "Delete a person")
            .says("The history stays.")
            .id("personInPath")
            .takes("If-Match")
            .problems(&[Kind::NotFound, Kind::BeingWritten, Kind::PreconditionFailed])
            .needs_a_service()
            .answers(204, Answer::empty("It is done.")),
        import_of::<ImportedPerson>(
            "/v1/people/import",
            "importPeople",
            "Add many people",
            r#"[{"name":"Nuevo","isAlive":true,"placeId":2},{"name":"Desconocido"}]"#,
            "name,isAlive,placeId\r\nNuevo,true,2\r\nDesconocido,,\r\n",
        )
        .query(import::PARAMETERS)
        .needs_a_service()
        .answers(
            200,
            Answer::of::<ImportReport>("What became of each batch.").lines_of_batches(),
        ),
    ]
}

/// What a write is told that would break a rule.
const BROKEN_RULES: &[Kind] = &[
    Kind::NoSuchPlace,
    Kind::PlaceHasKing,
    Kind::PlaceIsDeleting,
    Kind::BeingWritten,
];

const POPULATION: &str = r#"[{"placeId":18,"total":7,"living":6,"dead":1,"king":{"id":51,"name":"Daenaris Tarambana"}}]"#;
const NEW: &str = r#"{"name":"Nuevo","isAlive":true,"placeId":2}"#;
