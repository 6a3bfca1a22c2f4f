//! The parameters, each described once: bounds, choices and defaults are those of the types
//! that read them.

use domain::ids::Ids;
use domain::{Moment, Param, name};
use http_semantics::export_format::EXPORT_MEDIA_TYPES;
use http_semantics::media::{MediaType, TABLE_MEDIA_TYPES};
use http_semantics::params::Seconds;
use tables::Cursor;
use tables::import::ImportMode;
use tables::page::{PageSize, PeopleLimit, Sort};
use tables::population::{MinLiving, Order};

use crate::json::reference;
use crate::{Json, object};

fn parameter(place: &str, name: &str, says: &str, schema: Json) -> Json {
    let mut parameter = object! { "name": name, "in": place, "description": says };
    if place == "path" {
        parameter.insert("required", true);
    }
    parameter.with("schema", schema)
}

fn query(name: &str, says: &str, schema: Json) -> Json {
    parameter("query", name, says, schema)
}

fn bounded(most: i64, default: i64) -> Json {
    object! { "type": "integer", "minimum": 1, "maximum": most, "default": default }
}

fn choice<'a>(names: impl IntoIterator<Item = &'a str>, default: Option<&str>) -> Json {
    let names: Json = names.into_iter().collect();
    let mut choice = object! { "type": "string", "enum": names };
    if let Some(default) = default {
        choice.insert("default", default);
    }
    choice
}

fn names(forms: &[MediaType]) -> impl Iterator<Item = &'static str> {
    forms.iter().map(|form| form.name())
}

fn truth() -> Json {
    object! { "type": "boolean" }
}

fn switch() -> Json {
    truth().with("default", false)
}

fn id() -> Json {
    reference("schemas", "Id")
}

