//! What the places worker answers.

use edge::{JSON, MERGE_PATCH, collection, import};
use http_semantics::problem::Kind;
use places::domain::PlacesAsOf;
use places::routes::delete;
use tables::schema::PLACE;

use crate::operation::{Answer, Operation};
use crate::shared::{self, export_of, import_of};
use crate::views::{
    ImportReport, ImportedPlace, NewPlace, Place, PlaceChange, PlacePatch, PutPlace,
};

const PLACES: &str = "/v1/places";
const PLACE_PATH: &str = "/v1/places/{id}";
const CREATED: &str = "$response.body#/id";

/// Where to go from a place.
fn with_links(answer: Answer, id: &'static str) -> Answer {
    answer
        .link("read", "readPlace", id)
        .link("replace", "replacePlace", id)
        .link("change", "changePlace", id)
        .link("remove", "deletePlace", id)
        .link("history", "readPlaceHistory", id)
        .link("people", "readPeopleOfPlace", id)
}

fn place(says: &'static str) -> Answer {
    Answer::of::<Place>(says).header("ETag")
}

/// Its operations.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let all = [reads(), writes(), shared::document(), shared::health()].concat();
    all.into_iter()
        .map(|operation| operation.tag_if_none("places"))
        .collect()
}

fn reads() -> Vec<Operation> {
    vec![
        Operation::new("get", PLACES, "listPlaces", "A page of places")
            .says("The pages behind it are in `Link`.")
            .query(&PLACE.list_parameters)
            .conditional("ListTag")
            .answers(
                200,
                with_links(Answer::list::<Place>("Places.").table(&PLACE.csv_header), "$response.body#/0/id")
                    .header("ListTag")
                    .header("Link")
                    .header("X-Total-Count")
                    .seen("GET /v1/places?limit=2", SOME),
            ),
        Operation::new("get", PLACE_PATH, "readPlace", "One place")
            .id("placeInPath")
            .conditional("ETag")
            .problems(&[Kind::NotFound])
            .answers(
                200,
                with_links(place("The place."), "$request.path.id")
                    .header("X-Change-Counter")
                    .seen("GET /v1/places/2", ONE),
            ),
        Operation::new("get", "/v1/places/{id}/history", "readPlaceHistory", "The versions of one place")
            .says("Oldest first, those of a deleted place, too.")
            .id("placeInPath")
            .query(collection::HISTORY_PARAMETERS)
            .problems(&[Kind::NotFound])
            .answers(
                200,
                Answer::list::<PlaceChange>("Its changes.")
                    .header("Link")
                    .seen("GET /v1/places/2/history", HISTORY),
            ),
        Operation::new("get", "/v1/places/as-of", "listPlacesAsOf", "Places as they were")
            .says("In order of id, under the names that they had.")
            .query(PlacesAsOf::PARAMETERS)
            .conditional("ListTag")
            .answers(
                200,
                Answer::list::<Place>("Places.").table(&PLACE.csv_header)
                    .header("ListTag")
                    .header("Link")
                    .seen("GET /v1/places/as-of?ids=2", ALONE),
            ),
        Operation::new("get", "/v1/places/changes", "listPlaceChanges", "The changes of all places")
            .says("In the order in which they were made. There is always a next page, for what is yet to come.")
            .query(collection::CHANGES_PARAMETERS)
            .answers(
                200,
                Answer::list::<PlaceChange>("Changes.")
                    .header("LinkToCome")
                    .seen("GET /v1/places/changes?limit=1&since=6931", HISTORY),
            ),
        export_of::<Place>("/v1/places/export", "exportPlaces", "All places as a file", &PLACE.csv_header)
            .query_as(&PLACE.export_parameters, &[("format", "fileFormat")]),
    ]
}

fn writes() -> Vec<Operation> {
    vec![
        Operation::new("post", PLACES, "createPlace", "Add a place")
            .says("The register gives the id.")
            .takes("Idempotency-Key")
            .record::<NewPlace>(JSON, NEW)
            .problems(&[
                Kind::NameTaken,
                Kind::BeingWritten,
                Kind::IdempotencyKeyReused,
            ])
            .answers(
                201,
                with_links(place("The new place."), CREATED)
                    .header("Location")
                    .header("Idempotency-Replayed"),
            ),
        Operation::new("put", PLACE_PATH, "replacePlace", "Put a place under an id")
            .says("It takes the place of the one that is there, or is added. The id of a deleted place is never used again.")
            .id("idToPut")
            .takes("If-Match")
            .takes("putOnlyIf")
            .record::<PutPlace>(JSON, NEW)
            .problems(&[
                Kind::NameTaken,
                Kind::IdRetired,
                Kind::PlaceIsDeleting,
                Kind::BeingWritten,
                Kind::PreconditionFailed,
            ])
            .answers(200, place("The place as it is now."))
            .answers(
                201,
                with_links(place("The new place."), "$request.path.id").header("Location"),
            ),
        Operation::new("patch", PLACE_PATH, "changePlace", "Change a place")
            .says("A merge patch (RFC 7396).")
            .id("placeInPath")
            .takes("If-Match")
            .record::<PlacePatch>(MERGE_PATCH, NEW)
            .problems(&[
                Kind::NotFound,
                Kind::NameTaken,
                Kind::PlaceIsDeleting,
                Kind::BeingWritten,
                Kind::PreconditionFailed,
            ])
            .answers(200, place("The place as it is now.")),
        Operation::new("delete", PLACE_PATH, "deletePlace", "Delete a place")
            .says("One with living people is refused, unless `reassignTo` moves them first. The dead of it keep no place.")
            .id("placeInPath")
            .query(delete::PARAMETERS)
            .takes("If-Match")
            .problems(&[
                Kind::NotFound,
                Kind::PlaceHasPeople,
                Kind::NoSuchPlace,
                Kind::PlaceIsDeleting,
                Kind::BeingWritten,
                Kind::PreconditionFailed,
            ])
            .needs_a_service()
            .answers(204, Answer::empty("It is done.")),
        import_of::<ImportedPlace>(
            "/v1/places/import",
            "importPlaces",
            "Add many places",
            r#"[{"name":"Puerto Blando del Norte"},{"id":1000,"name":"Casa Cristo Nueva"}]"#,
            "id,name\r\n,Puerto Blando del Norte\r\n1000,Casa Cristo Nueva\r\n",
        )
        .query(import::PARAMETERS)
        .answers(200, Answer::of::<ImportReport>("What became of each batch.").lines_of_batches()),
    ]
}

const SOME: &str = r#"[{"id":1,"name":"Descaro del Rey"},{"id":2,"name":"Más allá del Zumo"}]"#;
const ALONE: &str = r#"[{"id":2,"name":"Más allá del Zumo"}]"#;
const ONE: &str = r#"{"id":2,"name":"Más allá del Zumo"}"#;
const HISTORY: &str = r#"[{"at":"2026-11-24T22:31:55.809Z","register":"places","seq":2,"kind":"created","id":2,"version":1,"record":{"id":2,"name":"Más allá del Zumo"}}]"#;
const NEW: &str = r#"{"name":"Desembarco del Zumo"}"#;
