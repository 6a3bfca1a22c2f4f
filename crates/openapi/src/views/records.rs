//! The schemas of people by place, populations, statistics and changes.

use super::{ActorName, Count, Id, Moment, Name, PastPerson, Place, Resident, Share};

schemas! {
    /// A place with its people in order of id.
    struct PlaceWithPeople {
        id: Id,
        name: Name,
        /// The first `peopleLimit` people. It is null while the people service is down and there
        /// is no earlier response to send. With `Prefer: handling=strict`, the response is an
        /// error instead.
        #[schema(required = true)]
        people: Option<Vec<Resident>>,
        /// The link to the rest, if there are more people than `peopleLimit`.
        next?: String,
    }

    /// The people of a place in order of id. Places without people are not listed.
    struct PeopleOfPlace {
        place_id: Id,
        /// The first `peopleLimit` people.
        people: Vec<Resident>,
        /// The link to the rest, if there are more people than `peopleLimit`.
        next?: String,
    }

    /// The king of a place.
    struct King {
        /// The id of the person.
        id: Id,
        /// The name. It is null if the person was erased, which only the past (`asOf`) shows.
        #[schema(required = true)]
        name: Option<Name>,
    }

    /// The population of a place.
    struct Population {
        place_id: Id,
        /// The number of people, living and dead.
        total: Count,
        /// The number of living people.
        living: Count,
        /// The number of dead people.
        dead: Count,
        #[schema(required = true)]
        king: Option<King>,
    }

    /// The statistics of a place. The last record of the last page counts the people without a
    /// place: its `id` and `name` are null.
    struct Statistics {
        #[schema(required = true)]
        id: Option<Id>,
        #[schema(required = true)]
        name: Option<Name>,
        /// The number of people, living and dead.
        total: Count,
        /// The number of living people.
        living: Count,
        /// The number of dead people.
        dead: Count,
        /// The share of all living people who live here, rounded to six decimals.
        share: Share,
        #[schema(required = true)]
        king: Option<King>,
    }
}

schemas! {
    /// The state to restore.
    #[serde(deny_unknown_fields)]
    struct Restoration {
        /// The version that has the state. Without it: the last state of a deleted record.
        version?: Id,
    }

    /// The number of people at a time.
    struct PopulationAt {
        at: Moment,
        /// The number of living people.
        living: Count,
        /// The number of dead people.
        dead: Count,
    }
}

/// Declares a change of one collection.
macro_rules! change {
    ($(#[$doc:meta])* $name:ident, $collection:ty, $record:ty) => {
        schemas! {
            $(#[$doc])*
            struct $name {
                /// The time of the change.
                at: Moment,
                collection: $collection,
                /// Its position in the order of all changes of the collection.
                seq: Count,
                kind: ChangeKind,
                id: Id,
                /// The version of the record after the change.
                version: Id,
                /// The author: the name of a token. Null if writes were open to everybody.
                #[schema(required = true)]
                by: Option<ActorName>,
                /// The id of the import or batch to which the change belongs, if it belongs to one.
                batch?: String,
                /// The record after the change; null if it was deleted or erased.
                #[schema(required = true)]
                record: Option<$record>,
            }
        }
    };
}

change!(
    /// A change of a place.
    PlaceChange, OfPlaces, Place
);
change!(
    /// A change of a person.
    PersonChange, OfPeople, PastPerson
);

schemas! {
    /// A change of a place or of a person.
    #[serde(untagged)]
    enum Change { Person(PersonChange), Place(PlaceChange), }

    /// The kind of a change.
    #[serde(rename_all = "lowercase")]
    enum ChangeKind { Created, Updated, Deleted, Erased, }

    /// The collection of places.
    #[serde(rename_all = "lowercase")]
    enum OfPlaces { Places, }

    /// The collection of people.
    #[serde(rename_all = "lowercase")]
    enum OfPeople { People, }
}
