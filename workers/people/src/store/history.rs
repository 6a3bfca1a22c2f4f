//! What changed, as the triggers wrote it down.

use registry::PersonId;
use registry::log::Log;
use registry::page::Limit;
use registry::shards::Numbers;
use registry::sql::{Bind, Statement};

/// One change as JSON, with its number; the record is `null` where there is nobody behind it.
macro_rules! change {
    ($number:literal) => {
        concat!(
            r#"'{"at":"' || strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')
    || '","register":"people","seq":' || "#,
            $number,
            r#"
    || ',"kind":"' || kind
    || '","id":' || person_id
    || ',"version":' || version
    || ',"record":' || iif(exists_then, '{"id":' || person_id
      || ',"name":' || json_quote(name)
      || ',"isAlive":' || iif(is_alive, 'true', 'false')
      || ',"placeId":' || coalesce(place_id, 'null')
      || ',"isKing":' || iif(is_king, 'true', 'false')
      || '}', 'null')
    || '}'"#
        )
    };
}

/// The log.
pub const CHANGES: Log = Log {
    table: "person_change",
    id: "person_id",
    change: change!("seq"),
};

/// The changes of one database of several behind a `seq`, one more than asked for: a row of (lines
/// with keys, in order of time). Each has a number that no other database gives; D1 binds numbers
/// that are not whole. By the primary key. Who went to another database is logged there.
const SHARE: &str = concat!(
    "
SELECT group_concat('p' || at || '.' || number || char(31) || ",
    change!("number"),
    ", char(10))
FROM (
  SELECT *, seq * CAST(?3 AS INTEGER) + CAST(?4 AS INTEGER) AS number
  FROM person_change
  WHERE seq > ?1 AND NOT (kind = 'updated' AND exists_then = 0)
  ORDER BY seq
  LIMIT ?2 + 1
)"
);

/// The versions of one person behind a version, in the same way, by the unique index on both.
const SHARE_OF_ONE: &str = concat!(
    "
SELECT group_concat('i' || version || char(31) || ",
    change!("number"),
    ", char(10))
FROM (
  SELECT *, seq * CAST(?3 AS INTEGER) + CAST(?4 AS INTEGER) AS number
  FROM person_change
  WHERE person_id = ?5 AND version > ?1 AND NOT (kind = 'updated' AND exists_then = 0)
  ORDER BY version
  LIMIT ?2 + 1
)"
);

fn share(sql: &str, after: i64, limit: Limit, numbers: Numbers) -> Statement {
    let Numbers { step, shard } = numbers;
    let binds = [after, limit.get().into(), step, shard].map(Bind::from);
    Statement::new(sql, binds.into())
}

/// What one database of several has of the feed of changes.
#[must_use]
pub fn share_of_changes(after: i64, limit: Limit, numbers: Numbers) -> Statement {
    share(SHARE, after, limit, numbers)
}

/// What one database of several has of a person's history.
#[must_use]
pub fn share_of_history(id: PersonId, after: i64, limit: Limit, numbers: Numbers) -> Statement {
    let mut statement = share(SHARE_OF_ONE, after, limit, numbers);
    statement.binds.push(id.get().into());
    statement
}
