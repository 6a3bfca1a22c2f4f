//! The statements of the people database.

mod by_place;
mod import;
mod integrity;
mod pending;
mod population;
mod read;
mod residents;
mod write;

pub use by_place::{PEOPLE_A_STATEMENT, by_place};
pub use import::{insert_batch, present};
pub use integrity::{findings, residents};
pub use pending::{
    NewPlace, PlaceChange, REVOKED, abandoned_pending, add_pending, add_pending_for,
    commit_pending, remove_pending, sweep_pending,
};
pub use population::{HEADER as POPULATION_HEADER, population};
pub use read::read_begun;
pub use residents::{close, detach_dead, reassign};
pub use write::{delete, depose, insert, king, rename, update, update_all};

#[cfg(test)]
mod population_tests;
#[cfg(test)]
mod tests;
