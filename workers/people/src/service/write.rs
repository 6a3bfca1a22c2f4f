//! Writes one person. [`edge::collection`] implements the routes.
//!
//! A write with a new reference takes three round trips ([`super::pending`]). Any other update
//! takes two: one to read, and one to commit. Two kinds of writes take only one round trip: a
//! rename without preconditions, and an insert without a place and without an idempotency key.

use domain::name::Name;
use domain::{PersonId, PlaceId};
use edge::collection::{Change, Writer, Written, read_current};
use edge::{Database, Error, IdempotentRequest, NORMALIZE, Request, VersionedRecord};
use http_semantics::Problem;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use serde_json::Value;
use tables::Record;
use tables::record::Author;
use tables::statement::{ABORTED, Statement};

use super::pending::{PendingWrite, PendingWrites};
use crate::domain::Person;
use crate::store::{self, NewPlace, PlaceChange, RestoredState};

/// The rules of a write of one person.
pub struct PersonWriter {
    writes: PendingWrites,
    pending: PendingWrite,
    author: Author,
    /// Whether to depose the present king of the place first.
    depose: bool,
    /// The state that the write restores.
    restored: Option<RestoredState>,
}

impl Writer for PersonWriter {
    type Record = Person;

    const PARAMETERS: &'static [&'static str] = &["depose"];

    fn new(request: &Request, parameters: &'static [&'static str]) -> Result<Self, Error> {
        let depose = request.params(parameters)?.get("depose")?;
        Ok(Self {
            writes: PendingWrites::new(&request.env)?,
            pending: PendingWrite::new([]),
            author: request.env.author(),
            depose: depose.unwrap_or(false),
            restored: None,
        })
    }

    fn database(&self) -> &Database {
        &self.writes.database
    }

    /// Renames a person if the change only sets the name, because no rule depends on the name.
    async fn change_unread(
        &self,
        id: PersonId,
        change: &Change<Person>,
    ) -> Result<Option<VersionedRecord>, Error> {
        let Change::Merge(patch) = change else {
            return Ok(None);
        };
        if self.depose || patch.0.len() != 1 {
            return Ok(None);
        }
        let name = patch.0.get("name").and_then(Value::as_str);
        let Some(name) = name.and_then(|name| Name::new(name, NORMALIZE)) else {
            return Ok(None);
        };
        let rename = store::rename(id, &name, &self.author, NORMALIZE);
        let rows = self.database().rows(&rename).await?;
        Ok(VersionedRecord::from_returning(&rows))
    }

    /// Reads the person. If the change has a new reference, the same round trip records a pending
    /// write.
    async fn begin(
        &mut self,
        id: PersonId,
        change: &Change<Person>,
    ) -> Result<Option<VersionedRecord>, Error> {
        self.restored = match change {
            Change::Restore {
                version, requested, ..
            } => Some(RestoredState {
                person: id,
                version: *version,
                must_be_last: requested.is_none(),
            }),
            Change::Replace(_) | Change::Merge(_) => None,
        };
        let change = place_change(change);
        if change == PlaceChange::default() {
            return read_current::<Person>(self.database(), id).await;
        }
        let add = store::add_pending_for(self.pending.token(), id, change);
        let results = self
            .database()
            .batch(&[add, store::read_with_pending(id)])
            .await?;
        let row = results.into_iter().flatten().next();
        if let Some(row) = row.as_ref().filter(|row| row.boolean("pending_writes")) {
            let place = match change.place {
                NewPlace::Set(place) => place.map(PlaceId::get),
                NewPlace::Unchanged => row.integer("place_id"),
            };
            self.pending.add_place(place.ok_or_else(Problem::internal)?);
        }
        Ok(row.map(|row| VersionedRecord::from_row(id.get(), &row)))
    }

    async fn insert(
        &mut self,
        id: Option<PersonId>,
        person: &Person,
        key: Option<&IdempotentRequest>,
    ) -> Result<Option<Written>, Error> {
        if self.depose && self.restored.is_none() {
            return Err(depose_needs_a_resident().into());
        }
        if let Some(stored) = self.add_reference(person.residence.place(), key).await? {
            return Ok(Some(Written::Replayed(stored)));
        }
        let mut statements: Vec<_> = id
            .and_then(|id| self.deposition(id, None, person))
            .into_iter()
            .collect();
        statements.push(store::insert(&person.to_row(
            id.map(PersonId::get),
            None,
            &self.author,
            NORMALIZE,
        )));
        statements.extend(key.map(IdempotentRequest::save_response::<Person>));
        let inserted = self.commit(statements).await?;
        Ok(inserted.map(Written::Created))
    }

    async fn update(
        &mut self,
        id: PersonId,
        version: i64,
        before: &Person,
        person: &Person,
    ) -> Result<Option<VersionedRecord>, Error> {
        let new_reference = person.residence.new_reference(Some(before.residence));
        if new_reference.is_some() && self.depose && self.restored.is_none() {
            return Err(depose_needs_a_resident().into());
        }
        self.add_reference(new_reference, None).await?;
        let mut statements: Vec<_> = self
            .deposition(id, Some(version), person)
            .into_iter()
            .collect();
        statements.push(store::update(&person.to_row(
            Some(id.get()),
            Some(version),
            &self.author,
            NORMALIZE,
        )));
        self.commit(statements).await
    }

    fn roll_back(&mut self, request: &Request) {
        let pending = std::mem::replace(&mut self.pending, PendingWrite::new([]));
        self.writes.roll_back(request, &pending);
    }

    /// A second king of a place.
    async fn violation(&self, error: Error, person: &Person) -> Error {
        let Some(place) = person
            .residence
            .place()
            .filter(|_| error.violates_unique("person.place_id"))
        else {
            return error;
        };
        match self.database().row(&store::king(place)).await {
            Ok(Some(row)) => match row.integer("id").zip(row.text("name")) {
                Some((id, name)) => Problem::place_has_king(place.get(), id, &name).into(),
                None => Problem::internal().into(),
            },
            // The place has no king anymore, so a retry may succeed.
            Ok(None) => Problem::being_written().into(),
            Err(error) => error,
        }
    }
}

