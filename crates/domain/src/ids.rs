//! Lists of ids in a query parameter, such as `ids=3,1,2`.

use crate::{Param, PersonId};

/// A list of ids, separated by commas. Ids that do not exist are ignored.
///
/// The ids of places and of people have the same range, so the type serves both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(Vec<PersonId>);

impl Ids {
    /// The maximum number of ids.
    pub const MAX_IDS: usize = 1000;

    /// The ids as a JSON array. D1 has no other way to bind a list of values.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("[{self}]")
    }
}

impl std::fmt::Display for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ids: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&ids.join(","))
    }
}

impl Param for Ids {
    const EXPECTED: &'static str = "1 to 1000 ids, separated by commas";

    fn parse(text: &str) -> Option<Self> {
        let ids: Option<Vec<PersonId>> = text.split(',').map(PersonId::parse).collect();
        ids.filter(|ids| ids.len() <= Self::MAX_IDS).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_separated_by_commas_are_parsed_in_their_order() {
        assert_eq!(
            Ids::parse("3,1,2").map(|ids| ids.to_json()).as_deref(),
            Some("[3,1,2]")
        );
    }

    #[test]
    fn a_malformed_list_of_ids_is_rejected() {
        for rejected in ["", ",", "1,", "1,,2", "1;2", "1, 2", "0", "x"] {
            assert_eq!(Ids::parse(rejected), None, "{rejected}");
        }
    }

    #[test]
    fn more_ids_than_the_maximum_are_rejected() {
        let list = |length: usize| vec!["7"; length].join(",");
        assert!(Ids::parse(&list(Ids::MAX_IDS)).is_some());
        assert_eq!(Ids::parse(&list(Ids::MAX_IDS + 1)), None);
    }
}
