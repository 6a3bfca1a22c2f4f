//! The operations of the join worker, which is the gateway: its own, and those that it forwards to
//! the other two workers.

use http_semantics::auth::Scope;
use http_semantics::problem::Kind;
use join::domain::expansion::EXPAND;
use join::domain::statistics::{COLUMNS, StatisticsQuery};
use join::domain::{CSV_HEADER, ListQuery, ReadQuery};
use join::routes::integrity::{PARAMETERS as REPAIR_PARAMETERS, REPORT_PARAMETERS};
use tables::change_feed;
use tables::series::SeriesQuery;

use crate::collection::{CHANGES_DESCRIPTION, EVENTS_DESCRIPTION, EXPORT_DESCRIPTION};
use crate::json::reference;
use crate::operation::{Operation, get, post};
use crate::response::Response;
use crate::{examples, people, places, worker};

/// Its operations.
#[must_use]
pub fn operations() -> Vec<Operation> {
    let forwarded = [places::operations(), people::operations()].concat();
    let forwarded = forwarded
        .into_iter()
        .filter(|operation| !worker::has_own_response(&operation.path));
    let own = [people_per_place(), about(), integrity(), worker::health()].concat();
    let own = own.into_iter().map(Operation::authorized);
    let forwarded = forwarded.map(expandable).map(Operation::calls_a_service);
    own.chain(forwarded)
        .chain(worker::document().into_iter().map(Operation::open))
        .map(Operation::reusable)
        .collect()
}

/// Adds `expand` to the reads of people.
fn expandable(operation: Operation) -> Operation {
    let is_read = operation.method == "get";
    match operation.path.as_str() {
        "/v1/people" | "/v1/people/{id}" | "/v1/people/export" if is_read => operation
            .query(&[EXPAND])
            .with_schema("Person", "PersonWithPlace")
            .with_header("ETag", "ExpandedTag"),
        _ => operation,
    }
}

fn people_per_place() -> Vec<Operation> {
    let request = "GET /v1/people-per-place?limit=2&peopleLimit=2";
    let list = Response::list("PlaceWithPeople", "A page of places with their people.")
        .csv(CSV_HEADER)
        .headers(&["ListTag", "Link", "X-Total-Count", "X-Total-Count-Relation"])
        .example(request, &examples::PLACES_WITH_PEOPLE)
        .link("read", "readPeopleOfPlace", "$response.body#/0/id");
    let place = Response::json("PlaceWithPeople", "The place with its people.")
        .headers(&["ListTag"])
        .example("GET /v1/people-per-place/3", &examples::PLACE_WITH_PEOPLE);
    let statistics = Response::list("Statistics", "A page of statistics.")
        .csv(COLUMNS)
        .headers(&["ListTag", "Link"])
        .example("GET /v1/statistics/places?least=5", &examples::STATISTICS)
        .link("people", "readPeopleOfPlace", "$response.body#/0/id");
    let file = Response::empty("The file.")
        .csv(COLUMNS)
        .lines(
            "One JSON object per line.",
            reference("schemas", "Statistics"),
        )
        .headers(&["Content-Disposition", "Vary"]);
    let export = get("/v1/statistics/export", "exportStatistics")
        .summary("Export the population and the king of each place as a file")
        .description(EXPORT_DESCRIPTION)
        .query_as(
            StatisticsQuery::EXPORT_PARAMETERS,
            &[("format", "fileFormat"), ("after", "afterRecord")],
        )
        .problems(&[Kind::CallLimitReached])
        .response(200, file)
        .default_tag("people per place")
        .calls_a_service();
    let series = [
        get("/v1/statistics/series", "readSeries")
            .summary("Count all people at several times")
            .description(people::SERIES_DESCRIPTION)
            .query(SeriesQuery::PARAMETERS)
            .response(
                200,
                people::series("GET /v1/statistics/series?from=2026-11-24&to=2026-11-24"),
            ),
        get("/v1/statistics/places/{id}/series", "readSeriesOfPlace")
            .summary("Count the people of a place at several times")
            .description(people::SERIES_DESCRIPTION)
            .id("placeInPath")
            .query(SeriesQuery::PARAMETERS)
            .problems(&[Kind::NotFound])
            .response(
                200,
                people::series("GET /v1/statistics/places/1/series?from=2026-11-24&to=2026-11-24"),
            ),
    ]
    .map(|operation| {
        operation
            .default_tag("people per place")
            .conditional("ListTag")
            .calls_a_service()
    });
    let operations = [
        get("/v1/people-per-place", "listPeoplePerPlace")
            .summary("List places with their people")
            .description("`isAlive` and `isKing` select the people that are shown, the other filters select places. While the people service is down and there is no earlier response to send, `people` is null. CSV has one line per person, and one line with empty cells for a place without people; it shows at most `peopleLimit` people per place, without a link to the rest.")
            .query(ListQuery::PARAMETERS)
            .problems(&[Kind::CallLimitReached, Kind::TooManyMatches])
            .response(200, list),
        get("/v1/people-per-place/{id}", "readPeopleOfPlace")
            .summary("Read a place with its people")
            .description("In order of id. While the people service is down and there is no earlier response to send, `people` is null.")
            .id("placeInPath")
            .query(ReadQuery::PARAMETERS)
            .problems(&[Kind::NotFound])
            .response(200, place),
        get("/v1/statistics/places", "listStatistics")
            .summary("List the population and the king of each place")
            .description("All places, including those without people. The last record counts the people without a place, unless `q` searches the names of places. A page may have fewer records than its limit: `Link` tells whether there is a next page. At most 20,000 places can be sorted by the number of the dead, as of a time in another order than that of the ids, or with `q` by a number of people.")
            .query_as(
                StatisticsQuery::PARAMETERS,
                &[("sort", "statisticsSort"), ("after", "afterPopulation")],
            )
            .problems(&[Kind::TooManyMatches, Kind::CallLimitReached])
            .response(200, statistics),
    ];
    let operations = operations.map(|operation| {
        operation
            .default_tag("people per place")
            .conditional("ListTag")
            .calls_a_service()
            .stale_if_error()
    });
    let others = series.into_iter().chain([export]);
    operations.into_iter().chain(others).collect()
}

