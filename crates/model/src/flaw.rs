//! Errors that a test plants in the protocol. The model must find each of them.

/// A step that is missing, in the wrong order, or without its guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// A write does not check the place after it records its pending write.
    NoCheck,
    /// A write checks the place first, and then records its pending write.
    ChecksBeforePending,
    /// A write commits although its pending write was revoked.
    CommitsWithoutPending,
    /// A write commits without comparing the version.
    CommitsAnyVersion,
    /// A write is rejected as soon as the place is being deleted. It does not wait for the
    /// end of the deletion.
    RejectsInsteadOfWaiting,
    /// An id that is used again starts at version 1.
    VersionsRestart,
    /// A deletion counts the residents first, and then marks the place.
    CountsBeforeMarking,
    /// A deletion counts the residents without revoking pending writes.
    DoesNotRevoke,
    /// A deletion revokes pending writes in a second batch, after the count.
    RevokesAfterCounting,
    /// A deletion deletes the place without comparing the token of the tombstone.
    DeletesWithoutToken,
    /// A place that receives the residents of another may be deleted meanwhile.
    TargetNotPinned,
    /// Residents may be reassigned to a place that is being deleted.
    TargetDeleting,
    /// A deletion moves residents once, and is rejected if others arrive meanwhile.
    RejectsAfterMoving,
    /// A deletion removes its mark although a move without a response may still arrive.
    UnmarksUnansweredMove,
    /// A deletion is rejected although the repair has taken it over.
    RejectsAfterTakeOver,
    /// Kings keep their crown when they are reassigned.
    MoveKeepsCrowns,
    /// A deletion removes the tombstone before it detaches the dead.
    TombstoneRemovedEarly,
    /// A deletion removes the tombstone together with the place although dead people are left.
    ForgetsTheDead,
    /// The id of a deleted place may be used again.
    PlaceIdsReused,
    /// The repair deletes the places that a batch has reserved.
    FinishesReservations,
}

impl Flaw {
    /// Whether the protocol runs with this flaw.
    pub(crate) fn is_in(self, flaw: Option<Self>) -> bool {
        flaw == Some(self)
    }
}
