//! What the API shows and takes, each shape described once. `SQLite` makes most of it, so the
//! tests hold what it makes against these types.
#![expect(
    missing_docs,
    reason = "what is written here stands in the document: nothing that the name says already"
)]

mod document;
mod health;
mod integrity;
mod problem;
mod records;
mod report;
mod scalars;
mod writes;

pub use document::{Dataset, Document};
pub use health::{Alive, LifeSign, Readiness, Ready};
pub use integrity::{
    AbandonedDeletion, AbandonedWrite, ByHand, Deletion, DoubleKing, Integrity, PendingWrite,
    Released, Repair, Residents,
};
pub use problem::{FieldError, ProblemBody, ProblemType};
pub use records::{
    Change, ChangeKind, King, OfPeople, OfPlaces, PeopleOfPlace, Person, PersonChange, Place,
    PlaceChange, PlaceWithPeople, Population, Resident, Statistics,
};
pub use report::{Batch, BatchReport, ImportReport, ImportSummary, Outcome, Refusal};
pub use scalars::{ChosenId, Count, False, Id, Moment, Name, Pointer, Share, True};
pub use writes::{
    DeadPerson, ImportedDeadPerson, ImportedLivingPerson, ImportedPerson, ImportedPlace,
    LivingPerson, NewPerson, NewPlace, PersonPatch, PlacePatch, PutDeadPerson, PutLivingPerson,
    PutPerson, PutPlace,
};
