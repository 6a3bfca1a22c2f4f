//! Batches of operations: `POST /v1/{collection}/batch`. An operation creates, updates or deletes
//! one record. Either all operations are done or none. So the rules must hold only after all of
//! them.
//!
//! Operations become a [`Batch`], like the records of an import. They are planned and written in
//! the same way.

mod parse;
mod results;

pub use results::{Results, Written, read_written, save_written};

use crate::import::Batch;

/// The maximum number of operations.
pub const MAX_OPERATIONS: usize = 1_000;

/// The maximum size of a body with operations.
pub const MAX_OPERATIONS_BYTES: usize = 1024 * 1024;

/// The kind of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Adds a record.
    Create,
    /// Changes some fields of a record.
    Update,
    /// Deletes a record.
    Delete,
}

impl Kind {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "create" => Some(Self::Create),
            "update" => Some(Self::Update),
            "delete" => Some(Self::Delete),
            _ => None,
        }
    }

    /// The status of an operation that was done.
    fn status(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::Update => 200,
            Self::Delete => 204,
        }
    }
}

/// The facts that decide the result of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// The kind. None if it is invalid.
    pub kind: Option<Kind>,
    /// The id, if the client gives it.
    pub id: Option<i64>,
}

/// Operations on one collection.
#[derive(Debug)]
pub struct Operations<T> {
    /// Each operation.
    pub list: Vec<Operation>,
    /// Their records. An operation that is invalid by itself is rejected.
    pub batch: Batch<T>,
}

#[cfg(test)]
mod tests;
