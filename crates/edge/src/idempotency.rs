//! Idempotency keys: if a client repeats a request with the same key, it gets the stored response
//! of the first request. The table `idempotency`, which both databases have, stores the responses.

use http_semantics::Problem;
use http_semantics::idempotency::{RETENTION_HOURS, fingerprint, storage_key};
use tables::statement::Statement;
use tables::{Record, TableSpec, operations};

use crate::collection::versioned_record::VersionedRecord;
use crate::d1::{Database, Row};
use crate::error::Error;
use crate::http::request::Request;
use crate::service_client::CALLER_HEADER;

/// The maximum number of expired responses that one statement deletes.
const MAX_DELETED: i64 = 10_000;

/// The maximum number of such statements in a scheduled run.
const MAX_DELETIONS: usize = 10;

/// The client of a backend, by the pseudonym of its token: from the token itself, or else from the
/// gateway. It is empty if writes are open. Only a request that may write gets this far, so a client
/// cannot choose the header unless writes are open.
pub fn caller(request: &Request) -> String {
    let own = request.env.caller_pseudonym();
    own.or_else(|| request.header(CALLER_HEADER))
        .unwrap_or_default()
}

/// A request with an idempotency key.
pub struct IdempotentRequest {
    /// The key under which the response is stored: one per client and key.
    key: String,
    /// Tells whether a request with the same key is the same request.
    fingerprint: String,
}

impl IdempotentRequest {
    /// The request of a route with this body, if it has an idempotency key.
    ///
    /// # Errors
    /// An invalid key.
    pub fn new(request: &Request, route: &str, body: &[u8]) -> Result<Option<Self>, Problem> {
        Self::of_kind("request", request, route, body)
    }

    /// A batch of operations. Its keys are not those of other requests, because its response has
    /// another form.
    ///
    /// # Errors
    /// An invalid key.
    pub fn of_batch(request: &Request, route: &str, body: &[u8]) -> Result<Option<Self>, Problem> {
        Self::of_kind("batch", request, route, body)
    }

    fn of_kind(
        kind: &str,
        request: &Request,
        route: &str,
        body: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let key = request.idempotency_key()?;
        let parts = [route.as_bytes(), request.query.as_bytes(), body];
        Ok(key.map(|key| Self {
            key: storage_key(kind, &caller(request), &key),
            fingerprint: fingerprint(&parts),
        }))
    }

    /// The statement that finds the stored response: by the primary key, and then by the unique
    /// index of the change log on (id, version).
    #[must_use]
    pub fn find_statement<R: Record>(&self) -> Statement {
        const FIND: &str = "
SELECT
  request.fingerprint,
  request.record_id,
  request.version,
  {epoch} AS epoch,
  {logged_json} AS body,
  created.name IS NULL AS is_erased
FROM idempotency AS request
JOIN {change_log} AS created
  ON created.{change_log_id} = request.record_id AND created.version = request.version
WHERE request.key = ?1";
        Statement::new(&R::table().sql(FIND), vec![self.key.as_str().into()])
    }

    /// The stored response in the rows of [`Self::find_statement`].
    ///
    /// # Errors
    /// A key that was used for another request, or for a person who was erased since.
    pub fn stored_response(&self, rows: &[Row]) -> Result<Option<VersionedRecord>, Error> {
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        if row.text("fingerprint").as_ref() != Some(&self.fingerprint) {
            return Err(Problem::idempotency_key_reused().into());
        }
        if row.boolean("is_erased") {
            return Err(Problem::person_erased().into());
        }
        let id = row.integer("record_id").unwrap_or_default();
        Ok(Some(VersionedRecord::from_row(id, row)))
    }

    /// Finds the stored response.
    ///
    /// # Errors
    /// As [`Self::stored_response`], or a failure of the database.
    pub async fn find_response<R: Record>(
        &self,
        database: &Database,
    ) -> Result<Option<VersionedRecord>, Error> {
        let rows = database.rows(&self.find_statement::<R>()).await?;
        self.stored_response(&rows)
    }

    /// Finds what an earlier request with this key has written: a row of (fingerprint, body, epoch),
    /// by the primary key.
    ///
    /// # Errors
    /// A key that was used for another request, or a failure of the database.
    pub async fn find_written(&self, database: &Database) -> Result<Option<Row>, Error> {
        const FIND_WRITTEN: &str = "
SELECT fingerprint, body, (SELECT epoch FROM schema WHERE id = 1) AS epoch
FROM idempotency
WHERE key = ?1";
        let find = Statement::new(FIND_WRITTEN, vec![self.key.as_str().into()]);
        let row = database.row(&find).await?;
        match row.as_ref().and_then(|row| row.text("fingerprint")) {
            Some(fingerprint) if fingerprint != self.fingerprint => {
                Err(Problem::idempotency_key_reused().into())
            }
            _ => Ok(row),
        }
    }

    /// The statement at the end of a batch that reads and saves what it has written.
    #[must_use]
    pub fn save_written(
        &self,
        table: &TableSpec,
        changes: usize,
        unchanged: &[[i64; 2]],
    ) -> Statement {
        operations::save_written(table, changes, unchanged, &self.key, &self.fingerprint)
    }

    /// The statement that saves the response to an insert, in the same batch: the last change of
    /// the change log, which contains the record. So an erasure has to change only the log.
    #[must_use]
    pub fn save_response<R: Record>(&self) -> Statement {
        const SAVE: &str = "
INSERT INTO idempotency (key, fingerprint, record_id, version)
SELECT ?1, ?2, {change_log_id}, version FROM {change_log}
WHERE seq = (SELECT max(seq) FROM {change_log})";
        let binds = vec![self.key.as_str().into(), self.fingerprint.as_str().into()];
        Statement::new(&R::table().sql(SAVE), binds)
    }
}

impl Database {
    /// Deletes the responses that are older than `RETENTION_HOURS` (24), the oldest first, by the
    /// index `idempotency_by_age`. The scheduled run of places and people calls it every minute
    /// (`routes/repair.rs`). Each statement is bounded, because other requests wait for it.
    ///
    /// # Errors
    /// A failure of the database.
    pub async fn delete_expired_responses(&self) -> Result<(), Error> {
        const DELETE_EXPIRED: &str = "
            DELETE FROM idempotency WHERE key IN (
              SELECT key FROM idempotency
              WHERE at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1
              ORDER BY at
              LIMIT +?2
            )";
        let max_age_ms = RETENTION_HOURS * 60 * 60 * 1000;
        let limits = vec![max_age_ms.into(), MAX_DELETED.into()];
        let delete = Statement::new(DELETE_EXPIRED, limits);
        for _ in 0..MAX_DELETIONS {
            if self.change_rows(&delete).await? < MAX_DELETED {
                break;
            }
        }
        Ok(())
    }
}
