//! The operations of the people worker.

use edge::collection::Writer;
use http_semantics::problem::Kind;
use people::service::PersonWriter;
use people::store::{POPULATION_HEADER, SERIES_HEADER};
use tables::ByPlaceQuery;
use tables::population::PopulationQuery;
use tables::schema::PERSON;
use tables::series::SeriesQuery;

use crate::collection::Collection;
use crate::examples;
use crate::operation::{Operation, get};
use crate::response::Response;
use crate::worker;

/// The problems of a write that would violate a rule about people and places.
const BROKEN_RULES: &[Kind] = &[
    Kind::NoSuchPlace,
    Kind::PlaceHasKing,
    Kind::PlaceIsDeleting,
    Kind::BeingWritten,
];

/// Its operations.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let people = Collection {
        table: &PERSON,
        record: "Person",
        records: "People",
        id: "personInPath",
        new: examples::NEW_PERSON,
        patch: r#"{"isKing":true}"#,
        links: &[],
    };
    let own = [reads(&people), groups(), writes(&people)].concat();
    let own = own
        .into_iter()
        .map(|operation| operation.default_tag("people"));
    own.chain(worker::document())
        .chain(worker::health())
        .map(Operation::authorized)
        .collect()
}

fn reads(people: &Collection) -> Vec<Operation> {
    vec![
        people.list().example(
            "GET /v1/people?isKing=true&sort=name&limit=2",
            &examples::KINGS,
        ),
        people.read().example("GET /v1/people/4", &examples::PERSON),
        people
            .history()
            .example("GET /v1/people/4/history", &examples::PERSON_HISTORY),
        people.changes().example(
            "GET /v1/people/changes?limit=1&since=63332e3166303961623334",
            &examples::PERSON_HISTORY,
        ),
        people.export(),
    ]
}

fn groups() -> Vec<Operation> {
    let request = "GET /v1/people/by-place?placeId=1&peopleLimit=1";
    let groups = Response::list("PeopleOfPlace", "A page of groups.")
        .headers(&["ListTag"])
        .example(request, &examples::PEOPLE_BY_PLACE);
    let request = "GET /v1/people/population?sort=-living&limit=1";
    let totals = &[
        "X-Total-Living",
        "X-Total-Dead",
        "X-Total-Nowhere",
        "X-Largest-Total",
    ];
    let populations = Response::list("Population", "A page of populations.")
        .csv(POPULATION_HEADER)
        .headers(&["ListTag", "Link"])
        .headers(totals)
        .example(request, &examples::POPULATION);
    vec![
        get("/v1/people/by-place", "listPeopleByPlace")
            .summary("List people by place")
            .description("One group per place that has people, in order of place. With a filter, the list of a group can be empty.")
            .query_as(
                ByPlaceQuery::PARAMETERS,
                &[("placeId", "placeIds"), ("sort", "idSort"), ("after", "afterId")],
            )
            .conditional("ListTag")
            .response(200, groups),
        get("/v1/people/population", "listPopulations")
            .summary("Count the people of each place")
            .description("Only places that have people, by id: the people service does not know the names of places. At most 20,000 places can be sorted by the number of the dead, or as of a time in another order than that of the ids.")
            .query_as(
                PopulationQuery::PARAMETERS,
                &[("sort", "populationSort"), ("after", "afterPopulation")],
            )
            .problems(&[Kind::TooManyMatches])
            .conditional("ListTag")
            .response(200, populations),
        get("/v1/people/population/series", "readPopulationSeries")
            .summary("Count people at several times")
            .description(SERIES_DESCRIPTION)
            .query_as(
                SeriesQuery::PARAMETERS_WITH_PLACE,
                &[("placeId", "onePlaceId")],
            )
            .conditional("ListTag")
            .response(
                200,
                series("GET /v1/people/population/series?from=2026-11-24&to=2026-11-24"),
            ),
    ]
}

/// The points of a series, for both workers.
pub const SERIES_DESCRIPTION: &str = "There is a point at `from`, one after each step, and one at `to`. A series that ends now has no `ETag`, because its points move.";

/// A series of points. The request is an example.
#[must_use]
pub fn series(request: &'static str) -> Response {
    Response::list("PopulationAt", "The points in order of time.")
        .csv(SERIES_HEADER)
        .headers(&["ListTag"])
        .example(request, &examples::SERIES)
}

fn writes(people: &Collection) -> Vec<Operation> {
    vec![
        people
            .create()
            .problems(BROKEN_RULES)
            .problems(&[Kind::RequestInFlight, Kind::PersonErased])
            .calls_a_service(),
        people
            .replace()
            .description("Replaces the person with this id, or adds the person.")
            .query(PersonWriter::PARAMETERS)
            .problems(BROKEN_RULES)
            .calls_a_service(),
        people
            .change()
            .description("The body is a JSON merge patch (RFC 7396). A second king is rejected, unless `depose` removes the crown from the present one.")
            .query(PersonWriter::PARAMETERS)
            .problems(BROKEN_RULES)
            .calls_a_service(),
        people
            .delete()
            .description("The history of the person stays. With `erase=true`, which needs the scope `admin`, it stays without the names of the person. A deleted person can be erased, too. The numbers of people in past statistics stay.")
            .query(people::routes::delete::PARAMETERS)
            .calls_a_service(),
        people
            .restore()
            .description("Writes the state of an earlier version as a new version, if the rules allow it now. Without a body, a deleted person gets their last state again. An erased person cannot be restored.")
            .query(PersonWriter::PARAMETERS)
            .problems(BROKEN_RULES)
            .problems(&[Kind::PersonErased])
            .calls_a_service(),
        people
            .import(
                edge::import::PARAMETERS_WITH_PLACES,
                r#"[{"name":"Nuevo","isAlive":true,"placeId":2},{"name":"Desconocido"}]"#,
                "name,isAlive,placeId\r\nNuevo,true,2\r\nDesconocido,,\r\n",
            )
            .calls_a_service(),
        people.batch(
            r#"[{"op":"update","id":10,"body":{"isKing":false}},{"op":"update","id":1,"body":{"isKing":true}}]"#,
        ),
    ]
}
