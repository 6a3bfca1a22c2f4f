//! The search of the model checker: it visits every state that the requests can reach, depth first.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use crate::client::{Outcome, Request, Stop, Task};
use crate::flaw::Flaw;
use crate::repair::Repair;
use crate::rules;
use crate::world::World;

/// A world and its clients, which send one request after the other.
#[derive(Debug, Clone)]
pub struct Scenario {
    start: World,
    scripts: Vec<Vec<Request>>,
    flaw: Option<Flaw>,
}

/// The result of a search without a violation.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The number of states.
    pub states: usize,
    /// The outcomes of each run that has ended, by client and request.
    pub outcomes: BTreeSet<Vec<Vec<Outcome>>>,
}

/// A broken rule, and the steps that led to it.
#[derive(Clone)]
pub struct Violation {
    /// The rule that is broken.
    pub rule: String,
    /// The steps from the start.
    pub trace: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Client {
    /// The current request, or none after the last one.
    task: Option<Task>,
    /// Whether the current request has changed a record.
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
    states: HashSet<State>,
    /// The worlds from which the repair has run.
    repaired: HashSet<World>,
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

    /// Plants an error in the protocol.
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
            states: HashSet::new(),
            repaired: HashSet::new(),
            outcomes: BTreeSet::new(),
            path: Vec::new(),
        };
        search.visit(&self.begin())?;
        Ok(Report {
            states: search.states.len(),
            outcomes: search.outcomes,
        })
    }

    fn begin(&self) -> State {
        let begin = |requests: &Vec<Request>| Client {
            task: requests
                .first()
                .map(|request| Task::begin(*request, self.flaw)),
            has_effect: false,
            outcomes: Vec::new(),
        };
        State {
            world: self.start.clone(),
            clients: self.scripts.iter().map(begin).collect(),
        }
    }

    /// Whether a request is carried out if it is the only one.
    fn succeeds_alone(&self, request: Request) -> bool {
        let mut world = self.start.clone();
        let mut task = Task::begin(request, self.flaw);
        loop {
            if let Err(stop) = task.step(&mut world, self.flaw) {
                return stop == Stop::Ended(Outcome::Done);
            }
        }
    }

    /// Takes one step of one client. Returns whether the client could take one.
    fn step(&self, state: &mut State, client: usize) -> Result<bool, String> {
        let (Some(client), Some(requests)) =
            (state.clients.get_mut(client), self.scripts.get(client))
        else {
            return Ok(false);
        };
        let Some(task) = &mut client.task else {
            return Ok(false);
        };
        let before = state.world.clone();
        let step = task.step(&mut state.world, self.flaw);
        client.has_effect |= !before.has_same_records(&state.world);
        match step {
            Ok(()) => {}
            Err(Stop::Blocked) => return Ok(false),
            Err(Stop::Ended(outcome)) => {
                if outcome == Outcome::Rejected && client.has_effect {
                    return Err("a rejected request has an effect".into());
                }
                client.has_effect = false;
                client.outcomes.push(outcome);
                let next = requests.get(client.outcomes.len());
                client.task = next.map(|request| Task::begin(*request, self.flaw));
            }
        }
        Ok(true)
    }
}

impl Search<'_> {
    fn visit(&mut self, state: &State) -> Result<(), Violation> {
        if !self.states.insert(state.clone()) {
            return Ok(());
        }
        rules::always(&state.world).map_err(|rule| self.violation(rule, &[]))?;
        if self.repaired.insert(state.world.clone()) {
            self.crash(state.world.clone())?;
        }
        let mut can_step = false;
        for client in 0..state.clients.len() {
            let mut next = state.clone();
            self.path.push(client);
            let stepped = self.scenario.step(&mut next, client);
            if stepped.map_err(|rule| self.violation(rule, &[]))? {
                can_step = true;
                self.visit(&next)?;
            }
            self.path.pop();
        }
        if !can_step {
            self.end(state).map_err(|rule| self.violation(rule, &[]))?;
        }
        Ok(())
    }

    /// Checks the outcomes of a run in which no client crashed.
    fn end(&mut self, state: &State) -> Result<(), String> {
        let mut clients = state.clients.iter();
        let is_blocked = clients.any(|client| client.task.is_some());
        if is_blocked && state.world.places.tombstones.is_empty() {
            return Err("a client waits for ever".into());
        }
        // A client that waits for an abandoned deletion gets a 5xx.
        let outcomes = state.clients.iter().map(|client| {
            let blocked = client.task.as_ref().map(|_| Outcome::Unknown);
            client.outcomes.iter().copied().chain(blocked).collect()
        });
        let outcomes: Vec<Vec<Outcome>> = outcomes.collect();
        let first = self.scenario.scripts.iter().map(|script| script.first());
        let requests = first.zip(&outcomes).filter_map(|(first, outcomes)| {
            first
                .filter(|request| !request.is_repair())
                .map(|request| (*request, outcomes))
        });
        let all_rejected = requests
            .clone()
            .all(|(_, outcomes)| outcomes == &[Outcome::Rejected]);
        let mut requests = requests.map(|(request, _)| request);
        if all_rejected && requests.any(|request| self.scenario.succeeds_alone(request)) {
            return Err("of conflicting requests none succeeds".into());
        }
        self.outcomes.insert(outcomes);
        Ok(())
    }

    /// Every client crashes, and the repair runs.
    fn crash(&self, mut world: World) -> Result<(), Violation> {
        let mut steps = Vec::new();
        let mut repair = Repair::new(true);
        while !world.is_at_rest() {
            steps.push(repair.clone());
            let step = repair.step(&mut world, self.scenario.flaw);
            rules::always(&world).map_err(|rule| self.violation(rule, &steps))?;
            if step.is_err() {
                break;
            }
        }
        rules::at_rest(&world).map_err(|rule| self.violation(rule, &steps))
    }

    /// Describes the current path, which leads to the violation.
    fn violation(&self, rule: String, repair: &[Repair]) -> Violation {
        let mut state = self.scenario.begin();
        let mut trace = vec![format!("{:?}", state.world)];
        for client in &self.path {
            let task = state.clients.get(*client);
            let task = task.and_then(|client| client.task.clone());
            trace.push(task.map_or_else(String::new, |task| format!("{client}: {task:?}")));
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
