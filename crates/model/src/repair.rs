//! The scheduled repair: removes abandoned pending writes, then finishes abandoned deletions.

use crate::client::{Outcome, Progress};
use crate::deleter::Deleter;
use crate::flaw::Flaw;
use crate::world::{Place, Token, World};

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum At {
    #[default]
    SweepPending,
    ReadTombstones,
    TakeOver(Place, Token),
    Finish(Deleter),
    End,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Repair {
    tombstones: Vec<(Place, Token)>,
    /// Whether every call to the people worker fails before it arrives.
    people_unreachable: bool,
    at: At,
}

impl Repair {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A run without a connection to the people worker.
    pub(crate) fn unreachable() -> Self {
        Self {
            people_unreachable: true,
            at: At::ReadTombstones,
            ..Self::default()
        }
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Progress {
        self.at = match self.at {
            At::SweepPending => {
                world.people.sweep_pending();
                At::ReadTombstones
            }
            At::ReadTombstones => {
                let tombstones = world.places.tombstones().iter();
                self.tombstones = tombstones
                    .map(|(place, tombstone)| (*place, tombstone.token))
                    .collect();
                self.next_tombstone()
            }
            At::TakeOver(place, token) => match world.places.take_over(place, token) {
                Some(tombstone) => {
                    let deleter = Deleter::resume(place, tombstone);
                    At::Finish(if self.people_unreachable {
                        deleter.unreachable()
                    } else {
                        deleter
                    })
                }
                None => self.next_tombstone(),
            },
            At::Finish(mut deleter) => match deleter.step(world, flaw) {
                Progress::Ended(_) => self.next_tombstone(),
                Progress::Stepped => At::Finish(deleter),
                Progress::Blocked => return Progress::Blocked,
            },
            At::End => At::End,
        };
        if self.at == At::End {
            Progress::Ended(Outcome::Done)
        } else {
            Progress::Stepped
        }
    }

    fn next_tombstone(&mut self) -> At {
        match self.tombstones.pop() {
            Some((place, token)) => At::TakeOver(place, token),
            None => At::End,
        }
    }
}
