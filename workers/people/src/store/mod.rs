//! The statements of the people database.

mod by_place;
mod list;
mod read;

pub use by_place::{PEOPLE_A_STATEMENT, by_place};
pub use list::list;
pub use read::read;

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
mod tests;
