//! Runs the statements of the stores on native SQLite. D1 runs the same SQL. Without a Workers
//! runtime, a test can run thousands of statements, and read their query plans.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "only tests use this crate"
)]

mod declared;
mod row;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use domain::Param;
use http_semantics::{Epoch, Validator};
use rusqlite::types::ToSqlOutput;
pub use rusqlite::types::Value;
use rusqlite::{Connection, Result, StatementStatus, ToSql, params_from_iter};
use tables::statement::{Bind, Statement};

pub use declared::Writes;
pub use row::Row;

/// An in-memory database with its migrations applied.
pub struct Testbed(Connection);

struct Bound<'a>(&'a Bind);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        match self.0 {
            Bind::Integer(number) => number.to_sql(),
            Bind::Text(text) => text.to_sql(),
            Bind::Null => Ok(rusqlite::types::Null.into()),
        }
    }
}

impl Testbed {
    /// A database with these migrations applied, in order.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn new(migrations: &[&str]) -> Result<Self> {
        let connection = Connection::open_in_memory()?;
        migrations
            .iter()
            .try_for_each(|sql| connection.execute_batch(sql))?;
        Ok(Self(connection))
    }

    /// An empty database of a service, with all its migrations: `people`, `places` or `join`.
    ///
    /// # Errors
    /// An error of SQLite.
    ///
    /// # Panics
    /// The service has no migrations.
    pub fn migrated(service: &str) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../d1-migrations");
        let files = fs::read_dir(folder.join(service)).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        let migrations: Vec<String> = files
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        let migrations: Vec<&str> = migrations.iter().map(String::as_str).collect();
        Self::new(&migrations)
    }

    /// Runs statements that return no rows.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn execute(&self, sql: &str) -> Result<()> {
        self.0.execute_batch(sql)
    }

    /// The rows of a statement.
    ///
    /// # Errors
    /// An error of SQLite.
    ///
    /// # Panics
    /// Column names that are not unique, or are numbers. D1 returns a row as a JavaScript object, which
    /// has each name once and sorts numbers first.
    pub fn rows(&self, statement: &Statement) -> Result<Vec<Row>> {
        self.query(&statement.sql, &statement.binds)
    }

    /// A version or a change sequence of this database.
    ///
    /// # Panics
    /// A database without an epoch.
    #[must_use]
    pub fn validator(&self, number: i64) -> Validator {
        let statement = Statement::new("SELECT epoch FROM schema WHERE id = 1", Vec::new());
        let rows = self.rows(&statement).unwrap();
        let epoch = Epoch::parse(rows[0].text("epoch")).unwrap();
        Validator { number, epoch }
    }

    /// The query plan of a statement.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn plan(&self, statement: &Statement) -> Result<Plan> {
        let explain = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let lines = self.query(&explain, &statement.binds)?.into_iter();
        Ok(Plan(
            lines.map(|row| row.text("detail").to_owned()).collect(),
        ))
    }

    /// The number of instructions that `SQLite`'s virtual machine runs for a statement: its cost,
    /// independent of the clock.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn steps(&self, statement: &Statement) -> Result<i32> {
        let mut prepared = self.0.prepare(&statement.sql)?;
        let mut rows = prepared.query(params_from_iter(statement.binds.iter().map(Bound)))?;
        while rows.next()?.is_some() {}
        drop(rows);
        Ok(prepared.get_status(StatementStatus::VmStep))
    }

    fn query(&self, sql: &str, binds: &[Bind]) -> Result<Vec<Row>> {
        let mut prepared = self.0.prepare(sql)?;
        let columns = prepared.column_count();
        let names: BTreeSet<&str> = prepared.column_names().collect();
        let is_number = |name: &&str| name.bytes().all(|byte| byte.is_ascii_digit());
        assert!(
            names.len() == columns && !names.iter().any(is_number),
            "{names:?} in {sql}"
        );
        let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        let rows = prepared.query_map(params_from_iter(binds.iter().map(Bound)), |row| {
            let values: Result<Vec<Value>> = (0..columns).map(|column| row.get(column)).collect();
            Ok(Row {
                names: names.clone(),
                values: values?,
            })
        })?;
        let rows = rows.collect();
        if prepared.readonly() {
            assert_plan_is_reused(&mut prepared);
        }
        rows
    }
}

/// Checks that a run with other values uses the same plan. If a plan depends on the value of a
/// parameter, as for `LIMIT ?1`, `LIKE ?1` or a partial index, `SQLite` parses and plans the statement
/// again for each run. That can take longer than the run itself. `LIMIT +?1` hides the value.
fn assert_plan_is_reused(prepared: &mut rusqlite::Statement) {
    // SQLite also plans again if a value becomes 0 or 1, or was one of them, which is rare.
    for value in [7, 8] {
        prepared.reset_status(StatementStatus::RePrepare);
        let binds = vec![value; prepared.parameter_count()];
        if let Ok(mut rows) = prepared.query(params_from_iter(binds)) {
            // The values may be invalid. The plan is checked before the first step.
            let _ = rows.next();
        }
    }
    let count = prepared.get_status(StatementStatus::RePrepare);
    assert_eq!(count, 0, "SQLite plans this statement again for each run");
}

/// The lines of a query plan.
#[derive(Debug)]
pub struct Plan(Vec<String>);

impl Plan {
    /// Whether the plan scans a table without an index. Unless a limit ends the scan, it reads all
    /// rows.
    #[must_use]
    pub fn walks(&self, table: &str) -> bool {
        self.0.iter().any(|line| *line == format!("SCAN {table}"))
    }

    /// Whether the plan sorts the rows.
    #[must_use]
    pub fn sorts(&self) -> bool {
        self.0
            .iter()
            .any(|line| line.starts_with("USE TEMP B-TREE") && line.ends_with("ORDER BY"))
    }
}
