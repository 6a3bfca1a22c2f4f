//! `POST …/import`: writes the records of a file, batch by batch.
//!
//! If an import fails, a client can send the whole file again: the records that are already written
//! are not written twice. In an upsert, a record with an id is compared with the stored record. A
//! record without an id has nothing to compare. So the transaction of a batch that adds records
//! also saves a [`Receipt`]. If the same batch arrives again while its receipt is valid, these
//! records are skipped. To add the same records a second time on purpose, a client sends another
//! `Idempotency-Key`.
//!
//! An isolate has one thread. So [`admission`] limits the size of the files that it imports at the
//! same time. Each batch starts in a new turn of the event loop, so that requests that are already
//! waiting run first.

mod admission;
mod operations;
mod plan;
mod resolver;

use std::future::ready;

use domain::param::PositiveInteger;
use futures_util::future::join;
use futures_util::{Stream, stream};
use http_semantics::idempotency::storage_key;
use http_semantics::media::{LIST_MEDIA_TYPES, ListFraming};
use http_semantics::{MediaType, Problem};
use serde_json::Value;
use tables::import::{
    Batch, BatchResult, Batches, Counts, FileFormat, ImportFile, ImportMode, ImportOptions,
    MAX_FILE_BYTES, Outcome, Receipt, Report,
};
use tables::record::Author;
use tables::statement::Statement;
use tables::{Record, TableSpec};

use crate::collection::versioned_record::NORMALIZE;
use crate::d1::{Database, MAX_WRITE_ATTEMPTS, Row};
use crate::env::call_quota::Calls;
use crate::env::trace::random_token;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response};
use crate::idempotency::caller;
use crate::time::pause;

pub use admission::Permit;
use resolver::Resolver;

pub use operations::batch;
pub use plan::{BatchPlan, find_existing, with_row_count_check, write_statements};

/// The query parameters.
pub const PARAMETERS: &[&str] = &["mode", "dryRun", "skipInvalid", "after"];

/// The query parameters of an import of people, who may have new places.
pub const PARAMETERS_WITH_PLACES: &[&str] =
    &["mode", "dryRun", "skipInvalid", "createPlaces", "after"];

/// The calls of one attempt to import a batch, at most: its receipt, its places, the stored records
/// and the statements of its transaction, which are divided by size.
const ATTEMPT: Calls = Calls::services(12).and(Calls {
    subrequests: 9,
    queries: 28,
});

/// Imports the records of one table.
pub trait Importer {
    /// The kind of record.
    type Record: Record + Clone + PartialEq;

    /// The query parameters of an import.
    const PARAMETERS: &'static [&'static str] = PARAMETERS;

    /// The ids of the places with these names, in the same order. With `create`, the missing ones are
    /// created first. The order of `names` is that of the result.
    fn place_ids(
        &self,
        _names: &[&str],
        _create: bool,
    ) -> impl Future<Output = Result<Vec<Option<i64>>, Error>> {
        async { Ok(Vec::new()) }
    }

    /// Plans a batch, by comparing it with the stored records.
    fn plan(
        &self,
        batch: &Batch<Self::Record>,
        options: ImportOptions,
    ) -> impl Future<Output = Result<BatchPlan, Error>>;

    /// Removes what the last [`Self::plan`] has recorded for its write.
    fn discard(
        &self,
        _batch: &Batch<Self::Record>,
        _options: ImportOptions,
    ) -> impl Future<Output = ()> {
        ready(())
    }

    /// Writes a batch according to its plan, in one transaction. Returns the rows of the last
    /// statement.
    fn write(
        &self,
        batch: &Batch<Self::Record>,
        plan: &BatchPlan,
    ) -> impl Future<Output = Result<Option<Vec<Row>>, Error>>;

    /// The database, which also stores the receipts.
    fn database(&self) -> &Database;
}

/// An import in progress.
struct Import<I: Importer> {
    permit: Permit,
    importer: I,
    batches: Batches<I::Record>,
    report: Report,
    options: ImportOptions,
    author: Author,
    has_client_key: bool,
    /// The number of records that an earlier request has imported.
    after: usize,
    /// The number of records in the batches so far.
    position: usize,
}

