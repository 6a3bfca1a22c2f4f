//! The logs of the registers: the statements that page through their changes.

use crate::page::Limit;
use crate::statement::{Bind, Statement};
use http_semantics::media::Frame;

/// An append-only table with `seq`, `at` and `version`, written by triggers.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    /// The table.
    pub table: &'static str,
    /// Its column with the record's id.
    pub id: &'static str,
    /// The expression that makes one change's JSON.
    pub change: &'static str,
}

/// One row of (body, cursor, whether there is more): the cursor is of the last change shown,
/// or null where there is none.
const PAGE: &str = "
WITH
  page AS (SELECT * FROM {table} WHERE {filter} ORDER BY {key} LIMIT ?2 + 1),
  numbered AS (SELECT *, row_number() OVER () AS n FROM page)
SELECT
  ?3 || coalesce(group_concat({change}, ?4) FILTER (WHERE n <= ?2) || ?5, ?6),
  max({key}) FILTER (WHERE n <= ?2),
  count(*) > ?2
FROM numbered";

impl Log {
    fn page(self, filter: &str, key: &str, after: i64, limit: Limit, frame: Frame) -> Statement {
        let sql = PAGE
            .replace("{table}", self.table)
            .replace("{filter}", filter)
            .replace("{key}", key)
            .replace("{change}", self.change);
        let mut binds = vec![Bind::Integer(after), Bind::Integer(limit.get().into())];
        binds.extend([frame.open, frame.between, frame.close, frame.end(true)].map(Bind::from));
        Statement { sql, binds }
    }

    /// The greatest `seq`, 0 where nothing has changed yet: the register's change counter.
    #[must_use]
    pub fn counter(self) -> Statement {
        let sql = format!("SELECT coalesce(max(seq), 0) FROM {}", self.table);
        Statement::new(&sql, Vec::new())
    }

    /// The changes behind a `seq`, by the primary key.
    #[must_use]
    pub fn since(self, seq: i64, limit: Limit, frame: Frame) -> Statement {
        self.page("seq > ?1", "seq", seq, limit, frame)
    }

    /// The versions of one record behind a version, by the unique index on both.
    #[must_use]
    pub fn of_record(self, id: i64, version: i64, limit: Limit, frame: Frame) -> Statement {
        let filter = format!("{} = ?7 AND version > ?1", self.id);
        let mut statement = self.page(&filter, "version", version, limit, frame);
        statement.binds.push(id.into());
        statement
    }
}
