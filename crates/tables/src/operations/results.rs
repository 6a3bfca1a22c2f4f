//! Renders the results of a batch of operations.

use std::collections::{HashMap, HashSet};

use http_semantics::problem::Kind as ProblemKind;
use http_semantics::{Epoch, Problem, Tag, Validator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, Operation};
use crate::import::Refusal;
use crate::statement::{Bind, Statement};
use crate::table_spec::TableSpec;

/// The status of an operation that could be done, but was not, because another one cannot be done
/// (RFC 4918, 11.4).
const FAILED_DEPENDENCY: u16 = 424;

/// The results of a batch, as the database stores them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Written {
    /// The ids and versions of the records that had the wanted state.
    pub unchanged: Vec<(i64, i64)>,
    /// The changes: the id, the version and the kind of each.
    pub changes: Vec<(i64, i64, String)>,
}

/// The written records as JSON: the last changes of the log.
///
/// ?1  the number of changes
/// ?2  the ids and versions of the unchanged records as a JSON array
///
/// Uses the primary key of the log.
const WRITTEN: &str = "json_object(
  'unchanged', json(?2),
  'changes', json((
    SELECT json_group_array(json_array({change_log_id}, version, kind))
    FROM (SELECT * FROM {change_log} ORDER BY seq DESC LIMIT +?1)
  ))
)";

/// The statement at the end of a batch that reads what it has written: a row of (body, epoch).
#[must_use]
pub fn read_written(table: &TableSpec, changes: usize, unchanged: &[[i64; 2]]) -> Statement {
    let sql = format!("SELECT {WRITTEN} AS body, {{epoch}} AS epoch");
    Statement::new(&table.sql(&sql), binds(changes, unchanged))
}

/// As [`read_written`]. It also saves what was written under an idempotency key.
///
/// ?3  the key
/// ?4  the fingerprint
#[must_use]
pub fn save_written(
    table: &TableSpec,
    changes: usize,
    unchanged: &[[i64; 2]],
    key: &str,
    fingerprint: &str,
) -> Statement {
    let sql = format!(
        "INSERT INTO idempotency (key, fingerprint, body)
VALUES (?3, ?4, {WRITTEN})
RETURNING body, {{epoch}} AS epoch"
    );
    let mut statement = Statement::new(&table.sql(&sql), binds(changes, unchanged));
    statement.binds.extend([key, fingerprint].map(Bind::from));
    statement
}

fn binds(changes: usize, unchanged: &[[i64; 2]]) -> Vec<Bind> {
    // Serializing plain values cannot fail.
    let unchanged = serde_json::to_string(unchanged).unwrap_or_default();
    let changes = i64::try_from(changes).unwrap_or(i64::MAX);
    vec![changes.into(), unchanged.into()]
}

/// The result of an operation.
#[derive(Debug, Serialize)]
struct OperationResult {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

/// The results of all operations.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Results(Vec<OperationResult>);

impl Results {
    /// The results of operations that were done.
    #[must_use]
    pub fn done(operations: &[Operation], written: &Written, epoch: Epoch) -> Self {
        let mut versions: HashMap<i64, i64> = written.unchanged.iter().copied().collect();
        for (id, version, _) in &written.changes {
            let latest = versions.entry(*id).or_default();
            *latest = (*latest).max(*version);
        }
        let given: HashSet<i64> = operations.iter().filter_map(|o| o.id).collect();
        let created = written
            .changes
            .iter()
            .filter(|(_, _, kind)| kind == "created");
        let assigned = created.map(|(id, _, _)| *id);
        let mut assigned: Vec<i64> = assigned.filter(|id| !given.contains(id)).collect();
        // Ids are assigned in the order of the operations.
        assigned.sort_unstable();
        let mut assigned = assigned.into_iter();
        let result = |operation: &Operation| {
            let id = operation.id.or_else(|| assigned.next());
            let version = id.and_then(|id| versions.get(&id).copied());
            let tag = |number| Tag::from_version(Validator { number, epoch }).to_string();
            let exists = operation.kind != Some(Kind::Delete);
            OperationResult {
                status: operation.kind.map_or(FAILED_DEPENDENCY, Kind::status),
                id,
                version,
                etag: version.filter(|_| exists).map(tag),
                problem: None,
            }
        };
        Self(operations.iter().map(result).collect())
    }

    /// The results as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serializing plain values cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The problem of operations of which some cannot be done.
    #[must_use]
    pub fn refused(operations: &[Operation], refused: Vec<Refusal>) -> Problem {
        let count = refused.len();
        let is_temporary = refused.iter().all(|refusal| refusal.problem.is_temporary());
        let mut problems: HashMap<usize, Problem> = refused
            .into_iter()
            .map(|refusal| (refusal.position.index.unwrap_or_default(), refusal.problem))
            .collect();
        let result = |(index, operation): (usize, &Operation)| {
            let problem = problems.remove(&index).map(|problem| {
                let member = member(problem.kind());
                problem.in_operation(&format!("/{index}"), member)
            });
            OperationResult {
                status: problem.as_ref().map_or(FAILED_DEPENDENCY, Problem::status),
                id: operation.id,
                version: None,
                etag: None,
                problem,
            }
        };
        let results = operations.iter().enumerate().map(result).collect();
        let results = serde_json::to_value(Self(results)).unwrap_or(Value::Null);
        Problem::batch_refused(count, is_temporary, results)
    }
}

/// The pointer within an operation to the cause of a problem.
fn member(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::NoSuchPlace => "/body/placeId",
        ProblemKind::PlaceHasKing => "/body/isKing",
        ProblemKind::NameTaken => "/body/name",
        ProblemKind::PreconditionFailed => "/ifMatch",
        ProblemKind::NotFound
        | ProblemKind::IdTaken
        | ProblemKind::IdRetired
        | ProblemKind::PlaceHasPeople => "/id",
        _ => "",
    }
}
