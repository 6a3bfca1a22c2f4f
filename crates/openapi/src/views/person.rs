//! A person: in responses, and in the bodies of writes. In a body, `null` says the same as a field
//! that is left out.
//!
//! Two schemas, of the living and of the dead, say that the living have a place and that a king is
//! alive.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::scalars::{ChosenId, False, True};
use super::{Id, Name};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Person {
    pub id: Id,
    pub name: Name,
    /// Whether alive; not known means dead.
    pub is_alive: bool,
    /// The place. The living have one; of the dead it is where they were last, if that is known.
    #[schema(required = true)]
    pub place_id: Option<Id>,
    /// Whether king of the place.
    pub is_king: bool,
}

/// A person, as the place shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resident {
    pub id: Id,
    pub name: Name,
    /// Whether alive.
    pub is_alive: bool,
    /// Whether king of the place.
    pub is_king: bool,
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
