//! The scheduled repair. It removes abandoned pending writes, and then finishes abandoned
//! deletions. In the workers, `people` does the first part and `places` the second one.

use crate::client::{Outcome, Stop};
use crate::deletion::Deletion;
use crate::flaw::Flaw;
use crate::world::{Place, Token, World};

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    SweepPending,
    ReadTombstones,
    TakeOver(Place, Token),
    Finish(Deletion),
}

/// One run and its next step.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Repair {
    tombstones: Vec<(Place, Token)>,
    people_reachable: bool,
    next: Step,
}

impl Repair {
    pub(crate) fn new(people_reachable: bool) -> Self {
        Self {
            tombstones: Vec::new(),
            people_reachable,
            next: if people_reachable {
                Step::SweepPending
            } else {
                Step::ReadTombstones
            },
        }
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<(), Stop> {
        self.next = match self.next {
            Step::SweepPending => {
                world.people.sweep_pending();
                Step::ReadTombstones
            }
            Step::ReadTombstones => {
                let tombstones = world.places.tombstones.iter();
                self.tombstones = tombstones
                    .map(|(place, tombstone)| (*place, tombstone.token))
                    .collect();
                self.next_tombstone()?
            }
            Step::TakeOver(place, token)
                if world.places.is_reserved(place, token)
                    && !Flaw::FinishesReservations.is_in(flaw) =>
            {
                // The batch was not done, so the place stays.
                world.places.remove_tombstone(place, token);
                self.next_tombstone()?
            }
            Step::TakeOver(place, token) => match world.places.take_over(place, token) {
                Some(tombstone) => {
                    Step::Finish(Deletion::resume(place, tombstone, self.people_reachable))
                }
                None => self.next_tombstone()?,
            },
            Step::Finish(mut deletion) => match deletion.step(world, flaw) {
                Ok(()) => Step::Finish(deletion),
                Err(Stop::Ended(_)) => self.next_tombstone()?,
                Err(Stop::Blocked) => return Err(Stop::Blocked),
            },
        };
        Ok(())
    }

    fn next_tombstone(&mut self) -> Result<Step, Stop> {
        let tombstone = self.tombstones.pop();
        tombstone
            .map(|(place, token)| Step::TakeOver(place, token))
            .ok_or(Stop::Ended(Outcome::Done))
    }
}
