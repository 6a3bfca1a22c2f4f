//! Whatever two or three of these do at once: the scenarios that nobody thought of.

use model::Change::{Bury, Crown, Delete as Remove, Insert, Leave, Move, Rename, Repeat, Revive};
use model::Task::{Create, Delete, Repair, Write};
use model::{Row, Scenario, Task, Violation, World};

const MENU: [Task; 20] = [
    Write(1, Move('Q')),
    Write(1, Move('T')),
    Write(1, Bury(None)),
    Write(1, Bury(Some('Q'))),
    Write(1, Rename),
    Write(1, Remove),
    Write(2, Revive),
    Write(2, Move('P')),
    Write(2, Leave),
    Write(3, Insert(Row::living('P'))),
    Write(3, Insert(Row::king('P'))),
    Write(3, Insert(Row::dead('Q'))),
    Write(3, Crown),
    Write(3, Repeat),
    Create('T'),
    Delete('P', None),
    Delete('Q', None),
    Delete('P', Some('Q')),
    Delete('Q', Some('P')),
    Repair,
];

/// Two places, the king of one, and a dead person in the other.
fn start() -> Scenario {
    let world = World::of("PQ")
        .person(1, Row::king('P'))
        .person(2, Row::dead('Q'));
    Scenario::new(world)
}

/// Tries every choice of so many tasks from the menu; how many states there are.
fn any(count: usize, menu: &[Task], scenario: &Scenario) -> Result<usize, Violation> {
    let Some(left) = count.checked_sub(1) else {
        return Ok(scenario.explore()?.states);
    };
    let mut states = 0;
    let mut menu = menu;
    while let [task, rest @ ..] = menu {
        states += any(left, menu, &scenario.clone().client(*task))?;
        menu = rest;
    }
    Ok(states)
}

#[test]
fn any_two_at_once() -> Result<(), Violation> {
    println!("any two at once: {} states", any(2, &MENU, &start())?);
    Ok(())
}

#[test]
fn any_three_at_once() -> Result<(), Violation> {
    println!("any three at once: {} states", any(3, &MENU, &start())?);
    Ok(())
}

#[test]
#[ignore = "twenty million states: run it optimised, after a change of the protocol"]
fn any_four_at_once() -> Result<(), Violation> {
    println!("any four at once: {} states", any(4, &MENU, &start())?);
    Ok(())
}
