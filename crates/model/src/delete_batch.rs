//! A batch of operations that deletes two places, as in
//! `workers/places/src/service/reservation.rs`. It reserves both places, makes sure that nobody
//! lives there, and deletes both in one transaction.

use crate::client::{Outcome, Stop};
use crate::flaw::Flaw;
use crate::places::Marked;
use crate::world::{Place, Token, World};

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Reserve,
    Close,
    /// The places that have dead people.
    Delete([bool; 2]),
    /// Removes the tombstones of a batch that is not done, and ends, or begins again.
    Cancel(Option<Outcome>),
    DetachDead,
    RemoveTombstones,
}

/// The deletion of two places and its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct DeleteBatch {
    pub(crate) places: [Place; 2],
    tokens: [Token; 2],
    attempts: u8,
    people_reachable: bool,
    next: Step,
}

impl DeleteBatch {
    pub(crate) fn new(places: [Place; 2], people_reachable: bool) -> Self {
        Self {
            places,
            tokens: [0; 2],
            attempts: 0,
            people_reachable,
            next: Step::Reserve,
        }
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<(), Stop> {
        self.next = match self.next {
            Step::Reserve => {
                self.tokens = match world.places.reserve(self.places) {
                    Ok(tokens) => tokens,
                    Err(Marked::Busy) => return Err(Stop::Blocked),
                    Err(_) => return Err(Stop::Ended(Outcome::Rejected)),
                };
                Step::Close
            }
            Step::Close if !self.people_reachable => Step::Cancel(Some(Outcome::Rejected)),
            Step::Close => {
                if world.people.close_all(&self.places, flaw) {
                    Step::Cancel(Some(Outcome::Rejected))
                } else {
                    Step::Delete(self.places.map(|place| world.people.has_dead(place)))
                }
            }
            Step::Delete(has_dead) => {
                if world.places.delete_all(self.places, self.tokens, has_dead) {
                    if has_dead.contains(&true) {
                        Step::DetachDead
                    } else {
                        return Err(Stop::Ended(Outcome::Done));
                    }
                } else {
                    self.attempts += 1;
                    Step::Cancel((self.attempts > 1).then_some(Outcome::Rejected))
                }
            }
            Step::Cancel(outcome) => {
                self.remove_tombstones(world);
                match outcome {
                    Some(outcome) => return Err(Stop::Ended(outcome)),
                    None => Step::Reserve,
                }
            }
            Step::DetachDead => {
                for place in self.places {
                    world.people.detach_dead(place);
                }
                Step::RemoveTombstones
            }
            Step::RemoveTombstones => {
                self.remove_tombstones(world);
                return Err(Stop::Ended(Outcome::Done));
            }
        };
        Ok(())
    }

    fn remove_tombstones(self, world: &mut World) {
        for (place, token) in self.places.into_iter().zip(self.tokens) {
            world.places.remove_tombstone(place, token);
        }
    }
}
