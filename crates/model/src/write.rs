//! A write of one person, as in `workers/people/src/service/write.rs`. If the write refers to a new
//! place, it records a pending write, checks the place, and commits if the pending write still
//! exists.

use domain::place_status::{self, PlaceStatus};

use crate::client::{Outcome, Stop};
use crate::flaw::Flaw;
use crate::people::{Commit, Row};
use crate::world::{Person, Place, Token, Version, World};

/// How often a write begins before it is rejected.
pub(crate) const MAX_ATTEMPTS: u8 = 5;

/// A change of one person.
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
    /// Writes an earlier state again, whether the person exists or not.
    Restore(Row),
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Begin,
    Check(Plan),
    Commit(Plan),
    RollBack(Token),
}

/// The write, as planned from the version that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Plan {
    pub(crate) version: Version,
    pub(crate) next: Option<Row>,
    /// The place that the write newly refers to.
    pub(crate) reference: Option<Place>,
    pub(crate) pending: Option<Token>,
}

/// A write of one person and its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Write {
    person: Person,
    change: Change,
    attempts: u8,
    next: Step,
}

impl Change {
    /// The state after the change. Impossible changes are rejected.
    pub(crate) fn apply(self, current: Option<Row>) -> Result<Option<Row>, Outcome> {
        let Some(row) = current else {
            return match self {
                Self::Insert(row) | Self::Restore(row) => Ok(Some(row)),
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
            Self::Restore(row) => row,
            Self::Insert(_) | Self::Revive | Self::Leave | Self::Crown => {
                return Err(Outcome::Rejected);
            }
        };
        Ok(Some(next))
    }
}

/// The place that `after` refers to and `before` did not, or referred to only for a dead person,
/// as in `people::domain::Residence::new_reference`.
pub(crate) fn new_reference(before: Option<Row>, after: Option<Row>) -> Option<Place> {
    let after = after?;
    let is_old =
        before.is_some_and(|before| before.place == after.place && (before.alive || !after.alive));
    after.place.filter(|_| !is_old)
}

impl Write {
    pub(crate) fn new(person: Person, change: Change) -> Self {
        Self {
            person,
            change,
            attempts: 0,
            next: Step::Begin,
        }
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<(), Stop> {
        self.next = match self.next {
            Step::Begin => self.begin(world, flaw)?,
            Step::Check(plan) => check(world, plan, flaw)?,
            Step::Commit(plan) => self.commit(world, plan, flaw)?,
            Step::RollBack(token) => {
                world.people.remove_pending(token);
                return Err(Stop::Ended(Outcome::Rejected));
            }
        };
        Ok(())
    }

    /// Reads the person and records the pending write, in one batch.
    fn begin(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<Step, Stop> {
        self.attempts += 1;
        if self.attempts > MAX_ATTEMPTS {
            return Err(Stop::Ended(Outcome::Rejected));
        }
        let slot = world.people.read(self.person);
        let next = self.change.apply(slot.row).map_err(Stop::Ended)?;
        let mut plan = Plan {
            version: slot.version,
            next,
            reference: new_reference(slot.row, next),
            pending: None,
        };
        let Some(place) = plan.reference else {
            return Ok(Step::Commit(plan));
        };
        if Flaw::ChecksBeforePending.is_in(flaw) {
            return Ok(Step::Check(plan));
        }
        plan.pending = Some(world.people.add_pending(place));
        Ok(if Flaw::NoCheck.is_in(flaw) {
            Step::Commit(plan)
        } else {
            Step::Check(plan)
        })
    }

    fn commit(&self, world: &mut World, plan: Plan, flaw: Option<Flaw>) -> Result<Step, Stop> {
        let people = &mut world.people;
        let add_late = || plan.reference.map(|place| people.add_pending(place));
        let pending = plan.pending.or_else(add_late);
        match people.commit(self.person, plan.version, plan.next, pending, flaw) {
            Commit::Written(version) => {
                people.acknowledge(self.person, version, plan.next.is_none());
                Err(Stop::Ended(Outcome::Done))
            }
            Commit::Overtaken | Commit::Revoked => Ok(Step::Begin),
            Commit::SecondKing => roll_back(pending),
        }
    }
}

/// Reads the status of the place of a pending write.
fn check(world: &World, plan: Plan, flaw: Option<Flaw>) -> Result<Step, Stop> {
    let status = plan
        .reference
        .map_or(PlaceStatus::Active, |place| world.places.status(place));
    match status.next_step() {
        place_status::Step::Commit => Ok(Step::Commit(plan)),
        place_status::Step::Wait if !Flaw::RejectsInsteadOfWaiting.is_in(flaw) => {
            Err(Stop::Blocked)
        }
        place_status::Step::Wait | place_status::Step::RollBack => roll_back(plan.pending),
    }
}

fn roll_back(pending: Option<Token>) -> Result<Step, Stop> {
    pending
        .map(Step::RollBack)
        .ok_or(Stop::Ended(Outcome::Rejected))
}
