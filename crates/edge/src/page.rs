//! A page of a register: one row of body, cursor and count.

use registry::sql::Statement;
use registry::{Format, page};

use crate::{Answer, Body, Database, Error, Row};

/// The row of a [`registry::sql::page`] statement.
pub struct PageRow(Row);

impl Database {
    /// Runs the statement of a page.
    ///
    /// # Errors
    /// What D1 says.
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
    /// The page with its headers: `Link` where there is a next one, and `X-Total-Count`
    /// where it was asked for.
    #[must_use]
    pub fn into_answer(self, format: Format, path: &str, query: &str) -> Answer {
        let next = self
            .0
            .text(1)
            .map(|after| page::next_link(path, query, &after));
        let count = self.0.integer(2).map(|count| count.to_string());
        Answer::ok(format.media_type(), Body::Js(self.0.value(0)))
            .header("vary", "accept")
            .header_if("link", next)
            .header_if("x-total-count", count)
    }
}
