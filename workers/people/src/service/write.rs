//! Writes of one person. A write that refers to a new place begins with a pending write, checks
//! the place and commits: three round trips. Any other needs one, after the read.

use domain::{PersonId, PlaceId};
use edge::{Error, IdempotentRequest, Request, VersionedRecord};
use http_semantics::Problem;
use tables::schema::PERSON;
use tables::statement::Statement;
use tables::{Record, record_statement};

use super::pending::{MAX_ATTEMPTS, PendingWrite, PendingWrites};
use crate::domain::{Person, Residence};
use crate::store::{self, NewPlace, PlaceChange};

/// The result of a write.
pub enum Written {
    /// The person was added.
    Created(VersionedRecord),
    /// The person was changed, or had that state already.
    Changed(VersionedRecord),
    /// The same request added the person before.
    Replayed(VersionedRecord),
}

/// What a request does to a person.
pub enum Plan {
    /// Nothing: the person has that state.
    Unchanged,
    /// Adds the person.
    Insert(Person),
    /// Changes the person.
    Update {
        /// The new state.
        person: Person,
        /// Whether to take the crown from the present king first.
        depose: bool,
    },
}

/// Adds a person under the next id.
///
/// # Errors
/// A place that does not exist, a second king, or an idempotency key of another request.
pub async fn create(
    request: &Request,
    person: &Person,
    keyed: Option<&IdempotentRequest>,
) -> Result<Written, Error> {
    let writes = PendingWrites::new(&request.env)?;
    for _ in 0..MAX_ATTEMPTS {
        let pending = PendingWrite::new(person.residence.place().map(PlaceId::get));
        let created = try_create(&writes, &pending, person, keyed).await;
        match created {
            Ok(Some(Written::Replayed(stored))) => {
                writes.roll_back(request, &pending);
                return Ok(Written::Replayed(stored));
            }
            Ok(Some(written)) => return Ok(written),
            uncommitted => {
                writes.roll_back(request, &pending);
                uncommitted?;
            }
        }
    }
    Err(Problem::being_written().into())
}

/// None if a deletion of the place revoked the write.
async fn try_create(
    writes: &PendingWrites,
    pending: &PendingWrite,
    person: &Person,
    keyed: Option<&IdempotentRequest>,
) -> Result<Option<Written>, Error> {
    let find = keyed.map(IdempotentRequest::find_statement);
    let begin: Vec<Statement> = find.into_iter().chain(pending.add()).collect();
    if !begin.is_empty() {
        let results = writes.database.batch(&begin).await?;
        if let (Some(keyed), Some(rows)) = (keyed, results.first())
            && let Some(stored) = keyed.stored_response(rows)?
        {
            return Ok(Some(Written::Replayed(stored)));
        }
    }
    writes.check(pending.places()).await?;

    let mut commit = pending.commit();
    let insert = commit.len();
    commit.push(store::insert(&person.to_row(None, None)));
    commit.extend(keyed.map(IdempotentRequest::save_response::<Person>));
    match writes.database.batch(&commit).await {
        Ok(results) => {
            let written = results
                .get(insert)
                .and_then(|rows| VersionedRecord::from_returning(rows));
            Ok(Some(Written::Created(
                written.ok_or_else(Problem::internal)?,
            )))
        }
        Err(error) if PendingWrite::is_revoked(&error) => Ok(None),
        Err(error) => {
            // The same request may have been faster.
            if let Some(keyed) = keyed.filter(|_| error.violates_unique("idempotency.key")) {
                let rows = writes.database.rows(&keyed.find_statement()).await?;
                let stored = keyed.stored_response(&rows)?;
                let stored = stored.ok_or_else(Problem::request_in_flight)?;
                return Ok(Some(Written::Replayed(stored)));
            }
            Err(rejection(writes, error, person.residence).await)
        }
    }
}

/// Writes the person with an id, as `plan` decides from the current state: the record in its
/// version, or none. `change` is what the request says about the place.
///
/// # Errors
/// Those of `plan`, a place that does not exist, or a second king.
pub async fn write(
    request: &Request,
    id: PersonId,
    change: PlaceChange,
    plan: impl Fn(Option<&VersionedRecord>) -> Result<Plan, Error>,
) -> Result<Written, Error> {
    let writes = PendingWrites::new(&request.env)?;
    for _ in 0..MAX_ATTEMPTS {
        let (mut pending, current) = begin(&writes, id, change).await?;
        let written = match plan(current.as_ref()) {
            Ok(plan) => commit(&writes, id, &mut pending, current, plan).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(Some(written)) => return Ok(written),
            uncommitted => {
                writes.roll_back(request, &pending);
                uncommitted?;
            }
        }
    }
    Err(Problem::being_written().into())
}

