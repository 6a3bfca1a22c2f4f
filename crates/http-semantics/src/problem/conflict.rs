//! The problems of requests that conflict with the records in the databases.

use domain::name::Name;
use domain::place_status::PlaceStatus;
use serde_json::json;

use super::{Kind, Problem};
use crate::{Tag, Validator};

impl Problem {
    /// A record ("place" or "person") that does not exist.
    #[must_use]
    pub fn not_found(record: &str, id: i64) -> Self {
        Self::new(
            Kind::NotFound,
            format!("There is no {record} with the id {id}."),
        )
    }

    /// An operation that never existed, or whose result is not stored any more.
    #[must_use]
    pub fn no_such_operation() -> Self {
        Self::new(
            Kind::NotFound,
            "There is no such operation. The result of an operation is available for 24 hours.",
        )
    }

    /// A name that another place has.
    #[must_use]
    pub fn name_taken(id: i64) -> Self {
        Self::new(
            Kind::NameTaken,
            format!("The place {id} already has this name. Names are unique, regardless of case."),
        )
        .with("rule", json!(4))
        .with("id", json!(id))
    }

    /// A place that exchanges its name with another place of the same batch, or takes it from a long
    /// chain of places.
    #[must_use]
    pub fn name_exchanged() -> Self {
        Self::new(
            Kind::NameTaken,
            "Places cannot exchange their names in one batch, or pass them on more than six times. \
             Rename one of them first.",
        )
        .with("rule", json!(4))
    }

    /// An id that another record ("place" or "person") has.
    #[must_use]
    pub fn id_taken(record: &str, id: i64) -> Self {
        Self::new(
            Kind::IdTaken,
            format!("A {record} already has the id {id}."),
        )
        .with("id", json!(id))
    }

    /// The id of a deleted place, which is never reused.
    #[must_use]
    pub fn id_retired(id: i64) -> Self {
        Self::new(
            Kind::IdRetired,
            format!(
                "The id {id} belonged to a place that was deleted. Ids of places are never used again."
            ),
        )
        .with("id", json!(id))
    }

    /// A person that refers to a place that does not exist.
    #[must_use]
    pub fn no_such_place(place: i64) -> Self {
        Self::new(
            Kind::NoSuchPlace,
            format!("There is no place with the id {place}."),
        )
        .with("rule", json!(2))
        .with("placeId", json!(place))
    }

    /// A person that refers to a place by a name that no place has.
    #[must_use]
    pub fn no_such_place_name(name: &Name) -> Self {
        Self::new(
            Kind::NoSuchPlace,
            "There is no place with this name. `createPlaces=true` would create it.",
        )
        .with("rule", json!(2))
        .with("name", json!(name.as_str()))
    }

    /// A second king for a place.
    #[must_use]
    pub fn place_has_king(place: i64, king: i64, name: &str) -> Self {
        Self::new(
            Kind::PlaceHasKing,
            format!("The place {place} has a king, the person {king}."),
        )
        .with("rule", json!(3))
        .with("king", json!({"id": king, "name": name}))
    }

    /// The deletion of a place with living people.
    #[must_use]
    pub fn place_has_people(place: i64, living: i64) -> Self {
        Self::new(
            Kind::PlaceHasPeople,
            format!("The place {place} still has {living} living people."),
        )
        .with("rule", json!(5))
        .with("living", json!(living))
    }

    /// A write that refers to a place that is being deleted, or to the place that gets its people.
    #[must_use]
    pub fn place_is_deleting(place: i64) -> Self {
        Self::new(
            Kind::PlaceIsDeleting,
            format!(
                "The place {place} is being deleted, or receives the residents of a place that is."
            ),
        )
        .with("placeId", json!(place))
        .header("retry-after", "1")
    }

    /// Rejects a write that refers to a place that is not active.
    ///
    /// # Errors
    /// A place that is being deleted or does not exist.
    pub fn check_place(place: i64, status: PlaceStatus) -> Result<(), Self> {
        match status {
            PlaceStatus::Active => Ok(()),
            PlaceStatus::Deleting => Err(Self::place_is_deleting(place)),
            PlaceStatus::Missing => Err(Self::no_such_place(place)),
        }
    }

    /// A write that another write of the same record prevents.
    #[must_use]
    pub fn being_written() -> Self {
        Self::new(
            Kind::BeingWritten,
            "Another request is changing this record. This one changed nothing.",
        )
        .header("retry-after", "1")
    }

    /// A retry of the request that added a person who was erased since.
    #[must_use]
    pub fn person_erased() -> Self {
        Self::new(
            Kind::PersonErased,
            "The person was erased. This request changed nothing.",
        )
    }

    /// A precondition that the version of the record does not meet. Without a version the record does
    /// not exist.
    #[must_use]
    pub fn precondition_failed(version: Option<Validator>) -> Self {
        let number = version.map(|version| version.number);
        let etag = version.map(|version| Tag::from_version(version).to_string());
        let detail = number.map_or_else(
            || "The record does not exist.".to_owned(),
            |number| format!("The record is in version {number}."),
        );
        Self::new(Kind::PreconditionFailed, detail)
            .with("version", json!(number))
            .with("etag", json!(etag))
    }

    /// A cursor of changes from before a restore.
    #[must_use]
    pub fn history_restarted() -> Self {
        Self::new(
            Kind::HistoryRestarted,
            "The database was restored after this cursor was made. Changes that were read with it may \
             no longer exist: discard them, and read again from the beginning, without a cursor.",
        )
    }
}
