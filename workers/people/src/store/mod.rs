//! The statements of the people database.

mod by_place;
pub mod handover;
mod history;
mod import;
mod integrity;
pub mod known;
mod list;
mod population;
mod read;
mod residents;
mod settle;
mod write;

pub use by_place::{PEOPLE_A_STATEMENT, by_place, counter};
pub use history::{CHANGES, share_of_changes, share_of_history};
pub use import::{
    doubts_of, forget_batch, insert_batch, latest, pending_changes, pending_people, present,
    settle_batch,
};
pub use integrity::{doubts, residents};
pub use list::{REGISTER, filters, keyed_list, list};
pub use population::{HEADER as POPULATION_HEADER, keyed_population, population};
pub use read::read;
pub use residents::{count, fenced, release, relocate};
pub use settle::{Write, before, forget, remove, restore, settle, undone, unsettled};
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
mod handover_tests;
#[cfg(test)]
mod population_tests;
#[cfg(test)]
mod tests;
