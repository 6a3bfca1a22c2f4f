//! The routes that write one record: create, put and patch. All collections share them. A
//! [`Writer`] adds the rules of one collection.
//!
//! A write reads the current version of the record, decides, and commits only if the version is
//! still the same (optimistic concurrency control). If another write came first, it starts over.

use domain::RecordId;
use http_semantics::json::Object;
use http_semantics::{Preconditions, Problem, Validator};
use tables::statement::Statement;
use tables::{Record, record};

use super::restore::{not_deleted, read_state};
use super::{Collection, not_found};
use crate::d1::Row;
use crate::{
    Calls, Database, Error, IdempotentRequest, JSON, MAX_WRITE_ATTEMPTS, MERGE_PATCH, Request,
    Response, VersionedRecord, parse_record,
};

/// The calls of an attempt, at most: it may wait for a deletion of the place.
const ATTEMPT: Calls = Calls::services(8).and(Calls::round_trips(4, 3));

/// Writes one record of a collection.
pub trait Writer: Sized {
    /// The records.
    type Record: Collection<Writer = Self> + Clone + PartialEq;

    /// The query parameters of PUT and PATCH.
    const PARAMETERS: &'static [&'static str];

    /// The writer for one request. Its query has been checked against the parameters.
    ///
    /// # Errors
    /// An invalid parameter, or a worker without its bindings.
    fn new(request: &Request, parameters: &'static [&'static str]) -> Result<Self, Error>;

    /// The database of the records.
    fn database(&self) -> &Database;

    /// Reads the record that a change is about. It may record the write as pending first.
    ///
    /// # Errors
    /// An error of D1.
    fn begin(
        &mut self,
        id: <Self::Record as Collection>::Id,
        _change: &Change<Self::Record>,
    ) -> impl Future<Output = Result<Option<VersionedRecord>, Error>> {
        async move { read_current::<Self::Record>(self.database(), id).await }
    }

    /// Changes a record without reading it first, if no rule depends on its state. None: read it
    /// first. Called only for requests without preconditions.
    ///
    /// # Errors
    /// An error of D1.
    fn change_unread(
        &self,
        _id: <Self::Record as Collection>::Id,
        _change: &Change<Self::Record>,
    ) -> impl Future<Output = Result<Option<VersionedRecord>, Error>> {
        async { Ok(None) }
    }

    /// Adds a record under an id, or under the next one, and saves the response under the
    /// idempotency key. None: another request was faster.
    ///
    /// # Errors
    /// A rule that the record breaks.
    fn insert(
        &mut self,
        id: Option<<Self::Record as Collection>::Id>,
        record: &Self::Record,
        key: Option<&IdempotentRequest>,
    ) -> impl Future<Output = Result<Option<Written>, Error>>;

    /// Changes a record in a version. None: another request was faster.
    ///
    /// # Errors
    /// A rule that the record breaks.
    fn update(
        &mut self,
        id: <Self::Record as Collection>::Id,
        version: i64,
        before: &Self::Record,
        record: &Self::Record,
    ) -> impl Future<Output = Result<Option<VersionedRecord>, Error>>;

    /// Removes what [`Self::begin`] or a failed write left, after the response.
    fn roll_back(&mut self, _request: &Request) {}

    /// The problem of a record that violates a constraint of the database.
    fn violation(&self, error: Error, record: &Self::Record) -> impl Future<Output = Error>;
}

/// The result of a write.
pub enum Written {
    /// The record was added.
    Created(VersionedRecord),
    /// The record was changed, or had that state already.
    Changed(VersionedRecord),
    /// The same request added the record before.
    Replayed(VersionedRecord),
}

impl Written {
    fn into_response<R: Record>(self) -> Response {
        match self {
            Self::Created(record) => record.created_response::<R>(),
            Self::Changed(record) => record.into_response(),
            Self::Replayed(record) => record.replayed_response::<R>(),
        }
    }
}