impl PersonWriter {
    /// The statement that deposes the present king of the place of a new one, with `depose`. The
    /// version is that of the new king, unless the person is added.
    fn deposition(&self, id: PersonId, version: Option<i64>, person: &Person) -> Option<Statement> {
        let is_needed = self.depose && person.residence.is_king();
        let place = person.residence.place().filter(|_| is_needed)?;
        Some(store::depose(place, id, version, &self.author))
    }

    /// Records a pending write for a new reference, unless [`Writer::begin`] has done so, and
    /// checks the place. The first round trip also looks up the idempotency key, and the stored
    /// response is returned if there is one.
    async fn add_reference(
        &mut self,
        new_reference: Option<PlaceId>,
        key: Option<&IdempotentRequest>,
    ) -> Result<Option<VersionedRecord>, Error> {
        let place = new_reference.map(PlaceId::get);
        let place = place.filter(|place| !self.pending.places().contains(place));
        let add = place.map(|place| store::add_pending(self.pending.token(), &[place]));
        let find = key.map(IdempotentRequest::find_statement::<Person>);
        let statements: Vec<Statement> = find.into_iter().chain(add).collect();
        if !statements.is_empty() {
            let results = self.database().batch(&statements).await?;
            if let Some(place) = place {
                self.pending.add_place(place);
            }
            if let (Some(key), Some(rows)) = (key, results.first())
                && let Some(stored) = key.stored_response(rows)?
            {
                return Ok(Some(stored));
            }
        }
        self.writes.check(self.pending.places()).await?;
        Ok(None)
    }

    /// Commits the pending write together with the statements. The first row of the results is the
    /// person. None: another request was faster, a deletion of the place revoked the pending write, or
    /// an erasure removed the state to restore.
    async fn commit(&self, write: Vec<Statement>) -> Result<Option<VersionedRecord>, Error> {
        let mut statements = self.pending.commit();
        statements.extend(self.restored.map(store::check_restored));
        statements.extend(write);
        match self.database().batch(&statements).await {
            Ok(results) => Ok(results
                .iter()
                .find_map(|rows| VersionedRecord::from_returning(rows))),
            Err(error) if PendingWrite::is_revoked(&error) => Ok(None),
            Err(error) if error.violates_check(ABORTED) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The change of the place. An invalid field counts as null here. It is rejected later, before the
/// commit.
fn place_change(change: &Change<Person>) -> PlaceChange {
    match change {
        Change::Replace(person) | Change::Restore { record: person, .. } => PlaceChange {
            place: NewPlace::Set(person.residence.place()),
            is_alive: Some(person.residence.is_alive()),
        },
        Change::Merge(Object(patch)) => PlaceChange {
            place: patch.get("placeId").map_or(NewPlace::Unchanged, |place| {
                NewPlace::Set(place.as_i64().and_then(PlaceId::new))
            }),
            is_alive: patch
                .get("isAlive")
                .map(|is_alive| is_alive.as_bool().unwrap_or(false)),
        },
    }
}

/// The problem of `depose` together with a new place: the person must already live in the place,
/// unless the write restores a state that was valid once.
fn depose_needs_a_resident() -> Problem {
    Problem::invalid_record(&[FieldError {
        pointer: "/placeId".to_owned(),
        detail: "the present place, with `depose`: write the person without the crown first"
            .to_owned(),
    }])
}
