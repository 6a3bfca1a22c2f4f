//! Checks that the model finds errors. Each planted flaw breaks a rule in a scenario in which the
//! correct protocol breaks none.

use model::Change::{Delete as Remove, Insert, Move, Rename};
use model::Request::{Create, Delete, DeleteBoth, Repair, RepairUnreachable, Write};
use model::{Flaw, Request, Row, Scenario, World};

const INSERT: Request = Write(1, Insert(Row::living('P')));

/// Each flaw with the smallest scenario that shows it.
fn scenarios() -> [(Flaw, Scenario); 20] {
    let empty = |places| Scenario::new(World::new(places));
    let one = |places, row| Scenario::new(World::new(places).person(1, row));
    let insert_and_delete = || empty("P").client(INSERT).client(Delete('P', None));
    [
        (Flaw::NoCheck, empty("").client(INSERT)),
        (Flaw::ChecksBeforePending, insert_and_delete()),
        (Flaw::CommitsWithoutPending, insert_and_delete()),
        (Flaw::CountsBeforeMarking, insert_and_delete()),
        (Flaw::DoesNotRevoke, insert_and_delete()),
        (Flaw::RevokesAfterCounting, insert_and_delete()),
        (
            Flaw::CommitsAnyVersion,
            one("PQ", Row::living('Q'))
                .client(Write(1, Rename))
                .client(Write(1, Move('P')))
                .client(Delete('Q', None)),
        ),
        (
            Flaw::RejectsInsteadOfWaiting,
            one("P", Row::living('P'))
                .client(Write(2, Insert(Row::living('P'))))
                .client(Delete('P', None)),
        ),
        (
            Flaw::VersionsRestart,
            one("PQ", Row::living('Q'))
                .client(Write(1, Rename))
                .script(&[Write(1, Remove), INSERT])
                .client(Delete('Q', None)),
        ),
        (
            Flaw::DeletesWithoutToken,
            empty("P")
                .client(Delete('P', None))
                .client(RepairUnreachable)
                .client(INSERT),
        ),
        (Flaw::TargetNotPinned, reassign_and_delete_target()),
        (Flaw::UnmarksUnansweredMove, reassign_and_delete_target()),
        (Flaw::TargetDeleting, reassign_and_delete_target()),
        (
            Flaw::RejectsAfterMoving,
            one("PT", Row::living('P'))
                .client(Delete('P', Some('T')))
                .client(Write(2, Insert(Row::living('P')))),
        ),
        (
            Flaw::RejectsAfterTakeOver,
            one("P", Row::living('P'))
                .client(Delete('P', None))
                .client(Repair)
                .client(Write(1, Remove)),
        ),
        (
            Flaw::MoveKeepsCrowns,
            Scenario::new(
                World::new("PT")
                    .person(1, Row::king('P'))
                    .person(2, Row::king('T')),
            )
            .client(Delete('P', Some('T'))),
        ),
        (
            Flaw::TombstoneRemovedEarly,
            one("P", Row::dead('P')).client(Delete('P', None)),
        ),
        (
            Flaw::ForgetsTheDead,
            one("P", Row::dead('P')).client(Delete('P', None)),
        ),
        (
            Flaw::PlaceIdsReused,
            empty("PT")
                .client(Delete('P', Some('T')))
                .script(&[Repair, Create('P'), INSERT])
                .client(Delete('T', None)),
        ),
        (
            Flaw::FinishesReservations,
            empty("PT").client(DeleteBoth(['P', 'T'])),
        ),
    ]
}

fn reassign_and_delete_target() -> Scenario {
    Scenario::new(World::new("PT").person(1, Row::living('P')))
        .client(Delete('P', Some('T')))
        .client(Delete('T', None))
}

#[test]
fn every_flaw_breaks_a_rule() {
    for (flaw, scenario) in scenarios() {
        let correct = scenario
            .explore()
            .unwrap_or_else(|violation| panic!("without {flaw:?}: {violation}"));
        let found = scenario.with(flaw).explore();
        let violation = found.expect_err(&format!("{flaw:?} breaks no rule"));
        println!(
            "{flaw:?}: {} ({} states without it)",
            violation.rule, correct.states
        );
    }
}
