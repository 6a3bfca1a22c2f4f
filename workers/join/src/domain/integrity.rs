//! Finds residents without a place: one pass over places and residents, in order of place id.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// The residents of a place, as the people service counts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Residents {
    /// The place.
    pub place_id: i64,
    /// The living.
    pub living: i64,
    /// The dead.
    pub dead: i64,
}

/// The residents whose place is not among `places`. Both are in order of id.
#[must_use]
pub fn without_place(places: &[i64], residents: Vec<Residents>) -> Vec<Residents> {
    let mut places = places.iter().peekable();
    let is_orphaned = |group: &Residents| {
        while let Some(place) = places.peek() {
            match (*place).cmp(&group.place_id) {
                Ordering::Less => places.next(),
                Ordering::Equal => return false,
                Ordering::Greater => return true,
            };
        }
        true
    };
    residents.into_iter().filter(is_orphaned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn residents_without_a_place_are_the_set_difference(
            places in prop::collection::btree_set(1..30i64, 0..20),
            homes in prop::collection::btree_set(1..30i64, 0..20),
        ) {
            let residents = |home: &i64| Residents { place_id: *home, living: 1, dead: 0 };
            let ordered: Vec<i64> = places.iter().copied().collect();
            let found = without_place(&ordered, homes.iter().map(residents).collect());
            let found: BTreeSet<i64> = found.iter().map(|group| group.place_id).collect();
            prop_assert_eq!(found, homes.difference(&places).copied().collect::<BTreeSet<_>>());
        }
    }
}
