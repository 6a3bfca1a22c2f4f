//! Describes the parameters. Their bounds, choices and defaults come from the types that parse
//! them.

use domain::id::Ids;
use domain::name;
use domain::param::PositiveInteger;
use http_semantics::export_format::EXPORT_MEDIA_TYPES;
use http_semantics::media::{MediaType, TABLE_MEDIA_TYPES};
use http_semantics::params::Seconds;
use join::domain::statistics::StatisticsSort;
use places::domain::OperationId;
use tables::Cursor;
use tables::import::ImportMode;
use tables::page::{PageSize, PeopleLimit, Sort};
use tables::population::Order;
use tables::series::Step;

use crate::json::{components, reference};
use crate::patterns::{self, CursorKind};
use crate::{Json, object};

fn path(name: &str, schema: Json) -> Json {
    object! { "name": name, "in": "path", "required": true, "schema": schema }
}

fn query(name: &str, schema: Json) -> Json {
    object! { "name": name, "in": "query", "schema": schema }
}

fn header(name: &str, schema: Json) -> Json {
    object! { "name": name, "in": "header", "schema": schema }
}

fn id() -> Json {
    reference("schemas", "Id")
}

fn boolean() -> Json {
    object! { "type": "boolean" }
}

fn page_size(maximum: u16, default: u16) -> Json {
    object! { "type": "integer", "minimum": 1, "maximum": maximum, "default": default }
}

fn at_least(minimum: i64, maximum: impl Into<Json>) -> Json {
    object! { "type": "integer", "minimum": minimum, "maximum": maximum.into() }
}

fn choice<'a>(names: impl IntoIterator<Item = &'a str>) -> Json {
    object! { "type": "string", "enum": names.into_iter().collect::<Json>() }
}

fn formats(formats: &[MediaType]) -> Json {
    choice(formats.iter().map(|format| format.name()))
}

fn cursor(kind: CursorKind) -> Json {
    object! { "type": "string", "pattern": patterns::cursor(kind), "maxLength": Cursor::MAX_DIGITS }
}

/// The beginning of a feed of changes.
fn beginning(kinds: &[CursorKind]) -> Json {
    let cursors = kinds.iter().copied().map(cursor);
    object! { "anyOf": cursors.chain([choice(["now"]), moment()]).collect::<Json>() }
}

fn idempotency_key() -> Json {
    object! { "type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": 255 }
}

fn entity_tags() -> Json {
    object! { "type": "string", "pattern": patterns::entity_tags() }
}

fn name_prefix() -> Json {
    object! {
        "type": "string", "minLength": 1, "maxLength": name::MAX_NAME_CHARACTERS,
        "pattern": patterns::name_prefix(),
    }
}

fn search_words() -> Json {
    object! {
        "type": "string", "minLength": 1, "maxLength": name::MAX_NAME_CHARACTERS,
        "pattern": patterns::search_words(), "example": "joaq nev",
    }
}

fn place_filter() -> Json {
    // Each alternative is an array, so that tools separate its items with commas.
    let none = object! {
        "type": "array", "items": choice(["none"]), "minItems": 1, "maxItems": 1,
    };
    let items = object! { "anyOf": [id(), choice(["none"])] };
    object! { "type": "array", "items": items, "oneOf": [id_list(), none] }
}

/// The digits of [`OperationId`].
fn operation_id() -> Json {
    object! { "type": "string", "pattern": format!("^[0-9a-f]{{{}}}$", OperationId::DIGITS) }
}

fn id_list() -> Json {
    object! { "type": "array", "items": id(), "minItems": 1, "maxItems": Ids::MAX_IDS }
}

fn moment() -> Json {
    object! { "type": "string", "pattern": patterns::moment() }
}

/// All parameters, by the name of the component. It is the name of the parameter, unless two
/// parameters of different routes have the same name.
#[must_use]
pub fn all() -> Vec<(String, Json)> {
    [
        in_path(),
        in_headers(),
        of_pages(),
        of_filters(),
        of_actions(),
    ]
    .concat()
}

fn in_path() -> Vec<(String, Json)> {
    components! {
        /// The id of the place.
        "placeInPath" => path("id", id());
        /// The id of the operation, from `Location`.
        "token" => path("token", operation_id());
        /// The id of the person.
        "personInPath" => path("id", id());
        /// The id of the record. The id of a new record is at most 2^52, so that the service
        /// always has a next id to assign.
        "idToPut" => path("id", reference("schemas", "ChosenId"));
    }
}

