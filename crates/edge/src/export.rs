//! Exports: a whole register, a page at a time.

use futures_util::{Stream, stream};
use registry::export::{FILE, Named, unfinished};
use registry::sql::{self, Filters, Register, Statement};
use registry::{Cursor, Format, Page, Param, Params, Problem};

use crate::{Answer, Body, Call, Database, Error};

/// What an export is made from.
pub struct Export {
    /// The register's name, of the file as well.
    pub name: &'static str,
    /// The register.
    pub register: Register,
    /// Which records; made anew for each page.
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

/// `GET …/export`: every record that matches, in order of id. A page is asked for when the
/// one before it has been taken, so that no more than a page is ever held.
///
/// # Errors
/// A worker without its binding.
pub fn export(call: &Call, format: Format, export: Export) -> Result<Answer, Error> {
    let database = Database::of(&call.env)?;
    let disposition = format!("attachment; filename=\"{}.{}\"", export.name, format.name());
    let pages = pages(database, format, export);
    let body = Body::ended(pages, move |problem| unfinished(format, problem));
    Ok(Answer::ok(format.media_type(), body).header("content-disposition", disposition))
}

fn pages(
    database: Database,
    format: Format,
    export: Export,
) -> impl Stream<Item = Result<Vec<u8>, Error>> {
    let first = Some(Page {
        limit: registry::page::Limit::MOST,
        ..Page::default()
    });
    stream::try_unfold(
        (database, export, first),
        move |(database, export, page)| async move {
            let Some(page) = page else { return Ok(None) };
            let found = database.page(&statement(&export, format, &page)).await?;
            let text = found.body().as_string().unwrap_or_default();
            let next = found.after().and_then(|after| Cursor::parse(&after));
            let next = next.map(|after| Page {
                after: Some(after),
                ..page
            });
            Ok(Some((text.into_bytes(), (database, export, next))))
        },
    )
}

fn statement(export: &Export, format: Format, page: &Page) -> Statement {
    let register = export.register;
    // A table's first line stands before its first page alone.
    let frame = if page.after.is_none() {
        register.frame(format)
    } else {
        format.frame()
    };
    let filters = (export.filters)();
    sql::page(register.written(format), filters, page, frame, None)
}
