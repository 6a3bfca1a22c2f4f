//! Every parser, by what it parses.

mod callers;
mod files;
mod headers;
mod queries;
mod records;
mod services;

use crate::Target;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Target> {
    [
        queries::TARGETS,
        headers::TARGETS,
        records::TARGETS,
        callers::TARGETS,
        files::TARGETS,
        services::TARGETS,
    ]
    .into_iter()
    .flatten()
}

/// An input as text, where a parser takes texts: bytes that are none become U+FFFD, as they do
/// where the platform makes a text of them.
fn text(input: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(input)
}

/// What must be equal.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, left: &T, right: &T) -> Result<(), String> {
    if left == right {
        return Ok(());
    }
    Err(format!("{what}: {left:?} is not {right:?}"))
}
