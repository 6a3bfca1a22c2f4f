//! A client's request, and where it has come to.

use crate::deleter::Deleter;
use crate::flaw::Flaw;
use crate::repair::Repair;
use crate::world::{Person, Place, World};
use crate::writer::{Change, Writer};

/// One request, or one run of the repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Task {
    /// Changes a person.
    Write(Person, Change),
    /// Creates a place.
    Create(Place),
    /// Deletes a place, and moves its living people to another one first if told to.
    Delete(Place, Option<Place>),
    /// Repairs what it finds half-done, once.
    Repair,
}

/// What the client was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not done: a problem, or a failure.
    Refused,
}

/// A task that has begun.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Work {
    Write(Writer),
    Create(Place),
    Delete(Deleter),
    Repair(Repair),
}

impl Work {
    pub(crate) fn begin(task: Task, flaw: Option<Flaw>) -> Self {
        match task {
            Task::Write(person, change) => Self::Write(Writer::new(person, change, flaw)),
            Task::Create(place) => Self::Create(place),
            Task::Delete(place, to) => Self::Delete(Deleter::new(place, to, flaw)),
            Task::Repair => Self::Repair(Repair::default()),
        }
    }

    /// Takes one step: one batch in one database, and what follows from its answer.
    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Option<Outcome> {
        match self {
            Self::Write(writer) => writer.step(world, flaw),
            Self::Create(place) => Some(if world.places.create(*place, flaw) {
                Outcome::Done
            } else {
                Outcome::Refused
            }),
            Self::Delete(deleter) => {
                let outcome = deleter.step(world, flaw)?;
                if outcome == Outcome::Done {
                    world.places.tell_gone(deleter.place());
                }
                Some(outcome)
            }
            Self::Repair(repair) => repair.step(world, flaw),
        }
    }
}
