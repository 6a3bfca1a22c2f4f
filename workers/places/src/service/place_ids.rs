//! Finds places by their names for an import of people, and creates the missing places.

use domain::name::Name;
use edge::{Database, Error, MAX_WRITE_ATTEMPTS, NORMALIZE};
use http_semantics::Problem;
use serde_json::Value;
use tables::Record;
use tables::record::Author;
use tables::statement::chunks_by_size;

use crate::domain::Place;
use crate::store;

/// The ids of the places with these names, in the same order. If there is an author, they create the
/// missing ones first, all of them or none.
///
/// # Errors
/// An error of D1.
pub async fn place_ids(
    database: &Database,
    names: Vec<Name>,
    author: Option<&Author>,
) -> Result<Vec<Option<i64>>, Error> {
    let keys: Vec<String> = names.iter().map(|name| name.case_key(NORMALIZE)).collect();
    for _ in 0..MAX_WRITE_ATTEMPTS {
        let ids = find(database, &keys).await?;
        let Some(author) = author.filter(|_| !ids.iter().all(Option::is_some)) else {
            return Ok(ids);
        };
        let missing = names.iter().zip(&ids).filter(|(_, id)| id.is_none());
        let rows: Vec<Value> = missing
            .map(|(name, _)| Place { name: name.clone() }.to_row(None, None, author, NORMALIZE))
            .collect();
        let inserts: Vec<_> = chunks_by_size(&rows)
            .into_iter()
            .map(|chunk| store::insert_all(chunk, None))
            .collect();
        match database.batch(&inserts).await {
            // Another request has created one of them.
            Ok(_) | Err(Error::Unique(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Problem::being_written().into())
}

async fn find(database: &Database, keys: &[String]) -> Result<Vec<Option<i64>>, Error> {
    let mut ids = vec![None; keys.len()];
    for row in database.rows(&store::places_with_names(keys)).await? {
        let n = row.integer("n").and_then(|n| usize::try_from(n).ok());
        if let Some(slot) = n.and_then(|n| ids.get_mut(n)) {
            *slot = row.integer("id");
        }
    }
    Ok(ids)
}
