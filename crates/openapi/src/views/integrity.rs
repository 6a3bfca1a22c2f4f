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

/// A place that is being deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    pub place_id: Id,
    /// Whether the place itself is gone already.
    pub is_gone: bool,
    /// Where its living people go.
    #[schema(required = true)]
    pub reassign_to: Option<Id>,
}

/// A write that is about to refer to a place, and that no reader sees yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PendingWrite {
    /// The person, if the id is known yet.
    #[schema(required = true)]
    pub id: Option<Id>,
    pub place_id: Id,
}

/// What of the two registers does not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Integrity {
    /// Whether no rule is broken. Writes and deletions in progress break none.
    pub consistent: bool,
    /// Whether all of both databases was read.
    pub complete: bool,
    /// People whose place does not exist.
    pub without_place: Vec<Residents>,
    pub double_kings: Vec<DoubleKing>,
    pub deleting: Vec<Deletion>,
    pub pending: Vec<PendingWrite>,
}

/// A deletion that a crashed request left, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbandonedDeletion {
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

/// A pending write that a crashed request left, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AbandonedWrite {
    /// The person, if the id is known yet.
    #[schema(required = true)]
    pub id: Option<Id>,
    pub place_id: Id,
    /// `remove`.
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
    pub remedy: String,
}

/// What a repair did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Repair {
    pub dry_run: bool,
    pub deletions: Vec<AbandonedDeletion>,
    pub pending: Vec<AbandonedWrite>,
    pub released: Vec<Released>,
    pub by_hand: Vec<ByHand>,
}
