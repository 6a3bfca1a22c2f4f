//! Imports: what is the same for both registers.

use std::collections::HashMap;

use futures_util::{Stream, stream};
use registry::import::{
    Batch, Batches, Counts, Done, File, Format, Given, MOST_BYTES, Mode, Outcome, Record, Refusal,
    Report,
};
use registry::log::Log;
use registry::media::{Frame, LIST};
use registry::sql::Statement;
use registry::{Format as Form, Problem};
use serde_json::Value;

use crate::{Answer, Body, Call, Database, Error, Row};

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["mode", "dryRun"];

/// How a register takes a batch in.
pub trait Importer {
    /// Its kind of record.
    type Record: Record;

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
        present: &Statement,
        add: impl Fn(&mut Self, &Given<T>, Value, Option<&Row>) -> Result<(), Problem>,
    ) -> Result<Self, Error> {
        let found = database.rows(present).await?;
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

    fn counts(&self) -> Counts {
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
        batches: Batches::of(file, scope, crate::normalize),
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
            Err(Error::Unique(_)) => Done::failed(Problem::being_written()),
            Err(error) => Done::failed(error.into_problem()),
        };
        Some(self.report.add(&batch, done))
    }

    async fn take(&self, batch: &Batch<I::Record>) -> Result<Done, Error> {
        let written = written_before(&batch.fingerprint);
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
fn key(fingerprint: &str) -> String {
    format!("import:{fingerprint}")
}

/// What a batch has written, by the primary key.
fn written_before(fingerprint: &str) -> Statement {
    const WRITTEN: &str = "SELECT body FROM idempotency WHERE key = ?1";
    Statement::new(WRITTEN, vec![key(fingerprint).into()])
}

/// Remembers a batch, right behind its update: where that has not changed as many rows as it
/// was to, the key is written twice, which it cannot be, and the whole batch comes to nothing.
const REMEMBER: &str = "
INSERT INTO idempotency (key, fingerprint, body)
SELECT ?1, ?2, ?3
UNION ALL
SELECT ?1, ?2, ?3 WHERE changes() <> ?4";

/// The statement that remembers a batch, behind its update.
#[must_use]
pub fn remember(fingerprint: &str, plan: &Plan) -> Statement {
    let counts = plan.counts();
    let binds = vec![
        key(fingerprint).into(),
        fingerprint.into(),
        serde_json::to_string(&counts).unwrap_or_default().into(),
        counts.updated.into(),
    ];
    Statement::new(REMEMBER, binds)
}

/// Ties a batch that is remembered to the last record that it has written, so that it goes
/// where that one is taken back.
#[must_use]
pub fn tie(fingerprint: &str, log: Log) -> Statement {
    const TIE: &str = "
UPDATE idempotency SET (record_id, version) = (
  SELECT {id}, version FROM {log} ORDER BY seq DESC LIMIT 1
)
WHERE key = ?1";
    let sql = TIE.replace("{id}", log.id).replace("{log}", log.table);
    Statement::new(&sql, vec![key(fingerprint).into()])
}

/// Forgets a batch that has been taken back.
#[must_use]
pub fn forget(fingerprint: &str) -> Statement {
    const FORGET: &str = "DELETE FROM idempotency WHERE key = ?1";
    Statement::new(FORGET, vec![key(fingerprint).into()])
}
