//! Imports: what is the same for both registers.

use std::collections::HashMap;

use futures_util::{Stream, stream};
use http_semantics::media::{Frame, LIST};
use http_semantics::{Format as Form, Problem};
use serde_json::Value;
use tables::import::{
    Batch, Batches, Counts, Done, File, Format, Given, MOST_BYTES, Mode, Outcome, Record, Refusal,
    Report,
};
use tables::statement::{self, Statement};

use crate::d1::{Database, Row};
use crate::error::Error;
use crate::http::request::Call;
use crate::http::response::{Answer, Body};
use crate::unicode::normalize;

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["mode", "dryRun"];

/// How a register takes a batch in.
pub trait Importer {
    /// Its kind of record.
    type Record: Record;

    /// What a batch has written, as a row of (counts), by the primary key of `idempotency`;
    /// none where it has not been written, or does not hold any more.
    const WRITTEN: &'static str = "SELECT body FROM idempotency WHERE key = ?1";

    /// What is to be done with the records of a batch, by what the register holds.
    fn plan(
        &self,
        batch: &Batch<Self::Record>,
        mode: Mode,
    ) -> impl Future<Output = Result<Plan, Error>>;

    /// Writes a batch as it was planned, all of it or nothing.
    fn write(
        &self,
        batch: &Batch<Self::Record>,
        plan: &Plan,
    ) -> impl Future<Output = Result<(), Error>>;

    /// Where the batches are remembered.
    fn database(&self) -> &Database;
}

/// What is to be done with the records of a batch.
#[derive(Default)]
pub struct Plan {
    /// The rows to add.
    pub inserts: Vec<Value>,
    /// The rows to change, each with the version that it has now.
    pub updates: Vec<Value>,
    /// How many are as they are to be.
    pub unchanged: usize,
    /// The lines that cannot be written.
    pub refused: Vec<Refusal>,
}

impl Plan {
    /// Adds a row: to change where it has a version, else to add.
    pub fn file(&mut self, row: Value, version: Option<i64>) {
        match version {
            Some(_) => self.updates.push(row),
            None => self.inserts.push(row),
        }
    }

    /// The plan for a batch: `add` gives it each record, as a row to write, with what of the
    /// register bears on it, which is asked for by the position in the batch.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn of<T: Record>(
        batch: &Batch<T>,
        rows: Vec<Value>,
        database: &Database,
        present: &[Statement],
        add: impl Fn(&mut Self, &Given<T>, Value, Option<&Row>) -> Result<(), Problem>,
    ) -> Result<Self, Error> {
        let mut found = Vec::new();
        for statement in present {
            found.append(&mut database.rows(statement).await?);
        }
        let present: HashMap<usize, &Row> = found
            .iter()
            .filter_map(|row| Some((usize::try_from(row.integer(0)?).ok()?, row)))
            .collect();
        let mut plan = Self {
            refused: batch.refused.clone(),
            ..Self::default()
        };
        for ((n, given), row) in batch.given.iter().enumerate().zip(rows) {
            let line = given.line;
            if let Err(problem) = add(&mut plan, given, row, present.get(&n).copied()) {
                plan.refused.push(Refusal { line, problem });
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
    mode: Mode,
    dry_run: bool,
}

/// `POST …/import`: takes a file in, batch by batch, and reports on each. A batch that was
/// written before is known again, so that a file can be sent until all of it is in; an
/// `Idempotency-Key` tells an import of the same records from another one.
///
/// # Errors
/// A query or a file that cannot be used, or a failure before anything was written.
pub async fn import<I: Importer + 'static>(
    call: Call,
    importer: impl FnOnce(&Call) -> Result<I, Error>,
) -> Result<Answer, Error> {
    let params = call.params(PARAMETERS)?;
    let mode: Mode = params.get("mode")?.unwrap_or_default();
    let dry_run = params.get("dryRun")?.unwrap_or(false);
    let key = call.idempotency_key()?;
    let by_line = call.format(LIST)? == Form::NdJson;
    let format = Format::of(call.media_type(&Format::MEDIA_TYPES)?);
    let body = call.body(MOST_BYTES).await?;
    let file = File::open(format, body, I::Record::COLUMNS)?;
    let key = key.as_ref().map_or("", |key| key.as_str());
    let scope = format!("{} {key}", mode.name());
    let mut import = Import {
        importer: importer(&call)?,
        batches: Batches::of(file, scope, normalize),
        report: Report::new(dry_run, by_line),
        mode,
        dry_run,
    };
    if by_line {
        let body = Body::stream(import.lines(), Frame::NONE);
        return Ok(Answer::ok(Form::NdJson.media_type(), body));
    }
    while import.next().await.is_some() {}
    match import.report.bare_failure() {
        Some(problem) => Err(problem.clone().into()),
        None => Ok(Answer::ok(
            Form::Json.media_type(),
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
        let batch = self.batches.next()?;
        let done = match self.take(&batch).await {
            Ok(done) => done,
            Err(Error::Unique(_) | Error::Check(_)) => Done::failed(Problem::being_written()),
            Err(error) => Done::failed(error.into_problem()),
        };
        Some(self.report.add(&batch, done))
    }

    async fn take(&self, batch: &Batch<I::Record>) -> Result<Done, Error> {
        let written = Statement::new(I::WRITTEN, vec![key(&batch.fingerprint).into()]);
        if let Some(row) = self.importer.database().row(&written).await? {
            let counts = row.text(0).unwrap_or_default();
            let counts = serde_json::from_str(&counts).unwrap_or_default();
            return Ok(Done::well(Outcome::AlreadyWritten, counts));
        }
        let plan = self.importer.plan(batch, self.mode).await?;
        if !plan.refused.is_empty() {
            return Ok(Done::refused(plan.refused));
        }
        let counts = plan.counts();
        if self.dry_run {
            return Ok(Done::well(Outcome::WouldBeWritten, counts));
        }
        self.importer.write(batch, &plan).await?;
        Ok(Done::well(Outcome::Written, counts))
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

/// What a batch is remembered under.
#[must_use]
pub fn key(fingerprint: &str) -> String {
    format!("import:{fingerprint}")
}

/// The statements that remember a batch and change what it changes: `update` writes as many
/// rows as one statement takes. The inserts follow.
#[must_use]
pub fn begun(
    fingerprint: &str,
    plan: &Plan,
    update: impl Fn(&[Value]) -> Statement,
) -> Vec<Statement> {
    const REMEMBER: &str = "INSERT INTO idempotency (key, fingerprint, body) VALUES (?1, ?2, ?3)";
    let counts = serde_json::to_string(&plan.counts()).unwrap_or_default();
    let key = key(fingerprint);
    let binds = vec![key.as_str().into(), fingerprint.into(), counts.into()];
    let mut statements = vec![Statement::new(REMEMBER, binds)];
    for rows in statement::runs(&plan.updates) {
        let count = i64::try_from(rows.len()).unwrap_or_default();
        let check = vec![key.as_str().into(), count.into()];
        statements.push(update(rows));
        statements.push(Statement::new(CHECK, check));
    }
    statements
}

/// Where the update before has not changed as many rows as it was to, the key is written twice,
/// which it cannot be, and the whole batch comes to nothing.
const CHECK: &str = "
INSERT INTO idempotency (key, fingerprint, body)
SELECT key, fingerprint, body FROM idempotency WHERE key = ?1 AND changes() <> ?2";
