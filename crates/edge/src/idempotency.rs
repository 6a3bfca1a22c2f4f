//! Responses stored under idempotency keys. The table `idempotency` is the same in both databases.

use http_semantics::Problem;
use http_semantics::idempotency::{IdempotencyKey, RETENTION_HOURS, fingerprint};
use tables::Record;
use tables::statement::Statement;

use crate::d1::{Database, Row};
use crate::error::Error;
use crate::http::request::Request;
use crate::versioned_record::VersionedRecord;

/// A request with an idempotency key.
pub struct IdempotentRequest {
    key: IdempotencyKey,
    /// Identifies the request.
    fingerprint: String,
}

impl IdempotentRequest {
    /// The key of a call with a body, where it has one.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub fn new(request: &Request, route: &str, body: &[u8]) -> Result<Option<Self>, Problem> {
        let key = request.idempotency_key()?;
        let parts = [route.as_bytes(), request.query.as_bytes(), body];
        Ok(key.map(|key| Self {
            key,
            fingerprint: fingerprint(&parts),
        }))
    }

    /// The statement that finds the response stored under the key, by its primary key.
    #[must_use]
    pub fn find_statement(&self) -> Statement {
        const FIND: &str =
            "SELECT fingerprint, record_id, version, body FROM idempotency WHERE key = ?1";
        Statement::new(FIND, vec![self.key.as_str().into()])
    }

    /// The response that the statement found.
    ///
    /// # Errors
    /// A key that came with another request.
    pub fn stored_response(&self, rows: &[Row]) -> Result<Option<VersionedRecord>, Error> {
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        if row.text("fingerprint").as_ref() != Some(&self.fingerprint) {
            return Err(Problem::idempotency_key_reused().into());
        }
        let id = row.integer("record_id").unwrap_or_default();
        Ok(Some(VersionedRecord::from_row(id, row)))
    }

    /// The response stored under the key.
    ///
    /// # Errors
    /// A key that came with another request.
    pub async fn find_response(
        &self,
        database: &Database,
    ) -> Result<Option<VersionedRecord>, Error> {
        self.stored_response(&database.rows(&self.find_statement()).await?)
    }

    /// Saves the response to an insert of one record, in the same batch: the insert is the last
    /// change of the log.
    #[must_use]
    pub fn save_response<R: Record>(&self) -> Statement {
        const SAVE: &str = "
INSERT INTO idempotency (key, fingerprint, record_id, version, body)
SELECT ?1, ?2, id, version, {json}
FROM {table}
WHERE id = (SELECT {change_log_id} FROM {change_log} ORDER BY seq DESC LIMIT 1)";
        let binds = vec![self.key.as_str().into(), self.fingerprint.as_str().into()];
        Statement::new(&R::table().sql(SAVE), binds)
    }
}

impl Database {
    /// Deletes expired responses, by the index `idempotency_by_age`.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn delete_expired_responses(&self) -> Result<(), Error> {
        const SWEEP: &str = "
            DELETE FROM idempotency
            WHERE at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1";
        let age = RETENTION_HOURS * 60 * 60 * 1000;
        let sweep = Statement::new(SWEEP, vec![age.into()]);
        self.batch(&[sweep]).await.map(drop)
    }
}
