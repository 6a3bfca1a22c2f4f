//! Ways to get the protocol wrong.

/// A step that is missing, in the wrong order, or without its guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The writer does not check the place after it recorded its pending write.
    NoCheck,
    /// The writer checks the place first and records its pending write afterwards.
    ChecksBeforePending,
    /// The writer commits although its pending write was revoked.
    CommitsWithoutPending,
    /// The writer commits without comparing the version.
    CommitsAnyVersion,
    /// The writer rejects its request as soon as the place is being deleted, without waiting
    /// for the end of the deletion.
    RejectsInsteadOfWaiting,
    /// An id that is used again starts at version 1.
    VersionsRestart,
    /// The deleter counts the people and then marks the place.
    CountsBeforeMarking,
    /// The deleter counts the residents without revoking pending writes.
    DoesNotRevoke,
    /// The deleter revokes pending writes in a second batch, after the count.
    RevokesAfterCounting,
    /// The deleter deletes the place without asking whether it still owns the deletion.
    DeletesWithoutToken,
    /// A place that receives people from a deletion may itself be deleted meanwhile.
    TargetNotPinned,
    /// People may be reassigned to a place that is being deleted.
    TargetDeleting,
    /// The deleter moves residents once, and rejects the request if others arrive meanwhile.
    RejectsAfterMoving,
    /// The deleter removes its mark although a move was not answered and may still arrive.
    UnmarksUnansweredMove,
    /// Kings keep their crown when they are reassigned.
    MoveKeepsCrowns,
    /// The tombstone goes before the dead of the place are detached.
    TombstoneRemovedEarly,
    /// The id of a deleted place may be used again.
    PlaceIdsReused,
}

impl Flaw {
    /// All flaws.
    pub const ALL: [Self; 17] = [
        Self::NoCheck,
        Self::ChecksBeforePending,
        Self::CommitsWithoutPending,
        Self::CommitsAnyVersion,
        Self::RejectsInsteadOfWaiting,
        Self::VersionsRestart,
        Self::CountsBeforeMarking,
        Self::DoesNotRevoke,
        Self::RevokesAfterCounting,
        Self::DeletesWithoutToken,
        Self::TargetNotPinned,
        Self::TargetDeleting,
        Self::RejectsAfterMoving,
        Self::UnmarksUnansweredMove,
        Self::MoveKeepsCrowns,
        Self::TombstoneRemovedEarly,
        Self::PlaceIdsReused,
    ];

    /// Whether the run has this flaw.
    #[must_use]
    pub fn is_in(self, flaw: Option<Self>) -> bool {
        flaw == Some(self)
    }
}
