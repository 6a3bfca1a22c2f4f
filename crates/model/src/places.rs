//! The places database. Each method is one batch.

use std::collections::{BTreeMap, BTreeSet};

use domain::place_status::PlaceStatus;

use crate::flaw::Flaw;
use crate::world::{Place, Token};

/// How far a deletion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The place exists, and may stay.
    Deleting,
    /// The place is deleted, and dead people may still have it.
    Deleted,
}

/// The mark of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tombstone {
    /// Identifies the owner of the deletion.
    pub token: Token,
    /// How far it is.
    pub phase: Phase,
    /// Where the residents go. That place cannot be deleted meanwhile.
    pub reassign_to: Option<Place>,
}

/// The result of marking a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Marked(Token),
    /// Another deletion concerns the place, or the one that the people would go to.
    Busy,
    /// One of the two does not exist.
    Missing,
}

/// The result of deleting a marked place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delete {
    Done,
    /// Somebody else took the deletion over, and has finished it or not.
    TakenOver {
        deleted: bool,
    },
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Places {
    rows: BTreeSet<Place>,
    tombstones: BTreeMap<Place, Tombstone>,
    /// The ids that were used once, as the history of places knows them.
    retired: BTreeSet<Place>,
    last_token: Token,
    /// The places that a client was told are deleted. No batch reads them: they are for the
    /// rules.
    acknowledged_deletions: BTreeSet<Place>,
}

impl Places {
    pub(crate) fn new(places: &str) -> Self {
        Self {
            rows: places.chars().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn rows(&self) -> &BTreeSet<Place> {
        &self.rows
    }

    pub(crate) fn exists(&self, place: Place) -> bool {
        self.rows.contains(&place)
    }

    pub(crate) fn tombstones(&self) -> &BTreeMap<Place, Tombstone> {
        &self.tombstones
    }

    pub(crate) fn acknowledged_deletions(&self) -> &BTreeSet<Place> {
        &self.acknowledged_deletions
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

    /// Marks an active place that no deletion moves people to. The place that its own people
    /// go to must be active too.
    pub(crate) fn mark(
        &mut self,
        place: Place,
        reassign_to: Option<Place>,
        flaw: Option<Flaw>,
    ) -> Mark {
        let target = reassign_to.map(|to| self.status(to));
        if !self.exists(place) || target == Some(PlaceStatus::Missing) {
            return Mark::Missing;
        }
        let mut tombstones = self.tombstones.values();
        let receives = !Flaw::TargetNotPinned.is_in(flaw)
            && tombstones.any(|tombstone| tombstone.reassign_to == Some(place));
        let target_goes =
            target == Some(PlaceStatus::Deleting) && !Flaw::TargetDeleting.is_in(flaw);
        if receives || target_goes || self.status(place) == PlaceStatus::Deleting {
            return Mark::Busy;
        }
        let token = self.next_token();
        let tombstone = Tombstone {
            token,
            phase: Phase::Deleting,
            reassign_to,
        };
        self.tombstones.insert(place, tombstone);
        Mark::Marked(token)
    }

    /// Takes a deletion over, unless its owner has changed since `seen`.
    pub(crate) fn take_over(&mut self, place: Place, seen: Token) -> Option<Tombstone> {
        self.owned(place, seen)?;
        let token = self.next_token();
        let tombstone = self.tombstones.get_mut(&place)?;
        tombstone.token = token;
        Some(*tombstone)
    }

    /// Deletes the place if the token still owns the deletion.
    pub(crate) fn delete(&mut self, place: Place, token: Token, flaw: Option<Flaw>) -> Delete {
        let owned = self.owned(place, token).is_some();
        if !owned && !Flaw::DeletesWithoutToken.is_in(flaw) {
            let deleted = !self.exists(place);
            return Delete::TakenOver { deleted };
        }
        if self.rows.remove(&place) {
            self.retired.insert(place);
        }
        if let Some(tombstone) = self.tombstones.get_mut(&place) {
            tombstone.phase = Phase::Deleted;
        }
        Delete::Done
    }

    /// Removes the tombstone if the token still owns it.
    pub(crate) fn remove_tombstone(&mut self, place: Place, token: Token) {
        if self.owned(place, token).is_some() {
            self.tombstones.remove(&place);
        }
    }

    /// Notes that a client was told that the place is deleted. No batch: the rules need it.
    pub(crate) fn acknowledge_deletion(&mut self, place: Place) {
        self.acknowledged_deletions.insert(place);
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
