//! The bodies of writes. What a field must be that is left out, its `null` says as well.
//!
//! That the living have a place, and that a king lives, is told by the two kinds of person.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scalars::{ChosenId, False, True};
use super::{Id, Name};

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

/// The two kinds of a person, with what names it.
macro_rules! person {
    (
        $(#[$doc:meta])* $both:ident,
        $living:ident,
        $dead:ident,
        { $($(#[$of_id:meta])* $id:ident : $type:ty),* }
    ) => {
        /// A living person, who has a place.
        #[derive(Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $living {
            $($(#[$of_id])* pub $id: $type,)*
            pub name: Name,
            pub is_alive: True,
            pub place_id: Id,
            /// Whether king of the place, which has one at most; false where it is left out.
            pub is_king: Option<bool>,
        }

        /// A dead person, or one of whom it is not known, who is nobody's king.
        #[derive(Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $dead {
            $($(#[$of_id])* pub $id: $type,)*
            pub name: Name,
            pub is_alive: Option<False>,
            /// Where last, if that is known.
            pub place_id: Option<Id>,
            pub is_king: Option<False>,
        }

        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize, ToSchema)]
        #[serde(untagged)]
        pub enum $both {
            Living($living),
            Dead($dead),
        }
    };
}

person!(
    /// A person to add.
    NewPerson,
    LivingPerson,
    DeadPerson,
    {}
);
person!(
    /// A person to put.
    PutPerson,
    PutLivingPerson,
    PutDeadPerson,
    {
        /// Left out, or that of the address.
        #[schema(nullable = false, read_only)]
        id: Option<Id>
    }
);
person!(
    /// A person of a file.
    ImportedPerson,
    ImportedLivingPerson,
    ImportedDeadPerson,
    {
        /// Left out, the register gives the next one.
        id: Option<ChosenId>
    }
);

/// What of a person is to change; `null` takes a field away.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersonPatch {
    /// Left out, or that of the address.
    #[schema(nullable = false, read_only)]
    pub id: Option<Id>,
    #[schema(nullable = false)]
    pub name: Option<Name>,
    pub is_alive: Option<bool>,
    pub place_id: Option<Id>,
    pub is_king: Option<bool>,
}
