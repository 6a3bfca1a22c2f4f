//! Exports: a whole register, a page at a time.

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use registry::export::Form;
use registry::sql::{self, Filters, Register, Statement};
use registry::{Cursor, Page, Param};

use crate::{Answer, Body, Call, Database, Error};

/// What an export is made from.
pub struct Export {
    /// The register's name, of the file as well.
    pub name: &'static str,
    /// The first line of a CSV file.
    pub header: &'static str,
    /// The register, whose record is a line of the form.
    pub register: Register,
    /// Which records; made anew for each page.
    pub filters: Box<dyn Fn() -> Filters>,
}

/// `GET …/export`: every record that matches, in order of id. A page is asked for when the
/// one before it has been taken, so that no more than a page is ever held.
///
/// # Errors
/// A worker without its binding.
pub fn export(call: &Call, form: Form, export: Export) -> Result<Answer, Error> {
    let database = Database::of(&call.env)?;
    let header = match form {
        Form::Csv => format!("{}\r\n", export.header).into_bytes(),
        Form::NdJson => Vec::new(),
    };
    let disposition = format!(
        "attachment; filename=\"{}.{}\"",
        export.name,
        form.extension()
    );
    let pages = pages(database, form, export);
    let start = stream::once(async { Ok(header) }).try_filter(|start| {
        let is_there = !start.is_empty();
        async move { is_there }
    });
    let body = Body::ended(start.chain(pages), move |problem| form.unfinished(problem));
    Ok(Answer::ok(form.media_type(), body)
        .header("content-disposition", disposition)
        .header("vary", "accept"))
}

fn pages(
    database: Database,
    form: Form,
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
            let found = database.page(&statement(&export, form, &page)).await?;
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

fn statement(export: &Export, form: Form, page: &Page) -> Statement {
    sql::page(
        export.register,
        (export.filters)(),
        page,
        form.frame(),
        None,
    )
}
