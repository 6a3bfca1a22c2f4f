//! D1: statements in, rows out. One call here is one round trip.

use std::cell::RefCell;
use std::collections::HashMap;

use js_sys::{Array, Object, Promise, Reflect};
use registry::sql::{Bind, Statement};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;
use worker::worker_sys::{D1Database, D1PreparedStatement, D1Result};

use crate::Error;

/// The most statements that are kept.
const MOST_PREPARED: usize = 64;

thread_local! {
    /// Statements that JavaScript holds already, by their text: the text of one is longer than
    /// what is bound to it and what comes back.
    static PREPARED: RefCell<HashMap<String, D1PreparedStatement>> = RefCell::default();
}

/// A worker's own database, bound as `DB`.
pub struct Database(D1Database);

/// A row of a result, its columns by position.
pub struct Row(Array);

impl Database {
    /// The database of this worker.
    ///
    /// # Errors
    /// A worker without the binding.
    pub fn of(env: &Env) -> Result<Self, Error> {
        let binding = Reflect::get(env, &"DB".into()).map_err(thrown)?;
        if binding.is_undefined() {
            return Err(Error::Platform {
                doing: "looking for the database",
                reason: "there is no binding DB".to_owned(),
            });
        }
        Ok(Self(binding.unchecked_into()))
    }

    /// Runs a statement: its rows, in order.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, Error> {
        let rows = answer(self.prepare(statement)?.raw()).await?;
        let rows = rows.unchecked_into::<Array>();
        Ok(rows.iter().map(|row| Row(row.unchecked_into())).collect())
    }

    /// Runs a statement that gives one row, or none.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn row(&self, statement: &Statement) -> Result<Option<Row>, Error> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Runs statements as one transaction: the rows of each. Their columns need names that
    /// differ.
    ///
    /// # Errors
    /// [`Error::Unique`] where two rows would share what only one may have, and whatever else
    /// D1 says. Nothing has been written then.
    pub async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, Error> {
        let prepared: Result<Array, Error> = statements
            .iter()
            .map(|one| self.prepare(one).map(JsValue::from))
            .collect();
        let results = answer(self.0.batch(prepared?)).await?;
        let rows = |result: JsValue| {
            let rows = result.unchecked_into::<D1Result>().results();
            let rows = rows.map_err(thrown)?.unwrap_or_default();
            Ok(rows
                .iter()
                .map(|row| Row(Object::values(row.unchecked_ref::<Object>())))
                .collect())
        };
        results.unchecked_into::<Array>().iter().map(rows).collect()
    }

    fn prepare(&self, statement: &Statement) -> Result<D1PreparedStatement, Error> {
        let binds: Array = statement.binds.iter().map(to_js).collect();
        PREPARED.with_borrow_mut(|kept| {
            if let Some(prepared) = kept.get(&statement.sql) {
                return prepared.bind(binds).map_err(thrown);
            }
            let prepared = self.0.prepare(&statement.sql).map_err(thrown)?;
            if kept.len() >= MOST_PREPARED {
                kept.clear();
            }
            let bound = prepared.bind(binds).map_err(thrown);
            kept.insert(statement.sql.clone(), prepared);
            bound
        })
    }
}

/// What D1 answers in the end.
async fn answer(asked: Result<Promise, JsValue>) -> Result<JsValue, Error> {
    JsFuture::from(asked.map_err(thrown)?).await.map_err(thrown)
}

/// How `SQLite` begins to say which column would no longer be unique.
const NOT_UNIQUE: &str = "UNIQUE constraint failed: ";

fn thrown(value: JsValue) -> Error {
    let error = Error::platform("asking D1")(value);
    match &error {
        Error::Platform { reason, .. } => match reason.split_once(NOT_UNIQUE) {
            Some((_, column)) => {
                let end = column.find([':', ',', ' ']).unwrap_or(column.len());
                Error::Unique(column.get(..end).unwrap_or_default().to_owned())
            }
            None => error,
        },
        _ => error,
    }
}

impl Row {
    /// A column as JavaScript holds it.
    #[must_use]
    pub fn value(&self, column: u32) -> JsValue {
        self.0.get(column)
    }

    /// A column of text.
    #[must_use]
    pub fn text(&self, column: u32) -> Option<String> {
        self.value(column).as_string()
    }

    /// A column of whole numbers.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ids and counts stay below 2^53"
    )]
    pub fn integer(&self, column: u32) -> Option<i64> {
        self.value(column).as_f64().map(|number| number as i64)
    }

    /// A column of truths, as `SQLite` keeps them: 1 or 0.
    #[must_use]
    pub fn truth(&self, column: u32) -> bool {
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