fn cursor() -> Json {
    object! {
        "type": "string",
        "pattern": "^([0-9a-f]{2})+$",
        "maxLength": whole(Cursor::MAX_DIGITS),
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn tags(name: &str, says: &str) -> Json {
    let tag = r#"(W/)?"[!#-~]*""#;
    // Without any tag the header says nothing, and the platform does not pass it on.
    let pattern = format!(r"^$|^\*$|^{tag}(, ?{tag})*$");
    let schema = object! { "type": "string", "pattern": pattern };
    parameter("header", name, says, schema)
}

/// All parameters, by the name of the component: that of the parameter, but where one name
/// means different things.
#[must_use]
pub fn components() -> Vec<(&'static str, Json)> {
    [in_path_and_headers(), of_pages(), of_records(), of_acts()].concat()
}

fn in_path_and_headers() -> Vec<(&'static str, Json)> {
    vec![
        (
            "placeInPath",
            parameter("path", "id", "The place's id.", id()),
        ),
        (
            "idToPut",
            parameter(
                "path",
                "id",
                "The record's id. One that is chosen for a new record is not above 2^52, so that the register never runs out of next ones.",
                reference("schemas", "ChosenId"),
            ),
        ),
        (
            "personInPath",
            parameter("path", "id", "The person's id.", id()),
        ),
        (
            "If-Match",
            tags(
                "If-Match",
                "The `ETag` of the version that the write is meant for, or `*` for whichever there is; else the write is refused (412).",
            ),
        ),
        (
            "Prefer",
            parameter(
                "header",
                "Prefer",
                "`handling=strict` (RFC 7240): rather a problem than an answer that is old, or lacks something, while a service is down.",
                object! { "type": "string", "example": http_semantics::prefer::STRICT },
            ),
        ),
        (
            "If-None-Match",
            tags(
                "If-None-Match",
                "The `ETag` of what the reader has: where it is still the same, the answer is 304 and has no body.",
            ),
        ),
        (
            "putOnlyIf",
            tags(
                "If-None-Match",
                "`*` makes this a PUT that only creates: where the record exists it is refused (412).",
            ),
        ),
        (
            "Idempotency-Key",
            parameter(
                "header",
                "Idempotency-Key",
                "Makes it safe to send the request again: within 24 hours it is done once, and answered as it was the first time. Any text of the client's own, such as a UUID.",
                object! { "type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": 255 },
            ),
        ),
        (
            "importKey",
            parameter(
                "header",
                "Idempotency-Key",
                "Tells an import from another one of the same records. Within 24 hours, an insert under one key adds its records once, whatever becomes of them. Without a key, a batch is not added twice while its records are as it left them.",
                object! { "type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": 255 },
            ),
        ),
    ]
}

fn of_pages() -> Vec<(&'static str, Json)> {
    let orders = Sort::ALL.map(|(name, _)| name);
    let populations = Order::ALL.map(|(name, _)| name);
    vec![
        (
            "limit",
            query(
                "limit",
                "The most records of the page.",
                bounded(PageSize::MAX.get().into(), PageSize::default().get().into()),
            ),
        ),
        (
            "peopleLimit",
            query(
                "peopleLimit",
                "The most people of each place.",
                bounded(
                    PeopleLimit::MAX.get().into(),
                    PeopleLimit::default().get().into(),
                ),
            ),
        ),
        (
            "after",
            query(
                "after",
                "Where the page begins: the cursor in the `Link` header of the page before, in the same order.",
                cursor(),
            ),
        ),
        (
            "since",
            query(
                "since",
                "Where the page begins: the cursor in the `Link` header of the page before.",
                cursor(),
            ),
        ),
        (
            "sort",
            query(
                "sort",
                "The order. `-` puts the greatest first; equal names are in order of id.",
                choice(orders, Some("id")),
            ),
        ),
        (
            "populationSort",
            query(
                "sort",
                "The order. `-` puts the greatest first; equals are in order of id.",
                choice(populations, Some(Order::default().name())),
            ),
        ),
        (
            "count",
            query(
                "count",
                "`exact` counts all that match, in `X-Total-Count`.",
                choice(["exact"], None),
            ),
        ),
        (
            "format",
            query(
                "format",
                "The form of the answer; without it, what `Accept` prefers.",
                choice(names(TABLE_MEDIA_TYPES), None),
            ),
        ),
        (
            "fileFormat",
            query(
                "format",
                "The form of the file; without it, what `Accept` prefers.",
                choice(names(EXPORT_MEDIA_TYPES), None),
            ),
        ),
    ]
}

fn of_records() -> Vec<(&'static str, Json)> {
    let ids = object! {
        "type": "array",
        "items": id(),
        "minItems": 1,
        "maxItems": whole(Ids::MAX_IDS),
    };
    let most = whole(name::MAX_NAME_CHARACTERS);
    vec![
        (
            "name",
            query(
                "name",
                "Only those whose name begins so, whatever its case.",
                object! {
                    "type": "string", "minLength": 1, "maxLength": most,
                    "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$",
                },
            ),
        ),
        (
            "ids",
            query("ids", "Only these.", ids)
                .with("style", "form")
                .with("explode", false),
        ),
        (
            "isAlive",
            query("isAlive", "Only the living, or only the dead.", truth()),
        ),
        (
            "isKing",
            query("isKing", "Only kings, or only the others.", truth()),
        ),
        (
            "placeId",
            query("placeId", "Only those of this place.", id()),
        ),
        (
            "least",
            query(
                "least",
                "Only places with at least so many living.",
                object! { "type": "integer", "minimum": 1, "maximum": MinLiving::MAX },
            ),
        ),
        (
            "asOf",
            query(
                "asOf",
                &format!("As it was then: {}.", Moment::EXPECTED),
                object! {
                    "type": "string",
                    "format": "date-time",
                    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$",
                },
            ),
        ),
    ]
}

fn of_acts() -> Vec<(&'static str, Json)> {
    let modes = ImportMode::ALL.map(|(name, _)| name);
    vec![
        (
            "mode",
            query(
                "mode",
                "What is done with a record whose id is there already: it is refused, or changed.",
                choice(modes, Some(ImportMode::default().name())),
            ),
        ),
        (
            "dryRun",
            query("dryRun", "Only tells what would be done.", switch()),
        ),
        (
            "olderThan",
            query(
                "olderThan",
                "Only what was left so many seconds ago, when its own client must have given it up.",
                object! { "type": "integer", "minimum": 0, "maximum": Seconds::MAX },
            ),
        ),
        (
            "depose",
            query(
                "depose",
                "Takes the crown from the present king of the place.",
                switch(),
            ),
        ),
        (
            "reassignTo",
            query("reassignTo", "Moves the people to this place first.", id()),
        ),
    ]
}
