//! The register of people: each method is one batch.

use std::collections::BTreeMap;

use crate::flaw::Flaw;
use crate::person::{Doubt, Row, Slot, bit};
use crate::world::{Person, Place, Token, Version};

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Version(Version),
    Overtaken,
    ThroneTaken,
}

/// What came of taking a write back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undo {
    /// It is taken back, by this batch or by somebody else's.
    Undone,
    /// It held: somebody settled it, or has built upon it.
    Overtaken,
    /// The database refused.
    Failed,
}

/// What came of moving everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    Done,
    /// A later owner of the same deletion was here already.
    Fenced,
    ThroneTaken,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct People {
    slots: BTreeMap<Person, Slot>,
    /// The last owner of each place's deletion that has moved its people.
    fences: BTreeMap<Place, Token>,
}

impl People {
    pub(crate) fn seed(&mut self, person: Person, row: Row) {
        self.slots.entry(person).or_default().advance(Some(row));
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = (Person, &Slot)> {
        self.slots.iter().map(|(person, slot)| (*person, slot))
    }

    pub(crate) fn read(&self, person: Person) -> Slot {
        self.slots.get(&person).copied().unwrap_or_default()
    }

    /// Those whose write is unsettled, with its version and place.
    pub(crate) fn in_doubt(&self) -> Vec<(Person, Version, Place)> {
        self.slots()
            .filter_map(|(person, slot)| {
                let row = slot.row.filter(|row| row.doubt.is_some())?;
                Some((person, slot.version, row.place?))
            })
            .collect()
    }

    /// Puts `next` in place of what was `seen`.
    pub(crate) fn write(
        &mut self,
        person: Person,
        seen: Version,
        next: Option<Row>,
        flaw: Option<Flaw>,
    ) -> Written {
        if self.read(person).version != seen {
            return Written::Overtaken;
        }
        if next.is_some_and(|row| row.king && self.reigns_another(person, row.place)) {
            return Written::ThroneTaken;
        }
        let slot = self.slots.entry(person).or_default();
        if slot.row.is_none() && Flaw::VersionsRestart.is_in(flaw) {
            *slot = Slot::default();
        }
        Written::Version(slot.advance(next))
    }

    /// Settles a write. Whether it was still the last one.
    pub(crate) fn settle(&mut self, person: Person, version: Version, flaw: Option<Flaw>) -> bool {
        let slot = self.slots.entry(person).or_default();
        let current = slot.version == version || Flaw::SettlesAnyVersion.is_in(flaw);
        if current && let Some(row) = &mut slot.row {
            row.doubt = None;
        }
        current
    }

    /// Takes an unsettled write back, unless it was settled or overtaken.
    pub(crate) fn undo(&mut self, person: Person, version: Version, flaw: Option<Flaw>) -> Undo {
        let slot = self.read(person);
        let undoable = slot.row.filter(|row| {
            slot.version == version && (row.doubt.is_some() || Flaw::UndoesTheSettled.is_in(flaw))
        });
        let Some(row) = undoable else {
            let undone =
                slot.undone & bit(version) != 0 && !Flaw::UndoneTakenForOvertaken.is_in(flaw);
            return if undone {
                Undo::Undone
            } else {
                Undo::Overtaken
            };
        };
        let place = row.doubt.and_then(|doubt| doubt.returns_to);
        let mut restored = slot.before.map(|before| Row { place, ..before });
        if let Some(row) = restored.as_mut().filter(|row| row.king) {
            let taken = self.reigns_another(person, place);
            if taken && Flaw::UndoCrownsBlindly.is_in(flaw) {
                return Undo::Failed;
            }
            row.king = !taken && slot.before.is_some_and(|before| before.place == place);
        }
        let slot = self.slots.entry(person).or_default();
        slot.undone |= bit(version);
        slot.advance(restored);
        Undo::Undone
    }

    /// Whether the place must stay for anybody's sake.
    pub(crate) fn hold(&self, place: Place, flaw: Option<Flaw>) -> bool {
        let mut rows = self.slots.values().filter_map(|slot| slot.row);
        rows.any(|row| {
            let returns = row.may_return_to(place) && !Flaw::ReturnsUncounted.is_in(flaw);
            row.holds(place, flaw) || returns
        })
    }

    /// Moves the living of a place to another, unless a later owner of the deletion was
    /// here already. A king of a place that goes is king no more. The dead in doubt stay, for
    /// the clearing, but in doubt no more: the place is there as long as its people can be
    /// moved.
    pub(crate) fn move_all(
        &mut self,
        place: Place,
        to: Place,
        token: Token,
        flaw: Option<Flaw>,
    ) -> Moved {
        let fence = self.fences.entry(place).or_default();
        if *fence > token && !Flaw::MoveWithoutFence.is_in(flaw) {
            return Moved::Fenced;
        }
        *fence = token.max(*fence);
        let keeps_crown = Flaw::MoveKeepsCrowns.is_in(flaw);
        let king_there = self.reigns_another(0, Some(to));
        let mut kings = self.slots.values().filter_map(|slot| slot.row);
        if keeps_crown && king_there && kings.any(|row| row.king && row.holds(place, flaw)) {
            return Moved::ThroneTaken;
        }
        for slot in self.slots.values_mut() {
            let Some(row) = &mut slot.row else { continue };
            if row.holds(place, flaw) && !row.alive {
                row.doubt = None;
            } else if row.holds(place, flaw) {
                let next = Row {
                    place: Some(to),
                    king: row.king && keeps_crown,
                    doubt: None,
                    ..*row
                };
                slot.advance(Some(next));
            } else if row.may_return_to(place) {
                row.doubt = Some(Doubt {
                    returns_to: Some(to),
                });
            }
        }
        Moved::Done
    }

    /// The dead of a place that is gone keep no place. Whether anybody still refers to it:
    /// a writer that has not looked yet.
    pub(crate) fn clear(&mut self, place: Place) -> bool {
        let mut referred = false;
        for slot in self.slots.values_mut() {
            let Some(row) = slot.row else { continue };
            if row.place == Some(place) && !row.alive {
                let next = Row {
                    place: None,
                    doubt: None,
                    ..row
                };
                slot.advance(Some(next));
            } else {
                referred |= row.place == Some(place) || row.may_return_to(place);
            }
        }
        referred
    }

    /// Notes that a client was told of a version, and whether it was a deletion: no
    /// batch, but what the rules hold the world against.
    pub(crate) fn tell(&mut self, person: Person, version: Version, deletion: bool) {
        let slot = self.slots.entry(person).or_default();
        slot.told |= bit(version);
        if deletion {
            slot.deleted = version;
        }
    }

    fn reigns_another(&self, person: Person, place: Option<Place>) -> bool {
        self.slots.iter().any(|(other, slot)| {
            *other != person && slot.row.is_some_and(|row| row.king && row.place == place)
        })
    }
}
