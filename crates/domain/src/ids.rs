//! Batches of ids.

use crate::{Param, PersonId};

/// A batch of ids, separated by commas; one that names nobody is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(Vec<PersonId>);

impl Ids {
    /// The most ids of a batch.
    pub const MAX_IDS: usize = 1000;

    /// The ids as a JSON array, the one form in which D1 takes many values at once.
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
}
