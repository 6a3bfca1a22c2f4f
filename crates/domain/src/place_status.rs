//! The decisions of the protocol that keeps people in places that exist, although the two
//! tables are in two databases and no transaction spans them.
//!
//! A writer records a pending write and then checks the place. A deleter marks the place and
//! then counts its people. Whichever comes second sees the other. `docs/integrity.md` argues
//! why no interleaving breaks the rule, and `crates/model` tries them all with these decisions.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// What the places database says about a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceStatus {
    /// It exists, and nobody is deleting it.
    Active,
    /// It is marked as deleting. It may stay, if people live there.
    Deleting,
    /// It does not exist.
    Missing,
}

/// What a writer does next with its pending write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Commits it.
    Commit,
    /// Checks the place again a little later: the deletion decides whether the place stays.
    Wait,
    /// Removes it and rejects the request.
    RollBack,
}

impl PlaceStatus {
    /// What a writer does next whose pending write refers to the place.
    #[must_use]
    pub fn next_step(self) -> Step {
        match self {
            Self::Active => Step::Commit,
            Self::Deleting => Step::Wait,
            Self::Missing => Step::RollBack,
        }
    }
}

/// The status of several places, as the places worker responds. The others do not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlaceStatuses {
    /// Those that are active.
    pub active: HashSet<i64>,
    /// Those that are being deleted.
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

/// The pauses of a writer or a deleter that waits for a deletion, in milliseconds. Most deletions
/// end within one round trip.
pub const RETRY_DELAYS_MS: [u32; 7] = [10, 20, 40, 80, 160, 320, 640];

/// How many places the integrity report reads at a time.
pub const INTEGRITY_BATCH_SIZE: i64 = 5_000;

/// The most entries of each kind that the integrity report shows.
pub const MAX_INTEGRITY_ENTRIES: i64 = 1_000;
