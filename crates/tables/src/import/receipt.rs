//! Receipts. A batch that adds records leaves one in the table `idempotency`, in the same
//! transaction, so that the batch is known when it is sent again.
//!
//! A receipt names the changes that it is about, as a range of the log. It is only valid while
//! each of them is the latest change of its record: a record that was changed or deleted since is
//! no longer as the batch left it, and the batch has to be planned again. Under the client's own
//! key an import is one request, which is done once, so its receipt is always valid.

use super::report::Counts;
use crate::change_log::Log;
use crate::statement::Statement;

/// The receipt of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    key: String,
    fingerprint: String,
    has_client_key: bool,
}

/// The receipt of a key, by the primary key: a row of (`counts`, `is_valid`). By the log's unique
/// index on record and version.
const FIND: &str = "
SELECT body AS counts, NOT EXISTS ({later}) AS is_valid
FROM idempotency AS receipt
WHERE key = ?1";

/// The receipt of a client's own key.
const FIND_OWN: &str = "SELECT body AS counts, 1 AS is_valid FROM idempotency WHERE key = ?1";

/// By the same indexes.
const DELETE: &str = "DELETE FROM idempotency AS receipt WHERE key = ?1 AND EXISTS ({later})";

/// The changes after those of a receipt that make it invalid.
const LATER: &str = "
SELECT 1
FROM {log} AS written
CROSS JOIN {log} AS later
  ON later.{id} = written.{id} AND later.version = written.version + 1
WHERE written.seq BETWEEN receipt.first_seq AND receipt.last_seq";

/// The latest changes are those of the batch, by the log's primary key.
const SAVE: &str = "
INSERT INTO idempotency (key, fingerprint, body, first_seq, last_seq)
SELECT ?1, ?2, ?3, last - ?4 + 1, last
FROM (SELECT max(seq) AS last FROM {log})";

impl Receipt {
    /// The receipt of a batch, by its fingerprint.
    #[must_use]
    pub fn new(fingerprint: &str, has_client_key: bool) -> Self {
        Self {
            key: format!("import:{fingerprint}"),
            fingerprint: fingerprint.to_owned(),
            has_client_key,
        }
    }

    fn with_log(&self, sql: &str, log: Log) -> Statement {
        let sql = sql
            .replace("{later}", LATER)
            .replace("{log}", log.table)
            .replace("{id}", log.id);
        Statement::new(&sql, vec![self.key.as_str().into()])
    }

    /// Finds it.
    #[must_use]
    pub fn find(&self, log: Log) -> Statement {
        self.with_log(if self.has_client_key { FIND_OWN } else { FIND }, log)
    }

    /// Deletes it if it is no longer valid.
    #[must_use]
    pub fn delete_invalid(&self, log: Log) -> Option<Statement> {
        (!self.has_client_key).then(|| self.with_log(DELETE, log))
    }

    /// Saves it: it is about this many changes, the latest of the log.
    #[must_use]
    pub fn save(&self, log: Log, counts: Counts, changes: i64) -> Statement {
        // Plain values always serialize.
        let counts = serde_json::to_string(&counts).unwrap_or_default();
        let mut statement = self.with_log(SAVE, log);
        let more = [self.fingerprint.as_str().into(), counts.into()];
        statement.binds.extend(more);
        statement.binds.push(changes.into());
        statement
    }
}
