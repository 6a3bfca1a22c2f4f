//! Handovers between the databases of a register (docs/scale.md): who is about to arrive in one is
//! written there first, then one database decides, then they arrive.

use registry::sql::{Bind, Statement};
use serde_json::Value;

use super::record;

/// What a handover is called, in all databases that take part.
pub type Token = str;

/// Who arrives, each with `n`, their place in the handover. The triggers refuse a crown that somebody
/// has, or is to get.
const PREPARE: &str = "
INSERT INTO arrival (
  token, n, person_id, version, name, name_key, is_alive, is_king, place_id, origin, kind
)
SELECT
  ?2,
  value ->> 'n',
  value ->> 'id',
  value ->> 'version',
  value ->> 'name',
  value ->> 'key',
  value ->> 'isAlive',
  value ->> 'isKing',
  value ->> 'placeId',
  ?3,
  ?4
FROM json_each(?1)";

/// Prepares people for their arrival, from one database or, without one, from nowhere, to be
/// logged in this way.
#[must_use]
pub fn prepare(token: &Token, rows: &[Value], origin: Option<&str>, kind: &str) -> Statement {
    let mut statement = Statement::over(PREPARE, rows);
    statement
        .binds
        .extend([token.into(), origin.into(), kind.into()]);
    statement
}

/// Nobody arrives. By the primary key.
#[must_use]
pub fn withdraw(token: &Token) -> Statement {
    let withdraw = "DELETE FROM arrival WHERE token = ?1";
    Statement::new(withdraw, vec![token.into()])
}

/// As nobody has decided yet, or was to stop who moves people: the fence of their place is
/// this deletion's (`store::residents`).
const DECIDE: &str = "INSERT INTO decision (token, is_done) VALUES (?1, 1) RETURNING is_done";
const DECIDE_FENCED: &str = "
INSERT INTO decision (token, is_done)
SELECT ?1, 1 FROM fence WHERE place_id = ?2 AND token = ?3
RETURNING is_done";

const PASS: &str = "INSERT INTO passing (id, kind) VALUES (1, ?1)";
const PASSED: &str = "DELETE FROM passing";

/// They leave. By the primary key.
const LEAVE: &str = "
DELETE FROM person
WHERE unsettled_since IS NULL
  AND (id, version) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))
  AND EXISTS (SELECT 1 FROM decision WHERE token = ?2)";

/// Where not all have left, the decision is written twice, which it cannot be, and nothing has
/// happened.
const ALL_LEFT: &str = "
INSERT INTO decision (token, is_done)
SELECT token, is_done FROM decision WHERE token = ?1 AND changes() <> ?2";

const WENT: &str = "
INSERT INTO passage (peer, went, came) SELECT ?2, ?3, 0 FROM decision WHERE token = ?1
ON CONFLICT DO UPDATE SET went = went + excluded.went";

/// Who goes to another database.
pub struct Going<'a> {
    /// Which one.
    pub to: &'a str,
    /// How many.
    pub count: usize,
    /// Those of them who are here, and their versions; the others are new, under an id that was
    /// used here.
    pub leaving: &'a [(i64, i64)],
    /// The right to move them, if it needs one.
    pub fence: Option<Fence>,
}

/// A deletion's right to move the people of a place.
#[derive(Clone, Copy)]
pub struct Fence {
    /// The place.
    pub place: i64,
    /// The deletion's token.
    pub token: i64,
}

/// Decides that so many go to another database, of whom those leave who are here, each in the
/// version that they were read in: all of them, or none, and `decision.token` is said to be there
/// twice. A row first, but where the fence is another's.
#[must_use]
pub fn leave(token: &Token, go: &Going<'_>) -> Vec<Statement> {
    let number = |count: usize| Bind::from(i64::try_from(count).unwrap_or_default());
    let decide = match go.fence {
        None => Statement::new(DECIDE, vec![token.into()]),
        Some(fence) => {
            let binds = vec![token.into(), fence.place.into(), fence.token.into()];
            Statement::new(DECIDE_FENCED, binds)
        }
    };
    let mut leave = Statement::over(LEAVE, go.leaving);
    leave.binds.push(token.into());
    let went = vec![token.into(), go.to.into(), number(go.count)];
    vec![
        decide,
        Statement::new(PASS, vec!["updated".into()]),
        leave,
        Statement::new(ALL_LEFT, vec![token.into(), number(go.leaving.len())]),
        Statement::new(WENT, went),
        Statement::new(PASSED, Vec::new()),
    ]
}

/// The first id for the new: behind all that were ever given, and those that are chosen here.
const DECIDE_NEW: &str = "
INSERT INTO decision (token, is_done, first_id)
SELECT ?1, 1, 1 + max(coalesce((SELECT last FROM id_sequence), 0), ?2, ?3)
RETURNING first_id";

