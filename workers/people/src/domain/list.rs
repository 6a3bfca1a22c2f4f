//! A list of people.

use registry::name::Prefix;
use registry::{Page, Param, Params, PersonId, PlaceId, Problem};

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

/// A batch of ids, separated by commas; one that names nobody is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(Vec<PersonId>);

impl Ids {
    const MOST: usize = 1000;

    /// The ids as a JSON array, the one form in which D1 takes many values at once.
    #[must_use]
    pub fn to_json(&self) -> String {
        let ids: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        format!("[{}]", ids.join(","))
    }
}

impl Param for Ids {
    const EXPECTED: &'static str = "1 to 1000 ids, separated by commas";

    fn parse(text: &str) -> Option<Self> {
        let ids: Option<Vec<PersonId>> = text.split(',').map(PersonId::parse).collect();
        ids.filter(|ids| ids.len() <= Self::MOST).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_ids_separated_by_commas() {
        assert_eq!(
            Ids::parse("3,1,2").map(|ids| ids.to_json()).as_deref(),
            Some("[3,1,2]")
        );
        for refused in ["", ",", "1,", "1,,2", "1;2", "1, 2", "0", "x"] {
            assert_eq!(Ids::parse(refused), None, "{refused}");
        }
        let many = |n: usize| vec!["7"; n].join(",");
        assert!(Ids::parse(&many(1000)).is_some());
        assert_eq!(Ids::parse(&many(1001)), None);
    }

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
