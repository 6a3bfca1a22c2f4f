//! Ids, and lists of ids. An id is a whole number from 1 to 2^53 - 1. Every JSON parser reads these
//! numbers exactly.

use crate::{Param, param::PositiveInteger};

/// The maximum length of a list of ids in the URL of a call of another service. The platform limits a
/// URL to 16 KB.
const MAX_LIST_BYTES: usize = 12 * 1024;

/// Lists of ids for the parameter `ids`, as few as possible. Each fits into a URL.
#[must_use]
pub fn lists(ids: impl IntoIterator<Item = i64>) -> Vec<String> {
    let mut lists: Vec<(usize, String)> = Vec::new();
    for id in ids {
        let id = id.to_string();
        match lists.last_mut() {
            Some((count, list))
                if *count < Ids::MAX_IDS && list.len() + id.len() < MAX_LIST_BYTES =>
            {
                list.push(',');
                list.push_str(&id);
                *count += 1;
            }
            _ => lists.push((1, id)),
        }
    }
    lists.into_iter().map(|(_, list)| list).collect()
}

/// The id of a record.
pub trait RecordId: Param + Copy + Into<i64> {
    /// Whether a client may choose it for a new record.
    fn is_choosable(self) -> bool;

    /// Whether an import may choose it for a new record.
    fn is_importable(self) -> bool;
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The greatest id.
            pub const MAX_ID: i64 = PositiveInteger::MAX;

            /// The greatest id that a client may choose. The database assigns greater ones, so
            /// that no choice uses up the ids.
            pub const MAX_CHOSEN_ID: i64 = 1 << 52;

            /// The greatest id that an import may choose. Ids above [`Self::MAX_CHOSEN_ID`] are
            /// assigned by the database, and an export contains them. No database is large enough
            /// to assign all ids up to this one, or those that are left above it.
            pub const MAX_IMPORTED_ID: i64 = Self::MAX_ID - (1 << 32);

            /// The id, if it is in range.
            #[must_use]
            pub fn new(id: i64) -> Option<Self> {
                (1..=Self::MAX_ID).contains(&id).then_some(Self(id))
            }

            /// The number.
            #[must_use]
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl RecordId for $name {
            fn is_choosable(self) -> bool {
                self.0 <= Self::MAX_CHOSEN_ID
            }

            fn is_importable(self) -> bool {
                self.0 <= Self::MAX_IMPORTED_ID
            }
        }

        impl Param for $name {
            const EXPECTED: &'static str = PositiveInteger::EXPECTED;

            fn parse(text: &str) -> Option<Self> {
                PositiveInteger::parse(text).map(|id| Self(id.get()))
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// The id of a place.
    PlaceId
);
id!(
    /// The id of a person.
    PersonId
);

/// A list of ids in a query parameter, such as `ids=3,1,2`. Ids that do not exist are ignored.
///
/// The ids of places and of people have the same range, so the type serves both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(Vec<PersonId>);

impl Ids {
    /// The maximum number of ids.
    pub const MAX_IDS: usize = 1000;

    /// The number of ids.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The first id.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.iter().next().unwrap_or_default()
    }

    /// The ids.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        self.0.iter().map(|id| id.get())
    }

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
    fn an_id_in_any_but_its_canonical_spelling_is_rejected() {
        assert_eq!(<PlaceId as Param>::parse("42").map(PlaceId::get), Some(42));
        for rejected in [
            "",
            "0",
            "-1",
            "+1",
            "01",
            "1.0",
            "1e3",
            " 1",
            "x",
            "٣",
            "9007199254740992",
        ] {
            assert_eq!(<PlaceId as Param>::parse(rejected), None, "{rejected}");
        }
    }

    /// An id that is one greater than any chosen one is assigned, and exported.
    #[test]
    fn an_assigned_id_can_be_imported() {
        let is_importable = |id| PlaceId::new(id).is_some_and(PlaceId::is_importable);
        assert!(is_importable(PlaceId::MAX_CHOSEN_ID + 1));
        assert!(is_importable(PlaceId::MAX_CHOSEN_ID + (1 << 40)));
        assert!(!is_importable(PlaceId::MAX_ID));
    }

    #[test]
    fn an_id_greater_than_the_maximum_is_rejected() {
        let max = PlaceId::MAX_ID;
        assert_eq!(PlaceId::new(max).map(PlaceId::get), Some(max));
        assert_eq!(PlaceId::new(max + 1), None);
    }

    #[test]
    fn ids_separated_by_commas_are_parsed_in_their_order() {
        let ids = Ids::parse("3,1,2").unwrap();
        assert_eq!(ids.to_json(), "[3,1,2]");
        assert_eq!((ids.first(), ids.len()), (3, 3));
    }

    #[test]
    fn a_malformed_list_of_ids_is_rejected() {
        for rejected in ["", ",", "1,", "1,,2", "1;2", "1, 2", "0", "x"] {
            assert_eq!(Ids::parse(rejected), None, "{rejected}");
        }
    }

    #[test]
    fn a_thousand_long_ids_are_divided_into_lists_that_fit_into_a_url() {
        assert_eq!(lists([]), Vec::<String>::new());
        assert_eq!(lists(1..=1000).len(), 1);
        assert_eq!(lists(1..=1001).len(), 2);
        let long: Vec<i64> = (0..1000).map(|n| PlaceId::MAX_ID - n).collect();
        let found = lists(long.iter().copied());
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|list| list.len() <= MAX_LIST_BYTES));
        let ids = found.iter().flat_map(|list| list.split(','));
        let ids: Vec<i64> = ids.filter_map(|id| id.parse().ok()).collect();
        assert_eq!(ids, long);
    }

    #[test]
    fn a_list_of_ids_has_at_most_the_maximum_length() {
        // These ids have 16 digits. They leave room for a comma and 14 digits.
        let long = || (0..722).map(|n| PlaceId::MAX_ID - n);
        let fits = lists(long().chain([10_i64.pow(13)]));
        let lengths: Vec<usize> = fits.iter().map(String::len).collect();
        assert_eq!(lengths, [MAX_LIST_BYTES]);
        assert_eq!(lists(long().chain([10_i64.pow(14)])).len(), 2);
    }

    #[test]
    fn more_ids_than_the_maximum_are_rejected() {
        let list = |length: usize| vec!["7"; length].join(",");
        assert!(Ids::parse(&list(Ids::MAX_IDS)).is_some());
        assert_eq!(Ids::parse(&list(Ids::MAX_IDS + 1)), None);
    }
}
