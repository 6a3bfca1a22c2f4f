//! Imports of files, batch by batch.

use std::collections::HashMap;

use futures_util::{Stream, stream};
use http_semantics::media::{LIST_MEDIA_TYPES, ListFraming};
use http_semantics::{MediaType, Problem};
use serde_json::Value;
use tables::Record;
use tables::import::{
    Batch, BatchResult, Batches, Counts, FileFormat, ImportFile, ImportMode, MAX_FILE_BYTES,
    Outcome, ParsedRecord, Receipt, Refusal, Report,
};
use tables::statement::{self, Statement};
use tables::table_spec::TableSpec;

use crate::d1::{Database, Row};
use crate::error::Error;
use crate::http::request::{MAX_WRITE_ATTEMPTS, Request};
use crate::http::response::{Body, Response};
use crate::unicode::normalize;

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["mode", "dryRun"];

/// How a service imports a batch.
pub trait Importer {
    /// Its kind of record.
    type Record: Record;

    /// Plans a batch, from the stored records that it concerns.
    fn plan(
        &self,
        batch: &Batch<Self::Record>,
        mode: ImportMode,
    ) -> impl Future<Output = Result<BatchPlan, Error>>;

    /// Writes a batch as it was planned, all of it or nothing.
    fn write(
        &self,
        batch: &Batch<Self::Record>,
        plan: &BatchPlan,
    ) -> impl Future<Output = Result<(), Error>>;

    /// Where the receipts are.
    fn database(&self) -> &Database;
}

/// What an import does with the records of a batch.
#[derive(Default)]
pub struct BatchPlan {
    /// The rows to add.
    pub inserts: Vec<Value>,
    /// The rows to change, each with the version that it has now.
    pub updates: Vec<Value>,
    /// How many are as they are to be.
    pub unchanged: usize,
    /// The lines that cannot be written.
    pub rejections: Vec<Refusal>,
    /// The receipt to leave, if any.
    pub receipt: Option<NewReceipt>,
}

/// A receipt that a batch leaves.
pub struct NewReceipt {
    receipt: Receipt,
    /// How many changes it is about: the last ones of the batch.
    changes: i64,
}

impl BatchPlan {
    /// Adds a row: an update if the record exists in a version, else an insert.
    pub fn push(&mut self, row: Value, version: Option<i64>) {
        match version {
            Some(_) => self.updates.push(row),
            None => self.inserts.push(row),
        }
    }

    /// Plans a batch. The statements `known` return the stored records that it concerns, with
    /// their position `n` in the batch. `add` adds each record to the plan.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn from_known<T: Record>(
        batch: &Batch<T>,
        rows: Vec<Value>,
        database: &Database,
        known: &[Statement],
        add: impl Fn(&mut Self, &ParsedRecord<T>, Value, Option<&Row>) -> Result<(), Problem>,
    ) -> Result<Self, Error> {
        let mut found = Vec::new();
        for statement in known {
            found.append(&mut database.rows(statement).await?);
        }
        let present: HashMap<usize, &Row> = found
            .iter()
            .filter_map(|row| Some((usize::try_from(row.integer("n")?).ok()?, row)))
            .collect();
        let mut plan = Self {
            unchanged: batch.already_added.len(),
            rejections: batch.refused.clone(),
            ..Self::default()
        };
        for ((n, parsed), row) in batch.parsed.iter().enumerate().zip(rows) {
            let line = parsed.line;
            if let Err(problem) = add(&mut plan, parsed, row, present.get(&n).copied()) {
                plan.rejections.push(Refusal { line, problem });
            }
        }
        Ok(plan)
    }

    /// How many records are written, or need not be.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let count = |number: usize| i64::try_from(number).unwrap_or_default();
        Counts {
            created: count(self.inserts.len()),
            updated: count(self.updates.len()),
            unchanged: count(self.unchanged),
        }
    }
}

/// An import on its way.
struct Import<I: Importer> {
    importer: I,
    batches: Batches<I::Record>,
    report: Report,
    mode: ImportMode,
    dry_run: bool,
    has_client_key: bool,
}

/// `POST …/import`: takes a file in, batch by batch, and reports on each.
///
/// An upsert compares the records that have an id with those that are there, each time. What an
/// import adds is added once, as far as it leaves a valid [`Receipt`]: so a file can be sent until
/// all of it is in. An `Idempotency-Key` tells an import of the same records from another one.
///
/// # Errors
/// A query or a file that cannot be used, or a failure before anything was written.
pub async fn import<I: Importer + 'static>(
    request: Request,
    importer: impl FnOnce(&Request) -> Result<I, Error>,
) -> Result<Response, Error> {
    let params = request.params(PARAMETERS)?;
    let mode: ImportMode = params.get("mode")?.unwrap_or_default();
    let dry_run = params.get("dryRun")?.unwrap_or(false);
    let key = request.idempotency_key()?;
    let by_line = request.format(LIST_MEDIA_TYPES)? == MediaType::NdJson;
    let format = FileFormat::from_media_type(request.media_type(&FileFormat::MEDIA_TYPES)?);
    let body = request.body(MAX_FILE_BYTES).await?;
    let file = ImportFile::open(format, body, I::Record::table())?;
    let has_client_key = key.is_some();
    let key = key.as_ref().map_or("", |key| key.as_str());
    let scope = format!("{} {key}", mode.name());
    let mut import = Import {
        importer: importer(&request)?,
        batches: Batches::new(file, scope, normalize),
        report: Report::new(dry_run, by_line),
        mode,
        dry_run,
        has_client_key,
    };
    if by_line {
        let body = Body::stream(import.lines(), ListFraming::NONE);
        return Ok(Response::ok(MediaType::NdJson.content_type(), body));
    }
    while import.next().await.is_some() {}
    match import.report.failure_without_results() {
        Some(problem) => Err(problem.clone().into()),
        None => Ok(Response::ok(
            MediaType::Json.content_type(),
            Body::Text(import.report.to_json()),
        )),
    }
}

