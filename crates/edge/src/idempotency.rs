//! The answers kept under idempotency keys: the table `idempotency` is the same in both
//! registers.

use http_semantics::Problem;
use http_semantics::idempotency::{HOURS_KEPT, Key, fingerprint};
use tables::change_log::Log;
use tables::statement::{Register, Statement};

use crate::d1::{Database, Row};
use crate::error::Error;
use crate::http::request::Call;
use crate::versioned_record::Stored;

/// An idempotency key with the request that came under it.
pub struct Keyed {
    key: Key,
    /// What the request is told by.
    fingerprint: String,
}

impl Keyed {
    /// The key of a call with a body, where it has one.
    ///
    /// # Errors
    /// A key that cannot be used.
    pub fn of(call: &Call, route: &str, body: &[u8]) -> Result<Option<Self>, Problem> {
        let key = call.idempotency_key()?;
        let parts = [route.as_bytes(), call.query.as_bytes(), body];
        Ok(key.map(|key| Self {
            key,
            fingerprint: fingerprint(&parts),
        }))
    }

    /// The statement that finds the response stored under the key, by its primary key.
    #[must_use]
    pub fn find(&self) -> Statement {
        const FIND: &str =
            "SELECT fingerprint, record_id, version, body FROM idempotency WHERE key = ?1";
        Statement::new(FIND, vec![self.key.as_str().into()])
    }

    /// The response that the statement found.
    ///
    /// # Errors
    /// A key that came with another request.
    pub fn found(&self, rows: &[Row]) -> Result<Option<Stored>, Error> {
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        if row.text(0).as_ref() != Some(&self.fingerprint) {
            return Err(Problem::idempotency_key_reused().into());
        }
        Ok(Some(Stored {
            id: row.integer(1).unwrap_or_default(),
            version: row.integer(2).unwrap_or_default(),
            body: row.value(3),
        }))
    }

    /// The response stored under the key.
    ///
    /// # Errors
    /// A key that came with another request.
    pub async fn kept(&self, database: &Database) -> Result<Option<Stored>, Error> {
        self.found(&database.rows(&self.find()).await?)
    }

    /// Keeps the answer to an insert of one, in the same batch: what that has written is the
    /// latest of the register's log.
    #[must_use]
    pub fn remember(&self, register: Register, log: Log) -> Statement {
        const REMEMBER: &str = "
INSERT INTO idempotency (key, fingerprint, record_id, version, body)
SELECT ?1, ?2, id, version, {record}
FROM {table}
WHERE id = (SELECT {id} FROM {log} ORDER BY seq DESC LIMIT 1)";
        let sql = REMEMBER
            .replace("{record}", register.record)
            .replace("{table}", register.table)
            .replace("{id}", log.id)
            .replace("{log}", log.table);
        let binds = vec![self.key.as_str().into(), self.fingerprint.as_str().into()];
        Statement::new(&sql, binds)
    }
}

impl Database {
    /// Forgets the answers that have been kept long enough, by the index
    /// `idempotency_by_age`.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn sweep_answers(&self) -> Result<(), Error> {
        const SWEEP: &str = "
            DELETE FROM idempotency
            WHERE at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?1";
        let age = HOURS_KEPT * 60 * 60 * 1000;
        let sweep = Statement::new(SWEEP, vec![age.into()]);
        self.batch(&[sweep]).await.map(drop)
    }
}
