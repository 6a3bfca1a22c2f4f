//! Who deletes a place: marks it, counts its people, and commits or steps back.

use crate::client::Outcome;
use crate::flaw::Flaw;
use crate::people::Moved;
use crate::places::{Commit, Phase, Tombstone};
use crate::world::{Place, Token, World};

/// How often the people of a place are moved before the deleter steps back because
/// others keep arriving.
const ROUNDS: u8 = 2;

/// Where the deleter has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    Mark,
    Move(Place),
    Count,
    Commit,
    Unmark,
    /// The move that went unanswered lands.
    LateMove(Place),
    Clear,
    Remove,
}

/// A deleter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Deleter {
    place: Place,
    reassign_to: Option<Place>,
    token: Token,
    rounds: u8,
    at: At,
}

impl Deleter {
    pub(crate) fn new(place: Place, reassign_to: Option<Place>, flaw: Option<Flaw>) -> Self {
        Self {
            place,
            reassign_to,
            token: 0,
            rounds: 0,
            at: if Flaw::CountsBeforeMarking.is_in(flaw) {
                At::Count
            } else {
                At::Mark
            },
        }
    }

    /// Who goes on with a deletion that was taken over.
    pub(crate) fn resume(place: Place, tombstone: Tombstone) -> Self {
        Self {
            place,
            reassign_to: tombstone.reassign_to,
            token: tombstone.token,
            rounds: 0,
            at: match (tombstone.phase, tombstone.reassign_to) {
                (Phase::Gone, _) => At::Clear,
                (Phase::Going, Some(to)) => At::Move(to),
                (Phase::Going, None) => At::Count,
            },
        }
    }

    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Option<Outcome> {
        match self.next(world, flaw) {
            Ok(at) => {
                self.at = at;
                None
            }
            Err(outcome) => Some(outcome),
        }
    }

    fn next(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<At, Outcome> {
        let place = self.place;
        match self.at {
            At::Mark => {
                let token = world.places.mark(place, self.reassign_to, flaw);
                self.token = token.ok_or(Outcome::Refused)?;
                Ok(match self.reassign_to {
                    _ if Flaw::CountsBeforeMarking.is_in(flaw) => At::Commit,
                    Some(_) if Flaw::LiftsUnansweredMove.is_in(flaw) => At::Unmark,
                    Some(to) => At::Move(to),
                    None => At::Count,
                })
            }
            At::Move(to) => {
                self.rounds += 1;
                match world.people.move_all(place, to, self.token, flaw) {
                    Moved::Done => Ok(At::Count),
                    Moved::Fenced | Moved::ThroneTaken => Err(Outcome::Refused),
                }
            }
            At::Count => {
                let held = world.people.hold(place, flaw);
                if !held && self.token == 0 {
                    return Ok(At::Mark);
                }
                Ok(match self.reassign_to {
                    _ if !held => At::Commit,
                    Some(to) if self.rounds < ROUNDS => At::Move(to),
                    _ => At::Unmark,
                })
            }
            At::Commit => match world.places.commit(place, self.token, flaw) {
                Commit::Done => Ok(At::Clear),
                Commit::Lost { gone: true } => Err(Outcome::Done),
                Commit::Lost { gone: false } => Err(Outcome::Refused),
            },
            At::Unmark => {
                world.places.unmark(place, self.token);
                match self.reassign_to {
                    Some(to) if Flaw::LiftsUnansweredMove.is_in(flaw) => Ok(At::LateMove(to)),
                    _ => Err(Outcome::Refused),
                }
            }
            At::LateMove(to) => {
                world.people.move_all(place, to, self.token, flaw);
                Err(Outcome::Refused)
            }
            At::Clear => {
                let referred = world.people.clear(place);
                if referred && !Flaw::TombstoneGoesEarly.is_in(flaw) {
                    return Err(Outcome::Done);
                }
                Ok(At::Remove)
            }
            At::Remove => {
                world.places.unmark(place, self.token);
                Err(Outcome::Done)
            }
        }
    }
}
