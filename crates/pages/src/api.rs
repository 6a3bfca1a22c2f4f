//! What the API answers, as far as a page shows it.

use http_semantics::problem::FieldError;
use serde::{Deserialize, Serialize};

pub use crate::person::fields::Person;

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Place {
    /// The id.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// The people of a place in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Population {
    /// The place.
    pub place_id: i64,
    /// How many live there.
    pub living: i64,
    /// How many lie there.
    pub dead: i64,
    /// The king, if there is one. The member is required: it is `null` without a king.
    #[serde(deserialize_with = "Option::deserialize")]
    pub king: Option<King>,
}

/// A king.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct King {
    /// The person's id.
    pub id: i64,
    /// The person's name.
    pub name: String,
}

/// An entry of a record's history.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Change<T> {
    /// When, as RFC 3339 has it, in UTC.
    pub at: String,
    /// `created`, `updated` or `deleted`.
    pub kind: String,
    /// The version that it made.
    pub version: i64,
    /// The record since; none where it is gone.
    pub record: Option<T>,
}

/// A problem (RFC 9457), with the members that a form can act on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Refusal {
    /// `/problems/<slug>`
    pub r#type: String,
    /// The status code.
    pub status: u16,
    /// What was wrong, in general.
    pub title: String,
    /// What was wrong in this case.
    #[serde(default)]
    pub detail: String,
    /// The fields that are wrong.
    #[serde(default)]
    pub errors: Vec<FieldError>,
    /// The king who is in the way.
    pub king: Option<King>,
    /// The version that the record has by now.
    pub version: Option<i64>,
}

impl Refusal {
    /// The last part of the type.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.r#type.strip_prefix("/problems/").unwrap_or_default()
    }
}
