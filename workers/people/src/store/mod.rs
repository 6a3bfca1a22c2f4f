//! The statements of the people database.

mod by_place;
mod history;
mod import;
mod integrity;
mod list;
mod pending;
mod population;
mod read;
mod residents;
mod write;

pub use by_place::{PEOPLE_A_STATEMENT, by_place, counter};
pub use history::CHANGES;
pub use import::{insert_batch, present};
pub use integrity::{findings, residents};
pub use list::{REGISTER, filters, list};
pub use pending::{
    NewPlace, PlaceChange, REVOKED, abandoned_pending, add_pending, add_pending_for,
    commit_pending, remove_pending, sweep_pending,
};
pub use population::{HEADER as POPULATION_HEADER, population};
pub use read::{read, read_begun, read_version};
pub use residents::{close, detach_dead, reassign};
pub use write::{delete, depose, insert, king, rename, update, update_all};

/// One person as JSON.
macro_rules! record {
    () => {
        r#"'{"id":' || id
    || ',"name":' || json_quote(name)
    || ',"isAlive":' || iif(is_alive, 'true', 'false')
    || ',"placeId":' || coalesce(place_id, 'null')
    || ',"isKing":' || iif(is_king, 'true', 'false')
    || '}'"#
    };
}
use record;

#[cfg(test)]
mod population_tests;
#[cfg(test)]
mod tests;
