//! A write of one person. If it refers to a new place, it records a pending write, checks the
//! place, and commits only if the pending write is still there.

use domain::place_status::{PlaceStatus, Step};

use crate::client::{Outcome, Progress};
use crate::flaw::Flaw;
use crate::people::{Commit, Row};
use crate::world::{Person, Place, Token, Version, World};

/// How often a writer begins before it rejects its request.
const MAX_ATTEMPTS: u8 = 5;

/// What a request does to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Adds the person.
    Insert(Row),
    /// Moves the person, alive or dead.
    Move(Place),
    /// Records the death, and the place if one is given.
    Die(Option<Place>),
    /// Records the dead person as alive again, in the same place.
    Revive,
    /// Removes the place of a dead person.
    Leave,
    /// Makes the person king of their place.
    Crown,
    /// Changes something that does not concern places.
    Rename,
    /// Removes the person.
    Delete,
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    Begin,
    Check(Write),
    Commit(Write),
    Reject(Token),
}

/// A write as planned from what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Write {
    seen: Version,
    next: Option<Row>,
    /// The place that the write newly refers to.
    reference: Option<Place>,
    pending: Option<Token>,
}

/// A writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    person: Person,
    change: Change,
    attempts: u8,
    at: At,
}

impl Change {
    /// The state after the change, or the rejection of an impossible one.
    fn apply(self, current: Option<Row>) -> Result<Option<Row>, Outcome> {
        let Some(row) = current else {
            return match self {
                Self::Insert(row) => Ok(Some(row)),
                _ => Err(Outcome::Rejected),
            };
        };
        let next = match self {
            Self::Move(place) => Row {
                king: false,
                place: Some(place),
                ..row
            },
            Self::Die(place) => Row {
                alive: false,
                king: false,
                place: place.or(row.place),
            },
            Self::Revive if row.place.is_some() => Row { alive: true, ..row },
            Self::Leave if !row.alive => Row { place: None, ..row },
            Self::Crown if row.alive => Row { king: true, ..row },
            Self::Delete => return Ok(None),
            Self::Rename => row,
            Self::Insert(_) | Self::Revive | Self::Leave | Self::Crown => {
                return Err(Outcome::Rejected);
            }
        };
        Ok(Some(next))
    }
}

/// The place that `after` refers to and `before` did not, or referred to only for the dead.
fn new_reference(before: Option<Row>, after: Option<Row>) -> Option<Place> {
    let after = after?;
    let held =
        before.is_some_and(|before| before.place == after.place && (before.alive || !after.alive));
    after.place.filter(|_| !held)
}

impl Writer {
    pub(crate) fn new(person: Person, change: Change) -> Self {
        Self {
            person,
            change,
            attempts: 0,
            at: At::Begin,
        }
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Progress {
        let next = match self.at {
            At::Begin => self.begin(world, flaw),
            At::Check(write) => check(world, write, flaw),
            At::Commit(write) => self.commit(world, write, flaw),
            At::Reject(token) => {
                world.people.remove_pending(token);
                Err(Progress::Ended(Outcome::Rejected))
            }
        };
        match next {
            Ok(at) => {
                self.at = at;
                Progress::Stepped
            }
            Err(progress) => progress,
        }
    }

    /// Reads the person and records the pending write, in one batch.
    fn begin(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<At, Progress> {
        self.attempts += 1;
        if self.attempts > MAX_ATTEMPTS {
            return Err(Progress::Ended(Outcome::Rejected));
        }
        let slot = world.people.read(self.person);
        let next = self.change.apply(slot.row).map_err(Progress::Ended)?;
        let mut write = Write {
            seen: slot.version,
            next,
            reference: new_reference(slot.row, next),
            pending: None,
        };
        let Some(place) = write.reference else {
            return Ok(At::Commit(write));
        };
        if Flaw::ChecksBeforePending.is_in(flaw) {
            return Ok(At::Check(write));
        }
        write.pending = Some(world.people.add_pending(place));
        Ok(if Flaw::NoCheck.is_in(flaw) {
            At::Commit(write)
        } else {
            At::Check(write)
        })
    }

    fn commit(&self, world: &mut World, write: Write, flaw: Option<Flaw>) -> Result<At, Progress> {
        let mut pending = write.pending;
        if let Some(place) = write.reference
            && pending.is_none()
        {
            pending = Some(world.people.add_pending(place));
        }
        let people = &mut world.people;
        match people.commit(self.person, write.seen, write.next, pending, flaw) {
            Commit::Written(version) => {
                people.acknowledge(self.person, version, write.next.is_none());
                Err(Progress::Ended(Outcome::Done))
            }
            Commit::Overtaken | Commit::Revoked => Ok(At::Begin),
            Commit::PlaceHasKing => Ok(reject(pending)?),
        }
    }
}

/// Asks the places database about the place of a pending write.
fn check(world: &World, write: Write, flaw: Option<Flaw>) -> Result<At, Progress> {
    let status = write
        .reference
        .map_or(PlaceStatus::Active, |place| world.places.status(place));
    match status.next_step() {
        Step::Commit => Ok(At::Commit(write)),
        Step::Wait if !Flaw::RejectsInsteadOfWaiting.is_in(flaw) => Err(Progress::Blocked),
        Step::Wait | Step::RollBack => reject(write.pending),
    }
}

fn reject(pending: Option<Token>) -> Result<At, Progress> {
    pending
        .map(At::Reject)
        .ok_or(Progress::Ended(Outcome::Rejected))
}
