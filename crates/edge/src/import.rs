//! Imports: what is the same for both registers.

use std::collections::HashMap;

use futures_util::{Stream, stream};
use registry::import::{
    Batch, Batches, Counts, Done, File, Format, Given, MOST_BYTES, Mode, Outcome, Receipt, Record,
    Refusal, Report,
};
use registry::log::Log;
use registry::media::{Frame, LIST};
use registry::sql::{self, Statement};
use registry::{Format as Form, Problem};
use serde_json::Value;

use crate::{Answer, Body, Call, Database, Error, Row, TRIES};

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["mode", "dryRun"];

/// How a register takes a batch in.
pub trait Importer {
    /// Its kind of record.
    type Record: Record;

    /// The log of the changes.
    const LOG: Log;

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

    /// Ends the writes of a batch that are still pending, by its first change and its last: true
    /// if there were any.
    fn end_pending(&self, _range: (i64, i64)) -> impl Future<Output = Result<bool, Error>> {
        async { Ok(false) }
    }

    /// Where the receipts are.
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
    /// The receipt to leave, if any.
    pub receipt: Option<NewReceipt>,
}

/// A receipt that a batch leaves.
pub struct NewReceipt {
    receipt: Receipt,
    /// How many changes it is about: the last ones of the batch.
    changes: i64,
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
        let add = |plan: &mut Self, n: usize, given: &Given<T>, row| {
            add(plan, given, row, present.get(&n).copied())
        };
        Ok(Self::made(batch, rows, add))
    }

    /// The same where what bears on a record is known by its position in the batch.
    pub fn made<T: Record>(
        batch: &Batch<T>,
        rows: Vec<Value>,
        add: impl Fn(&mut Self, usize, &Given<T>, Value) -> Result<(), Problem>,
    ) -> Self {
        let mut plan = Self {
            unchanged: batch.aside.len(),
            refused: batch.refused.clone(),
            ..Self::default()
        };
        for ((n, given), row) in batch.given.iter().enumerate().zip(rows) {
            let line = given.line;
            if let Err(problem) = add(&mut plan, n, given, row) {
                plan.refused.push(Refusal { line, problem });
            }
        }
        plan
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
    let has_client_key = key.is_some();
    let key = key.as_ref().map_or("", |key| key.as_str());
    let scope = format!("{} {key}", mode.name());
    let mut import = Import {
        importer: importer(&call)?,
        batches: Batches::of(file, scope, crate::normalize),
        report: Report::new(dry_run, by_line),
        mode,
        dry_run,
        has_client_key,
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
        let mut batch = self.batches.next()?;
        let done = self.take(&mut batch).await;
        Some(self.report.add(&batch, done))
    }

    /// Takes a batch in. A record may change between the plan and the write, or another client
    /// may send the same batch: then nothing was written, and it is planned again.
    async fn take(&self, batch: &mut Batch<I::Record>) -> Done {
        for _ in 0..TRIES {
            match self.try_to_take(batch).await {
                Ok(done) => return done,
                Err(Error::Unique(_)) => {}
                Err(error) => return Done::failed(error.into_problem()),
            }
        }
        Done::failed(Problem::being_written())
    }

    async fn try_to_take(&self, batch: &mut Batch<I::Record>) -> Result<Done, Error> {
        let receipt = Receipt::new(&batch.fingerprint, self.has_client_key);
        let is_insert = self.mode == Mode::Insert;
        let written = if is_insert || batch.has_new() {
            self.written(&receipt).await?
        } else {
            None
        };
        if !is_insert {
            batch.set_new_aside(written.is_some());
        } else if let Some(counts) = written {
            return Ok(Done::well(Outcome::AlreadyWritten, counts));
        }
        let mut plan = self.importer.plan(batch, self.mode).await?;
        if !plan.refused.is_empty() {
            return Ok(Done::refused(plan.refused));
        }
        let counts = plan.counts();
        if self.dry_run {
            return Ok(Done::well(Outcome::WouldBeWritten, counts));
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
        Ok(Done::well(Outcome::Written, counts))
    }

    /// What a batch has written, if it has a valid receipt. Pending writes are ended first, because
    /// they may be undone.
    async fn written(&self, receipt: &Receipt) -> Result<Option<Counts>, Error> {
        let find = receipt.find(I::LOG);
        for _ in 0..TRIES {
            let row = self.importer.database().row(&find).await?;
            let Some(row) = row.filter(|row| row.truth(3)) else {
                return Ok(None);
            };
            let range = row.integer(1).zip(row.integer(2));
            if !self.importer.end_pending(range.unwrap_or_default()).await? {
                let counts = row.text(0).unwrap_or_default();
                return Ok(Some(serde_json::from_str(&counts).unwrap_or_default()));
            }
        }
        Err(Problem::being_written().into())
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
pub fn statements(
    plan: &Plan,
    log: Log,
    update: fn(&[Value]) -> Statement,
    inserts: Vec<Statement>,
) -> Vec<Statement> {
    let mut statements = checked(&plan.updates, update);
    statements.extend(inserts);
    if let Some(new) = &plan.receipt {
        statements.push(new.receipt.delete_invalid(log));
        statements.push(new.receipt.save(log, plan.counts(), new.changes));
    }
    statements
}

/// What a batch is remembered under, where people are in several databases.
#[must_use]
pub fn key(fingerprint: &str) -> String {
    format!("import:{fingerprint}")
}

/// Remembers a batch, where people are in several databases.
#[must_use]
pub fn remember(fingerprint: &str, plan: &Plan) -> Statement {
    const REMEMBER: &str = "INSERT INTO idempotency (key, fingerprint, body) VALUES (?1, ?2, ?3)";
    let counts = serde_json::to_string(&plan.counts()).unwrap_or_default();
    let binds = vec![key(fingerprint).into(), fingerprint.into(), counts.into()];
    Statement::new(REMEMBER, binds)
}

/// The statements that write rows, all of them or none.
#[must_use]
pub fn checked(rows: &[Value], write: impl Fn(&[Value]) -> Statement) -> Vec<Statement> {
    let mut statements = Vec::new();
    for run in sql::runs(rows) {
        let count = i64::try_from(run.len()).unwrap_or_default();
        statements.push(write(run));
        statements.push(Statement::new(CHECK, vec![count.into()]));
    }
    statements
}

/// Where the write before has not touched as many rows as it was to, a key is written twice,
/// which it cannot be, and the whole batch comes to nothing.
const CHECK: &str = "
INSERT INTO idempotency (key, fingerprint, body)
SELECT 'twice', '', '' FROM (VALUES (1), (2)) WHERE changes() <> ?1";
