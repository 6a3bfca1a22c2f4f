//! The scheduled repair: settles or undoes what writers left, then finishes what
//! deleters left. One run ends; what it had to leave is for the next.

use registry::integrity::Verdict;

use crate::client::Outcome;
use crate::deleter::Deleter;
use crate::flaw::Flaw;
use crate::world::{Person, Place, Token, Version, World};
use crate::writer::verdict_of_others;

/// Where the repair has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum At {
    #[default]
    ReadPeople,
    Look(Person, Version, Place),
    Settle(Person, Version),
    Undo(Person, Version),
    ReadTombstones,
    TakeOver(Place, Token),
    Finish(Deleter),
    End,
}

/// One run, and what it has yet to see to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Repair {
    in_doubt: Vec<(Person, Version, Place)>,
    tombstones: Vec<(Place, Token)>,
    at: At,
}

impl Repair {
    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Option<Outcome> {
        self.at = match self.at {
            At::ReadPeople => {
                self.in_doubt = world.people.in_doubt();
                self.next_person()
            }
            At::Look(person, version, place) => {
                match verdict_of_others(world.places.standing(place), flaw) {
                    Verdict::Settle => At::Settle(person, version),
                    Verdict::Undo => At::Undo(person, version),
                    Verdict::Wait => self.next_person(),
                }
            }
            At::Settle(person, version) => {
                world.people.settle(person, version, flaw);
                self.next_person()
            }
            At::Undo(person, version) => {
                world.people.undo(person, version, flaw);
                self.next_person()
            }
            At::ReadTombstones => {
                let tombstones = world.places.tombstones().iter();
                self.tombstones = tombstones
                    .map(|(place, tombstone)| (*place, tombstone.token))
                    .collect();
                self.next_tombstone()
            }
            At::TakeOver(place, token) => match world.places.take_over(place, token) {
                Some(tombstone) => At::Finish(Deleter::resume(place, tombstone)),
                None => self.next_tombstone(),
            },
            At::Finish(mut deleter) => match deleter.step(world, flaw) {
                None => At::Finish(deleter),
                Some(_) => self.next_tombstone(),
            },
            At::End => At::End,
        };
        (self.at == At::End).then_some(Outcome::Done)
    }

    fn next_person(&mut self) -> At {
        match self.in_doubt.pop() {
            Some((person, version, place)) => At::Look(person, version, place),
            None => At::ReadTombstones,
        }
    }

    fn next_tombstone(&mut self) -> At {
        match self.tombstones.pop() {
            Some((place, token)) => At::TakeOver(place, token),
            None => At::End,
        }
    }
}
