//! Whether the two registers fit together, and what a repair did.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Count, Id};

/// Who belongs to a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Residents {
    pub place_id: Id,
    pub living: Count,
    pub dead: Count,
}

/// A place with more than one king.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DoubleKing {
    pub place_id: Id,
    pub kings: Count,
}

/// A place on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftDeletion {
    pub place_id: Id,
    /// Whether the place itself is gone already.
    pub is_gone: bool,
    /// Where its living people go.
    #[schema(required = true)]
    pub reassign_to: Option<Id>,
}

/// A write whose place has not been asked again yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unsettled {
    /// The person.
    pub id: Id,
    pub version: Id,
    #[schema(required = true)]
    pub place_id: Option<Id>,
}

/// What of the two registers does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Integrity {
    /// Whether no rule is broken. What is on its way (`halfDeleted`, `unsettled`) breaks none.
    pub is_sound: bool,
    /// Whether all of both registers was read.
    pub is_complete: bool,
    /// Who is in no existing place.
    pub of_no_place: Vec<Residents>,
    pub double_kings: Vec<DoubleKing>,
    pub half_deleted: Vec<LeftDeletion>,
    pub unsettled: Vec<Unsettled>,
}

/// A deletion that was left half-done, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Abandoned {
    pub place_id: Id,
    /// Whether the place itself was gone already.
    pub is_gone: bool,
    /// Where its living people go.
    #[schema(required = true)]
    pub reassign_to: Option<Id>,
    /// `finish` or `clear`.
    pub action: String,
    /// How it ended; left out in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub end: Option<String>,
}

/// A write that was left unsettled, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settled {
    /// The person.
    pub id: Id,
    pub version: Id,
    #[schema(required = true)]
    pub place_id: Option<Id>,
    /// `settle`, `undo` or `wait`.
    pub action: String,
}

/// Dead people whose place was gone, and who were let go of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Released {
    pub place_id: Id,
    pub dead: Count,
}

/// Living people whose place is gone, which only a hand in the database can bring about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ByHand {
    pub place_id: Id,
    pub living: Count,
    /// What to do.
    pub mend: String,
}

/// What a repair did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    pub dry_run: bool,
    pub deletions: Vec<Abandoned>,
    pub unsettled: Vec<Settled>,
    pub released: Vec<Released>,
    pub by_hand: Vec<ByHand>,
}
