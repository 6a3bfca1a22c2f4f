//! A handover under all that may happen at once: every state keeps the rules, every reader reads
//! what was true, and a repair after a crash in any state brings the databases to rest.

use model::handover::Task::{Delete, DeletePlace, List, Post, Put, Read, Rename, Repair};
use model::handover::{Flaw, Report, Scenario, Task, Violation};

/// Whatever clients may do.
const MENU: [Task; 11] = [
    Put(0),
    Put(1),
    Post(0),
    Post(1),
    Rename,
    Delete,
    DeletePlace,
    Read,
    List(0),
    List(1),
    Repair,
];

fn scenario(person: Option<usize>, clients: &[Task]) -> Scenario {
    let scenario = Scenario::new(person);
    clients
        .iter()
        .fold(scenario, |scenario, task| scenario.client(*task))
}

fn explore(person: Option<usize>, clients: &[Task]) -> Result<Report, Violation> {
    scenario(person, clients).explore()
}

/// Tries every choice of so many clients, wherever the person is; how many states there are.
fn any(count: usize) -> Result<usize, Violation> {
    fn choose(menu: &[Task], count: usize, chosen: &mut Vec<Task>) -> Result<usize, Violation> {
        if count == 0 {
            let starts = [None, Some(0), Some(1)].into_iter();
            return starts.map(|start| Ok(explore(start, chosen)?.states)).sum();
        }
        let mut states = 0;
        let mut menu = menu;
        while let [task, rest @ ..] = menu {
            chosen.push(*task);
            states += choose(menu, count - 1, chosen)?;
            chosen.pop();
            menu = rest;
        }
        Ok(states)
    }
    choose(&MENU, count, &mut Vec::new())
}

#[test]
fn any_two_at_once() -> Result<(), Violation> {
    println!("any two at once: {} states", any(2)?);
    Ok(())
}

#[test]
fn any_three_at_once() -> Result<(), Violation> {
    println!("any three at once: {} states", any(3)?);
    Ok(())
}

#[test]
fn who_moves_ends_where_they_went() -> Result<(), Violation> {
    assert_eq!(explore(Some(0), &[Put(1)])?.ends, [0, 1, 0]);
    // Either of two who move the same person may be the last.
    let [first, second, neither] = explore(Some(0), &[Put(1), Put(1), Put(0)])?.ends;
    assert!(first > 0 && second > 0 && neither == 0);
    Ok(())
}

#[test]
fn of_two_who_add_the_same_one_adds() -> Result<(), Violation> {
    let [first, second, _] = explore(None, &[Put(0), Put(1)])?.ends;
    assert!(first > 0 && second > 0);
    Ok(())
}

/// The least that brings the flaw to light.
fn scenario_of(flaw: Flaw) -> Scenario {
    match flaw {
        Flaw::NoLook | Flaw::ArrivalsUncounted => scenario(Some(0), &[Put(1), DeletePlace]),
        Flaw::LeavesInAnyVersion => scenario(Some(0), &[Put(1), Rename]),
        Flaw::DecidesBehindLeaving | Flaw::ForgetsEarly => scenario(Some(0), &[Put(1)]),
        Flaw::GivesUpUndecided => scenario(Some(0), &[Put(1), Repair]),
        Flaw::LooksBeforeSaying => scenario(Some(0), &[Delete, Put(0), Put(1)]),
        Flaw::ChoosesAnyId | Flaw::AsksIdsLate => scenario(None, &[Put(0), Post(1)]),
        Flaw::BelievesItsEyes => scenario(Some(0), &[Put(1), Read]),
        Flaw::CountsNobody => scenario(Some(0), &[Put(1), List(1)]),
        Flaw::ForgetsWhoWas => scenario(Some(1), &[Delete, Put(0), List(1)]),
    }
}

#[test]
fn every_flaw_breaks_a_rule() {
    for flaw in Flaw::ALL {
        let scenario = scenario_of(flaw);
        let sound = scenario
            .explore()
            .unwrap_or_else(|violation| panic!("without {flaw:?}: {violation}"));
        let found = scenario.with(flaw).explore();
        let violation = found.expect_err(&format!("{flaw:?} is not seen"));
        println!(
            "{flaw:?}: {} ({} states without it)",
            violation.what, sound.states
        );
    }
}
