//! Ids: whole numbers from 1 to 2^53 - 1, the largest that every JSON reader keeps exact.

use crate::{Param, param::whole};

const MOST: i64 = (1 << 53) - 1;

const MOST_CHOSEN: i64 = 1 << 52;

/// The id of a record.
pub trait RecordId: Param + Copy + Into<i64> {
    /// Whether a client may choose it for a new record.
    fn is_choosable(self) -> bool;
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The greatest there can be.
            pub const MOST: i64 = MOST;

            /// The greatest that a client may choose. Those above it are the register's own to
            /// give, so that no choice can ever leave it without a next one.
            pub const MOST_CHOSEN: i64 = MOST_CHOSEN;

            /// The id, if it is a whole number from 1 to 2^53 - 1.
            #[must_use]
            pub fn new(id: i64) -> Option<Self> {
                (1..=MOST).contains(&id).then_some(Self(id))
            }

            /// The number itself.
            #[must_use]
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl RecordId for $name {
            fn is_choosable(self) -> bool {
                self.0 <= MOST_CHOSEN
            }
        }

        impl Param for $name {
            const EXPECTED: &'static str = "a whole number from 1 to 9007199254740991";

            fn parse(text: &str) -> Option<Self> {
                whole(text).and_then(Self::new)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(<PlaceId as Param>::parse("42").map(PlaceId::get), Some(42));
        for refused in [
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
            assert_eq!(<PlaceId as Param>::parse(refused), None, "{refused}");
        }
        assert_eq!(PlaceId::new(MOST).map(PlaceId::get), Some(MOST));
        assert_eq!(PlaceId::new(MOST + 1), None);
    }
}
