//! The client of D1. It runs statements and returns their rows. Each call is one round trip.

use std::rc::Rc;

use domain::Param;
use http_semantics::{Epoch, Problem, Validator};
use js_sys::{Array, Object, Promise, Reflect};
use tables::statement::{Bind, Statement};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::worker_sys::{D1Database, D1PreparedStatement, D1Result};

use crate::env::Env;
use crate::env::call_quota::{CallQuota, Calls, is_call_limit};
use crate::env::consistency::Consistency;
use crate::env::trace::Trace;
use crate::error::Error;
use crate::time::{now, race_with_timer, timer};

#[wasm_bindgen]
extern "C" {
    /// A D1 session, whose queries read nothing older than its bookmark.
    #[wasm_bindgen(extends = D1Database)]
    #[derive(Clone)]
    type Session;

    #[wasm_bindgen(structural, method, catch, js_name = withSession)]
    fn with_session(this: &Binding, constraint: &str) -> Result<Session, JsValue>;

    #[wasm_bindgen(structural, method, catch, js_name = getBookmark)]
    fn bookmark(this: &Session) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(extends = D1Database)]
    #[derive(Clone)]
    type Binding;
}

/// The maximum number of attempts of a write that depends on what it read (optimistic
/// concurrency), if other writes come first.
pub const MAX_WRITE_ATTEMPTS: usize = 8;

/// The time that a database may take to reach a client's bookmark, in milliseconds. A replica usually
/// lags less. It is far below the deadlines of the gateway.
const BOOKMARK_TIMEOUT_MS: u32 = 300;

/// Sends statements in a session.
type RoundTrip<'a> = dyn Fn(&Session) -> Result<Promise, Error> + 'a;

/// A worker's own database, bound as `DB`.
#[derive(Clone)]
pub struct Database {
    binding: Binding,
    trace: Rc<Trace>,
    consistency: Rc<Consistency>,
    quota: CallQuota,
}

/// A row of a result.
pub struct Row(Object);

impl Database {
    /// The database of this worker.
    ///
    /// # Errors
    /// A worker without the binding.
    pub fn new(env: &Env) -> Result<Self, Error> {
        let binding = Reflect::get(env, &"DB".into()).map_err(thrown)?;
        if binding.is_undefined() {
            return Err(Error::Platform {
                doing: "looking for the database",
                reason: "there is no binding DB".to_owned(),
            });
        }
        Ok(Self {
            binding: binding.unchecked_into(),
            trace: Rc::clone(env.trace()),
            consistency: Rc::clone(env.consistency()),
            quota: env.quota().clone(),
        })
    }

    /// The calls that the invocation may make.
    #[must_use]
    pub fn quota(&self) -> &CallQuota {
        &self.quota
    }

    /// Runs a statement, and returns its rows.
    ///
    /// # Errors
    /// A failure of the database, or a call beyond the quota.
    pub async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, Error> {
        rows_from(&self.all(statement).await?)
    }

    async fn all(&self, statement: &Statement) -> Result<D1Result, Error> {
        let send = |session: &Session| prepare(session, statement)?.all().map_err(thrown);
        let result = self.run(&send, Calls::round_trips(1, 1)).await?;
        Ok(result.unchecked_into())
    }

