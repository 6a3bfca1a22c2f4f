//! The schemas of the integrity report, and of the report of a repair.

use super::{Count, Id};

schemas! {
    /// The number of people who refer to a place.
    struct Residents {
        place_id: Id,
        living: Count,
        dead: Count,
    }

    /// A place with more than one king.
    struct DoubleKing {
        place_id: Id,
        kings: Count,
    }

    /// A place that is being deleted.
    struct Deletion {
        place_id: Id,
        /// Whether the place itself is deleted already.
        is_gone: bool,
        /// The place that its living people move to.
        #[schema(required = true)]
        reassign_to: Option<Id>,
    }

    /// The status of an operation that continues after its request.
    struct Operation {
        status: OperationStatus,
        /// The number of people who were moved or detached.
        done: Count,
        /// The number of people who still refer to the place.
        remaining: Count,
    }

    /// A write that refers to a place and is not confirmed yet. Readers do not see it.
    struct PendingWrite {
        /// The person, if the id is assigned yet.
        #[schema(required = true)]
        id: Option<Id>,
        place_id: Id,
    }

    /// The inconsistencies between places and people.
    struct Integrity {
        /// Whether all rules hold. Writes and deletions in progress violate none.
        consistent: bool,
        /// Whether all data was checked, up to the last place.
        complete: bool,
        /// People whose place does not exist.
        without_place: Vec<Residents>,
        double_kings: Vec<DoubleKing>,
        deleting: Vec<Deletion>,
        pending: Vec<PendingWrite>,
    }

    /// A deletion that a crashed request left, and its repair.
    struct AbandonedDeletion {
        place_id: Id,
        /// Whether the place itself was deleted already.
        is_gone: bool,
        /// The place that its living people move to.
        #[schema(required = true)]
        reassign_to: Option<Id>,
        /// `finish` or `clear`.
        action: String,
        /// The result: `deleted`, `kept`, `continues` in the next run, `failed`, or `unknown` because
        /// another process has taken it over. A dry run has none.
        end?: String,
    }

    /// A pending write that a crashed request left, and its repair.
    struct AbandonedWrite {
        /// The person, if the id is assigned yet.
        #[schema(required = true)]
        id: Option<Id>,
        place_id: Id,
        /// `remove`.
        action: String,
    }

    /// Dead people whose place was deleted, and who have no place now.
    struct Released {
        place_id: Id,
        dead: Count,
    }

    /// Living people whose place does not exist. Only a manual change of the database can cause
    /// this.
    struct ByHand {
        place_id: Id,
        living: Count,
        /// How to repair it.
        remedy: String,
    }

    /// The result of a repair, or of its dry run.
    struct Repair {
        dry_run: bool,
        deletions: Vec<AbandonedDeletion>,
        pending: Vec<AbandonedWrite>,
        released: Vec<Released>,
        by_hand: Vec<ByHand>,
    }
}

schemas! {
    /// The status of an operation.
    #[serde(rename_all = "lowercase")]
    enum OperationStatus {
        Running,
        Done,
        Failed,
    }
}
