//! Two databases of one register, the place that may go, and the batches that are run in them.

use std::collections::BTreeMap;

use registry::integrity::Standing;
use registry::shards::handover::{Decision, Last, Whereabouts, whereabouts};

use super::flaw::Flaw;

/// A database.
pub type Shard = usize;
/// A version of the person.
pub type Version = i64;
/// A handover: the number of the client who has begun it, and which of its tries it is.
pub type Token = (u8, u8);

/// The person's id. The one before has been given, so that it is the next.
pub const ID: i64 = 2;

/// Who is about to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Arrival {
    /// In which version.
    pub version: Version,
    /// From which database, or new.
    pub origin: Option<Shard>,
    /// Under which id, if it was chosen.
    pub id: Option<i64>,
    /// Whether they leave the database that they come from; else the id was used there before.
    pub leaves: bool,
}

impl Arrival {
    /// The database that decides.
    #[must_use]
    pub fn decider(self) -> Shard {
        self.origin.unwrap_or_default()
    }
}

/// One database.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Database {
    /// The version that the person is here in.
    pub here: Option<Version>,
    /// The last that the log says of them.
    pub last: Option<(Version, Last)>,
    /// Who is to arrive.
    pub arrivals: BTreeMap<Token, Arrival>,
    /// What was decided.
    pub decisions: BTreeMap<Token, Decision>,
    /// How many went to the other database, and came from it.
    pub passages: [i64; 2],
}

/// How a batch ended that compares before it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It was done, with the first id for who is new.
    Done(Option<i64>),
    /// Somebody else was faster.
    Late,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// The databases.
    pub shards: [Database; 2],
    /// The greatest id that was given: the first database has it.
    pub last_id: i64,
    /// How the place of the second database stands.
    pub place: Standing,
    /// The newest version that a client was told of.
    pub told: Version,
}

impl World {
    /// The person in a database, or nowhere.
    #[must_use]
    pub fn of(shard: Option<Shard>) -> Self {
        let mut world = Self {
            shards: Default::default(),
            last_id: ID - 1,
            place: Standing::Stands,
            told: 0,
        };
        if let Some(shard) = shard {
            world.last_id = ID;
            world.told = 1;
            world.write(shard, 1);
        }
        world
    }

    /// One of the databases.
    pub fn shard(&mut self, shard: Shard) -> &mut Database {
        let [one, two] = &mut self.shards;
        if shard == 0 { one } else { two }
    }

    /// What the person is, whoever looks: in the newest version that any log knows.
    #[must_use]
    pub fn truth(&self) -> Option<Version> {
        let newest = self.shards.iter().filter_map(|shard| shard.last);
        let (version, last) =
            newest.max_by_key(|(version, last)| (*version, *last == Last::Here))?;
        (last != Last::Gone).then_some(version)
    }

    /// Where they are, by all logs at one moment.
    #[must_use]
    pub fn whereabouts(&self) -> Whereabouts {
        whereabouts(self.shards.iter().map(|shard| shard.last))
    }

    /// A write where they are, or the arrival.
    pub fn write(&mut self, shard: Shard, version: Version) {
        let shard = self.shard(shard);
        shard.here = Some(version);
        shard.last = Some((version, Last::Here));
    }

    /// The same, if they are still in the version before.
    pub fn update(&mut self, shard: Shard, from: Version) -> bool {
        let is_there = self.shard(shard).here == Some(from);
        if is_there {
            self.write(shard, from + 1);
        }
        is_there
    }

    /// Removes them.
    pub fn delete(&mut self, shard: Shard, from: Version) -> bool {
        let shard = self.shard(shard);
        let is_there = shard.here == Some(from);
        if is_there {
            shard.here = None;
            shard.last = Some((from + 1, Last::Gone));
        }
        is_there
    }

