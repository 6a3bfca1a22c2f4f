//! Who writes a person: reads, writes with the version compared, and where the write
//! refers to a place anew, looks at the place again.

use registry::integrity::{Standing, Verdict};

use crate::client::Outcome;
use crate::flaw::Flaw;
use crate::people::{Undo, Written};
use crate::person::{Doubt, Row};
use crate::world::{Person, Place, Version, World};

/// How often a person is read before the writer gives up.
const TRIES: u8 = 3;

/// What is to become of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// They are entered.
    Insert(Row),
    /// They move, living or dead.
    Move(Place),
    /// They die, and lie here if a place is given.
    Bury(Option<Place>),
    /// The dead lives again, where they lie.
    Revive,
    /// The dead leaves their place for none.
    Leave,
    /// They become king of their place.
    Crown,
    /// A change that has nothing to do with places.
    Rename,
    /// They are deleted.
    Delete,
    /// A request that was made before, with the same `Idempotency-Key`: the answer is
    /// stored with the write, and nothing is left to be done but to settle it.
    Repeat,
}

/// Where the writer has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    FirstLook(Place),
    Read,
    HelpLook(Version, Row),
    HelpSettle(Version, Row),
    HelpUndo(Version),
    Write(Version, Option<Row>),
    SecondLook(Version, Place),
    Settle(Version),
    Undo(Version),
}

/// A writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    person: Person,
    change: Change,
    tries: u8,
    at: At,
}

impl Change {
    /// The place that the request names.
    fn names(self) -> Option<Place> {
        match self {
            Self::Insert(row) => row.place,
            Self::Move(place) => Some(place),
            Self::Bury(place) => place,
            _ => None,
        }
    }

    /// The state behind the change, if it can be made.
    fn apply(self, current: Option<Row>) -> Result<Option<Row>, Outcome> {
        let Some(row) = current else {
            return match self {
                Self::Insert(row) => Ok(Some(row)),
                _ => Err(Outcome::Refused),
            };
        };
        let next = match self {
            Self::Move(place) => Row {
                king: false,
                place: Some(place),
                ..row
            },
            Self::Bury(place) => Row {
                alive: false,
                king: false,
                place: place.or(row.place),
                ..row
            },
            Self::Revive if row.place.is_some() => Row { alive: true, ..row },
            Self::Leave if !row.alive => Row { place: None, ..row },
            Self::Crown if row.alive => Row { king: true, ..row },
            Self::Delete => return Ok(None),
            Self::Rename | Self::Repeat => row,
            Self::Insert(_) | Self::Revive | Self::Leave | Self::Crown => {
                return Err(Outcome::Refused);
            }
        };
        Ok(Some(next))
    }
}

/// Whether the place of `after` was not held so before: a reference that a deleter of
/// that place may have missed.
fn refers_anew(before: Option<Row>, after: Row) -> bool {
    after.place.is_some()
        && before.is_none_or(|before| before.place != after.place || (!before.alive && after.alive))
}

pub(crate) fn verdict_of_others(standing: Standing, flaw: Option<Flaw>) -> Verdict {
    if standing == Standing::Going && Flaw::OthersUndoOnGoing.is_in(flaw) {
        return Verdict::Undo;
    }
    standing.for_others()
}

