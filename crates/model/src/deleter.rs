//! The deletion of a place: marks it, makes sure that nobody lives there, and deletes it.

use crate::client::{Outcome, Progress};
use crate::flaw::Flaw;
use crate::places::{Delete, Mark, Phase, Tombstone};
use crate::world::{Place, Token, World};

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    Mark,
    Reassign(Place),
    Close,
    /// With `Flaw::RevokesAfterCounting` alone.
    Revoke,
    Delete,
    Unmark,
    /// With `Flaw::UnmarksUnansweredMove` alone: the move that was not answered arrives.
    LateMove(Place),
    DetachDead,
    RemoveTombstone,
}

/// A deleter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Deleter {
    place: Place,
    reassign_to: Option<Place>,
    token: Token,
    /// Whether every call to the people worker fails before it arrives.
    people_unreachable: bool,
    at: At,
}

impl Deleter {
    pub(crate) fn new(place: Place, reassign_to: Option<Place>, flaw: Option<Flaw>) -> Self {
        let counts_first = Flaw::CountsBeforeMarking.is_in(flaw);
        Self {
            place,
            reassign_to,
            token: 0,
            people_unreachable: false,
            at: if counts_first { At::Close } else { At::Mark },
        }
    }

    /// Continues a deletion that was taken over.
    pub(crate) fn resume(place: Place, tombstone: Tombstone) -> Self {
        Self {
            place,
            reassign_to: tombstone.reassign_to,
            token: tombstone.token,
            people_unreachable: false,
            at: match (tombstone.phase, tombstone.reassign_to) {
                (Phase::Deleted, _) => At::DetachDead,
                (Phase::Deleting, Some(to)) => At::Reassign(to),
                (Phase::Deleting, None) => At::Close,
            },
        }
    }

    /// The same, without a connection to the people worker.
    pub(crate) fn unreachable(self) -> Self {
        Self {
            people_unreachable: true,
            ..self
        }
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Progress {
        match self.next(world, flaw) {
            Ok(at) => {
                self.at = at;
                Progress::Stepped
            }
            Err(progress) => progress,
        }
    }

    fn next(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<At, Progress> {
        let place = self.place;
        match self.at {
            At::Mark => {
                self.token = match world.places.mark(place, self.reassign_to, flaw) {
                    Mark::Marked(token) => token,
                    Mark::Busy => return Err(Progress::Blocked),
                    Mark::Missing => return Err(Progress::Ended(Outcome::Rejected)),
                };
                Ok(match self.reassign_to {
                    _ if Flaw::CountsBeforeMarking.is_in(flaw) => At::Delete,
                    Some(_) if Flaw::UnmarksUnansweredMove.is_in(flaw) => At::Unmark,
                    Some(to) => At::Reassign(to),
                    None => At::Close,
                })
            }
            // The mark stays for the repair: a move may have been sent, and may still arrive.
            At::Reassign(_) if self.people_unreachable => Err(Progress::Ended(Outcome::Unknown)),
            At::Reassign(to) => {
                let residents_left = world.people.reassign(place, to, flaw);
                Ok(match (residents_left, flaw) {
                    (_, Some(Flaw::RejectsAfterMoving)) => At::Close,
                    (true, _) => At::Reassign(to),
                    (false, _) => At::Delete,
                })
            }
            At::Close if self.people_unreachable => Ok(At::Unmark),
            At::Close => {
                let has_residents = world.people.close(place, flaw);
                Ok(match self.token {
                    _ if has_residents => At::Unmark,
                    _ if Flaw::RevokesAfterCounting.is_in(flaw) => At::Revoke,
                    0 => At::Mark,
                    _ => At::Delete,
                })
            }
            At::Revoke => {
                world.people.revoke(place);
                Ok(At::Delete)
            }
            At::Delete => match world.places.delete(place, self.token, flaw) {
                Delete::Done => Ok(if Flaw::TombstoneRemovedEarly.is_in(flaw) {
                    At::RemoveTombstone
                } else {
                    At::DetachDead
                }),
                Delete::TakenOver { deleted: true } => Err(Progress::Ended(Outcome::Done)),
                Delete::TakenOver { deleted: false } => Err(Progress::Ended(Outcome::Unknown)),
            },
            At::Unmark => {
                world.places.remove_tombstone(place, self.token);
                match self.reassign_to {
                    Some(to) if Flaw::UnmarksUnansweredMove.is_in(flaw) => Ok(At::LateMove(to)),
                    _ => Err(Progress::Ended(Outcome::Rejected)),
                }
            }
            At::LateMove(to) => {
                world.people.reassign(place, to, flaw);
                Err(Progress::Ended(Outcome::Unknown))
            }
            // The place is deleted. The repair detaches the dead.
            At::DetachDead if self.people_unreachable => Err(Progress::Ended(Outcome::Done)),
            At::DetachDead => {
                world.people.detach_dead(place);
                Ok(At::RemoveTombstone)
            }
            At::RemoveTombstone => {
                world.places.remove_tombstone(place, self.token);
                Err(Progress::Ended(Outcome::Done))
            }
        }
    }
}
