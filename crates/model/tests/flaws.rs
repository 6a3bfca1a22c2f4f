//! The model can see: each way to get the protocol wrong breaks a rule in a scenario that
//! the right protocol passes.

use model::Change::{Bury, Crown, Insert, Move, Rename, Repeat, Revive};
use model::Task::{Create, Delete, Repair, Write};
use model::{Flaw, Row, Scenario, Task, World};

const ENTER: Task = Write(1, Insert(Row::living('P')));

/// The least that brings the flaw to light.
fn scenario_of(flaw: Flaw) -> Scenario {
    let start = |places| Scenario::new(World::of(places));
    let with = |places, row| Scenario::new(World::of(places).person(1, row));
    let two = |places, one, two| Scenario::new(World::of(places).person(1, one).person(2, two));
    match flaw {
        Flaw::NoFirstLook => start("").client(ENTER).client(Create('P')).client(Repair),
        Flaw::NoSecondLook | Flaw::CountsBeforeMarking => {
            start("P").client(ENTER).client(Delete('P', None))
        }
        Flaw::UndoneTakenForOvertaken | Flaw::OthersUndoOnGoing | Flaw::CommitWithoutToken => {
            start("P")
                .client(ENTER)
                .client(Delete('P', None))
                .client(Repair)
        }
        Flaw::BuildsOnDoubt => start("P")
            .client(ENTER)
            .client(Write(1, Rename))
            .client(Delete('P', None)),
        Flaw::RepeatsInDoubt => start("P")
            .client(ENTER)
            .client(Write(1, Repeat))
            .client(Delete('P', None)),
        Flaw::SettlesAnyVersion => start("PQ")
            .client(ENTER)
            .client(Write(1, Move('Q')))
            .client(Delete('Q', None)),
        Flaw::UndoesTheSettled => with("PQ", Row::living('P'))
            .client(Write(1, Move('Q')))
            .client(Delete('Q', None))
            .client(Repair),
        Flaw::UndoCrownsBlindly => two("PQ", Row::king('P'), Row::living('P'))
            .client(Write(1, Move('Q')))
            .client(Write(2, Crown))
            .client(Delete('Q', None)),
        Flaw::VersionsRestart => start("PQ")
            .client(ENTER)
            .client(Write(1, Insert(Row::living('Q'))))
            .client(Delete('P', None)),
        Flaw::ReturnsUncounted => with("PQ", Row::living('P'))
            .client(Write(1, Move('Q')))
            .client(Delete('Q', None))
            .client(Delete('P', None)),
        Flaw::DeadInDoubtUncounted => with("PQ", Row::living('Q'))
            .client(Write(1, Bury(Some('P'))))
            .client(Delete('P', None))
            .client(Write(1, Rename)),
        Flaw::TargetNotPinned | Flaw::LiftsUnansweredMove => with("PT", Row::living('P'))
            .client(Delete('P', Some('T')))
            .client(Delete('T', None)),
        Flaw::TargetGoing => with("PT", Row::living('P'))
            .client(Delete('T', None))
            .client(Delete('P', Some('T'))),
        Flaw::MoveWithoutFence => start("PT")
            .client(Delete('P', Some('T')))
            .client(Repair)
            .client(ENTER)
            .client(Delete('T', None)),
        Flaw::MoveKeepsCrowns => {
            two("PT", Row::king('P'), Row::king('T')).client(Delete('P', Some('T')))
        }
        Flaw::TombstoneGoesEarly => with("P", Row::dead('P'))
            .client(Write(1, Revive))
            .client(Delete('P', None)),
        Flaw::PlaceIdsComeBack => start("P")
            .client(ENTER)
            .script(&[Delete('P', None), Create('P')])
            .client(Repair),
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
