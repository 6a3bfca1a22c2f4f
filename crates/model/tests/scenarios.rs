//! The protocol under everything that may happen at once: every state of each scenario keeps
//! the rules, and so does the repair after a crash in any of them.

use model::Change::{Crown, Delete as Remove, Die, Insert, Leave, Move, Rename, Revive};
use model::Request::{Create, Delete, Repair, Write};
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

/// Whether all of these clients can succeed in one and the same run.
fn can_succeed(report: &Report, clients: &[usize]) -> bool {
    let mut runs = report.outcomes.iter();
    let succeeded = |outcomes: &[Vec<Outcome>], client: &usize| {
        let of_client = outcomes.get(*client);
        of_client.is_some_and(|outcomes| outcomes.iter().all(|outcome| *outcome == DONE))
    };
    runs.any(|outcomes| clients.iter().all(|client| succeeded(outcomes, client)))
}

#[test]
fn a_place_is_not_deleted_under_a_new_resident() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('P', None)),
    )?;
    assert!(can_succeed(&report, &[0]) && can_succeed(&report, &[1]));
    assert!(!can_succeed(&report, &[0, 1]));
    Ok(())
}

#[test]
fn a_move_holds_both_places() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("PQ").person(1, Row::living('P')))
            .client(Write(1, Move('Q')))
            .client(Delete('P', None))
            .client(Delete('Q', None)),
    )?;
    assert!(can_succeed(&report, &[0, 1]) && can_succeed(&report, &[2]));
    assert!(!can_succeed(&report, &[0, 2]) && !can_succeed(&report, &[1, 2]));
    Ok(())
}

#[test]
fn a_reassigning_deletion_always_completes() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(
            World::new("PT")
                .person(1, Row::living('P'))
                .person(2, Row::living('T')),
        )
        .client(Delete('P', Some('T')))
        .client(Write(2, Move('P')))
        .client(Write(3, Insert(Row::living('P')))),
    )?;
    let mut runs = report.outcomes.iter();
    assert!(runs.all(|outcomes| outcomes.first() == Some(&vec![DONE])));
    assert!(can_succeed(&report, &[0, 1, 2]));
    Ok(())
}

#[test]
fn a_new_resident_is_reassigned_or_rejected() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("PT"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('P', Some('T')))
            .client(Delete('T', None)),
    )?;
    assert!(can_succeed(&report, &[0, 1]) && can_succeed(&report, &[1, 2]));
    assert!(!can_succeed(&report, &[0, 1, 2]));
    Ok(())
}

#[test]
fn a_deletion_that_residents_prevent_rejects_no_writer() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("P").person(1, Row::living('P')))
            .client(Delete('P', None))
            .client(Write(2, Insert(Row::living('P')))),
    )?;
    let mut runs = report.outcomes.iter();
    let expected = [vec![Outcome::Rejected], vec![DONE]];
    assert!(runs.all(|outcomes| outcomes == &expected), "{report:?}");
    Ok(())
}

#[test]
fn two_writers_of_one_person_overtake_each_other() -> Result<(), Violation> {
    for second in [Move('R'), Die(None), Die(Some('R')), Rename, Remove] {
        explore(
            &Scenario::new(World::new("PQR").person(1, Row::living('Q')))
                .client(Write(1, Move('P')))
                .client(Write(1, second))
                .client(Delete('P', None)),
        )?;
    }
    Ok(())
}

#[test]
fn the_old_place_of_a_move_may_be_deleted() -> Result<(), Violation> {
    for second in [Move('P'), Rename, Die(None)] {
        explore(
            &Scenario::new(World::new("PQ").person(1, Row::living('Q')))
                .client(Write(1, Move('P')))
                .client(Write(1, second))
                .client(Delete('Q', None)),
        )?;
    }
    Ok(())
}

#[test]
fn the_dead_are_revived_only_in_places_that_stay() -> Result<(), Violation> {
    for second in [Rename, Leave, Move('Q'), Remove] {
        explore(
            &Scenario::new(World::new("PQ").person(1, Row::dead('P')))
                .client(Write(1, Revive))
                .client(Write(1, second))
                .client(Delete('P', None)),
        )?;
    }
    Ok(())
}

#[test]
fn a_deleted_person_stays_deleted() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::new("P"))
            .script(&[Write(1, Insert(Row::living('P'))), Write(1, Remove)])
            .client(Write(1, Rename))
            .client(Delete('P', None)),
    )?;
    Ok(())
}

#[test]
fn the_repair_may_run_while_everybody_works() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::new("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('P', None))
            .client(Repair),
    )?;
    Ok(())
}

#[test]
fn two_places_cannot_receive_each_other() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(
            World::new("PT")
                .person(1, Row::living('P'))
                .person(2, Row::living('T')),
        )
        .client(Delete('P', Some('T')))
        .client(Delete('T', Some('P')))
        .client(Write(3, Insert(Row::living('P')))),
    )?;
    assert!(can_succeed(&report, &[0, 2]) && can_succeed(&report, &[1, 2]));
    assert!(!can_succeed(&report, &[0, 1]));
    Ok(())
}

#[test]
fn a_deletion_waits_for_the_deletion_of_its_target() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(
            World::new("PT")
                .person(1, Row::living('P'))
                .person(2, Row::living('T')),
        )
        .client(Delete('P', Some('T')))
        .client(Delete('T', None)),
    )?;
    let mut runs = report.outcomes.iter();
    assert!(runs.all(|outcomes| outcomes.first() == Some(&vec![DONE])));
    Ok(())
}

#[test]
fn a_deleter_that_lost_its_deletion_moves_nobody() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("PT"))
            .client(Delete('P', Some('T')))
            .client(Repair)
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('T', None)),
    )?;
    assert!(can_succeed(&report, &[0, 3]) && can_succeed(&report, &[0, 2]));
    Ok(())
}

#[test]
fn two_repairs_may_meet() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::new("PT").person(1, Row::living('P')))
            .client(Delete('P', Some('T')))
            .client(Repair)
            .client(Repair),
    )?;
    Ok(())
}

#[test]
fn a_king_who_moves_leaves_the_crown_behind() -> Result<(), Violation> {
    explore(
        &Scenario::new(
            World::new("PQ")
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
fn a_reassigned_king_is_no_king() -> Result<(), Violation> {
    explore(
        &Scenario::new(
            World::new("PT")
                .person(1, Row::king('P'))
                .person(2, Row::king('T')),
        )
        .client(Delete('P', Some('T')))
        .client(Write(1, Rename)),
    )?;
    Ok(())
}

#[test]
fn one_id_is_inserted_twice() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::new("PQ"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Write(1, Insert(Row::living('Q'))))
            .client(Delete('P', None)),
    )?;
    Ok(())
}

#[test]
fn a_place_may_be_created_at_any_moment() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::new(""))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Create('P'))
            .client(Repair),
    )?;
    explore(
        &Scenario::new(World::new("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .script(&[Delete('P', None), Create('P')])
            .client(Repair),
    )?;
    Ok(())
}
