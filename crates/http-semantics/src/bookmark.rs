//! How far a reader has seen the two registers: D1's bookmarks of both, joined in one token.
//!
//! A database may have replicas that are behind it. A bookmark is a place in its history, and a
//! read that brings one along is answered by no replica that has not come as far. Of one
//! database the greater one is the later one: <https://developers.cloudflare.com/d1/reference/time-travel/>

use domain::Param;

/// One of the two registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// That of places.
    Places,
    /// That of people.
    People,
}

impl Backend {
    /// The register that a worker keeps, if it does.
    #[must_use]
    pub fn from_worker(worker: &str) -> Option<Self> {
        match worker {
            "places" => Some(Self::Places),
            "people" => Some(Self::People),
            _ => None,
        }
    }
}

/// What D1 calls the newest state there is.
pub const FIRST_PRIMARY: &str = "first-primary";

/// What D1 calls whatever state the nearest replica has.
const FIRST_UNCONSTRAINED: &str = "first-unconstrained";

/// The longest bookmark of one database; D1's have some 60 characters.
const MAX_BOOKMARK_BYTES: usize = 128;

/// What an answer must be as new as.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bookmarks {
    /// As new as there is anything.
    is_newest: bool,
    /// Whether something has been seen that no token can hold.
    is_lost: bool,
    /// Empty where a register has not been seen.
    places: String,
    people: String,
}

impl Bookmarks {
    /// As new as there is anything.
    #[must_use]
    pub fn newest() -> Self {
        Self {
            is_newest: true,
            ..Self::default()
        }
    }

    /// What D1 is to be asked with for a register.
    #[must_use]
    pub fn session_constraint(&self, register: Backend) -> &str {
        match self.of(register).as_str() {
            _ if self.is_newest || self.is_lost => FIRST_PRIMARY,
            "" => FIRST_UNCONSTRAINED,
            seen => seen,
        }
    }

    /// Takes that a register has been seen at a bookmark. One that no token can hold asks for the
    /// newest from then on.
    pub fn advance(&mut self, register: Backend, bookmark: &str) {
        if !is_one(bookmark) {
            self.is_lost = true;
            return;
        }
        let seen = match register {
            Backend::Places => &mut self.places,
            Backend::People => &mut self.people,
        };
        if seen.as_str() < bookmark {
            bookmark.clone_into(seen);
        }
    }

    /// Takes what somebody else has seen.
    pub fn merge(&mut self, other: &Self) {
        for register in [Backend::Places, Backend::People] {
            if !other.of(register).is_empty() {
                self.advance(register, other.of(register));
            }
        }
    }

    /// Whether who has seen this has seen all that another one has.
    #[must_use]
    pub fn dominates(&self, other: &Self) -> bool {
        !other.is_newest
            && !other.is_lost
            && self.places >= other.places
            && self.people >= other.people
    }

    /// The token of what has been seen, if there is anything to tell.
    #[must_use]
    pub fn token(&self) -> Option<String> {
        if self.is_lost {
            return Some(FIRST_PRIMARY.to_owned());
        }
        let is_empty = self.places.is_empty() && self.people.is_empty();
        (!is_empty).then(|| format!("{}.{}", self.places, self.people))
    }

    /// The token to ask another worker with, for a reader who needs one.
    #[must_use]
    pub fn request_token(&self) -> Option<String> {
        if self.is_newest {
            return Some(FIRST_PRIMARY.to_owned());
        }
        self.token()
    }

    fn of(&self, register: Backend) -> &String {
        match register {
            Backend::Places => &self.places,
            Backend::People => &self.people,
        }
    }
}

/// Whether a token can hold it.
fn is_one(bookmark: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:~".contains(&byte);
    (1..=MAX_BOOKMARK_BYTES).contains(&bookmark.len()) && bookmark.bytes().all(is_plain)
}

impl Param for Bookmarks {
    const EXPECTED: &'static str = "what an answer had in `X-D1-Bookmark`, or `first-primary`";

    fn parse(text: &str) -> Option<Self> {
        if text == FIRST_PRIMARY {
            return Some(Self::newest());
        }
        let (places, people) = text.split_once('.')?;
        let fits = |part: &str| part.is_empty() || is_one(part);
        let is_something = !(places.is_empty() && people.is_empty());
        (fits(places) && fits(people) && is_something).then(|| Self {
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

    fn seen(places: &str, people: &str) -> Bookmarks {
        let mut seen = Bookmarks::default();
        for (register, bookmark) in [(Backend::Places, places), (Backend::People, people)] {
            if !bookmark.is_empty() {
                seen.advance(register, bookmark);
            }
        }
        seen
    }

    #[test]
    fn who_has_seen_nothing_may_get_anything() {
        let nothing = Bookmarks::default();
        assert_eq!(
            nothing.session_constraint(Backend::Places),
            "first-unconstrained"
        );
        assert_eq!(nothing.token(), None);
    }

    #[test]
    fn each_register_is_asked_with_its_own() {
        let seen = seen("1", LATER);
        assert_eq!(seen.session_constraint(Backend::Places), "1");
        assert_eq!(seen.session_constraint(Backend::People), LATER);
        let newest = Bookmarks::newest();
        assert_eq!(newest.session_constraint(Backend::People), "first-primary");
        assert_eq!(newest.token(), None);
    }

    #[test]
    fn what_no_token_can_hold_is_asked_of_the_primary() {
        for odd in ["a.b", "", "a b", "é", &"1".repeat(129)] {
            let mut seen = seen("1", "2");
            seen.advance(Backend::People, odd);
            assert_eq!(
                seen.session_constraint(Backend::Places),
                "first-primary",
                "{odd}"
            );
            assert_eq!(seen.token().as_deref(), Some("first-primary"));
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for none in ["", ".", "a", "a.b.c", "a,b.c", "first-unconstrained", "é.a"] {
            assert_eq!(Bookmarks::parse(none), None, "{none}");
        }
        assert_eq!(Bookmarks::parse(&format!("{}.", "1".repeat(129))), None);
    }

    proptest! {
        #[test]
        fn a_token_is_read_as_it_is_written(places in "[0-9a-f-]{0,9}", people in "[0-9a-f-]{0,9}") {
            let seen = seen(&places, &people);
            let read = seen.token().and_then(|token| Bookmarks::parse(&token));
            prop_assert_eq!(read.unwrap_or_default(), seen);
        }

        #[test]
        fn nobody_goes_back(all in prop::collection::vec(("[0-9a-c]{0,3}", "[0-9a-c]{0,3}"), 1..6)) {
            let all: Vec<Bookmarks> = all.iter().map(|(a, b)| seen(a, b)).collect();
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
