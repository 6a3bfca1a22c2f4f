//! Requests at the same time share one round trip to the database.

pub mod group_commit;
pub mod revalidation;
