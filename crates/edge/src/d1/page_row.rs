//! A page of a table: the database renders it as one row of (body, cursor, total, `change_seq`).

use http_semantics::{MediaType, Tag};
use tables::page;
use tables::statement::Statement;

use crate::change_seqs::ChangeSeqs;
use crate::d1::{Database, Row};
use crate::error::Error;
use crate::http::response::{Body, Response};

/// The row of a [`tables::list_statement::page`] statement.
pub struct PageRow(Row);

impl Database {
    /// Runs the statement of a page.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn page(&self, statement: &Statement) -> Result<PageRow, Error> {
        let row = self.row(statement).await?;
        let missing = || Error::Platform {
            doing: "reading a page",
            reason: "no row".to_owned(),
        };
        Ok(PageRow(row.ok_or_else(missing)?))
    }
}

impl PageRow {
    /// The rendered body, as a JavaScript value.
    #[must_use]
    pub fn body(&self) -> wasm_bindgen::JsValue {
        self.0.value("body")
    }

    /// The cursor of the next page, if there is one.
    #[must_use]
    pub fn cursor(&self) -> Option<String> {
        self.0.text("cursor")
    }

    /// The response with the page: `ETag`, `Link` if there is a next page, and `X-Total-Count` if
    /// the client asked for the total. It is a 304 if the client has this page already.
    #[must_use]
    pub fn into_response(
        self,
        format: MediaType,
        path: &str,
        query: &str,
        known_change_seq: Option<i64>,
    ) -> Response {
        let change_seq = self.0.integer("change_seq").unwrap_or_default();
        let tag = Tag::from_change_seqs(format, &[change_seq]);
        if known_change_seq == Some(change_seq) {
            return Response::not_modified(&tag);
        }
        let next = self
            .cursor()
            .map(|cursor| page::next_link(path, query, &cursor));
        let count = self.0.integer("total").map(|count| count.to_string());
        Response::ok(format.content_type(), Body::Js(self.body()))
            .with_change_seqs(Some(ChangeSeqs::from_table(change_seq)))
            .with_etag(&tag)
            .header_if("link", next)
            .header_if("x-total-count", count)
    }
}
