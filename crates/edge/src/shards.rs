//! A register over several databases, as the setting `SHARDS` lays it out (`docs/scale.md`).

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

    /// Runs statements in databases at once, as a transaction in each: what each of them answers,
    /// in the same order. Where one fails the others have come to their end, too.
    ///
    /// # Errors
    /// What the first one says that fails.
    pub async fn run(&self, batches: &[(usize, Vec<Statement>)]) -> Result<Vec<Answers>, Error> {
        let begin = |(shard, statements): &(usize, Vec<Statement>)| {
            self.database(*shard)?.begin(statements)
        };
        let asked: Vec<Result<_, Error>> = batches.iter().map(begin).collect();
        let mut answers = Vec::with_capacity(asked.len());
        for asked in asked {
            answers.push(match asked {
                Ok(asked) => asked.results().await,
                Err(error) => Err(error),
            });
        }
        answers.into_iter().collect()
    }

    /// The same statements in each database.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn ask(&self, statements: &[Statement]) -> Result<Vec<Answers>, Error> {
        let all = 0..self.databases.len();
        let batches: Vec<_> = all.map(|shard| (shard, statements.to_vec())).collect();
        self.run(&batches).await
    }

    /// All the rows that each of them has.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn all(&self, statement: &Statement) -> Result<Vec<Vec<Row>>, Error> {
        let answers = self.ask(std::slice::from_ref(statement)).await?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// The one row that each of them has.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn rows(&self, statement: &Statement) -> Result<Vec<Row>, Error> {
        let answers = self.all(statement).await?.into_iter();
        Ok(answers.filter_map(|rows| rows.into_iter().next()).collect())
    }
}

/// What a database answers to a batch: the rows of each statement.
pub type Answers = Vec<Vec<Row>>;

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
