//! A list of people.

use domain::PlaceId;
use domain::ids::Ids;
use domain::name::Prefix;
use http_semantics::{Params, Problem};
use tables::Page;

/// Which people, in which order, how many.
#[derive(Debug, Default)]
pub struct PeopleList {
    /// Only the living, or only the dead.
    pub is_alive: Option<bool>,
    /// Only kings, or only the others.
    pub is_king: Option<bool>,
    /// Only those of a place.
    pub place: Option<PlaceId>,
    /// Only those whose name begins so, whatever its case.
    pub name: Option<Prefix>,
    /// Only these.
    pub ids: Option<Ids>,
    /// The page.
    pub page: Page,
}

impl PeopleList {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &[
        "limit", "after", "sort", "count", "isAlive", "isKing", "placeId", "name", "ids",
    ];

    /// Reads the query.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        Ok(Self {
            is_alive: params.get("isAlive")?,
            is_king: params.get("isKing")?,
            place: params.get("placeId")?,
            name: params.get("name")?,
            ids: params.get("ids")?,
            page: Page::read(params)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_is_read() -> Result<(), Problem> {
        let query = "isAlive=true&isKing=false&placeId=3&name=A&ids=1,2&limit=5";
        let list = PeopleList::read(&Params::read(query, PeopleList::PARAMETERS)?)?;
        assert_eq!((list.is_alive, list.is_king), (Some(true), Some(false)));
        assert_eq!(list.place.map(PlaceId::get), Some(3));
        assert_eq!(list.name.as_ref().map(Prefix::key), Some("a"));
        assert_eq!(list.page.limit.get(), 5);
        Ok(())
    }
}
