//! Scenarios of concurrent requests. `explore` checks the rules in every state, and again after a
//! repair from every state. A test may also state which requests can succeed together.

use model::Change::{Crown, Delete as Remove, Die, Insert, Leave, Move, Rename, Restore, Revive};
use model::Request::{Create, Delete, DeleteBoth, Repair, Write, WriteBoth};
use model::{Outcome, Report, Row, Scenario, Violation, World};

const DONE: Outcome = Outcome::Done;

fn explore(scenario: &Scenario) -> Result<Report, Violation> {
    let report = scenario.explore()?;
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    println!("{name}: {} states", report.states);
    Ok(report)
}

/// Whether all of these clients succeed in at least one run.
fn can_succeed(report: &Report, clients: &[usize]) -> bool {
    let mut runs = report.outcomes.iter();
    let succeeded = |outcomes: &[Vec<Outcome>], client: &usize| {
        let mut outcomes = outcomes.get(*client).into_iter().flatten();
        outcomes.all(|outcome| *outcome == DONE)
    };
    runs.any(|outcomes| clients.iter().all(|client| succeeded(outcomes, client)))
}

#[test]
fn a_new_resident_and_a_deletion_exclude_each_other() -> Result<(), Violation> {
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
fn a_move_excludes_deletions_of_both_places() -> Result<(), Violation> {
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
fn a_deletion_that_reassigns_always_succeeds() -> Result<(), Violation> {
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
fn a_rejected_deletion_rejects_no_write() -> Result<(), Violation> {
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
fn two_writes_of_one_person_keep_the_rules() -> Result<(), Violation> {
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
fn a_deletion_of_the_old_place_of_a_move_keeps_the_rules() -> Result<(), Violation> {
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
fn a_revival_and_a_deletion_of_the_place_keep_the_rules() -> Result<(), Violation> {
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
fn a_repair_during_other_requests_keeps_the_rules() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::new("P"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Delete('P', None))
            .client(Repair),
    )?;
    Ok(())
}

#[test]
fn two_places_cannot_be_reassigned_to_each_other() -> Result<(), Violation> {
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
fn a_deletion_waits_for_a_deletion_of_its_target() -> Result<(), Violation> {
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
fn a_deletion_that_was_taken_over_moves_no_residents() -> Result<(), Violation> {
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
fn two_concurrent_repairs_keep_the_rules() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::new("PT").person(1, Row::living('P')))
            .client(Delete('P', Some('T')))
            .client(Repair)
            .client(Repair),
    )?;
    Ok(())
}

#[test]
fn a_king_who_moves_loses_the_crown() -> Result<(), Violation> {
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
fn a_reassigned_king_loses_the_crown() -> Result<(), Violation> {
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
fn two_inserts_of_one_id_keep_the_rules() -> Result<(), Violation> {
    explore(
        &Scenario::new(World::new("PQ"))
            .client(Write(1, Insert(Row::living('P'))))
            .client(Write(1, Insert(Row::living('Q'))))
            .client(Delete('P', None)),
    )?;
    Ok(())
}

#[test]
fn a_creation_of_the_place_keeps_the_rules() -> Result<(), Violation> {
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

#[test]
fn a_batch_of_writes_is_done_as_a_whole_beside_deletions_of_its_places() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("PQ").person(1, Row::living('P')))
            .client(WriteBoth([(1, Move('Q')), (2, Insert(Row::living('Q')))]))
            .client(Delete('Q', None))
            .client(Write(1, Rename)),
    )?;
    assert!(can_succeed(&report, &[0, 2]) && can_succeed(&report, &[1, 2]));
    assert!(!can_succeed(&report, &[0, 1]));
    Ok(())
}

#[test]
fn a_crown_changes_hands_within_a_batch() -> Result<(), Violation> {
    let world = World::new("P")
        .person(1, Row::king('P'))
        .person(2, Row::living('P'));
    let report = explore(
        &Scenario::new(world)
            .client(WriteBoth([(2, Crown), (1, Restore(Row::living('P')))]))
            .client(Write(3, Insert(Row::king('P')))),
    )?;
    assert!(can_succeed(&report, &[0]));
    assert!(!can_succeed(&report, &[1]));
    Ok(())
}

#[test]
fn a_batch_deletes_both_places_or_none() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("PQ").person(1, Row::dead('P')))
            .client(DeleteBoth(['P', 'Q']))
            .client(Write(2, Insert(Row::living('Q'))))
            .client(Delete('P', None)),
    )?;
    assert!(can_succeed(&report, &[0]) && can_succeed(&report, &[1, 2]));
    assert!(!can_succeed(&report, &[0, 1]) && !can_succeed(&report, &[0, 2]));
    Ok(())
}

#[test]
fn two_batches_that_delete_the_same_places_do_not_block_each_other() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("PQ"))
            .client(DeleteBoth(['P', 'Q']))
            .client(DeleteBoth(['Q', 'P'])),
    )?;
    assert!(can_succeed(&report, &[0]) && can_succeed(&report, &[1]));
    assert!(!can_succeed(&report, &[0, 1]));
    Ok(())
}

#[test]
fn a_restored_person_and_a_deletion_of_their_place_exclude_each_other() -> Result<(), Violation> {
    let report = explore(
        &Scenario::new(World::new("PQ").person(1, Row::dead('Q')))
            .client(Write(1, Restore(Row::living('P'))))
            .client(Delete('P', None)),
    )?;
    assert!(can_succeed(&report, &[0]) && can_succeed(&report, &[1]));
    assert!(!can_succeed(&report, &[0, 1]));
    Ok(())
}
