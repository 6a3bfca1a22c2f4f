//! The schemas of the operations of a batch, and of their results.

use super::{ChosenId, Id, IfMatch, NewPerson, NewPlace, PersonPatch, PlacePatch, ProblemBody};

schemas! {
    /// The operation adds a record.
    #[serde(rename_all = "lowercase")]
    enum Creation { Create, }

    /// The operation changes a record.
    #[serde(rename_all = "lowercase")]
    enum Modification { Update, }

    /// The operation deletes a record.
    #[serde(rename_all = "lowercase")]
    enum Removal { Delete, }
}

/// Declares the operations on one collection.
macro_rules! operations {
    ($any:ident = $create:ident($new:ty) | $update:ident($patch:ty)) => {
        schemas! {
            /// Adds a record.
            #[serde(deny_unknown_fields)]
            struct $create {
                op: Creation,
                /// If it is absent, the service assigns the next id.
                id: Option<ChosenId>,
                body: $new,
            }

            /// Changes a record. The body is a JSON merge patch (RFC 7396).
            #[serde(deny_unknown_fields)]
            struct $update {
                op: Modification,
                id: Id,
                if_match?: IfMatch,
                body: $patch,
            }
        }

        schemas! {
            /// An operation.
            #[serde(untagged)]
            enum $any { Create($create), Update($update), Delete(DeleteOperation), }
        }
    };
}

operations!(
    PersonOperation = CreatePersonOperation(NewPerson) | UpdatePersonOperation(PersonPatch)
);
operations!(PlaceOperation = CreatePlaceOperation(NewPlace) | UpdatePlaceOperation(PlacePatch));

schemas! {
    /// Deletes a record.
    #[serde(deny_unknown_fields)]
    struct DeleteOperation {
        op: Removal,
        id: Id,
        if_match?: IfMatch,
    }

    /// The result of an operation.
    struct OperationResult {
        /// 201: added. 200: changed, or equal already. 204: deleted. 424: not done, because another
        /// operation cannot be done. Otherwise the status of the `problem`.
        #[schema(minimum = 200, maximum = 599)]
        status: i64,
        id?: Id,
        /// The version after the operation.
        version?: Id,
        /// The `ETag` after the operation, for `ifMatch`. Absent after a deletion.
        etag?: String,
        /// Why the operation cannot be done. `pointer`, or that of each error, is its place in the
        /// body of the request: `/3/body/name`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(no_recursion, nullable = false)]
        problem: Option<Box<ProblemBody>>,
    }
}
