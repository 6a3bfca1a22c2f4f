//! The schemas of a person, in responses and in the bodies of writes. In a body, `null` means the
//! same as an absent field.
//!
//! There is one schema for the living, and one for the dead. So the schemas can state that the
//! living have a place, and that a king is alive.

use super::{False, Id, ImportedId, Name, Place, True, WrittenName};

schemas! {
    /// A person.
    struct Person {
        id: Id,
        name: Name,
        /// Whether the person is alive. If this is unknown, the person counts as dead.
        is_alive: bool,
        /// The place. Every living person has one. For the dead it is the last known place.
        #[schema(required = true)]
        place_id: Option<Id>,
        /// Whether the person is the king of the place.
        is_king: bool,
    }

    /// A person, with the place if `expand=place` asks for it.
    struct PersonWithPlace {
        id: Id,
        name: Name,
        /// Whether the person is alive. If this is unknown, the person counts as dead.
        is_alive: bool,
        /// The place. Every living person has one. For the dead it is the last known place.
        #[schema(required = true)]
        place_id: Option<Id>,
        /// Whether the person is the king of the place.
        is_king: bool,
        /// The place with its name. Absent without `expand=place`, and null without a place.
        place: Option<Place>,
    }

    /// A person in a past version.
    struct PastPerson {
        id: Id,
        /// The name. It is null if the person was erased since.
        #[schema(required = true)]
        name: Option<Name>,
        /// Whether the person is alive. If this is unknown, the person counts as dead.
        is_alive: bool,
        /// The place. Every living person has one. For the dead it is the last known place.
        #[schema(required = true)]
        place_id: Option<Id>,
        /// Whether the person is the king of the place.
        is_king: bool,
    }

    /// A person in the list of a place.
    struct Resident {
        id: Id,
        name: Name,
        /// Whether the person is alive.
        is_alive: bool,
        /// Whether the person is the king of the place.
        is_king: bool,
    }

    /// The changes of a person. `null` clears a field.
    #[serde(deny_unknown_fields)]
    struct PersonPatch {
        /// Absent, or the id in the path.
        #[schema(read_only)]
        id?: Id,
        name?: WrittenName,
        is_alive: Option<bool>,
        place_id: Option<Id>,
        is_king: Option<bool>,
    }
}

schemas! {
    /// The fields of a person in a file: with the name of the place, or those that `mode=patch`
    /// changes.
    #[serde(deny_unknown_fields)]
    struct ImportedPersonFields {
        id: Option<ImportedId>,
        name?: WrittenName,
        is_alive: Option<bool>,
        place_id: Option<Id>,
        /// The name of the place, instead of its id. Case makes no difference.
        place: Option<ImportedPersonPlace>,
        is_king: Option<bool>,
    }
}

schemas! {
    /// The name of a place, or the place in a file that was exported with `expand=place`. Then
    /// `placeId` is absent or the same id, and the name must be the present one.
    #[serde(untagged)]
    enum ImportedPersonPlace { Name(WrittenName), Place(Place), }
}

/// Declares the schemas of a living and of a dead person, and of either. `id` is the field of the
/// id, if there is one.
macro_rules! bodies {
    ($(#[$doc:meta])* $either:ident = $living:ident | $dead:ident, id { $($id:tt)* }) => {
        schemas! {
            /// A living person, who has a place.
            #[serde(deny_unknown_fields)]
            struct $living {
                $($id)*
                name: WrittenName,
                is_alive: True,
                place_id: Id,
                /// Whether the person is the king of the place, which has at most one. The
                /// default is `false`.
                is_king: Option<bool>,
            }

            /// A dead person, or one who is not known to be alive. Such a person is not a king.
            #[serde(deny_unknown_fields)]
            struct $dead {
                $($id)*
                name: WrittenName,
                is_alive: Option<False>,
                /// The last known place.
                place_id: Option<Id>,
                is_king: Option<False>,
            }
        }

        schemas! {
            $(#[$doc])*
            #[serde(untagged)]
            enum $either { Living($living), Dead($dead), }
        }
    };
}

bodies!(
    /// A new person.
    NewPerson = LivingPerson | DeadPerson, id {}
);
bodies!(
    /// A person to replace or add.
    PutPerson = PutLivingPerson | PutDeadPerson, id {
        /// Absent, or the id in the path.
        #[schema(read_only)]
        id?: Id,
    }
);
bodies!(
    /// A person in a file.
    ImportedPerson = ImportedLivingPerson | ImportedDeadPerson, id {
        /// If it is absent, the service assigns the next id.
        id: Option<ImportedId>,
    }
);
