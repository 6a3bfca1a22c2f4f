//! The people database of the model. Each method is one batch, as in `workers/people/src/store`.

use std::collections::BTreeMap;

use crate::flaw::Flaw;
use crate::world::{Person, Place, Token, Version};

/// A person as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// Whether the person is alive.
    pub alive: bool,
    /// Whether the person is king of the place.
    pub king: bool,
    /// The place, if any.
    pub place: Option<Place>,
}

impl Row {
    /// A living person of a place.
    #[must_use]
    pub const fn living(place: Place) -> Self {
        Self {
            alive: true,
            king: false,
            place: Some(place),
        }
    }

    /// A dead person of a place.
    #[must_use]
    pub const fn dead(place: Place) -> Self {
        Self {
            alive: false,
            ..Self::living(place)
        }
    }

    /// The king of a place.
    #[must_use]
    pub const fn king(place: Place) -> Self {
        Self {
            king: true,
            ..Self::living(place)
        }
    }

    pub(crate) fn lives_in(self, place: Place) -> bool {
        self.alive && self.place == Some(place)
    }
}

/// An id with or without a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Slot {
    pub(crate) version: Version,
    pub(crate) row: Option<Row>,
    /// The last version that a client knows of. Only the rules read it.
    pub(crate) acknowledged: Version,
    /// The version of the last acknowledged deletion. Only the rules read it.
    pub(crate) deleted: Version,
}

impl Slot {
    fn advance(&mut self, next: Option<Row>) -> Version {
        self.row = next;
        self.version += 1;
        self.version
    }
}

/// The people who are left in a place that is being deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) residents: bool,
    pub(crate) dead: bool,
}

/// The result of `commit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commit {
    Written(Version),
    /// Another request has changed the person.
    Overtaken,
    /// The pending write was revoked.
    Revoked,
    SecondKing,
}

/// The people database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct People {
    pub(crate) slots: BTreeMap<Person, Slot>,
    /// The place of each pending write.
    pub(crate) pending: BTreeMap<Token, Place>,
    last_token: Token,
}

impl People {
    pub(crate) fn seed(&mut self, person: Person, row: Row) {
        self.slots.entry(person).or_default().advance(Some(row));
    }

    pub(crate) fn read(&self, person: Person) -> Slot {
        self.slots.get(&person).copied().unwrap_or_default()
    }

    /// Records a pending write for a place.
    pub(crate) fn add_pending(&mut self, place: Place) -> Token {
        self.last_token += 1;
        self.pending.insert(self.last_token, place);
        self.last_token
    }

    /// Removes the pending write of a rejected request.
    pub(crate) fn remove_pending(&mut self, token: Token) {
        self.pending.remove(&token);
    }

    /// Removes every pending write. The workers remove only those older than any request.
    pub(crate) fn sweep_pending(&mut self) {
        self.pending.clear();
    }

    /// Removes the pending write and writes `next`, if the pending write still exists and the
    /// person still has the version `seen`.
    pub(crate) fn commit(
        &mut self,
        person: Person,
        seen: Version,
        next: Option<Row>,
        token: Option<Token>,
        flaw: Option<Flaw>,
    ) -> Commit {
        if token.is_some_and(|token| !self.pending.contains_key(&token))
            && !Flaw::CommitsWithoutPending.is_in(flaw)
        {
            return Commit::Revoked;
        }
        if next.is_some_and(|row| row.king && self.has_other_king(row.place, person)) {
            return Commit::SecondKing;
        }
        if let Some(token) = token {
            self.pending.remove(&token);
        }
        if self.read(person).version != seen && !Flaw::CommitsAnyVersion.is_in(flaw) {
            return Commit::Overtaken;
        }
        let slot = self.slots.entry(person).or_default();
        if slot.row.is_none() && Flaw::VersionsRestart.is_in(flaw) {
            *slot = Slot::default();
        }
        Commit::Written(slot.advance(next))
    }

