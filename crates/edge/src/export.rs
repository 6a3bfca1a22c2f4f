//! Exports: a whole register, a part at a time.

use futures_util::{Stream, stream};
use http_semantics::export_format::{FILE, Named, unfinished};
use http_semantics::{Format, Params, Problem};
use js_sys::Uint8Array;
use tables::statement::{self, Filters, Register, Statement};
use wasm_bindgen::JsValue;

use crate::d1::Database;
use crate::error::Error;
use crate::http::request::Call;
use crate::http::response::encoded;
use crate::http::response::{Answer, Body};

/// What an export is made from.
pub struct Export {
    /// The register's name, of the file as well.
    pub name: &'static str,
    /// The register.
    pub register: Register,
    /// Which records; made anew for each part.
    pub filters: Box<dyn Fn() -> Filters>,
}

/// The form of an export: that of `format` in the query, or else of `Accept`.
///
/// # Errors
/// A form that there is not.
pub fn format(call: &Call, params: &Params) -> Result<Format, Problem> {
    match params.get("format")? {
        Some(Named(format)) => Ok(format),
        None => call.format(FILE),
    }
}

/// `GET …/export`: every record that matches, in order of id. A part is asked for when the
/// one before it has been taken, so that no more than that is ever held.
///
/// # Errors
/// A worker without its binding.
pub fn export(call: &Call, format: Format, export: Export) -> Result<Answer, Error> {
    let database = Database::of(&call.env)?;
    let disposition = format!("attachment; filename=\"{}.{}\"", export.name, format.name());
    let parts = parts(database, format, export);
    let body = Body::ended(parts, move |problem| unfinished(format, problem));
    Ok(Answer::ok(format.media_type(), body).header("content-disposition", disposition))
}

/// The records of a part: each one is a call of D1, which costs more than what it reads.
const MOST_RECORDS: i64 = 10_000;

/// The same where their names are so long that D1 takes no text of so many of them: at 200
/// characters a name, these stay below its 2 MB.
const FEWER_RECORDS: i64 = 2_000;

fn parts(
    database: Database,
    format: Format,
    export: Export,
) -> impl Stream<Item = Result<Uint8Array, Error>> {
    let state = (database, export, Some(0));
    stream::try_unfold(state, move |(database, export, after)| async move {
        let Some(after) = after else { return Ok(None) };
        let part = |most| statement(&export, format, after, most);
        let (row, most) = match database.row(&part(MOST_RECORDS)).await {
            Err(error) if error.is_too_long() => {
                let row = database.row(&part(FEWER_RECORDS)).await?;
                (row, FEWER_RECORDS)
            }
            row => (row?, MOST_RECORDS),
        };
        let column = |column| row.as_ref().and_then(|row| row.integer(column));
        if after > 0 && column(2) == Some(0) {
            return Ok(None);
        }
        let next = column(1).filter(|_| column(2) == Some(most));
        let text = row.as_ref().map_or(JsValue::NULL, |row| row.value(0));
        Ok(Some((encoded(&text), (database, export, next))))
    })
}

fn statement(export: &Export, format: Format, after: i64, most: i64) -> Statement {
    let register = export.register;
    // A table's first line stands before its first part alone.
    let frame = if after == 0 {
        register.frame(format)
    } else {
        format.frame()
    };
    let filters = (export.filters)();
    statement::part(register.written(format), filters, frame, after, most)
}
