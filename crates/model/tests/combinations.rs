//! Explores every combination of two or three requests (an ignored test: of four). This covers the
//! cases that `scenarios.rs` does not list.

use model::Change::{Crown, Delete as Remove, Die, Insert, Leave, Move, Rename, Restore, Revive};
use model::Request::{
    Create, Delete, DeleteBoth, DeleteBothUnreachable, DeleteUnreachable, Repair,
    RepairUnreachable, Write, WriteBoth,
};
use model::{Request, Row, Scenario, Violation, World};

const REQUESTS: [Request; 29] = [
    Write(1, Move('Q')),
    Write(1, Move('T')),
    Write(1, Die(None)),
    Write(1, Die(Some('Q'))),
    Write(1, Rename),
    Write(1, Remove),
    Write(2, Revive),
    Write(2, Move('P')),
    Write(2, Leave),
    Write(3, Insert(Row::living('P'))),
    Write(3, Insert(Row::king('P'))),
    Write(3, Insert(Row::dead('Q'))),
    Write(3, Crown),
    Write(4, Insert(Row::living('Q'))),
    Create('T'),
    Delete('P', None),
    Delete('Q', None),
    Delete('P', Some('Q')),
    Delete('Q', Some('P')),
    DeleteUnreachable('P', None),
    DeleteUnreachable('P', Some('Q')),
    Repair,
    RepairUnreachable,
    Write(1, Restore(Row::living('Q'))),
    Write(2, Restore(Row::king('P'))),
    WriteBoth([(1, Move('Q')), (3, Insert(Row::living('P')))]),
    WriteBoth([(1, Die(None)), (2, Restore(Row::king('P')))]),
    DeleteBoth(['P', 'Q']),
    DeleteBothUnreachable(['P', 'Q']),
];

/// Two places, a king in the first, and a dead person in the second.
fn start() -> Scenario {
    let world = World::new("PQ")
        .person(1, Row::king('P'))
        .person(2, Row::dead('Q'));
    Scenario::new(world)
}

/// Explores every combination of `count` requests. Returns the number of states.
fn explore(count: usize, requests: &[Request], scenario: &Scenario) -> Result<usize, Violation> {
    let Some(others) = count.checked_sub(1) else {
        return Ok(scenario.explore()?.states);
    };
    let mut states = 0;
    let mut requests = requests;
    while let [request, rest @ ..] = requests {
        states += explore(others, requests, &scenario.clone().client(*request))?;
        requests = rest;
    }
    Ok(states)
}

#[test]
fn any_two_requests_at_once_keep_the_rules() -> Result<(), Violation> {
    // docs/integrity.md states these numbers.
    assert_eq!(explore(2, &REQUESTS, &start())?, 8_314);
    Ok(())
}

#[test]
fn any_three_requests_at_once_keep_the_rules() -> Result<(), Violation> {
    assert_eq!(explore(3, &REQUESTS, &start())?, 635_190);
    Ok(())
}

#[test]
#[ignore = "takes 7 minutes: run it in release mode after a change of the protocol"]
fn any_four_requests_at_once_keep_the_rules() -> Result<(), Violation> {
    assert_eq!(explore(4, &REQUESTS, &start())?, 58_477_157);
    Ok(())
}
