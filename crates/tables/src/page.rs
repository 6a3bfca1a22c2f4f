//! The page of a list that a request asks for: its size, where it begins and its order.
//!
//! Lists use keyset pagination: a page begins after the sort key of the last record of the page
//! before ([`Cursor`]), so that each page is one index seek.

use crate::Cursor;
use domain::ids::Ids;
use domain::{Param, param::parse_positive_integer};
use http_semantics::Problem;
use http_semantics::params::Params;

/// The parameters of every page.
pub const PAGE_PARAMETERS: [&str; 4] = ["limit", "after", "sort", "count"];

/// Declares a query parameter that is a number of records, with a maximum and a default. A macro
/// can put the maximum into the text that rejects a value.
macro_rules! record_count {
    (
        $(#[$doc:meta])* pub struct $name:ident;
        $(#[$max_doc:meta])* pub const $max_name:ident: u16 = $max:literal;
        $(#[$default_doc:meta])* pub const $default_name:ident: u16 = $default:literal;
    ) => {
        $(#[$max_doc])*
        pub const $max_name: u16 = $max;

        $(#[$default_doc])*
        pub const $default_name: u16 = $default;

        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(u16);

        impl $name {
            /// The greatest value.
            pub const MAX: Self = Self($max_name);

            /// The value, if it is from 1 to the maximum.
            #[must_use]
            pub fn new(count: i64) -> Option<Self> {
                let count = u16::try_from(count).ok()?;
                (1..=$max_name).contains(&count).then_some(Self(count))
            }

            /// The number of records.
            #[must_use]
            pub fn get(self) -> u16 {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default_name)
            }
        }

        impl Param for $name {
            const EXPECTED: &'static str = concat!("a whole number from 1 to ", $max);

            fn parse(text: &str) -> Option<Self> {
                parse_positive_integer(text).and_then(Self::new)
            }
        }
    };
}

record_count! {
    /// The most records of a page: the parameter `limit`.
    pub struct PageSize;
    /// The maximum page size of every list, history and change feed.
    pub const MAX_PAGE_SIZE: u16 = 1_000;
    /// The page size without a `limit`.
    pub const DEFAULT_PAGE_SIZE: u16 = 100;
}

record_count! {
    /// The most people that a list of places shows of each place: the parameter `peopleLimit`.
    pub struct PeopleLimit;
    /// The maximum of `peopleLimit`.
    pub const MAX_PEOPLE_PER_PLACE: u16 = 10_000;
    /// The people per place without a `peopleLimit`.
    pub const DEFAULT_PEOPLE_PER_PLACE: u16 = 1_000;
}

// One page has all records of a batch of ids.
const _: () = assert!(Ids::MAX_IDS <= MAX_PAGE_SIZE as usize);

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The id.
    Id,
    /// The name whatever its case, then the id.
    Name,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// What by.
    pub key: SortKey,
    /// Greatest first.
    pub descending: bool,
}

impl Sort {
    /// The four orders there are, with their spelling in a query.
    pub const ALL: [(&'static str, Self); 4] = [
        (
            "id",
            Self {
                key: SortKey::Id,
                descending: false,
            },
        ),
        (
            "-id",
            Self {
                key: SortKey::Id,
                descending: true,
            },
        ),
        (
            "name",
            Self {
                key: SortKey::Name,
                descending: false,
            },
        ),
        (
            "-name",
            Self {
                key: SortKey::Name,
                descending: true,
            },
        ),
    ];

    fn takes(self, cursor: &Cursor) -> bool {
        match cursor {
            Cursor::Id(_) => self.key == SortKey::Id,
            Cursor::Name { .. } => self.key == SortKey::Name,
            Cursor::Pair(..) => false,
        }
    }
}

impl Default for Sort {
    fn default() -> Self {
        Self {
            key: SortKey::Id,
            descending: false,
        }
    }
}

impl Param for Sort {
    const EXPECTED: &'static str = "id, -id, name or -name";

    fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, sort)| *sort)
    }
}

/// Whether the number of all matching records is wanted: `exact` is the one value.
struct Count;

impl Param for Count {
    const EXPECTED: &'static str = "exact, or left out";

    fn parse(text: &str) -> Option<Self> {
        (text == "exact").then_some(Self)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The most records.
    pub limit: PageSize,
    /// The end of the page before.
    pub after: Option<Cursor>,
    /// The order.
    pub sort: Sort,
    /// Whether to count all that match.
    pub count: bool,
}

impl Page {
    /// Reads `limit`, `after`, `sort` and `count`.
    ///
    /// # Errors
    /// A value that cannot be used, or a cursor of another order.
    pub fn from_params(params: &Params) -> Result<Self, Problem> {
        let page = Self {
            limit: params.get("limit")?.unwrap_or_default(),
            after: params.get("after")?,
            sort: params.get("sort")?.unwrap_or_default(),
            count: params.get::<Count>("count")?.is_some(),
        };
        match &page.after {
            Some(cursor) if !page.sort.takes(cursor) => {
                Err(Problem::invalid_parameter("after", Cursor::EXPECTED))
            }
            _ => Ok(page),
        }
    }
}

/// The link to the page behind this one: the same query, from another cursor on.
///
/// The target is a path (RFC 8288 allows a relative reference), so that it holds
/// whatever host the reader came by. A count is asked for once: the pages behind
/// need not count again.
#[must_use]
pub fn next_link(path: &str, query: &str, after: &str) -> String {
    link(path, query, "after", after)
}

/// The same for the feed of changes, whose cursor is `since`.
#[must_use]
pub fn since_link(path: &str, query: &str, since: &str) -> String {
    link(path, query, "since", since)
}

fn link(path: &str, query: &str, parameter: &str, cursor: &str) -> String {
    let kept = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name != parameter && name != "count");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .append_pair(parameter, cursor)
        .finish();
    format!("<{path}?{query}>; rel=\"next\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Page, Problem> {
        Page::from_params(&Params::parse(query, &PAGE_PARAMETERS)?)
    }

    #[test]
    fn a_page_has_defaults_and_bounds() -> Result<(), Problem> {
        assert_eq!(read("")?, Page::default());
        assert_eq!(read("limit=1000")?.limit.get(), 1000);
        assert_eq!(read("sort=-name&count=exact")?.sort, Sort::ALL[3].1);
        for refused in [
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=",
            "limit=%2B5",
            "limit=007",
            "sort=age",
            "count=yes",
        ] {
            assert!(read(refused).is_err(), "{refused}");
        }
        Ok(())
    }

    #[test]
    fn a_cursor_belongs_to_its_order() {
        let by_id = Cursor::Id(3);
        let by_name = Cursor::Name {
            key: "a".into(),
            id: 3,
        };
        assert!(read(&format!("after={by_id}")).is_ok());
        assert!(read(&format!("after={by_id}&sort=name")).is_err());
        assert!(read(&format!("after={by_name}&sort=-name")).is_ok());
        assert!(read(&format!("after={by_name}")).is_err());
    }

    #[test]
    fn the_next_link_keeps_the_query() {
        assert_eq!(
            next_link(
                "/v1/people",
                "name=M%C3%A1s+x&after=old&count=exact&limit=2",
                "6931"
            ),
            "</v1/people?name=M%C3%A1s+x&limit=2&after=6931>; rel=\"next\"",
        );
    }
}
