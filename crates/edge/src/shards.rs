//! A register over several databases, as the setting `SHARDS` lays it out (`docs/scale.md`).

use futures_util::future::try_join_all;
use registry::Problem;
use registry::media::Frame;
use registry::shards::{Merged, Order, Part, ShardMap, merged};
use registry::sql::Statement;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Database, Env, Error, Row};

/// The setting. Without it there is one database, `DB`.
const SETTING: &str = "SHARDS";

/// The databases of a register.
pub struct Shards {
    databases: Vec<Database>,
    /// Which of them has what.
    pub map: ShardMap,
}

fn setting(env: &Env) -> Option<String> {
    env.setting(SETTING).filter(|setting| !setting.is_empty())
}

impl Shards {
    /// The databases, if there are several.
    ///
    /// # Errors
    /// A setting that cannot be, or a database that is not bound.
    pub fn of(env: &Env) -> Result<Option<Self>, Error> {
        let Some(setting) = setting(env) else {
            return Ok(None);
        };
        let map = ShardMap::parse(&setting).map_err(|reason| Error::Platform {
            doing: "reading SHARDS",
            reason,
        })?;
        let shards = map.shards().iter();
        let databases = shards.map(|shard| Database::named(env, &shard.binding));
        Ok(Some(Self {
            databases: databases.collect::<Result<_, _>>()?,
            map,
        }))
    }

    /// One of them.
    ///
    /// # Errors
    /// None: the map knows no other.
    pub fn database(&self, shard: usize) -> Result<&Database, Error> {
        Ok(self.databases.get(shard).ok_or_else(Problem::internal)?)
    }

    /// Asks all of them the same at once: the row that each of them has.
    ///
    /// # Errors
    /// What the first one says that fails.
    pub async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, Error> {
        let asked = self.databases.iter().map(|one| one.row(statement));
        Ok(try_join_all(asked).await?.into_iter().flatten().collect())
    }

    /// The same for all the rows that each of them has.
    ///
    /// # Errors
    /// What the first one says that fails.
    pub async fn all(&self, statement: &Statement) -> Result<Vec<Vec<Row>>, Error> {
        try_join_all(self.databases.iter().map(|one| one.rows(statement))).await
    }

    /// Asks each of them something else at once: the row that each of them has.
    ///
    /// # Errors
    /// What the first one says that fails.
    pub async fn each(
        &self,
        statement: impl Fn(usize) -> Statement,
    ) -> Result<Vec<Option<Row>>, Error> {
        let asked = self.databases.iter().enumerate().map(|(shard, one)| {
            let statement = statement(shard);
            async move { one.row(&statement).await }
        });
        try_join_all(asked).await
    }

    /// The same for several statements, at one moment of each: the row of each, database by
    /// database.
    ///
    /// # Errors
    /// What the first one says that fails.
    pub async fn ask<const N: usize>(
        &self,
        statements: impl Fn(usize) -> [Statement; N],
    ) -> Result<Vec<Vec<Option<Row>>>, Error> {
        let asked = self.databases.iter().enumerate().map(|(shard, one)| {
            let statements = statements(shard);
            async move { one.batch(&statements).await }
        });
        let answers = try_join_all(asked).await?;
        let first = |rows: Vec<Row>| rows.into_iter().next();
        let of_one = |results: Vec<Vec<Row>>| results.into_iter().map(first).collect();
        Ok(answers.into_iter().map(of_one).collect())
    }
}

/// One page of all that the databases have of it.
pub struct Pages(Vec<(String, bool)>);

impl Pages {
    /// Those of the rows that each of the databases gave: the lines in one column, and whether
    /// there are more.
    #[must_use]
    pub fn of(rows: &[Row], has_more: impl Fn(&Row) -> bool) -> Self {
        let page = |row: &Row| (row.text(0).unwrap_or_default(), has_more(row));
        Self(rows.iter().map(page).collect())
    }

    /// The same where each database has given a row or none, and one line more than the page has,
    /// if there are any.
    #[must_use]
    pub fn of_each(rows: &[Option<Row>]) -> Self {
        let lines = |row: &Option<Row>| row.as_ref().and_then(|row| row.text(0));
        let pages = rows
            .iter()
            .map(|row| (lines(row).unwrap_or_default(), false));
        Self(pages.collect())
    }

    /// The page.
    ///
    /// # Errors
    /// What is no page in this order: the register's own fault.
    pub fn merged(&self, order: Order, limit: usize) -> Result<Merged<'_>, Error> {
        let parts: Vec<Part<'_>> = self
            .0
            .iter()
            .map(|(lines, has_more)| Part {
                lines,
                has_more: *has_more,
            })
            .collect();
        merged(&parts, order, limit).map_err(|_| Error::Platform {
            doing: "merging pages",
            reason: "they are not in order".to_owned(),
        })
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// A name that nothing else has.
#[must_use]
pub fn token() -> String {
    random_uuid()
}

/// Records in a frame.
#[must_use]
pub fn framed(records: &[&str], frame: Frame) -> String {
    let end = frame.end(records.is_empty());
    [frame.open, &records.join(frame.between), end].concat()
}