/// The change of a write with an id.
pub enum Change<R> {
    /// The new state (PUT).
    Replace(R),
    /// An earlier state.
    Restore {
        /// The state.
        record: R,
        /// Its version.
        version: i64,
        /// The version in the request. Without one, the state is the last one of a deleted record,
        /// and no record may have the id.
        requested: Option<i64>,
    },
    /// The fields to change (PATCH, JSON Merge Patch, RFC 7396).
    Merge(Object),
}

/// `POST /v1/{collection}`: adds a record under the next id.
///
/// # Errors
/// An invalid record, a rule that it breaks, or the idempotency key of another request.
pub async fn create<R: Collection>(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    request.reject_preconditions()?;
    let (object, body) = request.json_object(JSON).await?;
    let record: R = parse_record(object, None)?;
    let route = format!("POST /{}", R::table().declaration.collection);
    let key = IdempotentRequest::new(&request, &route, &body)?;
    let mut writer = R::Writer::new(&request, &[])?;
    for attempt in 0..MAX_WRITE_ATTEMPTS {
        if attempt > 0 && !writer.database().quota().has(ATTEMPT) {
            break;
        }
        let written = match writer.insert(None, &record, key.as_ref()).await {
            Err(error) if matches!(error, Error::Unique(_)) => {
                violation(&writer, error, &record, key.as_ref()).await
            }
            written => written,
        };
        match written {
            Ok(Some(written @ Written::Created(_))) => return Ok(written.into_response::<R>()),
            other => {
                writer.roll_back(&request);
                if let Some(written) = other? {
                    return Ok(written.into_response::<R>());
                }
            }
        }
    }
    Err(Problem::being_written().into())
}

/// The outcome of an insert that violated a constraint. If the same request was faster, its
/// response is repeated.
async fn violation<W: Writer>(
    writer: &W,
    error: Error,
    record: &W::Record,
    key: Option<&IdempotentRequest>,
) -> Result<Option<Written>, Error> {
    let Some(key) = key else {
        return Err(writer.violation(error, record).await);
    };
    match key.find_response::<W::Record>(writer.database()).await? {
        Some(stored) => Ok(Some(Written::Replayed(stored))),
        None if error.violates_unique("idempotency.key") => {
            Err(Problem::request_in_flight().into())
        }
        None => Err(writer.violation(error, record).await),
    }
}

/// `PUT /v1/{collection}/{id}`: replaces the record with this id, or adds one under it.
///
/// # Errors
/// An invalid record, a precondition that fails, or a rule that the new state breaks.
pub async fn put<R: Collection>(request: Request) -> Result<Response, Error> {
    let writer = R::Writer::new(&request, R::Writer::PARAMETERS)?;
    let id: R::Id = request.id()?;
    let preconditions = request.preconditions()?;
    let (object, _) = request.json_object(JSON).await?;
    let record = parse_record(object, Some(id.into()))?;
    let change = Change::Replace(record);
    write(&request, writer, id, &preconditions, change).await
}

/// `PATCH /v1/{collection}/{id}`: changes some fields (RFC 7396).
///
/// # Errors
/// As [`put`], and a record that does not exist.
pub async fn patch<R: Collection>(request: Request) -> Result<Response, Error> {
    let writer = R::Writer::new(&request, R::Writer::PARAMETERS)?;
    let id: R::Id = request.id()?;
    let preconditions = request.preconditions()?;
    let (patch, _) = request.json_object(MERGE_PATCH).await?;
    write(&request, writer, id, &preconditions, Change::Merge(patch)).await
}

pub(super) async fn write<W: Writer>(
    request: &Request,
    mut writer: W,
    id: <W::Record as Collection>::Id,
    preconditions: &Preconditions,
    mut change: Change<W::Record>,
) -> Result<Response, Error> {
    if *preconditions == Preconditions::default()
        && let Some(changed) = writer.change_unread(id, &change).await?
    {
        return Ok(changed.into_response());
    }
    for attempt in 0..MAX_WRITE_ATTEMPTS {
        if attempt > 0 && !writer.database().quota().has(ATTEMPT) {
            break;
        }
        match try_write(&mut writer, id, preconditions, &change).await {
            Ok(Some(written)) => return Ok(written.into_response::<W::Record>()),
            uncommitted => {
                writer.roll_back(request);
                uncommitted?;
            }
        }
        if let Change::Restore { requested, .. } = change {
            change = read_state(writer.database(), id, requested).await?;
        }
    }
    Err(Problem::being_written().into())
}

