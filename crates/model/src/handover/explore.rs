//! The search: depth first through every state that the clients can bring the databases to.

use std::collections::HashSet;
use std::fmt;

use super::deleter::Deleter;
use super::flaw::Flaw;
use super::helper::Helper;
use super::reader::{Ask, Reader};
use super::world::{Shard, World};
use super::writer::{Wish, Writer};

/// How many runs the repair has to bring the databases to rest.
const RUNS: usize = 2;

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Puts the person into a database: moves them there, or adds them under the id.
    Put(Shard),
    /// Adds somebody in a database, under the next id.
    Post(Shard),
    /// Writes another name.
    Rename,
    /// Removes the person.
    Delete,
    /// Deletes the place of the second database.
    DeletePlace,
    /// Reads the person.
    Read,
    /// Reads all, from this database on.
    List(Shard),
    /// Ends what it finds, however new.
    Repair,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Work {
    Write(Writer),
    Delete(Deleter),
    Read(Reader),
    Repair(Helper),
    Done,
}

impl Work {
    fn begin(who: usize, task: Task) -> Self {
        let writer = |wish| Self::Write(Writer::new(u8::try_from(who).unwrap_or(u8::MAX), wish));
        match task {
            Task::Put(to) => writer(Wish::Put(to)),
            Task::Post(to) => writer(Wish::Post(to)),
            Task::Rename => writer(Wish::Rename),
            Task::Delete => writer(Wish::Delete),
            Task::DeletePlace => Self::Delete(Deleter::default()),
            Task::Read => Self::Read(Reader::new(Ask::One)),
            Task::List(first) => Self::Read(Reader::new(Ask::All(first))),
            Task::Repair => Self::Repair(Helper::repair()),
        }
    }

    fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<(), String> {
        let is_done = match self {
            Self::Write(writer) => writer.step(world, flaw)?.is_some(),
            Self::Delete(deleter) => deleter.step(world, flaw).is_some(),
            Self::Read(reader) => reader.step(world, flaw)?,
            Self::Repair(helper) => helper.step(world, flaw)?,
            Self::Done => true,
        };
        if is_done {
            *self = Self::Done;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    world: World,
    clients: Vec<Work>,
}

/// The databases, and clients.
#[derive(Debug, Clone)]
pub struct Scenario {
    start: State,
    flaw: Option<Flaw>,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many states there are.
    pub states: usize,
    /// How many ends, with the person in the first database, in the second, and in neither.
    pub ends: [usize; 3],
}

/// A rule that was broken, and how it came to that.
pub struct Violation {
    /// The rule.
    pub what: String,
    /// The states from the start, one a line.
    pub trace: Vec<String>,
}

struct Search {
    flaw: Option<Flaw>,
    seen: HashSet<State>,
    report: Report,
    path: Vec<State>,
}

impl Scenario {
    /// Without clients, and the person in a database or in none.
    #[must_use]
    pub fn new(person: Option<Shard>) -> Self {
        let start = State {
            world: World::of(person),
            clients: Vec::new(),
        };
        Self { start, flaw: None }
    }

    /// With one client more.
    #[must_use]
    pub fn client(mut self, task: Task) -> Self {
        let who = self.start.clients.len();
        self.start.clients.push(Work::begin(who, task));
        self
    }

    /// With the handover gone wrong in this way.
    #[must_use]
    pub fn with(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// Tries every interleaving.
    ///
    /// # Errors
    /// The first violation that is found.
    pub fn explore(&self) -> Result<Report, Violation> {
        let mut search = Search {
            flaw: self.flaw,
            seen: HashSet::new(),
            report: Report::default(),
            path: Vec::new(),
        };
        search.visit(&self.start).map_err(|what| Violation {
            what,
            trace: search
                .path
                .iter()
                .map(|state| format!("{state:?}"))
                .collect(),
        })?;
        search.report.states = search.seen.len();
        Ok(search.report)
    }
}

impl Search {
    fn visit(&mut self, state: &State) -> Result<(), String> {
        let mut state = state.clone();
        let truth = state.world.truth();
        for client in &mut state.clients {
            if let Work::Read(reader) = client {
                reader.note(truth);
            }
        }
        if !self.seen.insert(state.clone()) {
            return Ok(());
        }
        self.path.push(state.clone());
        state.world.check()?;
        self.crash(state.world.clone())?;
        for who in 0..state.clients.len() {
            let mut next = state.clone();
            if let Some(client) = next.clients.get_mut(who)
                && *client != Work::Done
            {
                client.step(&mut next.world, self.flaw)?;
                self.visit(&next)?;
            }
        }
        if state.clients.iter().all(|client| *client == Work::Done) {
            let [one, two] = &state.world.shards;
            let [first, second, neither] = &mut self.report.ends;
            *match (one.here, two.here) {
                (Some(_), _) => first,
                (None, Some(_)) => second,
                (None, None) => neither,
            } += 1;
        }
        self.path.pop();
        Ok(())
    }

    /// Everybody who is still at work crashes, and the repair comes.
    fn crash(&self, mut world: World) -> Result<(), String> {
        for _ in 0..RUNS {
            let mut repair = Helper::repair();
            while !repair.step(&mut world, self.flaw)? {
                world.check()?;
            }
        }
        world.check_at_rest()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        self.trace
            .iter()
            .try_for_each(|state| writeln!(f, "  {state}"))
    }
}

/// As it is shown, so that a test which ends with it prints the trace.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