impl Writer {
    pub(crate) fn new(person: Person, change: Change, flaw: Option<Flaw>) -> Self {
        let first_look = match change.names() {
            Some(place) if !Flaw::NoFirstLook.is_in(flaw) => At::FirstLook(place),
            _ => At::Read,
        };
        Self {
            person,
            change,
            tries: 0,
            at: first_look,
        }
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Option<Outcome> {
        let next = match self.at {
            At::FirstLook(place) => match world.places.standing(place).for_writer() {
                Verdict::Settle => Ok(At::Read),
                Verdict::Undo | Verdict::Wait => Err(Outcome::Refused),
            },
            At::Read => self.read(world, flaw),
            At::HelpLook(version, row) => help(world, version, row, flaw),
            At::HelpSettle(version, row) => {
                if world.people.settle(self.person, version, flaw) {
                    self.prepare(world, version, Some(row))
                } else {
                    Ok(At::Read)
                }
            }
            At::HelpUndo(version) => match world.people.undo(self.person, version, flaw) {
                Undo::Undone | Undo::Overtaken => Ok(At::Read),
                Undo::Failed => Err(Outcome::Refused),
            },
            At::Write(version, row) => self.write(world, version, row, flaw),
            At::SecondLook(version, place) => match world.places.standing(place).for_writer() {
                Verdict::Settle => {
                    world.people.tell(self.person, version, false);
                    Ok(At::Settle(version))
                }
                Verdict::Undo | Verdict::Wait => Ok(At::Undo(version)),
            },
            At::Settle(version) => {
                world.people.settle(self.person, version, flaw);
                Err(Outcome::Done)
            }
            At::Undo(version) => match world.people.undo(self.person, version, flaw) {
                Undo::Undone | Undo::Failed => Err(Outcome::Refused),
                Undo::Overtaken => {
                    world.people.tell(self.person, version, false);
                    Err(Outcome::Done)
                }
            },
        };
        match next {
            Ok(at) => {
                self.at = at;
                None
            }
            Err(outcome) => Some(outcome),
        }
    }

    fn read(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<At, Outcome> {
        self.tries += 1;
        if self.tries > TRIES {
            return Err(Outcome::Refused);
        }
        let slot = world.people.read(self.person);
        let blind = Flaw::BuildsOnDoubt.is_in(flaw)
            || (self.change == Change::Repeat && Flaw::RepeatsInDoubt.is_in(flaw));
        match slot.row {
            Some(row) if row.doubt.is_some() && !blind => Ok(At::HelpLook(slot.version, row)),
            row => self.prepare(world, slot.version, row),
        }
    }

    /// What to write upon a settled state.
    fn prepare(
        &self,
        world: &mut World,
        version: Version,
        current: Option<Row>,
    ) -> Result<At, Outcome> {
        let next = self.change.apply(current)?;
        if self.change == Change::Repeat {
            world.people.tell(self.person, version, false);
            return Err(Outcome::Done);
        }
        let next = next.map(|row| Row {
            doubt: refers_anew(current, row).then_some(Doubt {
                returns_to: current.and_then(|row| row.place),
            }),
            ..row
        });
        Ok(At::Write(version, next))
    }

    fn write(
        &self,
        world: &mut World,
        version: Version,
        row: Option<Row>,
        flaw: Option<Flaw>,
    ) -> Result<At, Outcome> {
        let version = match world.people.write(self.person, version, row, flaw) {
            Written::Version(version) => version,
            Written::Overtaken => return Ok(At::Read),
            Written::ThroneTaken => return Err(Outcome::Refused),
        };
        let doubtful = row.filter(|row| row.doubt.is_some());
        match doubtful.and_then(|row| row.place) {
            Some(place) if !Flaw::NoSecondLook.is_in(flaw) => Ok(At::SecondLook(version, place)),
            doubtful => {
                world.people.tell(self.person, version, row.is_none());
                doubtful.map_or(Err(Outcome::Done), |_| Ok(At::Settle(version)))
            }
        }
    }
}

/// What to do with the unsettled write that somebody else left.
fn help(world: &World, version: Version, row: Row, flaw: Option<Flaw>) -> Result<At, Outcome> {
    let place = row.place.ok_or(Outcome::Refused)?;
    match verdict_of_others(world.places.standing(place), flaw) {
        Verdict::Settle => Ok(At::HelpSettle(version, row)),
        Verdict::Undo => Ok(At::HelpUndo(version)),
        Verdict::Wait => Err(Outcome::Refused),
    }
}
