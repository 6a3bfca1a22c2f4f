//! The statements of an erasure. They delete the responses that may contain an erased name.
//!
//! **If a table contains responses or names, [`forget`] needs a statement for it.**

use tables::statement::Statement;

/// The latest erasure that this database knows of: a row of (`people_seq`).
const LATEST: &str = "SELECT coalesce(max(people_seq), 0) AS people_seq FROM erasure";

/// From now on, older responses are not stored.
const ADVANCE: &str = "
INSERT INTO erasure (id, people_seq) VALUES (1, ?1)
ON CONFLICT (id) DO UPDATE SET people_seq = max(people_seq, excluded.people_seq)";

/// As [`ADVANCE`], if the latest erasure is still ?2. It may also go back, after a restore of the
/// people database.
const REPLACE: &str = "
INSERT INTO erasure (id, people_seq)
SELECT 1, ?1 WHERE coalesce((SELECT people_seq FROM erasure WHERE id = 1), 0) = ?2
ON CONFLICT (id) DO UPDATE SET people_seq = excluded.people_seq";

/// Deletes the older responses. Scans the table, which has at most 200 rows. `people_seq` is a
/// change sequence with its epoch, such as `7.1f09ab34`. Its integer is the change sequence.
const DELETE_SNAPSHOTS: &str = "DELETE FROM snapshot WHERE CAST(people_seq AS INTEGER) < ?1";

/// The latest erasure, or 0: a row of (`people_seq`).
#[must_use]
pub fn latest() -> Statement {
    Statement::new(LATEST, vec![])
}

/// Deletes the responses from before an erasure, which has this change sequence.
#[must_use]
pub fn forget(people_seq: i64) -> [Statement; 2] {
    [ADVANCE, DELETE_SNAPSHOTS].map(|sql| Statement::new(sql, vec![people_seq.into()]))
}

/// As [`forget`], for an erasure that replaces the `known` one.
#[must_use]
pub fn catch_up(known: i64, people_seq: i64) -> [Statement; 2] {
    [
        Statement::new(REPLACE, vec![people_seq.into(), known.into()]),
        Statement::new(DELETE_SNAPSHOTS, vec![people_seq.into()]),
    ]
}
