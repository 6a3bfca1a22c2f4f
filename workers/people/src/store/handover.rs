//! Handovers between the databases of a register (docs/scale.md): who is about to arrive in one is
//! written there first, then one database decides, then they arrive.

use registry::PersonId;
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

/// The greatest id that a register knows of, by the sequence and by the log: a row of (last,
/// greatest), by the index on `person_change` (`person_id`, version).
const GREATEST: &str = "
SELECT
  coalesce((SELECT last FROM id_sequence), 0) AS last,
  coalesce((SELECT max(person_id) FROM person_change), 0) AS greatest";

/// How far the ids are.
#[must_use]
pub fn greatest() -> Statement {
    Statement::new(GREATEST, Vec::new())
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

/// How a person is known in a database: one row of (the version of the last change, whether
/// somebody was there behind it, its kind, whether another handover brings them, record, version,
/// whether unsettled, place, counter, whether anybody is on the way who has no id yet). By the primary
/// key, the index on `person_change` (`person_id`, version), and those on arrival.
const KNOWN: &str = concat!(
    "
SELECT
  last.last_version,
  last.exists_then,
  last.kind,
  EXISTS (SELECT 1 FROM arrival WHERE person_id = ?1 AND token <> ?2) AS is_awaited,
  ",
    record!(),
    " AS record,
  version,
  unsettled_since IS NOT NULL AS is_unsettled,
  place_id,
  (SELECT max(seq) FROM person_change) AS counter,
  EXISTS (SELECT 1 FROM arrival WHERE person_id IS NULL) AS is_numbering
FROM (SELECT 1)
LEFT JOIN (
  SELECT version AS last_version, exists_then, kind
  FROM person_change WHERE person_id = ?1
  ORDER BY version DESC LIMIT 1
) AS last ON TRUE
LEFT JOIN person ON id = ?1"
);

/// What a database knows of a person. One's own handover is not counted.
#[must_use]
pub fn known(id: PersonId, token: &Token) -> Statement {
    Statement::new(KNOWN, vec![id.get().into(), token.into()])
}

/// How many people are known in a database: rows as of [`known`], of (n, the version of the last
/// change, whether somebody was there behind it, its kind, version, whether unsettled, name,
/// whether alive, whether king, place), of those whom it has ever seen. By the same.
const ALL_KNOWN: &str = "
SELECT
  e.value ->> 'n' AS n,
  last.version AS last_version,
  last.exists_then,
  last.kind,
  person.version,
  person.unsettled_since IS NOT NULL AS is_unsettled,
  person.name,
  person.is_alive,
  person.is_king,
  person.place_id
FROM json_each(?1) AS e
JOIN person_change AS last
  ON last.person_id = e.value ->> 'id' AND last.version = (
    SELECT max(version) FROM person_change WHERE person_id = e.value ->> 'id'
  )
LEFT JOIN person ON person.id = last.person_id";

/// What a database knows of people, each a row with an `id` and its number `n`.
#[must_use]
pub fn all_known(rows: &[Value]) -> Statement {
    Statement::over(ALL_KNOWN, rows)
}

/// Whether other handovers may bring one of these, by what is on the way: a row of (whether one
/// does, whether anybody has no id yet).
const AWAITED: &str = "
SELECT
  EXISTS (
    SELECT 1 FROM arrival
    WHERE token <> ?2 AND person_id IN (SELECT value ->> 'id' FROM json_each(?1))
  ) AS is_awaited,
  EXISTS (SELECT 1 FROM arrival WHERE person_id IS NULL AND token <> ?2) AS is_numbering";

/// Whether others bring the same people.
#[must_use]
pub fn awaited(rows: &[Value], token: &Token) -> Statement {
    let mut statement = Statement::over(AWAITED, rows);
    statement.binds.push(token.into());
    statement
}

/// The kings of places whose crown is claimed: rows of (n, the king's id, the name), but for who claims
/// it. By the index `one_king_a_place`.
const KINGS: &str = "
SELECT e.value ->> 'n' AS n, king.id, king.name
FROM json_each(?1) AS e
JOIN person AS king
  ON king.place_id = e.value ->> 'placeId' AND king.is_king = 1
  AND king.id IS NOT e.value ->> 'id'";

/// Who wears the crowns that are claimed.
#[must_use]
pub fn kings(rows: &[Value]) -> Statement {
    Statement::over(KINGS, rows)
}

/// How far a database is, and what it knows of its peers: one row of (counter, passages as
/// `{"DB2":[went,came]}`, whether anybody is to come from one).
const STATE: &str = "
SELECT
  coalesce((SELECT max(seq) FROM person_change), 0) AS counter,
  (SELECT json_group_object(peer, json_array(went, came)) FROM passage) AS passages,
  EXISTS (SELECT 1 FROM arrival WHERE origin IS NOT NULL) AS is_expecting";

/// How far a database is.
#[must_use]
pub fn state() -> Statement {
    Statement::new(STATE, Vec::new())
}

/// Handovers that have not arrived: rows of (token, origin, age in milliseconds, the first
/// of their people, whose version, whose place).
const OPEN: &str = "
SELECT
  token,
  min(origin) AS origin,
  CAST(unixepoch('subsec') * 1000 AS INTEGER) - min(at) AS age,
  min(person_id) AS person_id,
  min(version) AS version,
  min(place_id) AS place_id
FROM arrival
GROUP BY token
LIMIT ?1";

/// The handovers that a database waits for.
#[must_use]
pub fn open(most: i64) -> Statement {
    Statement::new(OPEN, vec![most.into()])
}

/// What was decided: rows of (token, `is_done`, `first_id`). By the primary key.
#[must_use]
pub fn decided(tokens: &[&Token]) -> Statement {
    const DECIDED: &str = "
SELECT token, is_done, first_id FROM decision
WHERE token IN (SELECT value FROM json_each(?1))";
    Statement::over(DECIDED, tokens)
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

/// Some of the living of a place, in order of id: rows of (id, version, name), those who are
/// settled. By the index `person_by_place_and_life`.
const RESIDENTS: &str = "
SELECT id, version, name FROM person
WHERE place_id = ?1 AND is_alive = 1 AND unsettled_since IS NULL
ORDER BY id LIMIT ?2";

/// Who is to be moved from a place.
#[must_use]
pub fn movable(place: i64, most: i64) -> Statement {
    Statement::new(RESIDENTS, vec![place.into(), most.into()])
}
