//! D1: statements in, rows out. One call here is one round trip.

use js_sys::Array;
use registry::sql::{Bind, Statement};
use wasm_bindgen::{JsCast, JsValue};
use worker::{D1Database, Env};

use crate::Error;

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
        Ok(Self(env.d1("DB")?))
    }

    /// Runs a statement: its rows, in order.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, Error> {
        let binds: Vec<JsValue> = statement.binds.iter().map(to_js).collect();
        let prepared = self.0.prepare(statement.sql.as_str()).bind(&binds)?;
        let rows = prepared.raw_js_value().await?;
        Ok(rows
            .into_iter()
            .map(|row| Row(row.unchecked_into()))
            .collect())
    }

    /// Runs a statement that gives one row, or none.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn row(&self, statement: &Statement) -> Result<Option<Row>, Error> {
        Ok(self.rows(statement).await?.into_iter().next())
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
}

fn to_js(bind: &Bind) -> JsValue {
    match bind {
        #[expect(clippy::cast_precision_loss, reason = "binds stay below 2^53")]
        Bind::Integer(number) => JsValue::from_f64(*number as f64),
        Bind::Text(text) => JsValue::from_str(text),
    }
}