impl<I: Importer + 'static> Import<I> {
    /// Takes the next batch in, and gives its line; none behind the last, or a failure.
    async fn next(&mut self) -> Option<String> {
        if self.report.failure().is_some() {
            return None;
        }
        let mut batch = self.batches.next()?;
        let done = self.take(&mut batch).await;
        Some(self.report.add(&batch, done))
    }

    /// Takes a batch in. A record may change between the plan and the write, or another client
    /// may send the same batch: then nothing was written, and it is planned again.
    async fn take(&self, batch: &mut Batch<I::Record>) -> BatchResult {
        for _ in 0..MAX_WRITE_ATTEMPTS {
            match self.try_to_take(batch).await {
                Ok(done) => return done,
                Err(Error::Unique(_) | Error::Check(_)) => {}
                Err(error) => return BatchResult::failed(error.into_problem()),
            }
        }
        BatchResult::failed(Problem::being_written())
    }

    async fn try_to_take(&self, batch: &mut Batch<I::Record>) -> Result<BatchResult, Error> {
        let receipt = Receipt::new(&batch.fingerprint, self.has_client_key);
        let is_insert = self.mode == ImportMode::Insert;
        let written = if is_insert || batch.has_new() {
            self.written(&receipt).await?
        } else {
            None
        };
        if !is_insert {
            batch.set_new_already_added(written.is_some());
        } else if let Some(counts) = written {
            return Ok(BatchResult::new(Outcome::AlreadyWritten, counts));
        }
        let mut plan = self.importer.plan(batch, self.mode).await?;
        if !plan.rejections.is_empty() {
            return Ok(BatchResult::refused(plan.rejections));
        }
        let counts = plan.counts();
        if self.dry_run {
            return Ok(BatchResult::new(Outcome::WouldBeWritten, counts));
        }
        if counts.created + counts.updated > 0 {
            let is_new = |row: &&Value| is_insert || row["id"].is_null();
            let new = plan.inserts.iter().filter(is_new).count();
            plan.receipt = (new > 0).then(|| NewReceipt {
                receipt,
                changes: i64::try_from(new).unwrap_or_default(),
            });
            self.importer.write(batch, &plan).await?;
        }
        Ok(BatchResult::new(Outcome::Written, counts))
    }

    /// What a batch has written, if it has a valid receipt.
    async fn written(&self, receipt: &Receipt) -> Result<Option<Counts>, Error> {
        let row = self
            .importer
            .database()
            .row(&receipt.find(I::Record::table()))
            .await?;
        let Some(row) = row.filter(|row| row.boolean("is_valid")) else {
            return Ok(None);
        };
        let counts = row.text("counts").ok_or_else(Problem::internal)?;
        Ok(Some(
            serde_json::from_str(&counts).map_err(|_| Problem::internal())?,
        ))
    }

    /// A line a batch, as it is done, and the whole report's.
    fn lines(self) -> impl Stream<Item = Result<Vec<u8>, Error>> {
        stream::unfold(Some(self), |import| async move {
            let mut import = import?;
            let (line, rest) = match import.next().await {
                Some(line) => (line, Some(import)),
                None => (import.report.to_json(), None),
            };
            Some((Ok((line + "\n").into_bytes()), rest))
        })
    }
}

/// The statements that write a batch: its updates, of which `update` makes as many as one
/// statement takes, its inserts, and its receipt.
#[must_use]
pub fn write_statements(
    plan: &BatchPlan,
    table: &TableSpec,
    update: fn(&[Value]) -> Statement,
    inserts: Vec<Statement>,
) -> Vec<Statement> {
    let mut statements = with_row_count_check(&plan.updates, update);
    statements.extend(inserts);
    if let Some(new) = &plan.receipt {
        statements.extend(new.receipt.delete_invalid(table));
        statements.push(new.receipt.save(table, plan.counts(), new.changes));
    }
    statements
}

/// The statements that write rows, all of them or none.
#[must_use]
pub fn with_row_count_check(
    rows: &[Value],
    write: impl Fn(&[Value]) -> Statement,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    for some in statement::chunks_by_size(rows) {
        let count = i64::try_from(some.len()).unwrap_or_default();
        statements.push(write(some));
        statements.push(Statement::new(CHECK, vec![count.into()]));
    }
    statements
}

/// If the write before has not touched as many rows as it was to, this inserts a key twice, which
/// violates the primary key and rolls the whole batch back.
const CHECK: &str = "
INSERT INTO idempotency (key, fingerprint, body)
SELECT 'twice', '', '' FROM (VALUES (1), (2)) WHERE changes() <> ?1";
