//! The schemas of a place, in responses and in the bodies of writes.

use super::{Id, ImportedId, Name, WrittenName};

schemas! {
    /// A place.
    struct Place {
        id: Id,
        name: Name,
    }

    /// A new place.
    #[serde(deny_unknown_fields)]
    struct NewPlace {
        name: WrittenName,
    }

    /// A place to replace or add.
    #[serde(deny_unknown_fields)]
    struct PutPlace {
        /// Absent, or the id in the path.
        #[schema(read_only)]
        id?: Id,
        name: WrittenName,
    }

    /// The changes of a place.
    #[serde(deny_unknown_fields)]
    struct PlacePatch {
        /// Absent, or the id in the path.
        #[schema(read_only)]
        id?: Id,
        name?: WrittenName,
    }

    /// A place in a file.
    #[serde(deny_unknown_fields)]
    struct ImportedPlace {
        /// If it is absent, the service assigns the next id.
        id: Option<ImportedId>,
        name: WrittenName,
    }
}
