//! Who writes the person: finds them, and changes them there, or hands them over.

use registry::integrity::Verdict;
use registry::shards::handover::{Decision, Last, Whereabouts, whereabouts};

use super::flaw::Flaw;
use super::world::{Arrival, Decided, ID, Shard, Token, Version, World};

/// How often a writer tries before it gives up.
const TRIES: u8 = 2;

/// What a client wants of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// To be in this database: by a move, or new under the id.
    Put(Shard),
    /// Somebody new there, under the next id.
    Post(Shard),
    /// Another name.
    Rename,
    /// To be gone.
    Delete,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// Reads one database after the other, with what the first has said.
    Find(Option<Sight>),
    Update(Shard, Version),
    AskIds(Version),
    Prepare,
    /// Looks whether the id is free, as `Find`.
    IsFree(Option<Sight>),
    AskIdsLate,
    Look,
    Decide,
    DecideLate(Option<i64>),
    Arrive(Option<i64>),
    Forget,
    Withdraw(bool),
}

/// What a look for a free id has seen of one database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Sight {
    last: Option<(Version, Last)>,
    is_awaited: bool,
}

/// A writer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Writer {
    wish: Wish,
    token: Token,
    arrival: Arrival,
    to: Shard,
    /// The greatest id that was given when it was asked.
    seen: i64,
    at: At,
}

/// What a writer's client is told.
pub type Told = bool;

impl Writer {
    pub fn new(who: u8, wish: Wish) -> Self {
        let arrival = Arrival {
            version: 1,
            origin: None,
            id: None,
            leaves: false,
        };
        let to = match wish {
            Wish::Put(to) | Wish::Post(to) => to,
            Wish::Rename | Wish::Delete => 0,
        };
        Self {
            wish,
            token: (who, 0),
            arrival,
            to,
            seen: 0,
            at: match wish {
                Wish::Post(_) => At::Prepare,
                _ => At::Find(None),
            },
        }
    }

    /// Takes a step; what its client is told, if it is at its end.
    pub fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<Option<Told>, String> {
        match self.next(world, flaw)? {
            Ok(at) => {
                self.at = at;
                Ok(None)
            }
            Err(told) => Ok(Some(told)),
        }
    }