    /// They leave for the other database, and it is decided.
    pub fn leave(
        &mut self,
        from: Shard,
        version: Version,
        token: Token,
        flaw: Option<Flaw>,
    ) -> Decided {
        let shard = self.shard(from);
        let is_there = match shard.here {
            Some(_) if Flaw::LeavesInAnyVersion.is_in(flaw) => true,
            here => here == Some(version),
        };
        let is_known = shard.last.is_some_and(|(known, _)| known > version);
        if shard.decisions.contains_key(&token) || !is_there {
            return Decided::Late;
        }
        if !Flaw::DecidesBehindLeaving.is_in(flaw) {
            shard.decisions.insert(token, Decision::Done(None));
        }
        shard.here = None;
        if !is_known {
            shard.last = Some((version + 1, Last::Went));
        }
        shard.passages[0] += 1;
        Decided::Done(None)
    }

    /// It is decided that somebody new gets an id that was used in this database.
    pub fn use_again(&mut self, from: Shard, token: Token, flaw: Option<Flaw>) -> Decided {
        let shard = self.shard(from);
        if shard.decisions.contains_key(&token) {
            return Decided::Late;
        }
        shard.decisions.insert(token, Decision::Done(None));
        if !Flaw::ForgetsWhoWas.is_in(flaw) {
            shard.passages[0] += 1;
        }
        Decided::Done(None)
    }

    /// It is decided that somebody new arrives.
    pub fn give(
        &mut self,
        arrival: Arrival,
        seen: i64,
        token: Token,
        flaw: Option<Flaw>,
    ) -> Decided {
        let last = self.last_id;
        let is_late = arrival
            .id
            .is_some_and(|chosen| chosen > seen && last != seen && !Flaw::ChoosesAnyId.is_in(flaw));
        if self.shard(0).decisions.contains_key(&token) || is_late {
            return Decided::Late;
        }
        let first = last + 1;
        self.last_id = arrival.id.map_or(first, |chosen| chosen.max(last));
        let given = Decision::Done(Some(first));
        self.shard(0).decisions.insert(token, given);
        Decided::Done(Some(first))
    }

    /// They arrive, if they have not yet.
    ///
    /// # Errors
    /// Somebody with the same id who is there already.
    pub fn arrive(
        &mut self,
        to: Shard,
        token: Token,
        first_id: Option<i64>,
        flaw: Option<Flaw>,
    ) -> Result<(), String> {
        let Some(arrival) = self.shard(to).arrivals.remove(&token) else {
            return Ok(());
        };
        // Who gets another id is another person.
        if arrival.id.or(first_id) != Some(ID) {
            return Ok(());
        }
        if self.shards.iter().any(|shard| shard.here.is_some()) {
            return Err("one person is there twice".to_owned());
        }
        let is_overtaken = |shard: &Database| {
            let last = shard.last.filter(|(_, last)| *last != Last::Went);
            last.is_some_and(|(known, _)| known >= arrival.version)
        };
        if self.shards.iter().any(is_overtaken) {
            return Err("two states have one version".to_owned());
        }
        if arrival.origin.is_some() && (arrival.leaves || !Flaw::ForgetsWhoWas.is_in(flaw)) {
            self.shard(to).passages[1] += 1;
        }
        self.write(to, arrival.version);
        Ok(())
    }

    /// Whether anybody holds the place of the second database.
    #[must_use]
    pub fn is_held(&self, flaw: Option<Flaw>) -> bool {
        let [_, home] = &self.shards;
        home.here.is_some() || (!home.arrivals.is_empty() && !Flaw::ArrivalsUncounted.is_in(flaw))
    }

    /// What must be true of every state.
    ///
    /// # Errors
    /// What is not.
    pub fn check(&self) -> Result<(), String> {
        let [_, home] = &self.shards;
        if home.here.is_some() && self.place == Standing::Missing {
            return Err("the person lives in no place".to_owned());
        }
        Ok(())
    }

    /// And when the repair has been.
    ///
    /// # Errors
    /// What is not.
    pub fn check_at_rest(&self) -> Result<(), String> {
        self.check()?;
        if self.whereabouts() == Whereabouts::OnTheWay {
            return Err("the person is lost on the way".to_owned());
        }
        if self.shards.iter().any(|shard| !shard.arrivals.is_empty()) {
            return Err("somebody is still expected".to_owned());
        }
        let newest = self.shards.iter().filter_map(|shard| shard.last);
        match newest.map(|(version, _)| version).max() {
            newest if newest.unwrap_or_default() < self.told => {
                Err("a client was told of a version that is not there".to_owned())
            }
            _ => Ok(()),
        }
    }
}
