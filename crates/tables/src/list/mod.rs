//! The query of a list or an export, and the statements that read a page of a list or a part of an
//! export.
//!
//! SQLite renders the records as JSON or CSV. The result is one row that contains the response
//! body, so Rust does not have to parse and serialize each record. Each page takes one seek in an
//! index, however large the table is ([`access`]).

mod access;
mod filters;
mod ids;
mod page;
mod part;
mod total;

use domain::name::Normalize;
use http_semantics::media::ListFraming;
use http_semantics::{MediaType, Params, Problem};

use crate::Page;
use crate::statement::Bind;
use crate::table_spec::TableSpec;
use filters::Filters;

pub use filters::PlaceFilter;
pub use ids::ids;
pub use page::page;
pub use part::export_part;

/// The maximum number of records that a page in another order than that of the ids sorts or skips,
/// and the maximum number that `count=exact` counts. It bounds the rows that a request reads.
pub const MAX_MATCHES: i64 = 20_000;

/// A parsed query: the filters that the table declares, and the page.
#[derive(Debug, Default)]
pub struct ListQuery {
    filters: Filters,
    /// The page.
    pub page: Page,
}

impl ListQuery {
    /// Parses the filters and the page. Names are normalized as in a write.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(
        table: &TableSpec,
        params: &Params,
        normalize: Normalize,
    ) -> Result<Self, Problem> {
        Ok(Self {
            filters: Filters::from_params(table, params, normalize)?,
            page: Page::from_params(params)?,
        })
    }
}

/// The values that a statement binds after its fixed ones.
#[derive(Debug)]
struct Binds {
    fixed: usize,
    values: Vec<Bind>,
}

impl Binds {
    fn after(fixed: usize) -> Self {
        Self {
            fixed,
            values: Vec::new(),
        }
    }

    /// Binds a value, and returns its placeholder. Equal values share one.
    fn add(&mut self, value: impl Into<Bind>) -> String {
        let value = value.into();
        let known = self.values.iter().position(|bound| *bound == value);
        let index = known.unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        format!("?{}", self.fixed + index + 1)
    }
}

impl TableSpec {
    /// The SQL expression of one record in a media type.
    #[must_use]
    pub fn record(&self, media_type: MediaType) -> &str {
        match media_type {
            MediaType::Json | MediaType::NdJson => &self.json,
            MediaType::Csv => &self.csv_line,
        }
    }

    /// The text around the records of a list.
    #[must_use]
    pub fn framing(&'static self, media_type: MediaType) -> ListFraming {
        media_type.framing_with_header(&self.csv_header)
    }
}