    fn next(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<Result<At, Told>, String> {
        Ok(match self.at {
            At::Find(None) => {
                let last = world.shard(0).last;
                let is_awaited = false;
                Ok(At::Find(Some(Sight { last, is_awaited })))
            }
            At::Find(Some(first)) => {
                let last = [first.last, world.shard(1).last];
                return Ok(self.found(whereabouts(last), last));
            }
            At::Update(shard, version) => {
                let is_done = match self.wish {
                    Wish::Delete => world.delete(shard, version),
                    _ => world.update(shard, version),
                };
                if is_done {
                    world.told = world.told.max(version + 1);
                    return Ok(Err(true));
                }
                self.again()
            }
            At::AskIds(version) => {
                self.seen = world.last_id;
                self.arrival.version = version + 1;
                Ok(if Flaw::LooksBeforeSaying.is_in(flaw) {
                    At::IsFree(None)
                } else {
                    At::Prepare
                })
            }
            At::Prepare => self.prepare(world, flaw),
            At::IsFree(None) => Ok(At::IsFree(Some(self.sight(world, 0, flaw)?))),
            At::IsFree(Some(first)) => {
                let second = self.sight(world, 1, flaw)?;
                let before = self.arrival.version - 1;
                let found = whereabouts([first.last, second.last]);
                let is_free =
                    found.free_behind() == Some(before) && !first.is_awaited && !second.is_awaited;
                match is_free {
                    _ if Flaw::LooksBeforeSaying.is_in(flaw) && is_free => Ok(At::Prepare),
                    true if Flaw::AsksIdsLate.is_in(flaw) => Ok(At::AskIdsLate),
                    true => Ok(At::Look),
                    false => Ok(At::Withdraw(true)),
                }
            }
            At::AskIdsLate => {
                self.seen = world.last_id;
                Ok(At::Look)
            }
            At::Look => {
                let stands = self.to == 0
                    || world.place.for_writer() == Verdict::Settle
                    || Flaw::NoLook.is_in(flaw);
                Ok(if stands {
                    At::Decide
                } else {
                    At::Withdraw(false)
                })
            }
            At::Decide => Ok(self.decide(world, flaw)),
            At::DecideLate(first) => {
                let decisions = &mut world.shard(self.arrival.decider()).decisions;
                decisions.entry(self.token).or_insert(Decision::Done(first));
                Ok(At::Arrive(first))
            }
            At::Arrive(first) => {
                world.arrive(self.to, self.token, first, flaw)?;
                if self.arrival.id.or(first) == Some(ID) {
                    world.told = world.told.max(self.arrival.version);
                }
                Ok(At::Forget)
            }
            At::Forget => {
                world
                    .shard(self.arrival.decider())
                    .decisions
                    .remove(&self.token);
                Err(true)
            }
            At::Withdraw(is_late) => {
                world.shard(self.to).arrivals.remove(&self.token);
                if is_late { self.again() } else { Err(false) }
            }
        })
    }

    /// Says who is to arrive, if nobody else has said so of the same person.
    fn prepare(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<At, Told> {
        let arrivals = &mut world.shard(self.to).arrivals;
        let mut ids = arrivals.values().filter_map(|other| other.id);
        if self.arrival.id.is_some_and(|mine| ids.any(|id| id == mine)) {
            return self.again();
        }
        arrivals.insert(self.token, self.arrival);
        let is_new = !self.arrival.leaves && self.arrival.id.is_some();
        Ok(if is_new && !Flaw::LooksBeforeSaying.is_in(flaw) {
            At::IsFree(None)
        } else {
            At::Look
        })
    }

    fn decide(&self, world: &mut World, flaw: Option<Flaw>) -> At {
        let decided = match self.arrival.origin {
            Some(from) if self.arrival.leaves => {
                world.leave(from, self.arrival.version - 1, self.token, flaw)
            }
            Some(from) => world.use_again(from, self.token, flaw),
            None => world.give(self.arrival, self.seen, self.token, flaw),
        };
        match decided {
            Decided::Done(first) if Flaw::DecidesBehindLeaving.is_in(flaw) => At::DecideLate(first),
            Decided::Done(first) => {
                if Flaw::ForgetsEarly.is_in(flaw) {
                    let decisions = &mut world.shard(self.arrival.decider()).decisions;
                    decisions.remove(&self.token);
                }
                At::Arrive(first)
            }
            Decided::Late => At::Withdraw(true),
        }
    }

    fn found(
        &mut self,
        found: Whereabouts,
        last: [Option<(Version, Last)>; 2],
    ) -> Result<At, Told> {
        match (found, self.wish) {
            (Whereabouts::OnTheWay, _) => self.again(),
            (Whereabouts::In(shard), Wish::Put(to)) if shard != to => {
                let [one, two] = last;
                let version = if shard == 0 { one } else { two };
                self.arrival = Arrival {
                    version: version.map_or(0, |(version, _)| version) + 1,
                    origin: Some(shard),
                    id: Some(ID),
                    leaves: true,
                };
                Ok(At::Prepare)
            }
            (Whereabouts::In(shard), _) => {
                let [one, two] = last;
                let version = if shard == 0 { one } else { two };
                Ok(At::Update(shard, version.map_or(0, |(version, _)| version)))
            }
            (found, Wish::Put(to)) => {
                self.arrival.origin = found.origin(to);
                self.arrival.id = Some(ID);
                self.arrival.leaves = false;
                Ok(At::AskIds(found.free_behind().unwrap_or_default()))
            }
            (Whereabouts::Gone(..) | Whereabouts::Nowhere, _) => Err(false),
        }
    }

    /// What a look sees of a database, in which it first has those arrive whose id is decided
    /// and stands nowhere yet.
    fn sight(&self, world: &mut World, shard: Shard, flaw: Option<Flaw>) -> Result<Sight, String> {
        let unnumbered = world.shard(shard).arrivals.clone().into_iter();
        for (token, _) in unnumbered.filter(|(_, arrival)| arrival.id.is_none()) {
            if let Some(Decision::Done(first)) = world.shard(0).decisions.get(&token).copied() {
                world.arrive(shard, token, first, flaw)?;
            }
        }
        let shard = world.shard(shard);
        let mut others = shard.arrivals.iter();
        Ok(Sight {
            last: shard.last,
            is_awaited: others.any(|(token, other)| *token != self.token && other.id == Some(ID)),
        })
    }

    fn again(&mut self) -> Result<At, Told> {
        let (who, tries) = self.token;
        if tries + 1 == TRIES {
            return Err(false);
        }
        self.token = (who, tries + 1);
        Ok(match self.wish {
            Wish::Post(_) => At::Prepare,
            _ => At::Find(None),
        })
    }
}
