//! Who reads: one person by the id, or all of both databases, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use registry::shards::ShardMap;
use registry::shards::handover::{Last, Passages, Whereabouts, has_everybody_once, whereabouts};

use super::flaw::Flaw;
use super::helper::Helper;
use super::world::{Database, Shard, Version, World};

/// How often a reader reads before it says that it cannot.
const TRIES: u8 = 3;

/// What a reader asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// The person, by the id.
    One,
    /// Everybody, from this database on.
    All(Shard),
}

/// A reader.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    ask: Ask,
    /// All that was true since it began.
    truths: BTreeSet<Option<Version>>,
    seen: BTreeMap<Shard, Database>,
    helper: Option<Helper>,
    /// Whether those who were expected in what was seen are nobody's yet.
    is_decided: bool,
    tries: u8,
}

impl Reader {
    pub fn new(ask: Ask) -> Self {
        Self {
            ask,
            truths: BTreeSet::new(),
            seen: BTreeMap::new(),
            helper: None,
            is_decided: false,
            tries: 0,
        }
    }

    /// Notes what is true, between any two steps.
    pub fn note(&mut self, truth: Option<Version>) {
        self.truths.insert(truth);
    }

    /// Takes a step; whether it is at its end.
    ///
    /// # Errors
    /// An answer that was never true while it was asked for.
    pub fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<bool, String> {
        if let Some(helper) = &mut self.helper {
            if !helper.step(world, flaw)? {
                return Ok(false);
            }
            let have_ended = helper.have_ended;
            self.helper = None;
            if have_ended || self.ask == Ask::One {
                return Ok(self.again());
            }
            self.is_decided = true;
            return self.answer(flaw);
        }
        let first = match self.ask {
            Ask::One => 0,
            Ask::All(first) => first,
        };
        let next = if self.seen.is_empty() {
            first
        } else {
            1 - first
        };
        self.seen.insert(next, world.shard(next).clone());
        if self.seen.len() == 1 {
            return Ok(false);
        }
        self.answer(flaw)
    }

    /// Reads anew; whether it has been tried often enough.
    fn again(&mut self) -> bool {
        self.seen.clear();
        self.is_decided = false;
        self.tries += 1;
        self.tries == TRIES
    }

    fn answer(&mut self, flaw: Option<Flaw>) -> Result<bool, String> {
        let is_expecting =
            |shard: &Database| shard.arrivals.values().any(|one| one.origin.is_some());
        let answer = match self.ask {
            Ask::One => self.one(flaw),
            Ask::All(_) if self.is_decided => self.all(flaw),
            Ask::All(_) if self.seen.values().any(is_expecting) => None,
            Ask::All(_) => self.all(flaw),
        };
        match answer {
            Some(read) if self.was_true(&read) => Ok(true),
            Some(read) => Err(format!("{read:?} was read, and never was")),
            None if matches!(self.ask, Ask::All(_)) && self.is_decided => Ok(self.again()),
            None => {
                self.helper = Some(Helper::reader());
                Ok(false)
            }
        }
    }

    /// Whether the person was so at any time since it was asked: in one version, or nowhere.
    fn was_true(&self, read: &[Version]) -> bool {
        match read {
            [] => self.truths.contains(&None),
            [version] => self.truths.contains(&Some(*version)),
            _ => false,
        }
    }

    /// The versions that the person is in; none if they are on the way.
    fn one(&self, flaw: Option<Flaw>) -> Option<Vec<Version>> {
        let last = |shard: &Database| match shard.last {
            Some((_, Last::Went)) if Flaw::BelievesItsEyes.is_in(flaw) => None,
            last => last,
        };
        match whereabouts(self.seen.values().map(last)) {
            Whereabouts::In(shard) => {
                let here = self.seen.get(&shard).and_then(|shard| shard.here);
                Some(here.into_iter().collect())
            }
            Whereabouts::Gone(..) | Whereabouts::Nowhere => Some(Vec::new()),
            Whereabouts::OnTheWay => None,
        }
    }

    /// Whoever is there in either; none if it has to be asked again.
    fn all(&self, flaw: Option<Flaw>) -> Option<Vec<Version>> {
        let passages: Vec<Passages> = ["DB2", "DB"]
            .into_iter()
            .zip(self.seen.values())
            .map(|(peer, shard)| Passages::from([(peer.to_owned(), shard.passages)]))
            .collect();
        let map = ShardMap::parse("DB, DB2 from 5").ok()?;
        if !has_everybody_once(&map, &passages) && !Flaw::CountsNobody.is_in(flaw) {
            return None;
        }
        Some(self.seen.values().filter_map(|shard| shard.here).collect())
    }
}
