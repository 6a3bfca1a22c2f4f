//! The operations that both registers have.

use http_semantics::problem::Kind;
use tables::import::FileFormat;
use utoipa::ToSchema;

use crate::json::reference;
use crate::operation::{Answer, Operation};
use crate::views::{Alive, Document, Ready};
use crate::{Json, object};

/// Where a worker's document is.
pub const DOCUMENT: &str = "/v1/openapi.json";

/// Whether each worker answers at this address for itself.
#[must_use]
pub fn is_each_workers_own(path: &str) -> bool {
    [DOCUMENT, "/v1/healthz", "/v1/readyz"].contains(&path)
}

/// The document itself.
#[must_use]
pub fn document() -> Vec<Operation> {
    vec![
        Operation::new("get", DOCUMENT, "readDocument", "This document")
            .tag_if_none("about")
            .answers(200, Answer::of::<Document>("An OpenAPI 3.1 document.")),
    ]
}

/// Whether the worker lives, and whether it is ready.
#[must_use]
pub fn health() -> Vec<Operation> {
    let operations = [
        Operation::new(
            "get",
            "/v1/healthz",
            "readHealth",
            "Whether the worker lives",
        )
        .says("It asks nobody. No token is needed, and no limit counts it.")
        .answers(
            200,
            Answer::of::<Alive>("It does.").seen("GET /v1/healthz", ALIVE),
        ),
        Operation::new(
            "get",
            "/v1/readyz",
            "readReadiness",
            "Whether all that the worker needs is there",
        )
        .says("Each thing is asked, and has a second. No token is needed, and no limit counts it.")
        .problems(&[Kind::NotReady])
        .answers(200, Answer::of::<Ready>("It is.")),
    ];
    operations.map(|one| one.tag_if_none("about")).to_vec()
}

const ALIVE: &str = r#"{"status":"alive"}"#;

/// An export.
#[must_use]
pub fn export_of<T: ToSchema>(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    header: &str,
) -> Operation {
    Operation::new("get", path, id, summary)
        .says("It is streamed, a page after the other, and so not of one moment. One that breaks off ends in an unfinished record. A name that a spreadsheet would take for a formula has an apostrophe before it.")
        .answers(
            200,
            Answer::empty("The file.")
                .table(header)
                .lines::<T>()
                .header("Content-Disposition")
                .header("Vary"),
        )
}

/// An import, with an example in JSON and in CSV.
#[must_use]
pub fn import_of<T: ToSchema>(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    json: &str,
    csv: &str,
) -> Operation {
    let records = Json::read(json);
    let lines: Vec<String> = records.items().iter().map(Json::to_text).collect();
    let content = FileFormat::MEDIA_TYPES.into_iter().map(|media_type| {
        let (schema, example) = match FileFormat::from_media_type(media_type) {
            FileFormat::Array => {
                let items = reference("schemas", &T::name());
                (object! { "type": "array", "items": items }, records.clone())
            }
            FileFormat::Csv => (object! { "type": "string" }, csv.into()),
            FileFormat::NdJson => (
                object! { "type": "string" },
                (lines.join("\n") + "\n").into(),
            ),
        };
        let content = object! { "schema": schema, "example": example };
        (media_type.to_owned(), content)
    });
    Operation::new("post", path, id, summary)
        .says("A file of up to 10 MiB, in batches of at most 2,000 records, each of which is written whole or not at all. The file can be sent again until all of it is in: an upsert compares each record that has an id with the present one, and a batch that was inserted is not added twice while its records are as it left them. A line that cannot be written is no problem of the request: the report names it.")
        .takes("importKey")
        .body(content.collect())
}
