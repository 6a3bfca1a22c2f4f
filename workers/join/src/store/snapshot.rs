//! The statements for snapshots. A snapshot has one row with its headers and change sequences (the
//! *head*), and one row per chunk of its body.

use tables::ChangeSeqs;
use tables::statement::Statement;

use crate::domain::snapshot::{self, Snapshot};

/// Writes the head, unless the stored one is newer or has the same change sequences, or a person was
/// erased since the response was made. By the unique key.
const UPSERT_HEAD: &str = r"
INSERT INTO snapshot (key, places_seq, people_seq, made_at, used_at, bytes, headers)
SELECT ?1, ?2, ?3, ?4, coalesce(?5, ?4), ?6, ?7
WHERE CAST(?3 AS INTEGER) >= coalesce((SELECT people_seq FROM erasure WHERE id = 1), 0)
ON CONFLICT (key) DO UPDATE SET
  places_seq = excluded.places_seq, people_seq = excluded.people_seq,
  made_at = excluded.made_at, used_at = coalesce(?5, used_at),
  bytes = excluded.bytes, headers = excluded.headers
WHERE excluded.made_at >= made_at
  AND (excluded.places_seq, excluded.people_seq) <> (places_seq, people_seq)";

/// Deletes the old chunks if the head was just written. By the primary key.
const DELETE_CHUNKS: &str = r"
DELETE FROM snapshot_part WHERE snapshot_id = (
  SELECT id FROM snapshot
  WHERE key = ?1 AND made_at = ?2 AND places_seq = ?3 AND people_seq = ?4
)";

/// Writes a chunk if the head was just written.
const INSERT_CHUNK: &str = r"
INSERT INTO snapshot_part (snapshot_id, part, body)
SELECT id, ?5, ?6 FROM snapshot
WHERE key = ?1 AND made_at = ?2 AND places_seq = ?3 AND people_seq = ?4";

/// Evicts the least recently requested snapshots beyond the maximum number and size. By the
/// covering index on `used_at`.
const EVICT: &str = r"
DELETE FROM snapshot WHERE id IN (
  SELECT id FROM (
    SELECT id, row_number() OVER latest AS n, sum(bytes) OVER latest AS total
    FROM snapshot
    WINDOW latest AS (ORDER BY used_at DESC, id DESC ROWS UNBOUNDED PRECEDING)
  )
  WHERE n > ?1 OR total > ?2
)";

/// Finds a snapshot by the unique key, then its chunks by their primary key.
const FIND: &str = r"
SELECT s.places_seq, s.people_seq, s.made_at, s.headers, p.body
FROM snapshot AS s JOIN snapshot_part AS p ON p.snapshot_id = s.id
WHERE s.key = ?1
ORDER BY p.part";

/// Finds the most recently requested snapshots, the oldest first, by the index on `used_at`, and the pinned ones by
/// the unique key.
const FIND_REFRESHABLE: &str = r"
SELECT key, places_seq, people_seq, made_at FROM (
  SELECT key, places_seq, people_seq, made_at FROM snapshot
  ORDER BY used_at DESC, id DESC LIMIT +?2
)
UNION
SELECT key, places_seq, people_seq, made_at FROM snapshot
WHERE key IN (SELECT value FROM json_each(?1))
ORDER BY made_at";

/// Deletes the snapshots of other histories. Reads all snapshots, of which there are few.
///
/// ?1, ?2  the epochs of places and people
const DELETE_OTHER_HISTORIES: &str = r"
DELETE FROM snapshot
WHERE places_seq NOT LIKE '%.' || ?1 OR people_seq NOT LIKE '%.' || ?2";

/// Writes a snapshot. The statements run in one transaction, so no reader sees a part of it.
#[must_use]
pub fn save(snapshot: &Snapshot) -> Vec<Statement> {
    let Snapshot {
        key,
        change_seqs: ChangeSeqs { places, people },
        made_at,
        requested_at,
        headers,
        body,
    } = snapshot;
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let head_values = vec![
        key.as_str().into(),
        (*places).into(),
        (*people).into(),
        (*made_at).into(),
        (*requested_at).into(),
        bytes.into(),
        headers.to_text().into(),
    ];
    let head_key = || {
        vec![
            key.as_str().into(),
            (*made_at).into(),
            (*places).into(),
            (*people).into(),
        ]
    };
    let mut statements = vec![
        Statement::new(UPSERT_HEAD, head_values),
        Statement::new(DELETE_CHUNKS, head_key()),
    ];
    let chunks = snapshot::chunks(body, snapshot::SNAPSHOT_CHUNK_BYTES);
    statements.extend((0_i64..).zip(chunks).map(|(index, chunk)| {
        let mut binds = head_key();
        binds.extend([index.into(), chunk.into()]);
        Statement::new(INSERT_CHUNK, binds)
    }));
    let limits = vec![
        snapshot::SNAPSHOT_MAX_COUNT.into(),
        snapshot::SNAPSHOT_MAX_TOTAL_BYTES.into(),
    ];
    statements.push(Statement::new(EVICT, limits));
    statements
}

/// A snapshot, one row per chunk of its body.
#[must_use]
pub fn find(key: &str) -> Statement {
    Statement::new(FIND, vec![key.into()])
}

/// Deletes the snapshots of histories that a restore has replaced.
#[must_use]
pub fn delete_other_histories(current: &ChangeSeqs) -> Statement {
    let epochs = [current.places.epoch, current.people.epoch];
    let binds = epochs.map(|epoch| epoch.to_string().into());
    Statement::new(DELETE_OTHER_HISTORIES, binds.into())
}

/// The keys and change sequences of the snapshots that a scheduled run may refresh: the `pinned`
/// ones, and the `recent` most recently requested ones.
#[must_use]
pub fn find_refreshable(pinned: &[String], recent: i64) -> Statement {
    let mut statement = Statement::bind_json_rows(FIND_REFRESHABLE, pinned);
    statement.binds.push(recent.into());
    statement
}
