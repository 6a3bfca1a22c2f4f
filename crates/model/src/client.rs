//! The requests that a client of the model can send, and their outcomes.

use crate::delete_batch::DeleteBatch;
use crate::deletion::Deletion;
use crate::flaw::Flaw;
use crate::repair::Repair;
use crate::world::{Person, Place, World};
use crate::write::{Change, Write};
use crate::write_batch::{Changes, WriteBatch};

/// A request of a client, or a run of the repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    /// Changes a person.
    Write(Person, Change),
    /// Changes two people, both or none.
    WriteBoth(Changes),
    /// Creates a place.
    Create(Place),
    /// Deletes two places, both or none.
    DeleteBoth([Place; 2]),
    /// The same, if every call to the people worker fails before it arrives.
    DeleteBothUnreachable([Place; 2]),
    /// Deletes a place, and first moves its residents to the other place if one is given.
    Delete(Place, Option<Place>),
    /// The same, if every call to the people worker fails before it arrives.
    DeleteUnreachable(Place, Option<Place>),
    /// Runs the repair once.
    Repair,
    /// The same, if every call to the people worker fails before it arrives.
    RepairUnreachable,
}

impl Request {
    pub(crate) fn is_repair(self) -> bool {
        matches!(self, Self::Repair | Self::RepairUnreachable)
    }
}

/// The outcome of a request, as its response tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The request is carried out: 2xx.
    Done,
    /// The request has no effect: 4xx.
    Rejected,
    /// The request may have an effect, now or later: 5xx.
    Unknown,
}

/// The reason why a request cannot take a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It waits for the end of a deletion. Nothing has changed.
    Blocked,
    Ended(Outcome),
}

/// A request that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    Write(Write),
    WriteBoth(WriteBatch),
    Create(Place),
    Delete(Deletion),
    DeleteBoth(DeleteBatch),
    Repair(Repair),
}

impl Task {
    pub(crate) fn begin(request: Request, flaw: Option<Flaw>) -> Self {
        let delete = |place, to, reachable| Deletion::new(place, to, reachable, flaw);
        match request {
            Request::Write(person, change) => Self::Write(Write::new(person, change)),
            Request::WriteBoth(changes) => Self::WriteBoth(WriteBatch::new(changes)),
            Request::Create(place) => Self::Create(place),
            Request::DeleteBoth(places) => Self::DeleteBoth(DeleteBatch::new(places, true)),
            Request::DeleteBothUnreachable(places) => {
                Self::DeleteBoth(DeleteBatch::new(places, false))
            }
            Request::Delete(place, to) => Self::Delete(delete(place, to, true)),
            Request::DeleteUnreachable(place, to) => Self::Delete(delete(place, to, false)),
            Request::Repair => Self::Repair(Repair::new(true)),
            Request::RepairUnreachable => Self::Repair(Repair::new(false)),
        }
    }

    /// Takes one step: one batch in one database, and what follows from its result.
    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<(), Stop> {
        match self {
            Self::Write(write) => write.step(world, flaw),
            Self::WriteBoth(batch) => batch.step(world, flaw),
            Self::Create(place) => Err(Stop::Ended(if world.places.create(*place, flaw) {
                Outcome::Done
            } else {
                Outcome::Rejected
            })),
            Self::Delete(deletion) => deletion.step(world, flaw).inspect_err(|stop| {
                if *stop == Stop::Ended(Outcome::Done) {
                    world.places.acknowledged_deletions.insert(deletion.place);
                }
            }),
            Self::DeleteBoth(batch) => batch.step(world, flaw).inspect_err(|stop| {
                if *stop == Stop::Ended(Outcome::Done) {
                    world.places.acknowledged_deletions.extend(batch.places);
                }
            }),
            Self::Repair(repair) => repair.step(world, flaw),
        }
    }
}
