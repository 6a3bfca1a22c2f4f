//! Measures how many people fit into 1 GB of D1, with the real schema in SQLite:
//! `cargo run --release -p people --example gigabyte [PEOPLE] [WRITES]`
//!
//! `WRITES` is how often each person is changed after the import. Each change stays in the change
//! log.

use std::error::Error;

use rusqlite::Connection;

const MIGRATIONS: &[&str] = &[include_str!(
    "../../../d1-migrations/people/0001_people.sql"
)];

/// A hundred people a place, one in twenty of them dead; names of 14 characters on average. They
/// come in batches of 10,000, as an import writes them, because the history of a place's
/// population has a row for each moment at which it changed.
const FILL: &str = "
WITH RECURSIVE n (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1 + 9999)
INSERT INTO person (id, name, name_key, is_alive, is_king, place_id)
SELECT
  n,
  'Persona ' || (n * 7919 % 1000003), 'persona ' || (n * 7919 % 1000003),
  n % 20 > 0, n % 100 = 1, n / 100 + 1
FROM n";

const CHANGE: &str = "UPDATE person SET name = name || '.', name_key = name_key || '.', \
                      version = version + 1 WHERE id BETWEEN ?1 AND ?1 + 9999";

fn bytes(database: &Connection) -> rusqlite::Result<i64> {
    database.query_row(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        [],
        |row| row.get(0),
    )
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args().skip(1).map(|number| number.parse::<i64>());
    let people = given.next().transpose()?.unwrap_or(1_000_000);
    let writes = given.next().transpose()?.unwrap_or(1);
    let database = Connection::open_in_memory()?;
    for sql in MIGRATIONS {
        database.execute_batch(sql)?;
    }
    let empty = bytes(&database)?;
    let each = |sql: &str| -> rusqlite::Result<()> {
        (0..people / 10_000)
            .try_for_each(|batch| database.execute(sql, [1 + batch * 10_000]).map(drop))
    };
    each(FILL)?;
    let one = (bytes(&database)? - empty) / people;
    println!(
        "{people} people: {one} bytes each, {} in a gigabyte",
        1_000_000_000 / one
    );
    for _ in 0..writes {
        each(CHANGE)?;
    }
    let changed = (bytes(&database)? - empty) / people;
    println!(
        "changed {writes} times: {changed} bytes each, {} in a gigabyte",
        1_000_000_000 / changed,
    );
    let mut tables = database
        .prepare("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 12")?;
    let mut rows = tables.query([])?;
    while let Some(row) = rows.next()? {
        let (name, size): (String, i64) = (row.get(0)?, row.get(1)?);
        println!("  {name}: {} bytes each", size / people);
    }
    Ok(())
}
