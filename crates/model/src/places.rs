//! The register of places: each method is one batch.

use std::collections::{BTreeMap, BTreeSet};

use registry::integrity::Standing;

use crate::flaw::Flaw;
use crate::world::{Place, Token};

/// Where a deletion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The place is there, and may yet stay.
    Going,
    /// The place is gone, and some dead person may still refer to it.
    Gone,
}

/// The mark of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tombstone {
    /// Whose deletion it is.
    pub token: Token,
    /// Where it stands.
    pub phase: Phase,
    /// Where the living go. That place is pinned: it is not deleted meanwhile.
    pub reassign_to: Option<Place>,
}

/// What came of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    Done,
    /// The deletion belongs to somebody else, who has done it (or not, or not yet).
    Lost {
        gone: bool,
    },
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Places {
    rows: BTreeSet<Place>,
    tombstones: BTreeMap<Place, Tombstone>,
    /// The ids that were used once, as the history of places knows them.
    former: BTreeSet<Place>,
    last_token: Token,
    /// Those whose deletion a client was told of.
    told_gone: BTreeSet<Place>,
}

impl Places {
    pub(crate) fn of(places: &str) -> Self {
        Self {
            rows: places.chars().collect(),
            ..Self::default()
        }
    }

    pub(crate) fn exists(&self, place: Place) -> bool {
        self.rows.contains(&place)
    }

    pub(crate) fn tombstones(&self) -> &BTreeMap<Place, Tombstone> {
        &self.tombstones
    }

    pub(crate) fn told_gone(&self) -> &BTreeSet<Place> {
        &self.told_gone
    }

    pub(crate) fn standing(&self, place: Place) -> Standing {
        if !self.exists(place) {
            Standing::Missing
        } else if self.tombstones.contains_key(&place) {
            Standing::Going
        } else {
            Standing::Stands
        }
    }

    /// Creates a place, at an id that was never used.
    pub(crate) fn create(&mut self, place: Place, flaw: Option<Flaw>) -> bool {
        let spent = self.tombstones.contains_key(&place)
            || (self.former.contains(&place) && !Flaw::PlaceIdsComeBack.is_in(flaw));
        let created = !spent && self.rows.insert(place);
        if created {
            self.told_gone.remove(&place);
        }
        created
    }

    /// Marks a place that stands. Nobody is being moved to it, and the place that its own
    /// people are moved to stands too.
    pub(crate) fn mark(
        &mut self,
        place: Place,
        reassign_to: Option<Place>,
        flaw: Option<Flaw>,
    ) -> Option<Token> {
        let mut tombstones = self.tombstones.values();
        let pinned = !Flaw::TargetNotPinned.is_in(flaw)
            && tombstones.any(|tombstone| tombstone.reassign_to == Some(place));
        let stands = |to| match self.standing(to) {
            Standing::Stands => true,
            Standing::Going => Flaw::TargetGoing.is_in(flaw),
            Standing::Missing => false,
        };
        let receives = reassign_to.is_none_or(|to| to != place && stands(to));
        if pinned || !receives || self.standing(place) != Standing::Stands {
            return None;
        }
        let token = self.next_token();
        let tombstone = Tombstone {
            token,
            phase: Phase::Going,
            reassign_to,
        };
        self.tombstones.insert(place, tombstone);
        Some(token)
    }

    /// Makes a deletion somebody else's, unless it has changed hands since `seen`.
    pub(crate) fn take_over(&mut self, place: Place, seen: Token) -> Option<Tombstone> {
        self.mine(place, seen)?;
        let token = self.next_token();
        let tombstone = self.tombstones.get_mut(&place)?;
        tombstone.token = token;
        Some(*tombstone)
    }

    /// Deletes the place, if the deletion is still mine.
    pub(crate) fn commit(&mut self, place: Place, token: Token, flaw: Option<Flaw>) -> Commit {
        let mine = self.mine(place, token).is_some();
        if !mine && !Flaw::CommitWithoutToken.is_in(flaw) {
            let gone = !self.exists(place);
            return Commit::Lost { gone };
        }
        if self.rows.remove(&place) {
            self.former.insert(place);
        }
        if let Some(tombstone) = self.tombstones.get_mut(&place) {
            tombstone.phase = Phase::Gone;
        }
        Commit::Done
    }

    /// Lifts the mark, or the tombstone of a place that nobody refers to any more.
    pub(crate) fn unmark(&mut self, place: Place, token: Token) {
        if self.mine(place, token).is_some() {
            self.tombstones.remove(&place);
        }
    }

    /// Notes that a client was told that the place is gone: no batch, but what the rules
    /// hold the world against.
    pub(crate) fn tell_gone(&mut self, place: Place) {
        self.told_gone.insert(place);
    }

    fn mine(&self, place: Place, token: Token) -> Option<&Tombstone> {
        let tombstone = self.tombstones.get(&place)?;
        (tombstone.token == token).then_some(tombstone)
    }

    fn next_token(&mut self) -> Token {
        self.last_token += 1;
        self.last_token
    }
}