fn in_headers() -> Vec<(String, Json)> {
    components! {
        /// The `ETag` of the version to change, or `*` for any version. If the record has another
        /// version, the request is rejected (412). A tag that an intermediary has weakened (`W/`)
        /// is accepted.
        "If-Match" => header("If-Match", entity_tags());
        /// The `ETag` of the response that the client has. If it is still current, the response
        /// is 304, without a body.
        "If-None-Match" => header("If-None-Match", entity_tags());
        /// With `*`, the request only creates: if the record exists, it is rejected (412).
        "putOnlyIf" => header("If-None-Match", entity_tags());
        /// How old the response may be: `max-age=60`, or `no-cache` for a current one (RFC 9111). By
        /// default it is current. At most 300 seconds.
        "Cache-Control" => header("Cache-Control", object! { "type": "string" });
        /// With `handling=strict` (RFC 7240), the response is an error instead of a stale or
        /// incomplete one while a service is down.
        "Prefer" => header("Prefer", object! { "type": "string" });
        /// The id of the last event that the client has received. It replaces `since` in a stream of
        /// events, and is ignored otherwise.
        "Last-Event-ID" => header("Last-Event-ID", object! { "type": "string" });
        /// Makes the request safe to repeat: within 24 hours it is executed once, and later
        /// requests with the same key get the first response. Use a new value, such as a UUID,
        /// for each request.
        "Idempotency-Key" => header("Idempotency-Key", idempotency_key());
        /// Distinguishes this import from another one of the same records. Within 24 hours, an
        /// insert with the same key adds its records only once, even if they were changed or
        /// deleted since. Without a key, a batch is not added again while its records are
        /// unchanged.
        "importKey" => header("Idempotency-Key", idempotency_key());
    }
}

fn of_pages() -> Vec<(String, Json)> {
    let people_limit = page_size(PeopleLimit::MAX.get(), PeopleLimit::default().get());
    let orders = choice(Sort::ALL.map(|(name, _)| name));
    let population_orders = choice(Order::ALL.map(|(name, _)| name));
    let statistics_orders = choice(StatisticsSort::ALL.map(|(name, _)| name));
    components! {
        /// The maximum number of records per page.
        "limit" => query("limit", page_size(PageSize::MAX.get(), PageSize::default().get()));
        /// The maximum number of people per place.
        "peopleLimit" => query("peopleLimit", people_limit);
        /// The start of the page: the cursor from the `Link` header of the previous page, which
        /// must have the same order.
        "after" => query("after", cursor(CursorKind::List));
        /// The start of the page: the cursor from the `Link` header of the previous page.
        "afterId" => query("after", cursor(CursorKind::Id));
        /// The start of the page: the cursor from the `Link` header of the previous page, which
        /// must have the same order.
        "afterPopulation" => query("after", cursor(CursorKind::Population));
        /// The start of the page: the cursor from the `Link` header of the previous page. A cursor
        /// from before a restore of the database is rejected (410).
        "afterVersion" => query("after", cursor(CursorKind::Change));
        /// The start of the rest of an export: the cursor in the address in its last line. The rest has
        /// no CSV header.
        "afterRecord" => query("after", cursor(CursorKind::Id));
        /// The place after which the report starts, from the `Link` header of the previous report.
        "afterPlace" => query("after", id());
        /// The beginning: the cursor from the `Link` header of a page, `now` for later changes only,
        /// or a time in UTC. A date means the start of that day. By default, the first change. A
        /// cursor from before a restore of the database is rejected (410).
        "since" => query("since", beginning(&[CursorKind::Change]));
        /// The beginning: the cursor from the `Link` header of a page, `now` for later changes only,
        /// or a time in UTC. A date means the start of that day. By default, the first change. A
        /// cursor from before a restore of a database is rejected (410).
        "sinceBoth" =>
            query("since", beginning(&[CursorKind::Changes, CursorKind::Change]));
        /// The order: oldest first (`asc`) or latest first (`desc`).
        "order" => query("order", choice(["asc", "desc"]).with("default", "asc"));
        /// With `order=desc`, the start of the page: the cursor from the `Link` header of the previous
        /// page.
        "afterChange" => query("after", cursor(CursorKind::Change));
        /// With `order=desc`, the start of the page: the cursor from the `Link` header of the previous
        /// page.
        "afterChanges" => query("after", object! {
            "anyOf": [cursor(CursorKind::Changes), cursor(CursorKind::Change)],
        });
        /// The order. `name` ignores case and accents, then sorts by the name, then by id. `-`
        /// reverses the whole list.
        "sort" => query("sort", orders.with("default", "id"));
        /// The order. `-` reverses the whole list.
        "idSort" => query("sort", choice(["id", "-id"]).with("default", "id"));
        /// The order. Records with equal numbers are in order of id. `-` reverses the whole list.
        "populationSort" =>
            query("sort", population_orders.with("default", Order::default().name()));
        /// The order. `name` ignores case and accents, then sorts by the name, then by id. Records
        /// with equal numbers are in order of id. `-` reverses the whole list.
        "statisticsSort" => query("sort", statistics_orders.with("default", "id"));
        /// With `exact`, the response has the number of all matches in `X-Total-Count`. At most
        /// 20,000 matches are counted, unless the filters are only `isAlive` and `placeId`.
        "count" => query("count", choice(["exact"]));
        /// With `place`, each person has the name of the place: in `place`, or in the last column of
        /// CSV, `placeName`. It is null or empty without a place.
        "expand" => query("expand", choice(["place"]));
        /// The format of the response. By default, `Accept` decides.
        "format" => query("format", formats(TABLE_MEDIA_TYPES));
        /// The format of the file. By default, `Accept` decides.
        "fileFormat" => query("format", formats(EXPORT_MEDIA_TYPES));
    }
}

