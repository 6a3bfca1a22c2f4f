//! Lists of people by place, populations, statistics and changes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Count, Id, Moment, Name, Person, Place, Resident, Share};

/// A place with its people, in order of id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlaceWithPeople {
    pub id: Id,
    pub name: Name,
    /// The first `peopleLimit` of them; null where they are not known, because their owner is
    /// down and no answer was kept. `Prefer: handling=strict` has a problem instead.
    #[schema(required = true)]
    pub people: Option<Vec<Resident>>,
    /// The link to the rest, where there are more people than `peopleLimit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// The people of a place, in order of id. Only places that have people are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PeopleOfPlace {
    pub place_id: Id,
    /// The first `peopleLimit` of them.
    pub people: Vec<Resident>,
    /// The link to the rest, where there are more people than `peopleLimit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// The king of a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct King {
    /// The person's id.
    pub id: Id,
    pub name: Name,
}

/// The people of a place in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Population {
    pub place_id: Id,
    /// How many in all.
    pub total: Count,
    /// How many live there.
    pub living: Count,
    /// How many lie there.
    pub dead: Count,
    #[schema(required = true)]
    pub king: Option<King>,
}

/// A place and its people in numbers. The last record of the last page is of those who have no
/// place: its `id` and `name` are null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Statistics {
    #[schema(required = true)]
    pub id: Option<Id>,
    #[schema(required = true)]
    pub name: Option<Name>,
    /// How many in all.
    pub total: Count,
    /// How many live there.
    pub living: Count,
    /// How many lie there.
    pub dead: Count,
    /// The part of all the living that lives there, rounded to six decimals.
    pub share: Share,
    #[schema(required = true)]
    pub king: Option<King>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    Created,
    Updated,
    Deleted,
}

/// The register of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OfPlaces {
    Places,
}

/// The register of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OfPeople {
    People,
}

macro_rules! change {
    ($(#[$doc:meta])* $name:ident, $register:ty, $record:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        pub struct $name {
            /// When.
            pub at: Moment,
            pub register: $register,
            /// Its place in the register's own order of changes.
            pub seq: Count,
            pub kind: ChangeKind,
            pub id: Id,
            /// The version that it made.
            pub version: Id,
            /// The record since; null where it is gone.
            #[schema(required = true)]
            pub record: Option<$record>,
        }
    };
}

change!(
    /// A change of a place.
    PlaceChange,
    OfPlaces,
    Place
);
change!(
    /// A change of a person.
    PersonChange,
    OfPeople,
    Person
);

/// A change in either register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Change {
    Person(PersonChange),
    Place(PlaceChange),
}
