//! The ways to get the protocol wrong.

/// One step that is left out, or taken too early, or without its guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The writer looks at the place after the write alone, not before it too.
    NoFirstLook,
    /// The writer believes the look that it took before its write.
    NoSecondLook,
    /// The writer writes upon an unsettled write, without helping it to settle first.
    BuildsOnDoubt,
    /// A stored answer is given once more, though its write is in doubt.
    RepeatsInDoubt,
    /// A write is settled without asking whether it is still the last one.
    SettlesAnyVersion,
    /// A write is undone by its version alone, though somebody settled it.
    UndoesTheSettled,
    /// A writer whose undo comes too late says that its write holds, without asking
    /// whether somebody else has undone it.
    UndoneTakenForOvertaken,
    /// An undo gives the crown back without asking who wears it now.
    UndoCrownsBlindly,
    /// An id that is used again starts at version 1.
    VersionsRestart,
    /// Others undo a write whose place is marked, where they should wait.
    OthersUndoOnGoing,
    /// The deleter counts the people, then marks the place.
    CountsBeforeMarking,
    /// The count forgets those whom an undo may bring back.
    ReturnsUncounted,
    /// The count takes the living alone, not the dead whose write is in doubt.
    DeadInDoubtUncounted,
    /// The deletion is committed without asking whose it is by now.
    CommitWithoutToken,
    /// A place to which people are being moved may be deleted meanwhile.
    TargetNotPinned,
    /// People may be moved to a place that is marked itself.
    TargetGoing,
    /// People are moved without asking whose deletion it is by now.
    MoveWithoutFence,
    /// A mark is lifted though a move is unanswered, and may land yet.
    LiftsUnansweredMove,
    /// People who are moved keep their crowns.
    MoveKeepsCrowns,
    /// A tombstone goes though somebody still refers to the place.
    TombstoneGoesEarly,
    /// The id of a deleted place may be used again.
    PlaceIdsComeBack,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::NoFirstLook,
        Self::NoSecondLook,
        Self::BuildsOnDoubt,
        Self::RepeatsInDoubt,
        Self::SettlesAnyVersion,
        Self::UndoesTheSettled,
        Self::UndoneTakenForOvertaken,
        Self::UndoCrownsBlindly,
        Self::VersionsRestart,
        Self::OthersUndoOnGoing,
        Self::CountsBeforeMarking,
        Self::ReturnsUncounted,
        Self::DeadInDoubtUncounted,
        Self::CommitWithoutToken,
        Self::TargetNotPinned,
        Self::TargetGoing,
        Self::MoveWithoutFence,
        Self::LiftsUnansweredMove,
        Self::MoveKeepsCrowns,
        Self::TombstoneGoesEarly,
        Self::PlaceIdsComeBack,
    ];

    /// Whether this is the flaw that the run has.
    #[must_use]
    pub fn is_in(self, flaw: Option<Self>) -> bool {
        flaw == Some(self)
    }
}
