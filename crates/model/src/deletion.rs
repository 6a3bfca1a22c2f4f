//! A deletion of a place, as in `workers/places/src/service/deletion.rs`. It adds a tombstone to
//! the place, makes sure that nobody lives there, and deletes the place.

use crate::client::{Outcome, Stop};
use crate::flaw::Flaw;
use crate::places::{Deleted, Marked, Phase, Tombstone};
use crate::world::{Place, Token, World};

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Mark,
    Reassign(Place),
    Close,
    /// Only with `Flaw::RevokesAfterCounting`.
    Revoke,
    Delete,
    Unmark,
    /// Only with `Flaw::UnmarksUnansweredMove`: the move whose response was lost arrives.
    LateMove(Place),
    DetachDead,
    RemoveTombstone,
}

/// A deletion and its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Deletion {
    pub(crate) place: Place,
    reassign_to: Option<Place>,
    token: Token,
    people_reachable: bool,
    /// Whether dead people were left when the last residents were counted. If there were none, the
    /// tombstone is removed together with the place: nobody can refer to it any more.
    has_dead: bool,
    next: Step,
}

impl Deletion {
    pub(crate) fn new(
        place: Place,
        reassign_to: Option<Place>,
        people_reachable: bool,
        flaw: Option<Flaw>,
    ) -> Self {
        let counts_first = Flaw::CountsBeforeMarking.is_in(flaw);
        Self {
            place,
            reassign_to,
            token: 0,
            people_reachable,
            has_dead: true,
            next: if counts_first {
                Step::Close
            } else {
                Step::Mark
            },
        }
    }

    /// Continues a deletion that was taken over.
    pub(crate) fn resume(place: Place, tombstone: Tombstone, people_reachable: bool) -> Self {
        Self {
            place,
            reassign_to: tombstone.reassign_to,
            token: tombstone.token,
            people_reachable,
            has_dead: true,
            next: match (tombstone.phase, tombstone.reassign_to) {
                (Phase::Deleted, _) => Step::DetachDead,
                (_, Some(to)) => Step::Reassign(to),
                (_, None) => Step::Close,
            },
        }
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<(), Stop> {
        self.next = self.run(world, flaw)?;
        Ok(())
    }

    /// Runs the next step and decides on the one after it.
    fn run(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<Step, Stop> {
        let place = self.place;
        match self.next {
            Step::Mark => {
                self.token = match world.places.mark(place, self.reassign_to, flaw) {
                    Marked::Owner(token) => token,
                    Marked::Busy => return Err(Stop::Blocked),
                    Marked::Missing => return Err(Stop::Ended(Outcome::Rejected)),
                };
                Ok(match self.reassign_to {
                    _ if Flaw::CountsBeforeMarking.is_in(flaw) => Step::Delete,
                    Some(_) if Flaw::UnmarksUnansweredMove.is_in(flaw) => Step::Unmark,
                    Some(to) => Step::Reassign(to),
                    None => Step::Close,
                })
            }
            // The mark stays for the repair, because a move that was sent may still arrive.
            Step::Reassign(_) if !self.people_reachable => Err(Stop::Ended(Outcome::Unknown)),
            Step::Reassign(to) => {
                let left = world.people.reassign(place, to, flaw);
                self.has_dead = left.dead;
                Ok(match (left.residents, flaw) {
                    (_, Some(Flaw::RejectsAfterMoving)) => Step::Close,
                    (true, _) => Step::Reassign(to),
                    (false, _) => Step::Delete,
                })
            }
            Step::Close if !self.people_reachable => Ok(Step::Unmark),
            Step::Close => {
                let left = world.people.close(place, flaw);
                self.has_dead = left.dead;
                Ok(match self.token {
                    _ if left.residents => Step::Unmark,
                    _ if Flaw::RevokesAfterCounting.is_in(flaw) => Step::Revoke,
                    0 => Step::Mark,
                    _ => Step::Delete,
                })
            }
            Step::Revoke => {
                world.people.revoke(place);
                Ok(Step::Delete)
            }
            Step::Delete => match world.places.delete(place, self.token, flaw) {
                Deleted::Done if !self.has_dead || Flaw::ForgetsTheDead.is_in(flaw) => {
                    world.places.remove_tombstone(place, self.token);
                    Err(Stop::Ended(Outcome::Done))
                }
                Deleted::Done => Ok(if Flaw::TombstoneRemovedEarly.is_in(flaw) {
                    Step::RemoveTombstone
                } else {
                    Step::DetachDead
                }),
                Deleted::TakenOver { deleted: true } => Err(Stop::Ended(Outcome::Done)),
                Deleted::TakenOver { deleted: false } => Err(Stop::Ended(Outcome::Unknown)),
            },
            Step::Unmark => {
                let is_removed = world.places.remove_tombstone(place, self.token);
                match self.reassign_to {
                    Some(to) if Flaw::UnmarksUnansweredMove.is_in(flaw) => Ok(Step::LateMove(to)),
                    // The repair has taken the deletion over.
                    _ if !is_removed && !Flaw::RejectsAfterTakeOver.is_in(flaw) => {
                        let is_deleted = !world.places.exists(place);
                        Err(Stop::Ended(if is_deleted {
                            Outcome::Done
                        } else {
                            Outcome::Unknown
                        }))
                    }
                    _ => {
                        world.places.reject_deletion(place);
                        Err(Stop::Ended(Outcome::Rejected))
                    }
                }
            }
            Step::LateMove(to) => {
                world.people.reassign(place, to, flaw);
                Err(Stop::Ended(Outcome::Unknown))
            }
            // The place is deleted. The repair detaches the dead.
            Step::DetachDead if !self.people_reachable => Err(Stop::Ended(Outcome::Done)),
            Step::DetachDead => {
                world.people.detach_dead(place);
                Ok(Step::RemoveTombstone)
            }
            Step::RemoveTombstone => {
                world.places.remove_tombstone(place, self.token);
                Err(Stop::Ended(Outcome::Done))
            }
        }
    }
}
