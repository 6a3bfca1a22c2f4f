//! The ways to get the handover wrong.

/// One step that is left out, or taken too early, or without its guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Nobody asks whether the place still stands once the arrival is written down.
    NoLook,
    /// Who deletes a place does not count who is about to arrive there.
    ArrivalsUncounted,
    /// Who leaves is taken in whatever version they are in.
    LeavesInAnyVersion,
    /// The decision is no part of the transaction in which the person leaves, but follows it.
    DecidesBehindLeaving,
    /// Who gives up waiting takes the arrival away without deciding so.
    GivesUpUndecided,
    /// The decision is forgotten before the person has arrived.
    ForgetsEarly,
    /// Who adds a person looks whether the id is free before saying so.
    LooksBeforeSaying,
    /// An id is chosen without asking whether others have been given meanwhile.
    ChoosesAnyId,
    /// It is asked how far the ids are once it has been looked whether one is free.
    AsksIdsLate,
    /// A reader who finds a person in no database takes them for gone.
    BelievesItsEyes,
    /// A reader of all databases takes what each says, without counting who went and came.
    CountsNobody,
    /// Who gets an id that was used in another database is not counted as coming from there.
    ForgetsWhoWas,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NoLook,
        Self::ArrivalsUncounted,
        Self::LeavesInAnyVersion,
        Self::DecidesBehindLeaving,
        Self::GivesUpUndecided,
        Self::ForgetsEarly,
        Self::LooksBeforeSaying,
        Self::ChoosesAnyId,
        Self::AsksIdsLate,
        Self::BelievesItsEyes,
        Self::CountsNobody,
        Self::ForgetsWhoWas,
    ];

    pub(super) fn is_in(self, flaw: Option<Self>) -> bool {
        flaw == Some(self)
    }
}
