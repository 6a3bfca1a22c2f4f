//! A place: in responses, and in the bodies of writes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scalars::ChosenId;
use super::{Id, Name};

/// A place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Place {
    pub id: Id,
    pub name: Name,
}

/// A place to add.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlace {
    pub name: Name,
}

/// A place to put.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutPlace {
    /// Left out, or that of the address.
    #[schema(nullable = false, read_only)]
    pub id: Option<Id>,
    pub name: Name,
}

/// What of a place is to change.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlacePatch {
    /// Left out, or that of the address.
    #[schema(nullable = false, read_only)]
    pub id: Option<Id>,
    #[schema(nullable = false)]
    pub name: Option<Name>,
}

/// A place of a file.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedPlace {
    /// Left out, the register gives the next one.
    pub id: Option<ChosenId>,
    pub name: Name,
}
