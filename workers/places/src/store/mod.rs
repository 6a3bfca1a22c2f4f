//! The SQL statements of the places database. No other module of this worker contains SQL.

mod as_of;
mod deletion;
mod import;
mod integrity;
mod reservation;
mod write;

pub use as_of::{as_of, ids_as_of};
pub use deletion::{
    OperationStatus, abandoned_deletions, begin_deletion, cancel_deletion, delete,
    delete_unreferenced, make_operation, operation, record_progress, release_deletion,
    remove_tombstone, save_operation, statuses, take_over_deletion,
};
pub use import::existing_places;
pub use integrity::{deletions, ids};
pub use reservation::{
    cancel_reservation, delete_reserved, end_reservation, reservation_conflicts, reserve,
};
pub use write::{insert, insert_all, place_with_name, places_with_names, update, update_all};

#[cfg(test)]
mod tests;