fn about() -> Vec<Operation> {
    let changes = Response::list("Change", "A page of changes.")
        .events(EVENTS_DESCRIPTION)
        .headers(&["LinkToCome", "X-More-Changes"])
        .example("GET /v1/changes?limit=1", &examples::CHANGES);
    vec![
        get("/v1", "readDataset")
            .summary("Describe this dataset")
            .description("Its title, description and licence, and the paths of all routes.")
            .default_tag("about")
            .response(
                200,
                Response::json("Dataset", "A description and all routes.").headers(&["Vary"]),
            ),
        get("/v1/changes", "listChanges")
            .summary("List the changes of places and people")
            .description(CHANGES_DESCRIPTION)
            .default_tag("changes")
            .query_as(
                change_feed::PARAMETERS,
                &[
                    ("since", "sinceBoth"),
                    ("after", "afterChanges"),
                    ("placeId", "changedPlaceId"),
                ],
            )
            .request_headers(&["Last-Event-ID"])
            .problems(&[Kind::HistoryRestarted, Kind::TooManyRequests])
            .calls_a_service()
            .response(200, changes),
    ]
}

fn integrity() -> Vec<Operation> {
    let report = Response::json("Integrity", "The report.").headers(&["LinkToRest"]);
    let repair = Response::json("Repair", "What was repaired, or would be.");
    let operations = [
        get("/v1/integrity", "readIntegrity")
            .summary("Check that places and people are consistent")
            .description("Compares both databases. Pending writes and deletions in progress violate no rule. If there are more places than one request can check, `complete` is false and `Link` leads to the rest. The last part is complete.")
            .query_as(REPORT_PARAMETERS, &[("after", "afterPlace")])
            .response(
                200,
                report.example("GET /v1/integrity", &examples::INTEGRITY),
            ),
        post("/v1/integrity/repair", "repair")
            .summary("Complete or roll back abandoned operations")
            .description("The services do the same every minute. A token needs the scope `admin`.")
            .query(REPAIR_PARAMETERS)
            .needs_scope(Scope::Admin)
            .response(200, repair),
    ];
    operations
        .map(|operation| operation.default_tag("integrity").calls_a_service())
        .to_vec()
}
