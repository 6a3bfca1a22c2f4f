//! The places database. Each method is one batch, as in `workers/places/src/store/deletion.rs`.

use std::collections::{BTreeMap, BTreeSet};

use domain::place_status::PlaceStatus;

use crate::flaw::Flaw;
use crate::world::{Place, Token};

/// The phase of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// The place exists, and stays if people live there.
    Deleting,
    /// The place is deleted. Dead people may still have it.
    Deleted,
}

/// The mark of a place that is being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tombstone {
    /// The fencing token of the deletion's owner.
    pub(crate) token: Token,
    pub(crate) phase: Phase,
    /// The place that receives the residents. It is pinned: nobody can delete it meanwhile.
    pub(crate) reassign_to: Option<Place>,
}

/// The result of `mark`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marked {
    Owner(Token),
    /// Another deletion concerns the place, or the one that receives the residents.
    Busy,
    /// One of the two places does not exist.
    Missing,
}

/// The result of `delete`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deleted {
    Done,
    /// The repair has taken the deletion over, and may have finished it.
    TakenOver {
        deleted: bool,
    },
}

/// The places database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Places {
    pub(crate) rows: BTreeSet<Place>,
    pub(crate) tombstones: BTreeMap<Place, Tombstone>,
    /// The ids of deleted places.
    retired: BTreeSet<Place>,
    last_token: Token,
    /// The places whose deletion a client knows of. Only the rules read them.
    pub(crate) acknowledged_deletions: BTreeSet<Place>,
}

impl Places {
    pub(crate) fn new(places: &str) -> Self {
        Self {
            rows: places.chars().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn exists(&self, place: Place) -> bool {
        self.rows.contains(&place)
    }

    pub(crate) fn status(&self, place: Place) -> PlaceStatus {
        if !self.exists(place) {
            PlaceStatus::Missing
        } else if self.tombstones.contains_key(&place) {
            PlaceStatus::Deleting
        } else {
            PlaceStatus::Active
        }
    }

    /// Creates a place under an id that was never used.
    pub(crate) fn create(&mut self, place: Place, flaw: Option<Flaw>) -> bool {
        let retired = self.tombstones.contains_key(&place)
            || (self.retired.contains(&place) && !Flaw::PlaceIdsReused.is_in(flaw));
        let created = !retired && self.rows.insert(place);
        if created {
            self.acknowledged_deletions.remove(&place);
        }
        created
    }

    /// Adds a tombstone. The place must be active and not pinned, and the place that receives
    /// its residents must be active.
    pub(crate) fn mark(
        &mut self,
        place: Place,
        reassign_to: Option<Place>,
        flaw: Option<Flaw>,
    ) -> Marked {
        let target = reassign_to.map(|to| self.status(to));
        if !self.exists(place) || target == Some(PlaceStatus::Missing) {
            return Marked::Missing;
        }
        let mut tombstones = self.tombstones.values();
        let is_pinned = !Flaw::TargetNotPinned.is_in(flaw)
            && tombstones.any(|tombstone| tombstone.reassign_to == Some(place));
        let is_target_deleting =
            target == Some(PlaceStatus::Deleting) && !Flaw::TargetDeleting.is_in(flaw);
        if is_pinned || is_target_deleting || self.status(place) == PlaceStatus::Deleting {
            return Marked::Busy;
        }
        let token = self.next_token();
        let tombstone = Tombstone {
            token,
            phase: Phase::Deleting,
            reassign_to,
        };
        self.tombstones.insert(place, tombstone);
        Marked::Owner(token)
    }

    /// Gives a deletion a new token, unless its owner has changed since `seen` was read.
    pub(crate) fn take_over(&mut self, place: Place, seen: Token) -> Option<Tombstone> {
        self.owned(place, seen)?;
        let token = self.next_token();
        let tombstone = self.tombstones.get_mut(&place)?;
        tombstone.token = token;
        Some(*tombstone)
    }

    /// Deletes the place, if the token still owns the tombstone.
    pub(crate) fn delete(&mut self, place: Place, token: Token, flaw: Option<Flaw>) -> Deleted {
        let owned = self.owned(place, token).is_some();
        if !owned && !Flaw::DeletesWithoutToken.is_in(flaw) {
            let deleted = !self.exists(place);
            return Deleted::TakenOver { deleted };
        }
        if self.rows.remove(&place) {
            self.retired.insert(place);
        }
        if let Some(tombstone) = self.tombstones.get_mut(&place) {
            tombstone.phase = Phase::Deleted;
        }
        Deleted::Done
    }

    /// Removes the tombstone, if the token still owns it.
    pub(crate) fn remove_tombstone(&mut self, place: Place, token: Token) {
        if self.owned(place, token).is_some() {
            self.tombstones.remove(&place);
        }
    }

    fn owned(&self, place: Place, token: Token) -> Option<&Tombstone> {
        let tombstone = self.tombstones.get(&place)?;
        (tombstone.token == token).then_some(tombstone)
    }

    fn next_token(&mut self) -> Token {
        self.last_token += 1;
        self.last_token
    }
}