fn of_filters() -> Vec<(String, Json)> {
    components! {
        /// Only records whose name contains these words: 1 to 10 words, each the beginning of a
        /// word of the name. Case and accents are ignored. Apostrophes and hyphens separate words.
        /// In scripts without spaces, such as Chinese, each character begins a word.
        "q" => query("q", search_words());
        /// Only records whose name starts with this text. Case is ignored.
        "name" => query("name", name_prefix());
        /// Only records with these ids. A thousand ids fit into a URL if they have at most 14 digits.
        "ids" => query("ids", id_list()).with("style", "form").with("explode", false);
        /// Only living people (`true`), or only dead ones (`false`).
        "isAlive" => query("isAlive", boolean());
        /// Only kings (`true`), or only other people (`false`).
        "isKing" => query("isKing", boolean());
        /// Only places with (`true`) or without (`false`) people who match the other filters.
        "hasPeople" => query("hasPeople", boolean());
        /// The places. Without `sort`, this is also the order of their groups.
        "placeIds" => query("placeId", id_list()).with("style", "form").with("explode", false);
        /// Only people of these places, or with `none`, only people without a place.
        "placeId" => query("placeId", place_filter()).with("style", "form").with("explode", false);
        /// Only changes of this place, and of people who belonged to it before or after the change.
        "changedPlaceId" => query("placeId", id());
        /// Only changes of this person.
        "personId" => query("personId", id());
        /// The place.
        "onePlaceId" => query("placeId", id());
        /// Only places with at least this many living people.
        "least" => query("least", at_least(1, PositiveInteger::MAX));
        /// The time of the data, in UTC and not in the future, such as `2026-11-24T22:31:55Z`. A
        /// date such as `2026-11-24` means the end of that day. By default, the response has the
        /// present data.
        "asOf" => query("asOf", moment());
        /// The time of the first point, in UTC. A date means the start of that day. By default, 30
        /// steps before `to`.
        "from" => query("from", moment());
        /// The time of the last point, in UTC and not in the future. A date means the end of that
        /// day. By default, now.
        "to" => query("to", moment());
        /// The time between two points. A month after January 31 is the end of February. A series
        /// has at most 1,000 points.
        "step" => query("step", choice(Step::ALL.map(|(name, _)| name)).with("default", "day"));
    }
}

fn of_actions() -> Vec<(String, Json)> {
    let modes = choice(ImportMode::ALL.map(ImportMode::name));
    components! {
        /// Whether a record with an existing id is rejected (`insert`) or replaced (`upsert`), or
        /// whether each record must exist and only the fields that are present change (`patch`).
        "mode" => query("mode", modes.with("default", ImportMode::default().name()));
        /// The number of records to skip, because an earlier request has imported them: `next` of its
        /// report.
        "afterRecords" => query("after", at_least(1, 10_485_760));
        /// Reports what the request would do, and changes nothing.
        "dryRun" => query("dryRun", boolean().with("default", false));
        /// Leaves out the lines that cannot be imported, and imports the others. Otherwise nothing of a
        /// batch with such a line is imported.
        "skipInvalid" => query("skipInvalid", boolean().with("default", false));
        /// Creates the places whose names are unknown, if the lines of their batch are valid.
        "createPlaces" => query("createPlaces", boolean().with("default", false));
        /// Only operations that started at least this many seconds ago, so that their clients
        /// have given up.
        "olderThan" => query("olderThan", at_least(0, Seconds::MAX));
        /// Removes the crown from the present king of the place.
        "depose" => query("depose", boolean().with("default", false));
        /// Also removes the names of the person from the history. This needs the scope `admin`.
        "erase" => query("erase", boolean());
        /// Moves the people of the place to this place first.
        "reassignTo" => query("reassignTo", id());
    }
}
