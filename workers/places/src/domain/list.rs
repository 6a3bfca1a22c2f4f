//! A list of places.

use registry::name::Prefix;
use registry::{Page, Params, Problem};

/// Which places, in which order, how many.
#[derive(Debug, Default)]
pub struct PlaceList {
    /// Only those whose name begins so, whatever its case.
    pub name: Option<Prefix>,
    /// The page.
    pub page: Page,
}

impl PlaceList {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "sort", "count", "name"];

    /// Reads the query.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        Ok(Self {
            name: params.get("name")?,
            page: Page::read(params)?,
        })
    }
}
