//! One bookmark that combines the D1 session bookmarks of both databases, for session consistency with read replicas.
//!
//! A replica may lag. A bookmark identifies a state of a database, and a read with a bookmark only
//! runs on a replica that has reached that state. So a client that sends the token of its last
//! response reads its own writes. Bookmarks of one database compare as text: the greater one is
//! the later one (<https://developers.cloudflare.com/d1/reference/time-travel/>).

use domain::Param;

/// A backend with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The backend of places.
    Places,
    /// The backend of people.
    People,
}

impl Backend {
    /// The backend with the name of a worker.
    #[must_use]
    pub fn from_worker(worker: &str) -> Option<Self> {
        match worker {
            "places" => Some(Self::Places),
            "people" => Some(Self::People),
            _ => None,
        }
    }
}

/// D1's session constraint for the newest state.
pub const FIRST_PRIMARY: &str = "first-primary";

/// D1's session constraint for the state of any replica.
const FIRST_UNCONSTRAINED: &str = "first-unconstrained";

/// The maximum length of a bookmark of one database. Those of D1 have about 60 bytes.
const MAX_BOOKMARK_BYTES: usize = 128;

/// The states of both databases that a reader has observed. A response must be at least as new.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bookmarks {
    /// Whether the reader wants the newest state.
    is_newest: bool,
    /// Whether a bookmark was observed that does not fit into a token.
    is_lost: bool,
    /// Empty if no state of the database has been observed.
    places: String,
    people: String,
}

impl Bookmarks {
    /// A demand for the newest state of both databases.
    #[must_use]
    pub fn newest() -> Self {
        Self {
            is_newest: true,
            ..Self::default()
        }
    }

    /// The constraint of a D1 session with the database of a backend.
    #[must_use]
    pub fn session_constraint(&self, backend: Backend) -> &str {
        match self.get(backend).as_str() {
            _ if self.is_newest || self.is_lost => FIRST_PRIMARY,
            "" => FIRST_UNCONSTRAINED,
            bookmark => bookmark,
        }
    }

    /// Advances to a bookmark of a backend, if it is later. After a bookmark that does not fit
    /// into a token, reads demand the newest state.
    pub fn advance(&mut self, backend: Backend, bookmark: &str) {
        if !fits_into_token(bookmark) {
            self.is_lost = true;
            return;
        }
        let latest = match backend {
            Backend::Places => &mut self.places,
            Backend::People => &mut self.people,
        };
        if latest.as_str() < bookmark {
            bookmark.clone_into(latest);
        }
    }

    /// Advances to the bookmarks that another reader has observed.
    pub fn merge(&mut self, other: &Self) {
        for backend in [Backend::Places, Backend::People] {
            if !other.get(backend).is_empty() {
                self.advance(backend, other.get(backend));
            }
        }
    }

    /// Whether a reader of these states has observed all that the other one demands.
    #[must_use]
    pub fn dominates(&self, other: &Self) -> bool {
        !other.is_newest
            && !other.is_lost
            && self.places >= other.places
            && self.people >= other.people
    }

    /// The token for the client, if a state has been observed.
    #[must_use]
    pub fn token(&self) -> Option<String> {
        if self.is_lost {
            return Some(FIRST_PRIMARY.to_owned());
        }
        let is_empty = self.places.is_empty() && self.people.is_empty();
        (!is_empty).then(|| format!("{}.{}", self.places, self.people))
    }

    /// The token for a request to a backend, if it needs one.
    #[must_use]
    pub fn request_token(&self) -> Option<String> {
        if self.is_newest {
            return Some(FIRST_PRIMARY.to_owned());
        }
        self.token()
    }

    fn get(&self, backend: Backend) -> &String {
        match backend {
            Backend::Places => &self.places,
            Backend::People => &self.people,
        }
    }
}

/// Whether a token can contain the bookmark.
fn fits_into_token(bookmark: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:~".contains(&byte);
    (1..=MAX_BOOKMARK_BYTES).contains(&bookmark.len()) && bookmark.bytes().all(is_plain)
}

impl Param for Bookmarks {
    const EXPECTED: &'static str = "the `X-D1-Bookmark` of an earlier response, or `first-primary`";

    fn parse(text: &str) -> Option<Self> {
        if text == FIRST_PRIMARY {
            return Some(Self::newest());
        }
        let (places, people) = text.split_once('.')?;
        let is_valid = |part: &str| part.is_empty() || fits_into_token(part);
        let is_empty = places.is_empty() && people.is_empty();
        (is_valid(places) && is_valid(people) && !is_empty).then(|| Self {
            places: places.to_owned(),
            people: people.to_owned(),
            ..Self::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LATER: &str = "00000002-00000000-00000000-0123456789abcdef0123456789abcdef";

    fn bookmarks(places: &str, people: &str) -> Bookmarks {
        let mut bookmarks = Bookmarks::default();
        for (backend, bookmark) in [(Backend::Places, places), (Backend::People, people)] {
            if !bookmark.is_empty() {
                bookmarks.advance(backend, bookmark);
            }
        }
        bookmarks
    }

    #[test]
    fn a_reader_without_bookmarks_accepts_any_replica() {
        let empty = Bookmarks::default();
        assert_eq!(
            empty.session_constraint(Backend::Places),
            "first-unconstrained"
        );
        assert_eq!(empty.token(), None);
    }

    #[test]
    fn each_backend_gets_its_own_bookmark() {
        let bookmarks = bookmarks("1", LATER);
        assert_eq!(bookmarks.session_constraint(Backend::Places), "1");
        assert_eq!(bookmarks.session_constraint(Backend::People), LATER);
        let newest = Bookmarks::newest();
        assert_eq!(newest.session_constraint(Backend::People), "first-primary");
        assert_eq!(newest.token(), None);
    }

    #[test]
    fn a_bookmark_that_does_not_fit_into_a_token_demands_the_primary() {
        for unfit in ["a.b", "", "a b", "é", &"1".repeat(129)] {
            let mut bookmarks = bookmarks("1", "2");
            bookmarks.advance(Backend::People, unfit);
            assert_eq!(
                bookmarks.session_constraint(Backend::Places),
                "first-primary",
                "{unfit}"
            );
            assert_eq!(bookmarks.token().as_deref(), Some("first-primary"));
        }
    }

    #[test]
    fn a_malformed_token_is_rejected() {
        for malformed in ["", ".", "a", "a.b.c", "a,b.c", "first-unconstrained", "é.a"] {
            assert_eq!(Bookmarks::parse(malformed), None, "{malformed}");
        }
        assert_eq!(Bookmarks::parse(&format!("{}.", "1".repeat(129))), None);
    }

    proptest! {
        #[test]
        fn a_token_parses_to_the_same_bookmarks(
            places in "[0-9a-f-]{0,9}",
            people in "[0-9a-f-]{0,9}",
        ) {
            let bookmarks = bookmarks(&places, &people);
            let parsed = bookmarks.token().and_then(|token| Bookmarks::parse(&token));
            prop_assert_eq!(parsed.unwrap_or_default(), bookmarks);
        }

        #[test]
        fn merged_bookmarks_dominate_each_of_their_sources(
            all in prop::collection::vec(("[0-9a-c]{0,3}", "[0-9a-c]{0,3}"), 1..6),
        ) {
            let all: Vec<Bookmarks> = all.iter().map(|(a, b)| bookmarks(a, b)).collect();
            let mut reader = Bookmarks::default();
            for other in &all {
                reader.merge(other);
            }
            for other in &all {
                prop_assert!(reader.dominates(other));
            }
            prop_assert!(!reader.dominates(&Bookmarks::newest()));
        }
    }
}