/// Where an id was chosen that was not given yet, and others have been given since, it may be one
/// of those.
const STILL_FREE: &str = "
INSERT INTO decision (token, is_done)
SELECT token, is_done FROM decision
WHERE token = ?1 AND ?2 > ?3 AND coalesce((SELECT last FROM id_sequence), 0) <> ?3";

const GIVEN: &str = "
INSERT INTO id_sequence (id, last) SELECT 1, first_id - 1 + ?2 FROM decision WHERE token = ?1
ON CONFLICT DO UPDATE SET last = max(last, excluded.last)";

/// What the new are given.
#[derive(Clone, Copy)]
pub struct New {
    /// How many have no id.
    pub unnumbered: i64,
    /// The greatest id that was chosen, or 0.
    pub chosen: i64,
    /// How far the sequence was before it was looked whether the chosen ones are free.
    pub last: i64,
    /// The greatest id that any database has seen.
    pub greatest: i64,
}

/// Decides that the new arrive: a row of (`first_id`).
#[must_use]
pub fn give(token: &Token, new: &New) -> Vec<Statement> {
    let binds = |more: &[i64]| -> Vec<Bind> {
        let more = more.iter().copied().map(Bind::from);
        std::iter::once(token.into()).chain(more).collect()
    };
    vec![
        Statement::new(DECIDE_NEW, binds(&[new.greatest, new.chosen])),
        Statement::new(STILL_FREE, binds(&[new.chosen, new.last])),
        Statement::new(GIVEN, binds(&[new.unnumbered])),
    ]
}

/// The answer to an insert, kept with the decision: it has the first id.
const REMEMBER: &str = concat!(
    "
INSERT INTO idempotency (key, fingerprint, record_id, version, body)
SELECT ?2, ?3, id, 1, ",
    record!(),
    "
FROM (
  SELECT
    first_id AS id,
    ?4 ->> 'name' AS name,
    ?4 ->> 'isAlive' AS is_alive,
    ?4 ->> 'isKing' AS is_king,
    ?4 ->> 'placeId' AS place_id
  FROM decision WHERE token = ?1
)"
);

/// Keeps the answer under an idempotency key.
#[must_use]
pub fn remember(token: &Token, key: &str, fingerprint: &str, row: &Value) -> Statement {
    let row = row.to_string();
    let binds = [token, key, fingerprint, &row].map(Bind::from);
    Statement::new(REMEMBER, binds.into())
}

/// Opens the way for those of a handover, if they are still to come.
const ENTER: &str = "
INSERT INTO passing (id, kind)
SELECT 1, kind FROM arrival WHERE token = ?1 LIMIT 1";

const ARRIVE: &str = concat!(
    "
INSERT INTO person (id, name, name_key, is_alive, is_king, place_id, version)
SELECT coalesce(person_id, ?2 + n), name, name_key, is_alive, is_king, place_id, version
FROM arrival
WHERE token = ?1
ORDER BY n
RETURNING id, version, ",
    record!()
);

const CAME: &str = "
INSERT INTO passage (peer, went, came)
SELECT origin, 0, count(*) FROM arrival WHERE token = ?1 AND origin IS NOT NULL GROUP BY origin
ON CONFLICT DO UPDATE SET came = came + excluded.came";

/// Has those of a handover arrive of whom it was decided, once, however often this is run: rows as
/// of an insert, in the second place.
#[must_use]
pub fn arrive(token: &Token, first_id: Option<i64>) -> Vec<Statement> {
    let one = |sql: &str| Statement::new(sql, vec![token.into()]);
    vec![
        one(ENTER),
        Statement::new(ARRIVE, vec![token.into(), first_id.into()]),
        one(CAME),
        withdraw(token),
        Statement::new(PASSED, Vec::new()),
    ]
}

/// Decides against handovers that nobody has decided: whoever began them comes too late.
#[must_use]
pub fn give_up(tokens: &[&Token]) -> Statement {
    const GIVE_UP: &str = "
INSERT INTO decision (token, is_done) SELECT value, 0 FROM json_each(?1) WHERE TRUE
ON CONFLICT DO NOTHING";
    Statement::over(GIVE_UP, tokens)
}

/// Forgets a decision all of whose people have arrived. By the primary key.
#[must_use]
pub fn forget_decision(token: &Token) -> Statement {
    let forget = "DELETE FROM decision WHERE token = ?1 AND is_done = 1";
    Statement::new(forget, vec![token.into()])
}

/// Forgets decisions that nobody can ask for any more: those older than so many milliseconds, but
/// for these. By the index `decision_by_age`.
#[must_use]
pub fn sweep_decisions(age: i64, but: &[String]) -> Statement {
    const SWEEP: &str = "
DELETE FROM decision
WHERE at < CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?2
  AND token NOT IN (SELECT value FROM json_each(?1))";
    let mut sweep = Statement::over(SWEEP, but);
    sweep.binds.push(age.into());
    sweep
}