/// `POST …/import`: imports a file, and reports on each batch.
///
/// # Errors
/// An invalid query or file, or a failure before anything was written.
pub async fn import<I: Importer + 'static>(
    request: Request,
    importer: impl FnOnce(&Request) -> Result<I, Error>,
) -> Result<Response, Error> {
    let params = request.params(I::PARAMETERS)?;
    request.reject_preconditions()?;
    let options = ImportOptions {
        mode: params.get("mode")?.unwrap_or_default(),
        dry_run: params.get("dryRun")?.unwrap_or(false),
        skip_invalid: params.get("skipInvalid")?.unwrap_or(false),
        create_places: params.get("createPlaces")?.unwrap_or(false),
    };
    let after = params.get("after")?.map_or(0, PositiveInteger::get);
    let key = request.idempotency_key()?;
    let by_line = request.format(LIST_MEDIA_TYPES)? == MediaType::NdJson;
    let format = FileFormat::from_media_type(request.media_type(&FileFormat::MEDIA_TYPES)?);
    let permit = Permit::acquire(&request, 1).await?;
    let body = request.body(MAX_FILE_BYTES).await?;
    let file = ImportFile::open(format, body, I::Record::table())?;
    let has_client_key = key.is_some();
    let key = key.map(|key| storage_key("import", &caller(&request), &key));
    // A request that continues an import has the same key, and so the same batch.
    let batch = key.clone().unwrap_or_else(random_token);
    let author = Author {
        batch: Some(batch.trim_start_matches("import:").to_owned()),
        ..request.env.author()
    };
    let scope = format!("{} {}", options.mode.name(), key.unwrap_or_default());
    let mut import = Import {
        permit,
        importer: importer(&request)?,
        batches: Batches::new(file, scope, options.mode == ImportMode::Patch, NORMALIZE)
            .with_boundary(usize::try_from(after).unwrap_or(usize::MAX)),
        report: Report::new(options.dry_run, by_line),
        options,
        author,
        has_client_key,
        after: usize::try_from(after).unwrap_or(usize::MAX),
        position: 0,
    };
    if by_line {
        let body = Body::stream(import.lines(), ListFraming::NONE);
        return Ok(Response::ok(MediaType::NdJson.content_type(), body));
    }
    while import.next().await.is_some() {}
    match import.report.failure_without_results() {
        // As a POST, it would get an unknown outcome.
        Some(problem) if options.dry_run => Ok(Response::problem(problem)),
        Some(problem) => Err(problem.clone().into()),
        None => Ok(Response::json(import.report.to_json())),
    }
}

/// An attempt to import a batch.
struct Attempt {
    receipt: Receipt,
    is_insert: bool,
    /// Whether an earlier import has added the records without an id.
    is_written: bool,
}

impl Attempt {
    fn set_new_already_added<T>(&self, batch: &mut Batch<T>) {
        if !self.is_insert {
            batch.set_new_already_added(self.is_written);
        }
    }

    /// The statements that save the receipt, if the batch adds records.
    fn receipt_statements(
        &self,
        table: &TableSpec,
        plan: &BatchPlan,
        leaves_out: bool,
    ) -> Vec<Statement> {
        let is_new = |row: &&Value| self.is_insert || row["id"].is_null();
        let changes = plan.inserts.iter().filter(is_new).count();
        if changes == 0 {
            return Vec::new();
        }
        let changes = i64::try_from(changes).unwrap_or_default();
        let save = self.receipt.save(table, leaves_out, plan.counts(), changes);
        let delete = self.receipt.delete_invalid(table, leaves_out);
        delete.into_iter().chain([save]).collect()
    }
}

