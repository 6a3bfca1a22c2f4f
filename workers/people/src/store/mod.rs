//! The statements of the people database.

mod by_place;
mod history;
mod import;
mod integrity;
mod list;
mod population;
mod read;
mod residents;
mod settle;
mod write;

pub use by_place::{PEOPLE_A_STATEMENT, by_place, counter};
pub use history::CHANGES;
pub use import::{WRITTEN, doubts_of, forget_batch, insert_batch, mark, present, settle_batch};
pub use integrity::{doubts, residents};
pub use list::{REGISTER, filters, list};
pub use population::{HEADER as POPULATION_HEADER, population};
pub use read::read;
pub use residents::{count, release, relocate};
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
mod population_tests;
#[cfg(test)]
mod tests;
