//! The SQL statements of the people database. No other module of this worker contains SQL.

mod by_place;
mod erasure;
mod import;
mod integrity;
mod pending;
mod population;
mod population_changes;
mod read;
mod residents;
mod series;
mod write;

pub use by_place::{GroupFormat, TARGET_PEOPLE_PER_STATEMENT, by_place};
pub use erasure::{erase, latest_erasure};
pub use import::{existing_people, insert_batch};
pub use integrity::{integrity_findings, resident_counts};
pub use pending::{
    NewPlace, PlaceChange, REVOKED, abandoned_pending, add_pending, add_pending_for,
    commit_pending, remove_abandoned_pending, remove_pending,
};
pub use population::{HEADER as POPULATION_HEADER, ListedPlaces, population};
pub use population_changes::population_changes;
pub use read::read_with_pending;
pub use residents::{MAX_MOVED, close, close_all, detach_dead, reassign};
pub use series::{HEADER as SERIES_HEADER, series};
pub use write::{
    RestoredState, check_restored, delete, delete_all, delete_matching, depose, insert, king,
    rename, update, update_all,
};

#[cfg(test)]
mod tests;
