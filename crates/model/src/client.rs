//! A client's request, and how far it is.

use crate::deleter::Deleter;
use crate::flaw::Flaw;
use crate::repair::Repair;
use crate::world::{Person, Place, World};
use crate::writer::{Change, Writer};

/// One request, or one run of the repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Request {
    /// Changes a person.
    Write(Person, Change),
    /// Creates a place.
    Create(Place),
    /// Deletes a place, after moving its residents to another one if that is given.
    Delete(Place, Option<Place>),
    /// The same while the people worker cannot be reached after the place is marked.
    DeleteUnreachable(Place, Option<Place>),
    /// Finishes what crashed clients left, once.
    Repair,
    /// The same while the people worker cannot be reached.
    RepairUnreachable,
}

impl Request {
    /// Whether it is a run of the repair, which no client waits for.
    pub(crate) fn is_repair(self) -> bool {
        matches!(self, Self::Repair | Self::RepairUnreachable)
    }
}

/// The response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The request was carried out: 2xx.
    Done,
    /// The request had no effect: 4xx.
    Rejected,
    /// The request may have an effect, now or later: 5xx.
    Unknown,
}

/// What a step led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    Stepped,
    /// The client waits for a deletion to end, and has done nothing.
    Blocked,
    Ended(Outcome),
}

/// A request that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    Write(Writer),
    Create(Place),
    Delete(Deleter),
    Repair(Repair),
}

impl Work {
    pub(crate) fn begin(request: Request, flaw: Option<Flaw>) -> Self {
        match request {
            Request::Write(person, change) => Self::Write(Writer::new(person, change)),
            Request::Create(place) => Self::Create(place),
            Request::Delete(place, to) => Self::Delete(Deleter::new(place, to, flaw)),
            Request::DeleteUnreachable(place, to) => {
                Self::Delete(Deleter::new(place, to, flaw).unreachable())
            }
            Request::Repair => Self::Repair(Repair::new()),
            Request::RepairUnreachable => Self::Repair(Repair::unreachable()),
        }
    }

    /// Takes one step: one batch in one database, and what follows from its result.
    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Progress {
        match self {
            Self::Write(writer) => writer.step(world, flaw),
            Self::Create(place) => Progress::Ended(if world.places.create(*place, flaw) {
                Outcome::Done
            } else {
                Outcome::Rejected
            }),
            Self::Delete(deleter) => {
                let progress = deleter.step(world, flaw);
                if progress == Progress::Ended(Outcome::Done) {
                    world.places.acknowledge_deletion(deleter.place());
                }
                progress
            }
            Self::Repair(repair) => repair.step(world, flaw),
        }
    }
}
