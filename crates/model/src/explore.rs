//! The search: depth first through every state that the clients can bring the world to.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use crate::client::{Outcome, Progress, Request, Work};
use crate::flaw::Flaw;
use crate::repair::Repair;
use crate::rules;
use crate::world::World;

/// A world, and clients that each send requests one after the other.
#[derive(Debug, Clone)]
pub struct Scenario {
    start: World,
    scripts: Vec<Vec<Request>>,
    flaw: Option<Flaw>,
}

/// What the search has seen.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The number of states.
    pub states: usize,
    /// The number of worlds that a crash of everybody left and the repair brought to rest.
    pub repaired: usize,
    /// Every combination of outcomes, by client and request.
    pub outcomes: BTreeSet<Vec<Vec<Outcome>>>,
}

/// A broken rule, and the steps that led to it.
#[derive(Clone)]
pub struct Violation {
    /// The rule.
    pub rule: String,
    /// The steps from the start.
    pub trace: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Client {
    /// The current request; none when all are done.
    work: Option<Work>,
    /// Whether the current request has changed what a reader sees.
    has_effect: bool,
    outcomes: Vec<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    world: World,
    clients: Vec<Client>,
}

struct Search<'a> {
    scenario: &'a Scenario,
    /// Whether each client's only request is carried out if nobody else sends one.
    succeeds_alone: Vec<bool>,
    seen: HashSet<State>,
    worlds: HashSet<World>,
    outcomes: BTreeSet<Vec<Vec<Outcome>>>,
    /// The clients that took the steps to the current state.
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

    /// Adds a client that sends one request.
    #[must_use]
    pub fn client(self, request: Request) -> Self {
        self.script(&[request])
    }

    /// Adds a client that sends these requests one after the other.
    #[must_use]
    pub fn script(mut self, requests: &[Request]) -> Self {
        self.scripts.push(requests.to_vec());
        self
    }

    /// Breaks the protocol in this way.
    #[must_use]
    pub fn with(mut self, flaw: Flaw) -> Self {
        self.flaw = Some(flaw);
        self
    }

    /// Tries every interleaving.
    ///
    /// # Errors
    /// The first violation.
    pub fn explore(&self) -> Result<Report, Violation> {
        let mut search = Search {
            scenario: self,
            succeeds_alone: (0..self.scripts.len())
                .map(|client| self.succeeds_alone(client))
                .collect(),
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
        let begin = |requests: &Vec<Request>| Client {
            work: requests
                .first()
                .map(|request| Work::begin(*request, self.flaw)),
            has_effect: false,
            outcomes: Vec::new(),
        };
        State {
            world: self.start.clone(),
            clients: self.scripts.iter().map(begin).collect(),
        }
    }

    /// Whether a client's first request is carried out if nobody else sends one. A run of the
    /// repair is no request of a client.
    fn succeeds_alone(&self, client: usize) -> bool {
        let Some(request) = self.scripts.get(client).and_then(|script| script.first()) else {
            return false;
        };
        if request.is_repair() {
            return false;
        }
        let mut world = self.start.clone();
        let mut work = Work::begin(*request, self.flaw);
        loop {
            match work.step(&mut world, self.flaw) {
                Progress::Stepped => {}
                Progress::Blocked => return false,
                Progress::Ended(outcome) => return outcome == Outcome::Done,
            }
        }
    }

    /// One step of one client. Whether it could take one.
    fn step(&self, state: &mut State, client: usize) -> Result<bool, String> {
        let (Some(client), Some(requests)) =
            (state.clients.get_mut(client), self.scripts.get(client))
        else {
            return Ok(false);
        };
        let Some(work) = &mut client.work else {
            return Ok(false);
        };
        let before = state.world.clone();
        let progress = work.step(&mut state.world, self.flaw);
        client.has_effect |= !before.shows_the_same(&state.world);
        match progress {
            Progress::Blocked => return Ok(false),
            Progress::Stepped => {}
            Progress::Ended(outcome) => {
                if outcome == Outcome::Rejected && client.has_effect {
                    return Err("a rejected request has an effect".into());
                }
                client.has_effect = false;
                client.outcomes.push(outcome);
                let next = requests.get(client.outcomes.len());
                client.work = next.map(|request| Work::begin(*request, self.flaw));
            }
        }
        Ok(true)
    }
}

impl Search<'_> {
    fn visit(&mut self, state: &State) -> Result<(), Violation> {
        if !self.seen.insert(state.clone()) {
            return Ok(());
        }
        rules::always(&state.world).map_err(|rule| self.violation(rule, &[]))?;
        if self.worlds.insert(state.world.clone()) {
            self.crash(state.world.clone())?;
        }
        let mut can_step = false;
        for client in 0..state.clients.len() {
            let mut next = state.clone();
            self.path.push(client);
            match self.scenario.step(&mut next, client) {
                Err(rule) => return Err(self.violation(rule, &[])),
                Ok(false) => {}
                Ok(true) => {
                    can_step = true;
                    self.visit(&next)?;
                }
            }
            self.path.pop();
        }
        if !can_step {
            self.end(state).map_err(|rule| self.violation(rule, &[]))?;
        }
        Ok(())
    }

    /// Nobody crashed, and nobody can take another step.
    fn end(&mut self, state: &State) -> Result<(), String> {
        let waits = state.clients.iter().any(|client| client.work.is_some());
        if waits && state.world.places.tombstones().is_empty() {
            return Err("a client waits for ever".into());
        }
        // A client that waits for a deletion which its deleter gave up gets a 5xx.
        let outcomes = state.clients.iter().map(|client| {
            let waits = client.work.as_ref().map(|_| Outcome::Unknown);
            client.outcomes.iter().copied().chain(waits).collect()
        });
        let outcomes: Vec<Vec<Outcome>> = outcomes.collect();
        let rejected = outcomes.iter().zip(&self.scenario.scripts);
        let all_rejected = rejected
            .filter(|(_, script)| !script.first().is_some_and(|request| request.is_repair()))
            .all(|(outcomes, _)| outcomes == &[Outcome::Rejected]);
        if all_rejected && self.succeeds_alone.contains(&true) {
            return Err("of conflicting requests none succeeds".into());
        }
        self.outcomes.insert(outcomes);
        Ok(())
    }

    /// Everybody still at work crashes, and the repair runs.
    fn crash(&self, mut world: World) -> Result<(), Violation> {
        let mut steps = Vec::new();
        let mut repair = Repair::new();
        while !world.is_at_rest() {
            steps.push(repair.clone());
            let progress = repair.step(&mut world, self.scenario.flaw);
            rules::always(&world).map_err(|rule| self.violation(rule, &steps))?;
            if progress != Progress::Stepped {
                break;
            }
        }
        rules::at_rest(&world).map_err(|rule| self.violation(rule, &steps))
    }

    fn violation(&self, rule: String, repair: &[Repair]) -> Violation {
        let mut state = self.scenario.begin();
        let mut trace = vec![format!("{:?}", state.world)];
        for client in &self.path {
            let work = state.clients.get(*client);
            let work = work.and_then(|client| client.work.clone());
            trace.push(work.map_or_else(String::new, |work| format!("{client}: {work:?}")));
            if self.scenario.step(&mut state, *client).is_err() {
                break;
            }
        }
        trace.push(format!("{:?}", state.world));
        trace.extend(repair.iter().map(|repair| format!("repair: {repair:?}")));
        Violation { rule, trace }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.rule)?;
        self.trace
            .iter()
            .try_for_each(|step| writeln!(f, "  {step}"))
    }
}

/// The same as `Display`, so that a failing test prints the trace.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
