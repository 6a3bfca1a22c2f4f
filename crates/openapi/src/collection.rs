//! The operations that both collections, places and people, have.

use crate::json::reference;
use crate::operation::{Operation, get, post};
use crate::response::Response;
use crate::{Json, object};
use edge::{JSON, MERGE_PATCH, collection};
use http_semantics::problem::Kind;
use tables::TableSpec;
use tables::change_feed;
use tables::import::{FileFormat, MAX_BATCH_RECORDS, MAX_FILE_RECORDS};
use tables::operations::MAX_OPERATIONS;

/// The description of imports states these limits.
const _: () = assert!(MAX_BATCH_RECORDS == 10_000 && MAX_FILE_RECORDS == 250_000);

/// The description of an export.
pub const EXPORT_DESCRIPTION: &str = "The file is streamed page by page, so later pages may show later data. The last line says whether the file is complete: `{\"complete\":true}`, or `#complete` in CSV. If the request may make no more calls, it has the address of the rest instead: `{\"complete\":false,\"next\":\"…\"}`, or `\"#incomplete: …\"`. The parts without their last lines are the whole file, and an import skips these lines. A file that breaks off ends in the middle of a record. In CSV, a name that a spreadsheet would run as a formula starts with an apostrophe.";

/// The description of a feed of changes.
pub const CHANGES_DESCRIPTION: &str = "Each change once, in order of time. Oldest first, there is always a next page, for later changes. A page with `placeId` looks through 20,000 changes, so it can have fewer than `limit` although there are more.";

/// The description of a stream of changes.
pub const EVENTS_DESCRIPTION: &str = "Server-sent events: the changes after `since`, and then each later one. The id of an event is the cursor after its change, and `data` is the change. `limit` is ignored, and `order=desc` is rejected. The stream ends with `retry:` from time to time, and `Last-Event-ID` continues it. If too many clients are listening, there is a 429 with `Retry-After`.";

/// The description states this limit.
const _: () = assert!(change_feed::MAX_SCANNED == 20_000);

/// The id in the body of a response, as a runtime expression of OpenAPI.
const CREATED: &str = "$response.body#/id";
/// The id in the path of a request.
const IN_PATH: &str = "$request.path.id";

/// A collection of records. The schemas of its requests and responses are called `Place`,
/// `NewPlace` and so on.
pub struct Collection {
    /// Its table.
    pub table: &'static TableSpec,
    /// The schema of a record, such as `Place`.
    pub record: &'static str,
    /// The plural of `record`, for ids of operations.
    pub records: &'static str,
    /// The parameter with the id of a record.
    pub id: &'static str,
    /// A body that creates a record.
    pub new: &'static str,
    /// A body that changes a record.
    pub patch: &'static str,
    /// More links from a record: the name and the operation.
    pub links: &'static [(&'static str, &'static str)],
}

