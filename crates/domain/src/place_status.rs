//! The decisions of the protocol that makes sure that people refer to existing places. Places and
//! people are in two databases, and no transaction spans both.
//!
//! A request that writes people first records a pending write, and then checks the place. A request
//! that deletes a place first adds a tombstone, and then counts the people. So the later of the two
//! always sees the other. `docs/integrity.md` has the argument. `crates/model` calls the
//! functions of this module to check every interleaving of the protocol's steps.

use std::collections::HashSet;

use serde::Serialize;

/// The status of a place in the places database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceStatus {
    /// It exists and has no tombstone.
    Active,
    /// It has a tombstone. The deletion is rejected if living people are found.
    Deleting,
    /// It does not exist.
    Missing,
}

/// The next step of a writer that has recorded a pending write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Commit the write.
    Commit,
    /// Check the place again after a delay: the deletion is not decided yet.
    Wait,
    /// Remove the pending write and reject the request.
    RollBack,
}

impl PlaceStatus {
    /// The next step of a writer whose pending write refers to the place.
    #[must_use]
    pub fn next_step(self) -> Step {
        match self {
            Self::Active => Step::Commit,
            Self::Deleting => Step::Wait,
            Self::Missing => Step::RollBack,
        }
    }
}

/// The status of several places, as the places backend reports it. All other places are missing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PlaceStatuses {
    /// The active places.
    pub active: HashSet<i64>,
    /// The places with a tombstone.
    pub deleting: HashSet<i64>,
}

impl PlaceStatuses {
    /// The status of a place.
    #[must_use]
    pub fn get(&self, place: i64) -> PlaceStatus {
        if self.active.contains(&place) {
            PlaceStatus::Active
        } else if self.deleting.contains(&place) {
            PlaceStatus::Deleting
        } else {
            PlaceStatus::Missing
        }
    }

    /// Adds the statuses of other places.
    pub fn extend(&mut self, other: Self) {
        self.active.extend(other.active);
        self.deleting.extend(other.deleting);
    }
}

/// The delays before each retry of a writer or deleter that waits for a deletion. Most deletions
/// end within one round trip.
pub const RETRY_DELAYS_MS: [u32; 7] = [10, 20, 40, 80, 160, 320, 640];

/// The places that one query of the integrity report reads.
pub const INTEGRITY_BATCH_SIZE: i64 = 5_000;

/// The maximum number of entries of each kind in the integrity report.
pub const MAX_INTEGRITY_ENTRIES: i64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn statuses(active: &[i64], deleting: &[i64]) -> PlaceStatuses {
        PlaceStatuses {
            active: active.iter().copied().collect(),
            deleting: deleting.iter().copied().collect(),
        }
    }

    #[test]
    fn a_writer_commits_only_if_the_place_is_active() {
        let mut known = statuses(&[1], &[2]);
        known.extend(statuses(&[3], &[4]));
        for (place, status, step) in [
            (1, PlaceStatus::Active, Step::Commit),
            (2, PlaceStatus::Deleting, Step::Wait),
            (3, PlaceStatus::Active, Step::Commit),
            (4, PlaceStatus::Deleting, Step::Wait),
            (5, PlaceStatus::Missing, Step::RollBack),
        ] {
            assert_eq!(known.get(place), status, "{place}");
            assert_eq!(status.next_step(), step, "{place}");
        }
    }
}
