//! The search: depth first through every state that the clients can bring the world to.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use crate::client::{Outcome, Task, Work};
use crate::flaw::Flaw;
use crate::repair::Repair;
use crate::rules;
use crate::world::World;

/// How many runs the repair has to bring a world to rest: the first may have to wait for
/// a place whose mark it then lifts.
const RUNS: usize = 2;

/// A world, and clients that each have tasks to do in order.
#[derive(Debug, Clone)]
pub struct Scenario {
    start: World,
    scripts: Vec<Vec<Task>>,
    flaw: Option<Flaw>,
}

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many states there are.
    pub states: usize,
    /// How many different worlds a crash of everyone was repaired in.
    pub repaired: usize,
    /// All that the clients can be told, task by task.
    pub outcomes: BTreeSet<Vec<Vec<Outcome>>>,
}

/// A rule that was broken, and how it came to that.
#[derive(Clone)]
pub struct Violation {
    /// The rule.
    pub what: String,
    /// The steps from the start, one a line.
    pub trace: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Client {
    /// The task in hand; none when all are done.
    work: Option<Work>,
    outcomes: Vec<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    world: World,
    clients: Vec<Client>,
}

struct Search<'a> {
    scenario: &'a Scenario,
    seen: HashSet<State>,
    worlds: HashSet<World>,
    outcomes: BTreeSet<Vec<Vec<Outcome>>>,
    /// The clients that took the steps to where the search is.
    path: Vec<usize>,
}

impl Scenario {
    /// A world without clients.
    #[must_use]
    pub fn new(start: World) -> Self {
        Self {
            start,
            scripts: Vec::new(),
            flaw: None,
        }
    }

    /// With one client more, who does this.
    #[must_use]
    pub fn client(self, task: Task) -> Self {
        self.script(&[task])
    }

    /// With one client more, who does these one after the other.
    #[must_use]
    pub fn script(mut self, tasks: &[Task]) -> Self {
        self.scripts.push(tasks.to_vec());
        self
    }

    /// With the protocol gone wrong in this way.
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
            scenario: self,
            seen: HashSet::new(),
            worlds: HashSet::new(),
            outcomes: BTreeSet::new(),
            path: Vec::new(),
        };
        search.visit(&self.begin())?;
        Ok(Report {
            states: search.seen.len(),
            repaired: search.worlds.len(),
            outcomes: search.outcomes,
        })
    }

    fn begin(&self) -> State {
        let begin = |tasks: &Vec<Task>| Client {
            work: tasks.first().map(|task| Work::begin(*task, self.flaw)),
            outcomes: Vec::new(),
        };
        State {
            world: self.start.clone(),
            clients: self.scripts.iter().map(begin).collect(),
        }
    }

    /// One step of one client. Whether there was one to take.
    fn step(&self, state: &mut State, who: usize) -> bool {
        let (Some(client), Some(tasks)) = (state.clients.get_mut(who), self.scripts.get(who))
        else {
            return false;
        };
        let Some(work) = &mut client.work else {
            return false;
        };
        if let Some(outcome) = work.step(&mut state.world, self.flaw) {
            client.outcomes.push(outcome);
            let next = tasks.get(client.outcomes.len());
            client.work = next.map(|task| Work::begin(*task, self.flaw));
        }
        true
    }
}

impl Search<'_> {
    fn visit(&mut self, state: &State) -> Result<(), Violation> {
        if !self.seen.insert(state.clone()) {
            return Ok(());
        }
        rules::always(&state.world).map_err(|what| self.violation(what, &[]))?;
        if self.worlds.insert(state.world.clone()) {
            self.crash(state.world.clone())?;
        }
        let mut done = true;
        for who in 0..state.clients.len() {
            let mut next = state.clone();
            if self.scenario.step(&mut next, who) {
                done = false;
                self.path.push(who);
                self.visit(&next)?;
                self.path.pop();
            }
        }
        if done {
            let outcomes = state.clients.iter().map(|client| client.outcomes.clone());
            self.outcomes.insert(outcomes.collect());
        }
        Ok(())
    }

    /// Everybody who is still at work crashes, and the repair comes.
    fn crash(&self, mut world: World) -> Result<(), Violation> {
        let mut steps = Vec::new();
        for _ in 0..RUNS {
            let mut repair = Repair::default();
            let mut done = world.rests();
            while !done {
                steps.push(repair.clone());
                done = repair.step(&mut world, self.scenario.flaw).is_some();
                rules::always(&world).map_err(|what| self.violation(what, &steps))?;
            }
        }
        rules::at_rest(&world).map_err(|what| self.violation(what, &steps))
    }

    fn violation(&self, what: String, repair: &[Repair]) -> Violation {
        let mut state = self.scenario.begin();
        let mut trace = vec![format!("{:?}", state.world)];
        for who in &self.path {
            let work = state
                .clients
                .get(*who)
                .and_then(|client| client.work.clone());
            trace.push(work.map_or_else(String::new, |work| format!("{who}: {work:?}")));
            self.scenario.step(&mut state, *who);
        }
        trace.push(format!("{:?}", state.world));
        trace.extend(
            repair
                .iter()
                .map(|repair| format!("afterwards: {repair:?}")),
        );
        Violation { what, trace }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        self.trace
            .iter()
            .try_for_each(|step| writeln!(f, "  {step}"))
    }
}

/// As it is shown, so that a test which ends with it prints the trace.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
