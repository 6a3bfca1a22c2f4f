//! The operations of the places worker.

use http_semantics::problem::Kind;
use places::domain::PlacesAsOfQuery;
use places::routes::delete;
use tables::schema::PLACE;

use crate::collection::Collection;
use crate::examples;
use crate::operation::{Operation, get};
use crate::response::Response;
use crate::worker;

/// Its operations.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let places = Collection {
        table: &PLACE,
        record: "Place",
        records: "Places",
        id: "placeInPath",
        new: examples::NEW_PLACE,
        patch: examples::NEW_PLACE,
        links: &[("people", "readPeopleOfPlace")],
    };
    let own = [
        places.list().example("GET /v1/places?limit=2", &examples::PLACES),
        places.read().example("GET /v1/places/2", &examples::PLACE),
        places.history().example("GET /v1/places/2/history", &examples::PLACE_HISTORY),
        get("/v1/places/as-of", "listPlacesAsOf")
            .summary("List places at a time in the past")
            .description("With the names of that time, which `q` and the order by name use, too. In order of name, at most 20,000 places can be sorted.")
            .query(PlacesAsOfQuery::PARAMETERS)
            .problems(&[Kind::TooManyMatches])
            .conditional("ListTag")
            .response(
                200,
                Response::list("Place", "A page of places.")
                    .csv(&PLACE.csv_header)
                    .headers(&["ListTag", "Link"])
                    .example("GET /v1/places/as-of?ids=2", &examples::PLACE_AS_OF),
            ),
        places.changes().example(
            "GET /v1/places/changes?limit=1&since=63312e3166303961623334",
            &examples::PLACE_HISTORY,
        ),
        places.export(),
        places.create().problems(&[Kind::NameTaken, Kind::BeingWritten]),
        places
            .replace()
            .description("Replaces the place with this id, or adds it. The id of a deleted place is never used again.")
            .problems(&[Kind::NameTaken, Kind::IdRetired, Kind::PlaceIsDeleting]),
        places.change().problems(&[Kind::NameTaken, Kind::PlaceIsDeleting]),
        places
            .delete()
            .description("A place with living people is not deleted, unless `reassignTo` moves them first. Its dead people stay, without a place. A deletion that takes longer than 10 seconds continues after the response, a 202.")
            .query(delete::PARAMETERS)
            .response(
                202,
                Response::empty("The deletion continues.").headers(&["OperationLocation"]),
            )
            .problems(&[Kind::PlaceHasPeople, Kind::NoSuchPlace, Kind::PlaceIsDeleting])
            .calls_a_service(),
        places
            .restore()
            .description("Writes the state of an earlier version as a new version. A deleted place cannot be restored, because its id is never used again.")
            .problems(&[Kind::NameTaken, Kind::IdRetired, Kind::PlaceIsDeleting]),
        get("/v1/operations/{token}", "readOperation")
            .summary("Read the status of a deletion that continues after its request")
            .description("The result is available for 24 hours.")
            .in_path("token")
            .problems(&[Kind::NotFound])
            .response(200, Response::json("Operation", "The status.")),
        places.batch(
            r#"[{"op":"create","body":{"name":"Puerto Blando del Sur"}},{"op":"update","id":2,"body":{"name":"Zumo"}}]"#,
        ),
        places.import(
            edge::import::PARAMETERS,
            r#"[{"name":"Puerto Blando del Norte"},{"id":1000,"name":"Casa Cristo Nueva"}]"#,
            "id,name\r\n,Puerto Blando del Norte\r\n1000,Casa Cristo Nueva\r\n",
        ),
    ];
    let own = own.map(|operation| operation.default_tag("places"));
    let all = [own.to_vec(), worker::document(), worker::health()].concat();
    all.into_iter().map(Operation::authorized).collect()
}
