//! A batch of writes, as in `crates/edge/src/import/operations.rs`. It reads the people, records a
//! pending write for all new references, checks all places, and commits everything in one
//! transaction or nothing.

use domain::place_status::{self, PlaceStatus};

use crate::client::{Outcome, Stop};
use crate::flaw::Flaw;
use crate::people::Commit;
use crate::world::{Person, Token, World};
use crate::write::{Change, MAX_ATTEMPTS, Plan, new_reference};

/// The changes of a batch.
pub type Changes = [(Person, Change); 2];

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Read,
    Begin([Plan; 2]),
    Check([Plan; 2]),
    Commit([Plan; 2]),
    /// Removes what a failed commit has left, and begins again.
    Retry([Option<Token>; 2]),
    RollBack([Option<Token>; 2]),
}

/// A batch of writes and its next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct WriteBatch {
    changes: Changes,
    attempts: u8,
    next: Step,
}

impl WriteBatch {
    pub(crate) fn new(changes: Changes) -> Self {
        Self {
            changes,
            attempts: 0,
            next: Step::Read,
        }
    }

    pub(crate) fn step(&mut self, world: &mut World, flaw: Option<Flaw>) -> Result<(), Stop> {
        self.next = match self.next {
            Step::Read => self.read(world)?,
            Step::Begin(plans) => Step::Check(plans.map(|mut plan| {
                plan.pending = plan.reference.map(|place| world.people.add_pending(place));
                plan
            })),
            Step::Check(plans) => check(world, plans)?,
            Step::Commit(plans) => self.commit(world, plans, flaw)?,
            Step::Retry(tokens) => {
                remove(world, tokens);
                Step::Read
            }
            Step::RollBack(tokens) => {
                remove(world, tokens);
                return Err(Stop::Ended(Outcome::Rejected));
            }
        };
        Ok(())
    }

    fn read(&mut self, world: &World) -> Result<Step, Stop> {
        self.attempts += 1;
        if self.attempts > MAX_ATTEMPTS {
            return Err(Stop::Ended(Outcome::Rejected));
        }
        let plan = |(person, change): (Person, Change)| {
            let slot = world.people.read(person);
            let next = change.apply(slot.row).map_err(Stop::Ended)?;
            Ok(Plan {
                version: slot.version,
                next,
                reference: new_reference(slot.row, next),
                pending: None,
            })
        };
        let [first, second] = self.changes;
        let plans = [plan(first)?, plan(second)?];
        let has_reference = plans.iter().any(|plan| plan.reference.is_some());
        Ok(if has_reference {
            Step::Begin(plans)
        } else {
            Step::Commit(plans)
        })
    }

    fn commit(
        &self,
        world: &mut World,
        plans: [Plan; 2],
        flaw: Option<Flaw>,
    ) -> Result<Step, Stop> {
        let tokens = plans.map(|plan| plan.pending);
        let people = &mut world.people;
        let writes: Vec<_> = self
            .changes
            .iter()
            .zip(plans)
            .map(|((person, _), plan)| (*person, plan.version, plan.next, plan.pending))
            .collect();
        match people.commit_all(&writes, flaw) {
            Commit::Written(_) => {
                for (person, version, next, _) in writes {
                    people.acknowledge(person, version + 1, next.is_none());
                }
                Err(Stop::Ended(Outcome::Done))
            }
            Commit::Overtaken | Commit::Revoked => Ok(Step::Retry(tokens)),
            Commit::SecondKing => Ok(Step::RollBack(tokens)),
        }
    }
}

/// Reads the status of all places at once.
fn check(world: &World, plans: [Plan; 2]) -> Result<Step, Stop> {
    let steps = plans.map(|plan| {
        let status = plan.reference.map(|place| world.places.status(place));
        status.unwrap_or(PlaceStatus::Active).next_step()
    });
    if steps.contains(&place_status::Step::Wait) {
        return Err(Stop::Blocked);
    }
    Ok(if steps.contains(&place_status::Step::RollBack) {
        Step::RollBack(plans.map(|plan| plan.pending))
    } else {
        Step::Commit(plans)
    })
}

fn remove(world: &mut World, tokens: [Option<Token>; 2]) {
    for token in tokens.into_iter().flatten() {
        world.people.remove_pending(token);
    }
}
