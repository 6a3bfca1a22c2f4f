//! What the API shows and takes, each shape described once. `SQLite` makes most of it, so the
//! tests hold what it makes against these types.
#![expect(
    missing_docs,
    reason = "what is written here stands in the document: nothing that the name says already"
)]

mod document;
mod health;
mod integrity;
mod person;
mod place;
mod problem;
mod records;
mod report;
mod scalars;

pub use document::{Dataset, Document};
pub use health::{Alive, LifeSign, Readiness, Ready};
pub use integrity::{
    AbandonedDeletion, AbandonedWrite, ByHand, Deletion, DoubleKing, Integrity, PendingWrite,
    Released, Repair, Residents,
};
pub use person::{
    DeadPerson, ImportedDeadPerson, ImportedLivingPerson, ImportedPerson, LivingPerson, NewPerson,
    Person, PersonPatch, PutDeadPerson, PutLivingPerson, PutPerson, Resident,
};
pub use place::{ImportedPlace, NewPlace, Place, PlacePatch, PutPlace};
pub use problem::{FieldError, ProblemBody, ProblemType};
pub use records::{
    Change, ChangeKind, King, OfPeople, OfPlaces, PeopleOfPlace, PersonChange, PlaceChange,
    PlaceWithPeople, Population, Statistics,
};
pub use report::{Batch, BatchReport, ImportReport, ImportSummary, Outcome, Refusal};
pub use scalars::{ChosenId, Count, False, Id, Moment, Name, Pointer, Share, True};
