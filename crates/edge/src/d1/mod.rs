//! D1: statements in, rows out. One call here is one round trip.

pub mod consistency;
pub mod page_row;

use std::rc::Rc;

use js_sys::{Array, Object, Promise, Reflect};
use tables::statement::{Bind, Statement};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::worker_sys::{D1Database, D1PreparedStatement, D1Result};

use crate::d1::consistency::Consistency;
use crate::env::Env;
use crate::error::Error;
use crate::layers::trace::Trace;
use crate::timeout::now;

#[wasm_bindgen]
extern "C" {
    /// What D1 answers one reader, each time as new as the time before or newer.
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

/// A worker's own database, bound as `DB`.
#[derive(Clone)]
pub struct Database {
    binding: Binding,
    trace: Rc<Trace>,
    consistency: Rc<Consistency>,
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
        })
    }

    /// Runs a statement: its rows, in order.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, Error> {
        let session = self.session()?;
        let asked = prepare(&session, statement)?.all();
        let result = self.answer(&session, asked).await?;
        let result = result.unchecked_into::<D1Result>();
        rows_from(&result)
    }

    /// Runs a statement that gives one row, or none.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn row(&self, statement: &Statement) -> Result<Option<Row>, Error> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Runs statements as one transaction: the rows of each.
    ///
    /// # Errors
    /// [`Error::Unique`] where two rows would share what only one may have, and whatever else
    /// D1 says. Nothing has been written then.
    pub async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Error> {
        let session = self.session()?;
        let prepared: Result<Array, Error> = statements
            .iter()
            .map(|one| prepare(&session, one).map(JsValue::from))
            .collect();
        let asked = session.batch(prepared?);
        let results = self.answer(&session, asked).await?;
        let results = results.unchecked_into::<Array>();
        let rows = |result: JsValue| rows_from(result.unchecked_ref::<D1Result>());
        results.iter().map(rows).collect()
    }

    /// A session for one round trip: what was seen by the one before goes along with it, or it is
    /// of the primary anyway. A worker that keeps no register has a database that nobody follows.
    fn session(&self) -> Result<Session, Error> {
        match self.consistency.session_constraint() {
            Some(constraint) => self.binding.with_session(&constraint).map_err(thrown),
            None => Ok(self.binding.clone().unchecked_into()),
        }
    }

    /// What D1 answers in the end, what it cost, and how new it is.
    async fn answer(
        &self,
        session: &Session,
        asked: Result<Promise, JsValue>,
    ) -> Result<JsValue, Error> {
        let began = now();
        let response = JsFuture::from(asked.map_err(thrown)?).await;
        if self.consistency.has_database()
            && let Some(bookmark) = session.bookmark().map_err(thrown)?
        {
            self.consistency.observe_own(&bookmark);
        }
        let rows_read = response.as_ref().map_or(0, rows_read);
        self.trace.record_query(began, rows_read);
        response.map_err(thrown)
    }
}

fn prepare(session: &Session, statement: &Statement) -> Result<D1PreparedStatement, Error> {
    let binds: Array = statement.binds.iter().map(to_js).collect();
    let prepared = session.prepare(&statement.sql).map_err(thrown)?;
    prepared.bind(binds).map_err(thrown)
}

/// The rows of a result. The columns of a statement need names that differ.
fn rows_from(result: &D1Result) -> Result<Vec<Row>, Error> {
    let rows = result.results().map_err(thrown)?.unwrap_or_default();
    let row = |row: JsValue| Row(row.unchecked_into::<Object>());
    Ok(rows.iter().map(row).collect())
}

/// How many rows D1 says that it has read for a result, or for all of several.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a count of rows is far below 2^53"
)]
fn rows_read(response: &JsValue) -> i64 {
    let of_one = |result: &D1Result| {
        let meta = result.meta().ok()?;
        Reflect::get(&meta, &"rows_read".into()).ok()?.as_f64()
    };
    match response.dyn_ref::<Array>() {
        Some(results) => results.iter().map(|one| rows_read(&one)).sum(),
        None => of_one(response.unchecked_ref()).unwrap_or_default() as i64,
    }
}

/// How `SQLite` begins to say which column would no longer be unique.
const NOT_UNIQUE: &str = "UNIQUE constraint failed: ";

/// How it begins to say which CHECK constraint failed.
const CHECK_FAILED: &str = "CHECK constraint failed: ";

fn thrown(value: JsValue) -> Error {
    let error = Error::platform("asking D1")(value);
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
    } else {
        error
    }
}

impl Row {
    /// A column as JavaScript holds it; `undefined` if there is no such column.
    #[must_use]
    pub fn value(&self, column: &str) -> JsValue {
        Reflect::get(&self.0, &JsValue::from_str(column)).unwrap_or(JsValue::UNDEFINED)
    }

    /// A column of text.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<String> {
        self.value(column).as_string()
    }

    /// A column of whole numbers.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ids and counts stay below 2^53"
    )]
    pub fn integer(&self, column: &str) -> Option<i64> {
        self.value(column).as_f64().map(|number| number as i64)
    }

    /// A column of booleans, which `SQLite` stores as 1 or 0.
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
