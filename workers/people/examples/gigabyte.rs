//! Measures how many people fit into one gigabyte of D1. The program fills the real schema in
//! SQLite: `cargo run --release -p people --example gigabyte [PEOPLE] [WRITES]`
//!
//! `WRITES` is the number of changes per person. It matters because the change log keeps every
//! change.

use std::error::Error;

use rusqlite::Connection;

const MIGRATIONS: &[&str] = &[include_str!(
    "../../../d1-migrations/people/0001_people.sql"
)];

/// Adds 10,000 people: 100 per place, one in twenty of them dead, with names of 14 characters on
/// average. The batches have the size of an import's batches, because each batch adds a row to the
/// history of each population that it changes.
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
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<i64>());
    let people = arguments.next().transpose()?.unwrap_or(1_000_000);
    let writes = arguments.next().transpose()?.unwrap_or(1);
    let database = Connection::open_in_memory()?;
    for sql in MIGRATIONS {
        database.execute_batch(sql)?;
    }
    let empty = bytes(&database)?;
    let for_each_batch = |sql: &str| -> rusqlite::Result<()> {
        (0..people / 10_000)
            .try_for_each(|batch| database.execute(sql, [1 + batch * 10_000]).map(drop))
    };
    for_each_batch(FILL)?;
    let unchanged = (bytes(&database)? - empty) / people;
    println!(
        "{people} people: {unchanged} bytes each, {} in a gigabyte",
        1_000_000_000 / unchanged,
    );
    for _ in 0..writes {
        for_each_batch(CHANGE)?;
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
