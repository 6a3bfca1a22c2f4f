//! A list of places.

use domain::ids::Ids;
use domain::name::Prefix;
use http_semantics::{Params, Problem};
use tables::Page;

/// Which places, in which order, how many.
#[derive(Debug, Default)]
pub struct PlaceList {
    /// Only those whose name begins so, whatever its case.
    pub name: Option<Prefix>,
    /// Only these.
    pub ids: Option<Ids>,
    /// The page.
    pub page: Page,
}

impl PlaceList {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "sort", "count", "name", "ids"];

    /// Reads the query.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        Ok(Self {
            name: params.get("name")?,
            ids: params.get("ids")?,
            page: Page::read(params)?,
        })
    }
}