/// None: another request was faster.
async fn try_write<W: Writer>(
    writer: &mut W,
    id: <W::Record as Collection>::Id,
    preconditions: &Preconditions,
    change: &Change<W::Record>,
) -> Result<Option<Written>, Error> {
    let current = writer.begin(id, change).await?;
    let version = current.as_ref().map(|current| current.version);
    if let (None, Change::Merge(_)) = (&current, change) {
        return Err(not_found::<W::Record>(id).into());
    }
    preconditions.check(version)?;
    let restores_deleted = matches!(
        change,
        Change::Restore {
            requested: None,
            ..
        }
    );
    if restores_deleted && current.is_some() {
        return Err(not_deleted::<W::Record>().into());
    }
    let before: Option<W::Record> = current.as_ref().map(VersionedRecord::record).transpose()?;
    let record = match (change, &before) {
        (Change::Replace(record) | Change::Restore { record, .. }, _) => record.clone(),
        (Change::Merge(patch), Some(before)) => parse_record(
            before.to_object().merge_patched(patch.clone()),
            Some(id.into()),
        )?,
        (Change::Merge(_), None) => return Err(not_found::<W::Record>(id).into()),
    };
    let written = match (current, before) {
        (Some(current), Some(before)) if before == record => {
            return Ok(Some(Written::Changed(current)));
        }
        (Some(current), Some(before)) => writer
            .update(id, current.version.number, &before, &record)
            .await
            .map(|changed| changed.map(Written::Changed)),
        _ if matches!(change, Change::Replace(_)) && !id.is_choosable() => {
            let expected = http_semantics::fields::EXPECTED_CHOICE;
            return Err(Problem::invalid_parameter("id", expected).into());
        }
        _ => writer.insert(Some(id), &record, None).await,
    };
    match written {
        // Another request has added the record.
        Err(error)
            if error.violates_unique(&format!("{}.id", W::Record::table().declaration.table)) =>
        {
            Ok(None)
        }
        Err(error) if matches!(error, Error::Unique(_)) => {
            Err(writer.violation(error, &record).await)
        }
        written => written,
    }
}

/// Begins a deletion in one round trip: runs a statement that only matches the versions that the
/// preconditions allow, and returns a row if it has changed anything. The result is that row, or none.
///
/// # Errors
/// A record that does not exist, a precondition that fails, or an error of D1.
pub async fn delete_if<R: Collection>(
    database: &Database,
    id: R::Id,
    preconditions: &Preconditions,
    delete: impl Fn(Option<&[Validator]>) -> Statement,
) -> Result<Option<Row>, Error> {
    let mut versions = preconditions.matched_versions();
    if preconditions.if_none_match.is_some() {
        let current = read_current::<R>(database, id).await?;
        let current = current.ok_or_else(|| not_found::<R>(id))?.version;
        preconditions.check(Some(current))?;
        versions = Some(vec![current]);
    }
    let read = record::read_version(R::table(), id.into());
    let statements = [read, delete(versions.as_deref())];
    let mut results = database.batch(&statements).await?.into_iter();
    let current = results.next().and_then(|rows| rows.into_iter().next());
    let current = current.ok_or_else(|| not_found::<R>(id))?;
    let deleted = results.next().and_then(|rows| rows.into_iter().next());
    if deleted.is_none() {
        preconditions.check(current.validator("version"))?;
    }
    Ok(deleted)
}

/// Reads the current version of a record.
///
/// # Errors
/// An error of D1.
pub async fn read_current<R: Collection>(
    database: &Database,
    id: R::Id,
) -> Result<Option<VersionedRecord>, Error> {
    let read = record::read_version(R::table(), id.into());
    let row = database.row(&read).await?;
    Ok(row.map(|row| VersionedRecord::from_row(id.into(), &row)))
}