impl<I: Importer + 'static> Import<I> {
    /// Imports the next batch, and returns its line of the report. None after the last batch or a
    /// failure. A batch that an earlier request has imported is parsed all the same, because records
    /// of different batches must not conflict.
    async fn next(&mut self) -> Option<String> {
        if self.report.failure().is_some() {
            return None;
        }
        let (begin, mut batch) = loop {
            pause(0).await;
            self.permit.renew();
            let (begin, batch) = (self.position, self.batches.next()?);
            self.position += batch.len();
            if self.position > self.after {
                break (begin, batch);
            }
        };
        let done = if self.importer.database().quota().has(ATTEMPT) {
            self.import_batch(&mut batch).await
        } else {
            self.report.continue_after(begin);
            BatchResult::failed(Problem::call_limit_reached())
        };
        Some(self.report.add(&batch, done))
    }

    /// Imports a batch. If another client changes a record between the plan and the write, or sends
    /// the same batch, nothing is written and the batch is planned again.
    async fn import_batch(&self, batch: &mut Batch<I::Record>) -> BatchResult {
        let mut places_created = None;
        for attempt in 0..MAX_WRITE_ATTEMPTS {
            if attempt > 0 && !self.importer.database().quota().has(ATTEMPT) {
                break;
            }
            match self.try_import_batch(batch, &mut places_created).await {
                Ok(done) => return done.with_places(places_created),
                Err(Error::Unique(_) | Error::Check(_)) => {}
                Err(error) => return self.failed(error.into_problem(), places_created),
            }
        }
        self.failed(Problem::being_written(), places_created)
    }

    /// The result of a batch that could not be written. The places that were created for it stay.
    fn failed(&self, problem: Problem, places_created: Option<usize>) -> BatchResult {
        let places_created = places_created.filter(|count| *count > 0);
        let problem = match places_created {
            Some(_) => problem.with_unknown_outcome(),
            None => problem.for_method(!self.options.dry_run),
        };
        BatchResult::failed(problem).with_places(places_created)
    }

    /// Plans and writes a batch. `places_created` counts the places that this and the earlier attempts
    /// have created, or would create, if the import may create places.
    async fn try_import_batch(
        &self,
        batch: &mut Batch<I::Record>,
        places_created: &mut Option<usize>,
    ) -> Result<BatchResult, Error> {
        let receipt = Receipt::new(
            &batch.fingerprint,
            self.has_client_key,
            self.options.skip_invalid,
        );
        let is_insert = self.options.mode == ImportMode::Insert;
        let already_written = |counts, batch: &Batch<I::Record>| {
            let result = BatchResult::new(Outcome::AlreadyWritten, counts);
            result.with_refused(batch.refused.clone())
        };
        let mut attempt = Attempt {
            receipt,
            is_insert,
            is_written: false,
        };
        if is_insert && batch.is_resolved() {
            // The plan does not depend on the receipt.
            let planned = self.importer.plan(batch, self.options);
            let (written, planned) = join(self.counts_of_receipt(&attempt.receipt), planned).await;
            if !matches!(written, Ok(None)) {
                self.importer.discard(batch, self.options).await;
            }
            return match written? {
                Some(counts) => Ok(already_written(counts, batch)),
                None => self.write_planned(batch, &attempt, planned?).await,
            };
        }
        if is_insert || batch.has_new() {
            let written = self.counts_of_receipt(&attempt.receipt).await?;
            if let Some(counts) = written.filter(|_| is_insert) {
                return Ok(already_written(counts, batch));
            }
            attempt.is_written = written.is_some();
        }
        if batch.is_resolved() {
            return self.write_batch(batch, &attempt).await;
        }
        let mut resolver = Resolver::new(&self.importer, batch);
        let mut complete = resolver.resolve(self.options.create_places).await?;
        if self.options.create_places {
            places_created.get_or_insert_default();
        }
        if !complete.future_places.is_empty() {
            // Neither a pending write nor a place is written before the lines are known to be valid.
            attempt.set_new_already_added(&mut complete);
            let options = ImportOptions {
                dry_run: true,
                ..self.options
            };
            let plan = self.importer.plan(&complete, options).await?;
            if !self.options.allows(plan.rejections.len()) {
                return Ok(BatchResult::refused(plan.rejections));
            }
            let names = resolver.places_to_create(&plan.rejections);
            if !self.options.dry_run {
                complete = resolver.create_places(&names).await?;
            }
            *places_created.get_or_insert_default() += names.len();
            if self.options.dry_run {
                let result = BatchResult::new(Outcome::WouldBeWritten, plan.counts());
                return Ok(result.with_refused(plan.rejections));
            }
        }
        self.write_batch(&mut complete, &attempt).await
    }

    /// Plans and writes a batch whose records are complete.
    async fn write_batch(
        &self,
        batch: &mut Batch<I::Record>,
        attempt: &Attempt,
    ) -> Result<BatchResult, Error> {
        attempt.set_new_already_added(batch);
        let plan = self.importer.plan(batch, self.options).await?;
        self.write_planned(batch, attempt, plan).await
    }

    async fn write_planned(
        &self,
        batch: &Batch<I::Record>,
        attempt: &Attempt,
        mut plan: BatchPlan,
    ) -> Result<BatchResult, Error> {
        plan.set_author(&self.author);
        let rejected = std::mem::take(&mut plan.rejections);
        if !self.options.allows(rejected.len()) {
            return Ok(BatchResult::refused(rejected));
        }
        let counts = plan.counts();
        let outcome = if self.options.dry_run {
            Outcome::WouldBeWritten
        } else {
            if counts.created + counts.updated > 0 {
                let leaves_out = !rejected.is_empty();
                plan.last = attempt.receipt_statements(I::Record::table(), &plan, leaves_out);
                self.importer.write(batch, &plan).await?;
            }
            Outcome::Written
        };
        let result = BatchResult::new(outcome, counts);
        Ok(result.with_refused(rejected))
    }

    /// The number of records that a batch has written before, if it has a valid receipt.
    async fn counts_of_receipt(&self, receipt: &Receipt) -> Result<Option<Counts>, Error> {
        let find = receipt.find(I::Record::table());
        let row = self.importer.database().row(&find).await?;
        let Some(row) = row.filter(|row| row.boolean("is_valid")) else {
            return Ok(None);
        };
        let counts = row.text("counts").ok_or_else(Problem::internal)?;
        Ok(Some(
            serde_json::from_slice(counts.as_bytes()).map_err(|_| Problem::internal())?,
        ))
    }

    /// The report as lines: one per batch, sent when the batch is written, and the summary.
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
