//! The protocol under all that may happen at once: every state of each scenario keeps
//! the rules, and so does a repair after a crash in any of them.

use model::Change::{Bury, Crown, Delete as Remove, Insert, Leave, Move, Rename, Repeat, Revive};
use model::Task::{Create, Delete, Repair, Write};
use model::{Outcome, Report, Row, Scenario, Violation, World};

const DONE: Outcome = Outcome::Done;

fn explore(scenario: &Scenario) -> Result<Report, Violation> {
    let report = scenario.explore()?;
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    println!(
        "{name}: {} states, {} worlds repaired",
        report.states, report.repaired
    );
    Ok(report)
}

/// Whether these clients, of all, can be told that it is done in one and the same run.
fn done(report: &Report, clients: &[usize]) -> bool {
    let mut runs = report.outcomes.iter();
    let told_so = |outcomes: &[Vec<Outcome>], client: &usize| {
        outcomes.get(*client).is_some_and(|told| told == &[DONE])
    };
    runs.any(|outcomes| clients.iter().all(|client| told_so(outcomes, client)))
}

#[test]
fn a_place_is_not_deleted_under_who_is_entered() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::of("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('P', None)),
    )?;
    assert!(done(&report, &[0]) && done(&report, &[1]) && !done(&report, &[0, 1]));
    Ok(())
}

#[test]
fn a_move_keeps_both_places() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::of("PQ").person(1, Row::living('P')))
            .client(Write(1, Move('Q')))
            .client(Delete('P', None))
            .client(Delete('Q', None)),
    )?;
    assert!(done(&report, &[0, 1]) && done(&report, &[2]));
    assert!(!done(&report, &[0, 2]) && !done(&report, &[1, 2]));
    Ok(())
}

#[test]
fn a_newcomer_is_moved_along_or_turned_away() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::of("PT"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('P', Some('T')))
            .client(Delete('T', None)),
    )?;
    assert!(done(&report, &[0, 1]) && done(&report, &[1, 2]));
    assert!(!done(&report, &[0, 1, 2]));
    Ok(())
}

#[test]
fn two_writers_of_one_person_overtake_each_other() -> Result<(), Violation> {
    for second in [Move('R'), Bury(None), Bury(Some('R')), Rename, Remove] {
        explore(
            &Scenario::new(World::of("PQR").person(1, Row::living('Q')))
                .client(Write(1, Move('P')))
                .client(Write(1, second))
                .client(Delete('P', None)),
        )?;
    }
    Ok(())
}

#[test]
fn the_place_that_is_left_is_kept_for_the_return() -> Result<(), Violation> {
    for second in [Move('P'), Rename, Bury(None)] {
        explore(
            &Scenario::new(World::of("PQ").person(1, Row::living('Q')))
                .client(Write(1, Move('P')))
                .client(Write(1, second))
                .client(Delete('Q', None)),
        )?;
    }
    Ok(())
}

#[test]
fn the_dead_rise_in_places_that_stay() -> Result<(), Violation> {
    for second in [Rename, Leave, Move('Q'), Remove] {
        explore(
            &Scenario::new(World::of("PQ").person(1, Row::dead('P')))
                .client(Write(1, Revive))
                .client(Write(1, second))
                .client(Delete('P', None)),
        )?;
    }
    Ok(())
}

#[test]
fn who_is_deleted_meanwhile_stays_deleted() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::of("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Write(1, Remove))
            .client(Delete('P', None)),
    )?;
    Ok(())
}

#[test]
fn a_repeated_request_gets_an_answer_that_holds() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::of("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Write(1, Repeat))
            .client(Delete('P', None)),
    )?;
    assert!(done(&report, &[0, 1]) && !done(&report, &[1, 2]));
    Ok(())
}

#[test]
fn the_repair_may_come_while_everybody_works() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::of("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('P', None))
            .client(Repair),
    )?;
    Ok(())
}

#[test]
fn two_places_cannot_take_in_each_other() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(
            World::of("PT")
                .person(1, Row::living('P'))
                .person(2, Row::living('T')),
        )
        .client(Delete('P', Some('T')))
        .client(Delete('T', Some('P')))
        .client(Write(3, Insert(Row::living('P')))),
    )?;
    assert!(done(&report, &[0, 2]) && done(&report, &[1, 2]));
    assert!(!done(&report, &[0, 1]));
    Ok(())
}

#[test]
fn the_burial_of_the_dead_is_not_taken_back() -> Result<(), Violation> {
    for second in [Rename, Remove, Revive] {
        explore(
            &Scenario::new(World::of("PQ").person(1, Row::living('Q')))
                .client(Write(1, Bury(Some('P'))))
                .client(Write(1, second))
                .client(Delete('P', None)),
        )?;
    }
    Ok(())
}

#[test]
fn a_deleter_that_lost_its_deletion_moves_nobody() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::of("PT"))
            .client(Delete('P', Some('T')))
            .client(Repair)
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('T', None)),
    )?;
    assert!(done(&report, &[0, 3]) && done(&report, &[0, 2]));
    Ok(())
}

#[test]
fn two_repairs_may_meet() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::of("PT").person(1, Row::living('P')))
            .client(Delete('P', Some('T')))
            .client(Repair)
            .client(Repair),
    )?;
    Ok(())
}

#[test]
fn a_king_comes_back_to_a_throne_that_may_be_taken() -> Result<(), Violation> {
    explore(
        &Scenario::new(
            World::of("PQ")
                .person(1, Row::king('P'))
                .person(2, Row::living('P')),
        )
        .client(Write(1, Move('Q')))
        .client(Write(2, Crown))
        .client(Delete('Q', None)),
    )?;
    Ok(())
}

#[test]
fn a_king_without_a_place_is_no_king() -> Result<(), Violation> {
    explore(
        &Scenario::new(
            World::of("PT")
                .person(1, Row::king('P'))
                .person(2, Row::king('T')),
        )
        .client(Delete('P', Some('T')))
        .client(Write(1, Rename)),
    )?;
    Ok(())
}

#[test]
fn an_id_is_entered_twice() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::of("PQ"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Write(1, Insert(Row::living('Q'))))
            .client(Delete('P', None)),
    )?;
    Ok(())
}

#[test]
fn a_place_may_be_created_at_any_moment() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::of(""))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Create('P'))
            .client(Repair),
    )?;
    explore(
        &Scenario::new(World::of("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .script(&[Delete('P', None), Create('P')])
            .client(Repair),
    )?;
    Ok(())
}
