//! Receipts make repeated imports idempotent. The transaction of a batch that adds records saves a
//! receipt in the table `idempotency`. If the batch is sent again, this receipt is found.
//!
//! A receipt refers to the changes of the batch, as a range of the change log. It is valid while
//! each of these changes is the latest change of its record. If a record has changed since, the
//! batch is planned again. With an `Idempotency-Key`, the whole import counts as one request, so
//! its receipts are always valid.
//!
//! If invalid lines were left out of the batch, its receipt has another key. Only an import that
//! may leave out lines finds it: any other import has to report these lines.

use super::report::Counts;
use crate::statement::{Bind, Statement};
use crate::table_spec::TableSpec;

/// The receipt of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    key: String,
    fingerprint: String,
    has_client_key: bool,
    /// Whether the import may leave out invalid lines.
    skip_invalid: bool,
}

/// A receipt: a row of (`counts`, `is_valid`). Uses the primary key, and the unique index of the
/// change log on (id, version).
const FIND: &str = "
SELECT body AS counts, NOT EXISTS ({later}) AS is_valid
FROM idempotency AS receipt
WHERE key {is_one_of}";

/// The receipt of an import with an `Idempotency-Key`.
const FIND_WITH_CLIENT_KEY: &str =
    "SELECT body AS counts, 1 AS is_valid FROM idempotency WHERE key {is_one_of}";

/// Uses the same indexes.
const DELETE: &str = "DELETE FROM idempotency AS receipt WHERE key = ?1 AND EXISTS ({later})";

/// The later changes that make a receipt invalid.
const LATER: &str = "
SELECT 1
FROM {log} AS written
CROSS JOIN {log} AS later
  ON later.{id} = written.{id} AND later.version = written.version + 1
WHERE written.seq BETWEEN receipt.first_seq AND receipt.last_seq";

/// The changes of the batch are the latest ones of the log. Uses the primary key of the log.
const SAVE: &str = "
INSERT INTO idempotency (key, fingerprint, body, first_seq, last_seq)
SELECT ?1, ?2, ?3, last - ?4 + 1, last
FROM (SELECT max(seq) AS last FROM {log})";

impl Receipt {
    /// The receipt of a batch, by its fingerprint.
    #[must_use]
    pub fn new(fingerprint: &str, has_client_key: bool, skip_invalid: bool) -> Self {
        Self {
            key: format!("import:{fingerprint}"),
            fingerprint: fingerprint.to_owned(),
            has_client_key,
            skip_invalid,
        }
    }

    /// The key of a batch from which lines were left out, or that of a whole batch.
    fn key(&self, leaves_out: bool) -> Bind {
        if leaves_out {
            format!("{} without invalid lines", self.key).into()
        } else {
            self.key.as_str().into()
        }
    }

    fn statement(sql: &str, table: &TableSpec, keys: Vec<Bind>) -> Statement {
        let sql = sql
            .replace("{later}", LATER)
            .replace("{log}", table.declaration.change_log)
            .replace("{id}", table.declaration.change_log_id);
        Statement::new(&sql, keys)
    }

    /// The statement that finds the receipt.
    #[must_use]
    pub fn find(&self, table: &TableSpec) -> Statement {
        let sql = if self.has_client_key {
            FIND_WITH_CLIENT_KEY
        } else {
            FIND
        };
        let mut keys = vec![self.key(false)];
        if !self.skip_invalid {
            return Self::statement(&sql.replace("{is_one_of}", "= ?1"), table, keys);
        }
        keys.push(self.key(true));
        let either = "IN (?1, ?2) ORDER BY is_valid DESC LIMIT 1";
        Self::statement(&sql.replace("{is_one_of}", either), table, keys)
    }

    /// The statement that deletes the receipt if it is no longer valid.
    #[must_use]
    pub fn delete_invalid(&self, table: &TableSpec, leaves_out: bool) -> Option<Statement> {
        let keys = vec![self.key(leaves_out)];
        (!self.has_client_key).then(|| Self::statement(DELETE, table, keys))
    }

    /// The statement that saves the receipt. `changes` is the number of changes that it refers to,
    /// which are the latest ones of the log. `leaves_out`: whether lines were left out.
    #[must_use]
    pub fn save(
        &self,
        table: &TableSpec,
        leaves_out: bool,
        counts: Counts,
        changes: i64,
    ) -> Statement {
        // Serializing plain values cannot fail.
        let counts = serde_json::to_string(&counts).unwrap_or_default();
        let mut statement = Self::statement(SAVE, table, vec![self.key(leaves_out)]);
        let more = [self.fingerprint.as_str().into(), counts.into()];
        statement.binds.extend(more);
        statement.binds.push(changes.into());
        statement
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::PLACE;

    #[test]
    fn only_a_receipt_without_a_key_of_the_client_can_become_invalid() {
        for has_client_key in [false, true] {
            let receipt = Receipt::new("f", has_client_key, false);
            let deletion = receipt.delete_invalid(&PLACE, false);
            assert_eq!(deletion.is_none(), has_client_key);
        }
    }

    #[test]
    fn only_an_import_that_may_leave_out_lines_finds_the_receipt_of_a_part() {
        let key = |statement: &Statement, n: usize| statement.binds.get(n).cloned();
        for skip_invalid in [false, true] {
            let receipt = Receipt::new("f", false, skip_invalid);
            let find = receipt.find(&PLACE);
            let [whole, part] = [false, true]
                .map(|leaves_out| receipt.save(&PLACE, leaves_out, Counts::default(), 1));
            assert_eq!(key(&find, 0), key(&whole, 0));
            let part = key(&part, 0).filter(|_| skip_invalid);
            assert_eq!(key(&find, 1), part);
        }
    }
}
