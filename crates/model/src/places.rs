//! The places database of the model. Each method is one batch, as in
//! `workers/places/src/store/deletion.rs`.

use std::collections::{BTreeMap, BTreeSet};

use domain::place_status::PlaceStatus;

use crate::flaw::Flaw;
use crate::world::{Place, Token};

/// The phase of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// A batch may delete the place, in one transaction with others. Otherwise it stays.
    Reserved,
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
    /// Whether it belongs to a batch. Only the rules read it.
    pub(crate) is_of_batch: bool,
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
    /// The number of single deletions of each place that have marked it and were not rejected. Only the
    /// rules read it.
    unrejected_deletions: BTreeMap<Place, u8>,
    /// Whether a place of a batch was deleted without the others. Only the rules read it.
    pub(crate) is_batch_divided: bool,
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
            is_of_batch: false,
        };
        self.tombstones.insert(place, tombstone);
        *self.unrejected_deletions.entry(place).or_default() += 1;
        Marked::Owner(token)
    }

    /// Adds the tombstones of a batch, all or none.
    pub(crate) fn reserve(&mut self, places: [Place; 2]) -> Result<[Token; 2], Marked> {
        if !places.iter().all(|place| self.exists(*place)) {
            return Err(Marked::Missing);
        }
        let is_pinned = |place: &Place| {
            let mut tombstones = self.tombstones.values();
            tombstones.any(|tombstone| tombstone.reassign_to == Some(*place))
        };
        let is_marked = |place: &Place| self.status(*place) == PlaceStatus::Deleting;
        if places
            .iter()
            .any(|place| is_pinned(place) || is_marked(place))
        {
            return Err(Marked::Busy);
        }
        Ok(places.map(|place| {
            let tombstone = Tombstone {
                token: self.next_token(),
                phase: Phase::Reserved,
                reassign_to: None,
                is_of_batch: true,
            };
            self.tombstones.insert(place, tombstone);
            tombstone.token
        }))
    }

    /// Deletes the places of a batch, if all tokens still own their tombstones. The tombstones of
    /// places without dead people are removed at once.
    pub(crate) fn delete_all(
        &mut self,
        places: [Place; 2],
        tokens: [Token; 2],
        has_dead: [bool; 2],
    ) -> bool {
        let mut owners = places.into_iter().zip(tokens);
        if !owners.all(|(place, token)| self.owned(place, token).is_some()) {
            return false;
        }
        for (place, has_dead) in places.into_iter().zip(has_dead) {
            self.rows.remove(&place);
            self.retired.insert(place);
            self.unrejected_deletions.remove(&place);
            if !has_dead {
                self.tombstones.remove(&place);
            } else if let Some(tombstone) = self.tombstones.get_mut(&place) {
                tombstone.phase = Phase::Deleted;
                tombstone.is_of_batch = false;
            }
        }
        true
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
        let tombstone = self.tombstones.get(&place);
        self.is_batch_divided |= tombstone.is_some_and(|tombstone| tombstone.is_of_batch);
        if let Some(tombstone) = self.tombstones.get_mut(&place) {
            tombstone.phase = Phase::Deleted;
        }
        Deleted::Done
    }

    /// Removes the tombstone, if the token still owns it. Returns whether it did.
    pub(crate) fn remove_tombstone(&mut self, place: Place, token: Token) -> bool {
        let is_owned = self.owned(place, token).is_some();
        if is_owned {
            self.tombstones.remove(&place);
        }
        is_owned
    }

    /// Notes that a deletion was rejected.
    pub(crate) fn reject_deletion(&mut self, place: Place) {
        if let Some(count) = self.unrejected_deletions.get_mut(&place) {
            *count = count.saturating_sub(1);
        }
    }

    /// A place that was deleted although every deletion of it was rejected.
    pub(crate) fn deleted_by_nobody(&self) -> Option<Place> {
        let mut rejected = self.unrejected_deletions.iter();
        let deleted = rejected.find(|(place, count)| **count == 0 && self.retired.contains(*place));
        deleted.map(|(place, _)| *place)
    }

    /// Whether a batch has reserved the place under a token.
    pub(crate) fn is_reserved(&self, place: Place, token: Token) -> bool {
        let tombstone = self.owned(place, token);
        tombstone.is_some_and(|tombstone| tombstone.phase == Phase::Reserved)
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
