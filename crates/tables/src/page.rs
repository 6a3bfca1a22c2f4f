//! The page of a list that a request asks for: its size, its start and its order.
//!
//! Lists use keyset pagination: a page begins after the sort key of the last record of the previous
//! page ([`Cursor`]). So each page takes one index seek.

use crate::Cursor;
use domain::id::Ids;
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
    /// The maximum page size of every list, history and change feed. Many texts and tests repeat it:
    /// search the repository for `1,000` and `limit=1000`.
    ///
    /// SQLite renders a page as one text, and D1 allows 2,000,000 bytes. With the longest names (200
    /// characters of four bytes), a list has at most 900 bytes per record, and a change feed at most
    /// 1,240 bytes per change. So with a value over 1,600, a page of changes could be too long.
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

/// The key that a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    /// The id.
    Id,
    /// The search key, which ignores case and accents. Equal keys are sorted by name, and equal
    /// names by id.
    Name,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// The sort key.
    pub key: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Sort {
    /// All orders, with their names in a query.
    pub const ALL: [(&'static str, Self); 4] = [
        ("id", Self::new(SortKey::Id, false)),
        ("-id", Self::new(SortKey::Id, true)),
        ("name", Self::new(SortKey::Name, false)),
        ("-name", Self::new(SortKey::Name, true)),
    ];

    const fn new(key: SortKey, descending: bool) -> Self {
        Self { key, descending }
    }

    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(_, sort)| *sort == self);
        known.map_or("id", |(name, _)| name)
    }

    /// Whether a cursor is one of this order.
    #[must_use]
    pub fn accepts(self, cursor: &Cursor) -> bool {
        match cursor {
            Cursor::Id(_) => self.key == SortKey::Id,
            Cursor::Name { .. } => self.key == SortKey::Name,
            Cursor::Population(..) | Cursor::Change(_) | Cursor::Changes(..) => false,
        }
    }
}

impl Default for Sort {
    fn default() -> Self {
        Self::new(SortKey::Id, false)
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

/// The page of a list that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The maximum number of records.
    pub limit: PageSize,
    /// The cursor of the page before, or none for the first page.
    pub after: Option<Cursor>,
    /// The order.
    pub sort: Sort,
    /// Whether to count the matching records on all pages.
    pub count: bool,
}

impl Page {
    /// Parses `limit`, `after`, `sort` and `count`.
    ///
    /// # Errors
    /// An invalid value, or a cursor of another order.
    pub fn from_params(params: &Params) -> Result<Self, Problem> {
        let page = Self {
            limit: params.get("limit")?.unwrap_or_default(),
            after: params.get("after")?,
            sort: params.get("sort")?.unwrap_or_default(),
            count: params
                .parse_value("count", "exact, or absent", |text| {
                    (text == "exact").then_some(())
                })?
                .is_some(),
        };
        match &page.after {
            Some(cursor) if !page.sort.accepts(cursor) => {
                Err(Problem::invalid_parameter("after", Cursor::EXPECTED))
            }
            _ => Ok(page),
        }
    }
}

/// The value of `Link` for the next page: the same query with another cursor in `after`.
#[must_use]
pub fn next_link(path: &str, query: &str, after: &str) -> String {
    link(path, query, "after", after)
}

/// The value of `Link` for the next page, whose cursor is in a parameter.
///
/// The target is a path (RFC 8288 allows a relative reference), because the worker may be reached
/// by several hosts. The link drops `count`, because the client already has the number.
#[must_use]
pub fn link(path: &str, query: &str, parameter: &str, cursor: &str) -> String {
    let address = next_address(path, query, parameter, cursor);
    format!("<{address}>; rel=\"next\"")
}

/// The cursor in the `Link` of a page by [`next_link`].
#[must_use]
pub fn next_cursor(link: &str) -> Option<Cursor> {
    let (_, rest) = link.rsplit_once("after=")?;
    let (cursor, _) = rest.split_once('>')?;
    Cursor::parse(cursor)
}

/// The address of the next page: the same query with another cursor in a parameter.
#[must_use]
pub fn next_address(path: &str, query: &str, parameter: &str, cursor: &str) -> String {
    let same_parameters = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name != parameter && name != "count");
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(same_parameters)
        .append_pair(parameter, cursor)
        .finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Page, Problem> {
        Page::from_params(&Params::parse(query, &PAGE_PARAMETERS)?)
    }

    #[test]
    fn the_parameters_of_a_page_have_defaults() -> Result<(), Problem> {
        assert_eq!(parse("")?, Page::default());
        assert_eq!(parse("limit=1000")?.limit.get(), 1000);
        assert_eq!(parse("sort=-name&count=exact")?.sort, Sort::ALL[3].1);
        Ok(())
    }

    #[test]
    fn an_invalid_parameter_of_a_page_is_rejected() {
        for rejected in [
            "limit=0",
            "limit=1001",
            "limit=-1",
            "limit=",
            "limit=%2B5",
            "limit=007",
            "sort=age",
            "count=yes",
        ] {
            assert!(parse(rejected).is_err(), "{rejected}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_rejected() {
        let by_id = Cursor::Id(3);
        let by_name = Cursor::Name {
            key: "a".into(),
            name: "A".into(),
            id: 3,
        };
        assert!(parse(&format!("after={by_id}")).is_ok());
        assert!(parse(&format!("after={by_id}&sort=name")).is_err());
        assert!(parse(&format!("after={by_name}&sort=-name")).is_ok());
        assert!(parse(&format!("after={by_name}")).is_err());
    }

    #[test]
    fn the_cursor_of_a_next_link_is_the_one_that_it_was_made_from() {
        let cursor = Cursor::Population(crate::population::Measure::Dead, 7, 3);
        let link = next_link("/v1/x", "after=69&limit=2", &cursor.to_string());
        assert_eq!(next_cursor(&link), Some(cursor));
        assert_eq!(next_cursor("</v1/x?limit=2>; rel=\"next\""), None);
    }

    #[test]
    fn the_next_link_has_the_same_query_without_the_count() {
        assert_eq!(
            next_link(
                "/v1/people",
                "name=M%C3%A1s+x&after=old&count=exact&limit=2",
                "6931"
            ),
            "</v1/people?name=M%C3%A1s+x&limit=2&after=6931>; rel=\"next\"",
        );
    }

    #[test]
    fn the_next_link_of_changes_continues_since_a_cursor() {
        let link = link("/v1/changes", "since=31&limit=2", "since", "3239");
        assert_eq!(link, "</v1/changes?limit=2&since=3239>; rel=\"next\"");
    }
}
