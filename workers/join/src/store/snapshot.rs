//! Snapshots: a head each, and a body in parts.

use tables::statement::Statement;

use crate::domain::snapshot::{self, Snapshot};

/// Writes the head, unless one that was made later, or of the same marks, is there. It is
/// found by its unique key.
const HEAD: &str = r"
INSERT INTO snapshot (key, places_seq, people_seq, made_at, used_at, bytes, headers)
VALUES (?1, ?2, ?3, ?4, coalesce(?5, ?4), ?6, ?7)
ON CONFLICT (key) DO UPDATE SET
  places_seq = excluded.places_seq, people_seq = excluded.people_seq,
  made_at = excluded.made_at, used_at = coalesce(?5, used_at),
  bytes = excluded.bytes, headers = excluded.headers
WHERE excluded.made_at >= made_at
  AND (excluded.places_seq, excluded.people_seq) <> (places_seq, people_seq)";

/// Takes the parts away of a snapshot whose head is the one just written: a head that was not
/// written keeps its parts. By the primary key.
const CLEAR: &str = r"
DELETE FROM snapshot_part WHERE snapshot_id = (
  SELECT id FROM snapshot
  WHERE key = ?1 AND made_at = ?2 AND places_seq = ?3 AND people_seq = ?4
)";

/// Writes a part of the same.
const PART: &str = r"
INSERT INTO snapshot_part (snapshot_id, part, body)
SELECT id, ?5, ?6 FROM snapshot
WHERE key = ?1 AND made_at = ?2 AND places_seq = ?3 AND people_seq = ?4";

/// Lets go of those asked for longest ago, where there are too many or all are too long: by
/// the index on when they were asked for, which has their bytes.
const EVICT: &str = r"
DELETE FROM snapshot WHERE id IN (
  SELECT id FROM (
    SELECT id, row_number() OVER latest AS n, sum(bytes) OVER latest AS total
    FROM snapshot
    WINDOW latest AS (ORDER BY used_at DESC, id DESC ROWS UNBOUNDED PRECEDING)
  )
  WHERE n > ?1 OR total > ?2
)";

/// By the unique key, then by the primary key of the parts.
const FIND: &str = r"
SELECT s.places_seq, s.people_seq, s.made_at, s.headers, p.body
FROM snapshot AS s JOIN snapshot_part AS p ON p.snapshot_id = s.id
WHERE s.key = ?1
ORDER BY p.part";

/// Those asked for last by their index, and some more by their unique key.
const WANTED: &str = r"
SELECT key, places_seq, people_seq FROM (
  SELECT key, places_seq, people_seq FROM snapshot ORDER BY used_at DESC, id DESC LIMIT ?2
)
UNION
SELECT key, places_seq, people_seq FROM snapshot
WHERE key IN (SELECT value FROM json_each(?1))";

/// The statements that write a snapshot, for one transaction: no reader sees a part of it.
#[must_use]
pub fn save(snapshot: &Snapshot) -> Vec<Statement> {
    let Snapshot {
        key,
        marks: [places, people],
        made_at,
        asked_at,
        headers,
        body,
    } = snapshot;
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let head = vec![
        key.as_str().into(),
        (*places).into(),
        (*people).into(),
        (*made_at).into(),
        (*asked_at).into(),
        bytes.into(),
        headers.to_text().into(),
    ];
    let of_head = || {
        vec![
            key.as_str().into(),
            (*made_at).into(),
            (*places).into(),
            (*people).into(),
        ]
    };
    let mut statements = vec![Statement::new(HEAD, head), Statement::new(CLEAR, of_head())];
    let parts = snapshot::parts(body, snapshot::PART_BYTES);
    statements.extend((0_i64..).zip(parts).map(|(n, part)| {
        let mut binds = of_head();
        binds.extend([n.into(), part.into()]);
        Statement::new(PART, binds)
    }));
    let most = vec![snapshot::MOST.into(), snapshot::MOST_BYTES_OF_ALL.into()];
    statements.push(Statement::new(EVICT, most));
    statements
}

/// A snapshot, a row a part: the marks, when it was made, the headers and the part.
#[must_use]
pub fn find(key: &str) -> Statement {
    Statement::new(FIND, vec![key.into()])
}

/// The keys and the marks of these, and of so many of those asked for last.
#[must_use]
pub fn wanted(keys: &[String], latest: i64) -> Statement {
    let mut statement = Statement::bind_json_rows(WANTED, keys);
    statement.binds.push(latest.into());
    statement
}