    /// Commits several writes, all or none. The crowns are compared after all of them. The version of
    /// the result means nothing.
    pub(crate) fn commit_all(
        &mut self,
        writes: &[(Person, Version, Option<Row>, Option<Token>)],
        flaw: Option<Flaw>,
    ) -> Commit {
        let mut after = self.clone();
        for (person, seen, next, token) in writes {
            let without_crown = next.map(|row| Row { king: false, ..row });
            match after.commit(*person, *seen, without_crown, *token, flaw) {
                Commit::Written(_) => {
                    if let Some(slot) = after.slots.get_mut(person) {
                        slot.row = *next;
                    }
                }
                failed => return failed,
            }
        }
        let has_rival = |(person, _, next, _): &(Person, Version, Option<Row>, Option<Token>)| {
            next.is_some_and(|row| row.king && after.has_other_king(row.place, *person))
        };
        if writes.iter().any(has_rival) {
            return Commit::SecondKing;
        }
        *self = after;
        Commit::Written(0)
    }

    /// Does for several places what [`Self::close`] does for one: nothing is revoked if one of them
    /// has residents.
    pub(crate) fn close_all(&mut self, places: &[Place], flaw: Option<Flaw>) -> bool {
        let has_residents = places.iter().any(|place| self.has_residents(*place));
        if !has_residents && !Flaw::DoesNotRevoke.is_in(flaw) {
            for place in places {
                self.revoke(*place);
            }
        }
        has_residents
    }

    /// Whether dead people have a place.
    pub(crate) fn has_dead(&self, place: Place) -> bool {
        let mut rows = self.slots.values().filter_map(|slot| slot.row);
        rows.any(|row| row.place == Some(place) && !row.alive)
    }

    /// Returns who is left in a place. If it has no residents, revokes the pending writes that
    /// refer to it, in the same batch.
    pub(crate) fn close(&mut self, place: Place, flaw: Option<Flaw>) -> Left {
        let has_residents = self.has_residents(place);
        let revokes = !Flaw::DoesNotRevoke.is_in(flaw) && !Flaw::RevokesAfterCounting.is_in(flaw);
        if !has_residents && revokes {
            self.revoke(place);
        }
        self.left(place)
    }

    /// Revokes the pending writes that refer to a place.
    pub(crate) fn revoke(&mut self, place: Place) {
        self.pending.retain(|_, other| *other != place);
    }

    /// Moves one resident to another place, revokes the pending writes that refer to the old
    /// place, and returns who is left. After the last resident it detaches the dead. The workers move
    /// thousands at once; one at a time has more interleavings.
    pub(crate) fn reassign(&mut self, place: Place, to: Place, flaw: Option<Flaw>) -> Left {
        if !Flaw::DoesNotRevoke.is_in(flaw) && !Flaw::RejectsAfterMoving.is_in(flaw) {
            self.revoke(place);
        }
        let keeps_crown = Flaw::MoveKeepsCrowns.is_in(flaw);
        let mut slots = self.slots.values_mut();
        let resident = slots.find(|slot| slot.row.is_some_and(|row| row.lives_in(place)));
        if let Some(slot) = resident {
            let next = slot.row.map(|row| Row {
                place: Some(to),
                king: row.king && keeps_crown,
                ..row
            });
            slot.advance(next);
        }
        if !self.has_residents(place) {
            self.detach_dead(place);
        }
        self.left(place)
    }

    fn left(&self, place: Place) -> Left {
        let mut rows = self.slots.values().filter_map(|slot| slot.row);
        Left {
            residents: self.has_residents(place),
            dead: rows.any(|row| row.place == Some(place) && !row.alive),
        }
    }

    /// Removes the place from the dead who still have it.
    pub(crate) fn detach_dead(&mut self, place: Place) {
        for slot in self.slots.values_mut() {
            if let Some(row) = slot
                .row
                .filter(|row| row.place == Some(place) && !row.alive)
            {
                slot.advance(Some(Row { place: None, ..row }));
            }
        }
    }

    /// Notes that a client knows of a version. This is not a batch: only the rules need it.
    pub(crate) fn acknowledge(&mut self, person: Person, version: Version, deletion: bool) {
        let slot = self.slots.entry(person).or_default();
        slot.acknowledged = slot.acknowledged.max(version);
        if deletion {
            slot.deleted = version;
        }
    }

    pub(crate) fn has_residents(&self, place: Place) -> bool {
        let mut rows = self.slots.values().filter_map(|slot| slot.row);
        rows.any(|row| row.lives_in(place))
    }

    fn has_other_king(&self, place: Option<Place>, person: Person) -> bool {
        self.slots.iter().any(|(other, slot)| {
            *other != person && slot.row.is_some_and(|row| row.king && row.place == place)
        })
    }
}