    /// Runs a statement that returns at most one row.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn row(&self, statement: &Statement) -> Result<Option<Row>, Error> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Runs the statement of a response: its row, and the change sequence of the row. None if nothing
    /// has changed since the change sequence `known`, which the statement binds.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn row_if_changed(
        &self,
        statement: &Statement,
        known: Option<Validator>,
    ) -> Result<Option<(Row, Validator)>, Error> {
        let row = self.row(statement).await?;
        let row = row.and_then(|row| {
            let change_seq = row.validator("change_seq")?;
            Some((row, change_seq))
        });
        if row.is_none() && known.is_none() {
            return Err(Error::Platform {
                doing: "reading a response",
                reason: "no change sequence".to_owned(),
            });
        }
        Ok(row)
    }

    /// The size of the database in bytes, which D1 reports with each result.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn size(&self) -> Result<Option<i64>, Error> {
        let statement = Statement::new("SELECT 1 AS one", Vec::new());
        Ok(meta(self.all(&statement).await?.as_ref(), "size_after"))
    }

    /// Runs a statement, and returns the number of rows that it has changed.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn change_rows(&self, statement: &Statement) -> Result<i64, Error> {
        Ok(meta(self.all(statement).await?.as_ref(), "changes").unwrap_or(0))
    }

    /// Runs statements as one transaction, and returns the rows of each.
    ///
    /// # Errors
    /// [`Error::Unique`] or [`Error::Check`] if a statement violates a constraint, or a failure of
    /// the database. The transaction is then rolled back. A call beyond the quota, which is not made.
    pub async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Error> {
        let count = u32::try_from(statements.len()).unwrap_or(u32::MAX);
        let send = |session: &Session| {
            let statements = statements.iter();
            let prepared: Result<Array, Error> = statements
                .map(|statement| prepare(session, statement).map(JsValue::from))
                .collect();
            session.batch(prepared?).map_err(thrown)
        };
        let results = self
            .run(&send, Calls::round_trips(1, count))
            .await?
            .unchecked_into::<Array>();
        let rows = |result: JsValue| rows_from(result.unchecked_ref::<D1Result>());
        results.iter().map(rows).collect()
    }

    /// A session for one round trip. It reads the primary, or nothing older than the round trips
    /// before. The gateway's database has no replicas to choose from, so it needs no session.
    fn session(&self) -> Result<Session, Error> {
        match self.consistency.session_constraint() {
            Some(constraint) => self.binding.with_session(&constraint).map_err(thrown),
            None => Ok(self.binding.clone().unchecked_into()),
        }
    }

    /// Runs a round trip. If a client's bookmark makes it fail or wait, it runs again at the
    /// primary: the bookmark may be one of another database. Only reads have such a bookmark.
    async fn run(&self, send: &RoundTrip<'_>, calls: Calls) -> Result<JsValue, Error> {
        self.quota.take(calls)?;
        if self.consistency.depends_on_client() {
            let result = self.attempt(send, Some(BOOKMARK_TIMEOUT_MS)).await;
            match result {
                Ok(Some(result)) => return Ok(result),
                Err(error @ Error::Overloaded(_)) => return Err(error),
                _ => self.consistency.fall_back_to_primary(),
            }
            self.quota.take(calls)?;
        }
        let result = self.attempt(send, None).await?;
        result.ok_or_else(|| Error::Platform {
            doing: "querying D1",
            reason: "no result".to_owned(),
        })
    }

    /// Sends a round trip, and records its bookmark and its cost. None: it timed out.
    async fn attempt(
        &self,
        send: &RoundTrip<'_>,
        timeout_ms: Option<u32>,
    ) -> Result<Option<JsValue>, Error> {
        let started = now();
        let session = self.session()?;
        let promise = send(&session)?;
        let result = match timeout_ms {
            None => JsFuture::from(promise).await.map(Some),
            Some(timeout_ms) => race_with_timer(&timer(timeout_ms), &promise).await,
        };
        // The bookmark of a session without a result is the one that it began with.
        if matches!(result, Ok(Some(_)))
            && self.consistency.has_table()
            && let Some(bookmark) = session.bookmark().map_err(thrown)?
        {
            self.consistency.observe_own(&bookmark);
        }
        let rows_read = result
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .map_or(0, rows_read);
        self.trace.record_query(started, rows_read);
        result.map_err(thrown)
    }
}

fn prepare(session: &Session, statement: &Statement) -> Result<D1PreparedStatement, Error> {
    let binds: Array = statement.binds.iter().map(to_js).collect();
    let prepared = session.prepare(&statement.sql).map_err(thrown)?;
    prepared.bind(binds).map_err(thrown)
}

