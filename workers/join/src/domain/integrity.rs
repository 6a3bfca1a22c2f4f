//! Finds people whose place does not exist. This is an anti-join: both inputs, the places and the
//! counts of people, are in order of place id, and one pass reads both.

use std::cmp::Ordering;

use http_semantics::from_json;
use serde::Serialize;

/// The number of people who belong to a place, as the people service counts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResidentCounts {
    /// The place.
    pub place_id: i64,
    /// The living.
    pub living: i64,
    /// The dead.
    pub dead: i64,
}

from_json! {
    ResidentCounts { place_id: "placeId", living, dead }
}

/// The counts whose place is not among `places`. Both are in order of id.
#[must_use]
pub fn without_place(places: &[i64], counts: Vec<ResidentCounts>) -> Vec<ResidentCounts> {
    let mut places = places.iter().peekable();
    let has_no_place = |count: &ResidentCounts| {
        while let Some(place) = places.peek() {
            match (*place).cmp(&count.place_id) {
                Ordering::Less => places.next(),
                Ordering::Equal => return false,
                Ordering::Greater => return true,
            };
        }
        true
    };
    counts.into_iter().filter(has_no_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn counts_without_a_place_are_the_set_difference(
            places in prop::collection::btree_set(1..30i64, 0..20),
            homes in prop::collection::btree_set(1..30i64, 0..20),
        ) {
            let count = |home: &i64| ResidentCounts { place_id: *home, living: 1, dead: 0 };
            let ordered: Vec<i64> = places.iter().copied().collect();
            let found = without_place(&ordered, homes.iter().map(count).collect());
            let found: BTreeSet<i64> = found.iter().map(|count| count.place_id).collect();
            prop_assert_eq!(found, homes.difference(&places).copied().collect::<BTreeSet<_>>());
        }
    }
}