impl Collection {
    fn singular(&self) -> &'static str {
        self.table.declaration.singular
    }

    fn plural(&self) -> &'static str {
        self.table.declaration.collection
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/{}{rest}", self.plural())
    }

    /// The name of a schema, or the id of an operation.
    fn name(&self, prefix: &str, suffix: &str) -> String {
        format!("{prefix}{}{suffix}", self.record)
    }

    /// Adds the links from a record to its other operations.
    fn with_links(&self, response: Response, id: &str) -> Response {
        let response = response
            .link("read", self.name("read", ""), id)
            .link("replace", self.name("replace", ""), id)
            .link("change", self.name("change", ""), id)
            .link("remove", self.name("delete", ""), id)
            .link("history", self.name("read", "History"), id);
        let links = self.links.iter();
        links.fold(response, |response, (name, to)| {
            response.link(name, *to, id)
        })
    }

    fn record(&self, description: &str) -> Response {
        Response::json(self.record, description).headers(&["ETag", "NoTransform"])
    }

    fn created(&self, id: &str) -> Response {
        let response = self.record(&format!("The new {}.", self.singular()));
        self.with_links(response, id).headers(&["Location"])
    }

    fn changed(&self) -> Response {
        self.record(&format!("The {} after the change.", self.singular()))
    }

    /// A page of records.
    #[must_use]
    pub fn list(&self) -> Operation {
        let list = Response::list(self.record, format!("A page of {}.", self.plural()))
            .csv(&self.table.csv_header)
            .headers(&["ListTag", "Link", "X-Total-Count", "X-Total-Count-Relation"]);
        get(self.path(""), format!("list{}", self.records))
            .summary(format!("List {}", self.plural()))
            .description("`Link` has the next page. In another order than that of the ids, at most 20,000 records may match a search (`q`) or several places.")
            .query(&self.table.list_parameters)
            .conditional("ListTag")
            .problems(&[Kind::TooManyMatches])
            .response(200, self.with_links(list, "$response.body#/0/id"))
    }

    /// One record.
    #[must_use]
    pub fn read(&self) -> Operation {
        let record = self.record(&format!("The {}.", self.singular()));
        let record = record.headers(&["X-Change-Counter"]);
        get(self.path("/{id}"), self.name("read", ""))
            .summary(format!("Read a {}", self.singular()))
            .description("`ETag` has the version, for `If-Match`.")
            .id(self.id)
            .conditional("ETag")
            .problems(&[Kind::NotFound])
            .response(200, self.with_links(record, IN_PATH))
    }

    /// The versions of one record.
    #[must_use]
    pub fn history(&self) -> Operation {
        let changes = Response::list(&self.name("", "Change"), "The changes.");
        get(self.path("/{id}/history"), self.name("read", "History"))
            .summary(format!("List the changes of a {}", self.singular()))
            .description("Oldest first. A deleted record keeps its history.")
            .id(self.id)
            .query_as(collection::HISTORY_PARAMETERS, &[("after", "afterVersion")])
            .problems(&[Kind::NotFound, Kind::HistoryRestarted])
            .response(200, changes.headers(&["Link"]))
    }

    /// The changes of all records.
    #[must_use]
    pub fn changes(&self) -> Operation {
        let changes = Response::list(&self.name("", "Change"), "A page of changes.")
            .events(EVENTS_DESCRIPTION);
        get(self.path("/changes"), self.name("list", "Changes"))
            .summary(format!("List the changes of all {}", self.plural()))
            .description(CHANGES_DESCRIPTION)
            .query_as(
                change_feed::parameters(self.table),
                &[("after", "afterChange"), ("placeId", "changedPlaceId")],
            )
            .request_headers(&["Last-Event-ID"])
            .problems(&[Kind::HistoryRestarted, Kind::TooManyRequests])
            .response(
                200,
                changes.headers(&["LinkToCome", "X-More-Changes", "X-Change-Counter"]),
            )
    }

    /// All records as a file.
    #[must_use]
    pub fn export(&self) -> Operation {
        let line = reference("schemas", self.record);
        let file = Response::empty("The file.")
            .csv(&self.table.csv_header)
            .lines("One JSON object per line.", line)
            .headers(&["Content-Disposition", "Vary"]);
        get(self.path("/export"), format!("export{}", self.records))
            .summary(format!("Export all {} as a file", self.plural()))
            .description(EXPORT_DESCRIPTION)
            .query_as(
                &self.table.export_parameters,
                &[("format", "fileFormat"), ("after", "afterRecord")],
            )
            .response(200, file)
    }

    /// Creates a record.
    #[must_use]
    pub fn create(&self) -> Operation {
        post(self.path(""), self.name("create", ""))
            .summary(format!("Add a {}", self.singular()))
            .description("The service assigns the id.")
            .request_headers(&["Idempotency-Key"])
            .record(JSON, &self.name("New", ""), self.new)
            .problems(&[Kind::IdempotencyKeyReused])
            .response(
                201,
                self.created(CREATED).headers(&["Idempotency-Replayed"]),
            )
    }

    /// Replaces or creates a record.
    #[must_use]
    pub fn replace(&self) -> Operation {
        self.write("put", "replace", "idToPut")
            .summary(format!("Replace or add a {}", self.singular()))
            .request_headers(&["putOnlyIf"])
            .record(JSON, &self.name("Put", ""), self.new)
            .response(200, self.changed())
            .response(201, self.created(IN_PATH))
    }

    /// Changes fields of a record.
    #[must_use]
    pub fn change(&self) -> Operation {
        self.write("patch", "change", self.id)
            .summary(format!("Change a {}", self.singular()))
            .description("The body is a JSON merge patch (RFC 7396).")
            .record(MERGE_PATCH, &self.name("", "Patch"), self.patch)
            .problems(&[Kind::NotFound])
            .response(200, self.changed())
    }

    /// Writes an earlier state of a record again.
    #[must_use]
    pub fn restore(&self) -> Operation {
        post(self.path("/{id}/restore"), self.name("restore", ""))
            .summary(format!("Restore an earlier state of a {}", self.singular()))
            .id(self.id)
            .request_headers(&["If-Match"])
            .record(JSON, "Restoration", r#"{"version":1}"#)
            .without_body()
            .problems(&[Kind::NotFound, Kind::BeingWritten, Kind::PreconditionFailed])
            .response(200, self.changed())
            .response(201, self.created(IN_PATH))
    }

    /// Deletes a record.
    #[must_use]
    pub fn delete(&self) -> Operation {
        self.write("delete", "delete", self.id)
            .summary(format!("Delete a {}", self.singular()))
            .problems(&[Kind::NotFound])
            .response(204, Response::empty("Deleted."))
    }

    /// A write of one existing record.
    fn write(&self, method: &'static str, id: &str, in_path: &'static str) -> Operation {
        Operation::new(method, self.path("/{id}"), self.name(id, ""))
            .id(in_path)
            .request_headers(&["If-Match"])
            .problems(&[Kind::BeingWritten, Kind::PreconditionFailed])
    }

    /// Does several operations, all of them or none.
    #[must_use]
    pub fn batch(&self, example: &str) -> Operation {
        let items = reference("schemas", &self.name("", "Operation"));
        let schema = object! {
            "type": "array",
            "items": items,
            "maxItems": i64::try_from(MAX_OPERATIONS).unwrap_or_default(),
        };
        let content = object! { "schema": schema, "example": Json::parse(example) };
        let results = Response::json_list("OperationResult", "The result of each operation.");
        post(self.path("/batch"), format!("batch{}", self.records))
            .summary(format!("Change several {} at once", self.plural()))
            .description("All operations are done, or none: then the problem has the result of each. No id may be repeated. The rules hold for the state after all operations, so an operation may need another one of the same batch. Ids are assigned in the order of the operations.")
            .request_headers(&["Idempotency-Key"])
            .body(object! { "application/json": content })
            .problems(&[
                Kind::BatchRefused,
                Kind::BeingWritten,
                Kind::CallLimitReached,
                Kind::IdempotencyKeyReused,
                Kind::TooManyRecords,
            ])
            .response(200, results.headers(&["Idempotency-Replayed"]))
            .calls_a_service()
    }

    /// Adds many records, with an example in JSON and in CSV.
    #[must_use]
    pub fn import(&self, parameters: &[&'static str], json: &str, csv: &str) -> Operation {
        let schema = self.name("Imported", "");
        let records = Json::parse(json);
        let lines = records.items().iter().map(|record| record.to_text() + "\n");
        let lines: String = lines.collect();
        let text = object! { "type": "string" };
        let content = FileFormat::MEDIA_TYPES.into_iter().map(|media_type| {
            let (schema, example) = match FileFormat::from_media_type(media_type) {
                FileFormat::Array => {
                    let items = if self.table.declaration.import_columns.is_empty() {
                        reference("schemas", &schema)
                    } else {
                        let schemas = [schema.clone(), format!("{schema}Fields")];
                        let schemas = schemas.map(|schema| reference("schemas", &schema));
                        object! { "anyOf": schemas }
                    };
                    let list = object! { "type": "array", "items": items };
                    (list, records.clone())
                }
                FileFormat::Csv => (text.clone(), csv.into()),
                FileFormat::NdJson => (text.clone(), lines.as_str().into()),
            };
            (media_type, object! { "schema": schema, "example": example })
        });
        let line = ["BatchReport", "ImportSummary"].map(|name| reference("schemas", name));
        let report = Response::json("ImportReport", "The result of each batch.")
            .lines(
                "One line per batch, sent when the batch is done, then a summary.",
                object! { "anyOf": line },
            )
            .headers(&["Vary"]);
        post(self.path("/import"), format!("import{}", self.records))
            .summary(format!("Import many {}", self.plural()))
            .description("The file has up to 10 MiB and 250,000 records. It is imported in batches of at most 10,000 records, and each batch completely or not at all. Send the file again until all of it is imported: an upsert compares each record that has an id with the stored one, and a batch that was inserted is not added again while its records are unchanged. A record that cannot be imported does not fail the request: the report lists it. While other imports are running, an import may be rejected (429).")
            .request_headers(&["importKey"])
            .body(content.collect())
            .query_as(parameters, &[("after", "afterRecords")])
            .problems(&[
                Kind::BeingWritten,
                Kind::CallLimitReached,
                Kind::TooManyRecords,
                Kind::TooManyRequests,
            ])
            .response(200, report)
    }
}