/// The rows of a result. The columns of a statement must have different names.
fn rows_from(result: &D1Result) -> Result<Vec<Row>, Error> {
    let rows = result.results().map_err(thrown)?.unwrap_or_default();
    let row = |row: JsValue| Row(row.unchecked_into::<Object>());
    Ok(rows.iter().map(row).collect())
}

/// A number that D1 reports with a result.
#[expect(
    clippy::cast_possible_truncation,
    reason = "counts of rows and bytes are far below 2^53"
)]
fn meta(result: &JsValue, name: &str) -> Option<i64> {
    let meta = result.unchecked_ref::<D1Result>().meta().ok()?;
    let number = Reflect::get(&meta, &name.into()).ok()?.as_f64()?;
    Some(number as i64)
}

/// The number of rows that D1 has read for one result, or for an array of results.
fn rows_read(result: &JsValue) -> i64 {
    match result.dyn_ref::<Array>() {
        Some(results) => results.iter().map(|result| rows_read(&result)).sum(),
        None => meta(result, "rows_read").unwrap_or_default(),
    }
}

/// The start of `SQLite`'s message about a UNIQUE constraint. The column follows.
const NOT_UNIQUE: &str = "UNIQUE constraint failed: ";

/// The start of `SQLite`'s message about a CHECK constraint. Its name follows.
const CHECK_FAILED: &str = "CHECK constraint failed: ";

/// Part of D1's messages about a database whose queue of requests is full or too slow.
const OVERLOADED: &str = "D1 DB is overloaded";

/// The error of an exception that D1 has thrown.
fn thrown(value: JsValue) -> Error {
    let error = Error::platform("querying D1")(value);
    let Error::Platform { reason, .. } = &error else {
        return error;
    };
    let constraint = |prefix| {
        let (_, name) = reason.split_once(prefix)?;
        let end = name.find([':', ',', ' ']).unwrap_or(name.len());
        Some(name.get(..end).unwrap_or_default().to_owned())
    };
    if let Some(column) = constraint(NOT_UNIQUE) {
        Error::Unique(column)
    } else if let Some(name) = constraint(CHECK_FAILED) {
        Error::Check(name)
    } else if reason.contains(OVERLOADED) {
        Error::Overloaded(reason.clone())
    } else if is_call_limit(reason) {
        Problem::call_limit_reached().into()
    } else {
        error
    }
}

impl Row {
    /// The JavaScript value of a column, or `undefined` if there is no such column.
    #[must_use]
    pub fn value(&self, column: &str) -> JsValue {
        Reflect::get(&self.0, &JsValue::from_str(column)).unwrap_or(JsValue::UNDEFINED)
    }

    /// A text column.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<String> {
        self.value(column).as_string()
    }

    /// An integer column.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ids and counts stay below 2^53"
    )]
    pub fn integer(&self, column: &str) -> Option<i64> {
        self.value(column).as_f64().map(|number| number as i64)
    }

    /// A version or a change sequence: a text with its epoch, or a number, with the epoch in the column
    /// `epoch`.
    #[must_use]
    pub fn validator(&self, column: &str) -> Option<Validator> {
        if let Some(text) = self.text(column) {
            return Validator::parse(&text);
        }
        Some(Validator {
            number: self.integer(column)?,
            epoch: self.text("epoch").as_deref().and_then(Epoch::parse)?,
        })
    }

    /// A boolean column, which `SQLite` stores as 1 or 0.
    #[must_use]
    pub fn boolean(&self, column: &str) -> bool {
        self.integer(column).is_some_and(|number| number != 0)
    }
}

fn to_js(bind: &Bind) -> JsValue {
    match bind {
        #[expect(clippy::cast_precision_loss, reason = "binds stay below 2^53")]
        Bind::Integer(number) => JsValue::from_f64(*number as f64),
        Bind::Text(text) => JsValue::from_str(text),
        Bind::Null => JsValue::NULL,
    }
}
