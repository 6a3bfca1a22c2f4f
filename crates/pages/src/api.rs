//! The parts of the API's JSON that the pages show, as types.

use http_semantics::from_json;
use http_semantics::from_json::{FromJson, or_default};
use http_semantics::problem::FieldError;
use serde_json::Value;

pub use crate::person::fields::PersonView;

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceView {
    /// The id.
    pub id: i64,
    /// The name.
    pub name: String,
}

/// The population of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// The id of the place.
    pub place_id: i64,
    /// The number of living people.
    pub living: i64,
    /// The number of dead people.
    pub dead: i64,
    /// The king. None too if the person was erased since the time of the population.
    pub king: Option<King>,
}

/// A king.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct King {
    /// The id of the person.
    pub id: i64,
    /// The name of the person.
    pub name: String,
}

/// The last state in a history, also of a record that was deleted. None if it never had one.
#[must_use]
pub fn last_state<T>(history: &[Change<T>]) -> Option<&T> {
    history
        .iter()
        .rev()
        .find_map(|change| change.record.as_ref())
}

/// An entry of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<T> {
    /// The time in UTC (RFC 3339).
    pub at: String,
    /// `created`, `updated`, `deleted` or `erased`.
    pub kind: String,
    /// The version after the change.
    pub version: i64,
    /// The name of the token, if writes were not open.
    pub by: Option<String>,
    /// The record after the change; none if it was deleted or erased.
    pub record: Option<T>,
}

/// A problem (RFC 9457), with the members that a page uses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ApiProblem {
    /// `/problems/<slug>`
    pub r#type: String,
    /// The status code.
    pub status: u16,
    /// The type of the problem in a few words.
    pub title: String,
    /// The error of this request.
    pub detail: String,
    /// The invalid fields.
    pub errors: Vec<FieldError>,
    /// The present king.
    pub king: Option<King>,
    /// The current entity tag of the record.
    pub etag: Option<String>,
    /// The conflicting record.
    pub id: Option<i64>,
    /// The place.
    pub place_id: Option<i64>,
    /// The name of a place that does not exist.
    pub name: Option<String>,
    /// The number of living people of the place.
    pub living: Option<i64>,
    /// The line of an unreadable file.
    pub line: Option<i64>,
    /// The encoding of an unreadable file, if it is the wrong one.
    pub encoding: Option<String>,
    /// `unknown` if a write may have been executed although a service failed.
    pub outcome: Option<String>,
    /// The results of the operations of a batch that was refused.
    pub results: Vec<OperationResult>,
}

/// The result of an operation of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationResult {
    /// The id of the record.
    pub id: Option<i64>,
    /// The entity tag of the record after the operation.
    pub etag: Option<String>,
    /// Why the operation cannot be done.
    pub problem: Option<ApiProblem>,
}

from_json! {
    for<T> Change<T> { at, kind, version, by, record }
}

from_json! {
    PlaceView { id, name }
    Population { place_id: "placeId", living, dead, king: king("king") }
    King { id, name }
    ApiProblem {
        r#type: "type",
        status,
        title,
        detail: or_default("detail"),
        errors: or_default("errors"),
        king,
        etag,
        id,
        place_id: "placeId",
        name,
        living,
        line,
        encoding,
        outcome,
        results: or_default("results"),
    }
    OperationResult { id, etag, problem }
}

/// The king of a population, whose name is `null` if the person was erased. The member must be
/// present.
#[expect(clippy::option_option, reason = "none if the member is invalid")]
fn king(member: Option<&Value>) -> Option<Option<King>> {
    let member = member?;
    match member.get("name") {
        Some(Value::Null) => Some(None),
        _ => Option::from_json(member),
    }
}

impl ApiProblem {
    /// The last part of the type.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.r#type.strip_prefix("/problems/").unwrap_or_default()
    }
}