/// Reads the person and records a pending write, if the change refers to a new place.
async fn begin(
    writes: &PendingWrites,
    id: PersonId,
    change: PlaceChange,
) -> Result<(PendingWrite, Option<VersionedRecord>), Error> {
    let mut pending = PendingWrite::new(None);
    let row = if change == PlaceChange::default() {
        writes
            .database
            .row(&record_statement::read_version(&PERSON, id.get()))
            .await?
    } else {
        let add = store::add_pending_for(pending.token(), id, change);
        let results = writes.database.batch(&[add, store::read_begun(id)]).await?;
        let row = results.into_iter().flatten().next();
        if let Some(row) = row.as_ref().filter(|row| row.boolean("pending_writes")) {
            let place = match change.place {
                NewPlace::Set(place) => place.map(PlaceId::get),
                NewPlace::Unchanged => row.integer("place_id"),
            };
            pending.add_place(place.ok_or_else(Problem::internal)?);
        }
        row
    };
    let current = row.map(|row| VersionedRecord::from_row(id.get(), &row));
    Ok((pending, current))
}

/// Checks the place of a pending write, and commits. None if another request was faster, or a
/// deletion of the place revoked the write.
async fn commit(
    writes: &PendingWrites,
    id: PersonId,
    pending: &mut PendingWrite,
    current: Option<VersionedRecord>,
    plan: Plan,
) -> Result<Option<Written>, Error> {
    let version = current.as_ref().map(|current| current.version);
    let before = current
        .as_ref()
        .map(VersionedRecord::record::<Person>)
        .transpose()?;
    let (person, depose) = match (plan, current) {
        (Plan::Unchanged, Some(current)) => return Ok(Some(Written::Changed(current))),
        (Plan::Unchanged, None) => return Err(Problem::internal().into()),
        (Plan::Insert(person), _) => (person, false),
        (Plan::Update { person, depose }, _) => (person, depose),
    };
    // The person does not exist yet, or the request did not say that it refers to the place.
    let reference = person
        .residence
        .new_reference(before.map(|before| before.residence))
        .map(PlaceId::get);
    if let Some(place) = reference.filter(|place| !pending.places().contains(place)) {
        let add = store::add_pending(pending.token(), &[place]);
        writes.database.batch(&[add]).await?;
        pending.add_place(place);
    }
    writes.check(pending.places()).await?;

    let mut statements = pending.commit();
    if let (Some(version), Some(place), true) = (version, person.residence.place(), depose) {
        statements.push(store::depose(place, id, version));
    }
    let row = person.to_row(Some(id.get()), version);
    statements.push(if version.is_some() {
        store::update(&row)
    } else {
        store::insert(&row)
    });
    let results = match writes.database.batch(&statements).await {
        Ok(results) => results,
        Err(error) if PendingWrite::is_revoked(&error) => return Ok(None),
        // Another request has added the person.
        Err(error) if error.violates_unique("person.id") => return Ok(None),
        Err(error) => return Err(rejection(writes, error, person.residence).await),
    };
    let written = results
        .last()
        .and_then(|rows| VersionedRecord::from_returning(rows));
    Ok(written.map(|stored| match version {
        Some(_) => Written::Changed(stored),
        None => Written::Created(stored),
    }))
}

/// The error of a write that a constraint rejected: a second king, with the first.
async fn rejection(writes: &PendingWrites, error: Error, residence: Residence) -> Error {
    let Some(place) = residence
        .place()
        .filter(|_| error.violates_unique("person.place_id"))
    else {
        return error;
    };
    match writes.database.row(&store::king(place)).await {
        Ok(Some(king)) => {
            let (id, name) = (king.integer("id"), king.text("name"));
            let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
            Problem::place_has_king(place.get(), id, &name).into()
        }
        // There is no king any more, so the same request may succeed now.
        Ok(None) => Problem::being_written().into(),
        Err(error) => error,
    }
}
