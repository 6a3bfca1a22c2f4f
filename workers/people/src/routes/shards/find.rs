//! Where a person is, and who writes there.

use edge::shards::Shards;
use edge::{Env, Error, Row, Stored, TRIES, pause};
use registry::shards::handover::{Last, Whereabouts, whereabouts};
use registry::{PersonId, PlaceId, Problem};

use super::open;
use crate::routes::settling::Registrar;
use crate::store::known;

/// The databases of a register, for a write of one person.
pub struct Layout {
    /// All of them.
    pub shards: Shards,
    /// Where the person is, or where nobody is.
    pub whereabouts: Whereabouts,
}

impl Layout {
    /// The database that a person goes to who comes to live in a place, if it is another than
    /// theirs. Who belongs nowhere stays where they are.
    #[must_use]
    pub fn elsewhere(&self, place: Option<PlaceId>) -> Option<usize> {
        let Whereabouts::In(here) = self.whereabouts else {
            return None;
        };
        let there = self.shards.map.of(Some(place?));
        (there != here).then_some(there)
    }
}

/// The pause before those are asked again who are between two databases, in milliseconds.
const PAUSE_MS: u32 = 5;

/// What all databases know of a person at the same time, or nearly: a row of each.
pub async fn seen(shards: &Shards, id: PersonId, but: &str) -> Result<Vec<Row>, Error> {
    shards.rows(&known::of(id, but)).await
}

/// The last that a row says of a person, from a column on: the version, whether somebody is there
/// behind it, and its kind.
pub fn last_known(row: &Row, from: u32) -> Option<(i64, Last)> {
    let last = match (row.truth(from + 1), row.text(from + 2).as_deref()) {
        (true, _) => Last::Here,
        (false, Some("updated")) => Last::Went,
        (false, _) => Last::Gone,
    };
    row.integer(from).map(|version| (version, last))
}

/// Where they are, by those rows.
pub fn placed(rows: &[Row]) -> Whereabouts {
    whereabouts(rows.iter().map(|row| last_known(row, 0)))
}

/// What all databases know of a person who is not between two of them.
pub async fn at_rest(shards: &Shards, id: PersonId) -> Result<(Vec<Row>, Whereabouts), Error> {
    for _ in 0..TRIES {
        let rows = seen(shards, id, "").await?;
        match placed(&rows) {
            Whereabouts::OnTheWay => {
                if !open::end(shards, None).await?.have_ended {
                    pause(PAUSE_MS).await;
                }
            }
            found => return Ok((rows, found)),
        }
    }
    Err(Problem::being_written().into())
}

/// The registrar of the database that has a person, and the person as of now, settled.
///
/// # Errors
/// One that cannot be settled yet, because the place may go.
pub async fn find(
    env: &Env,
    shards: Shards,
    id: PersonId,
) -> Result<(Registrar, Option<Stored>), Error> {
    for _ in 0..TRIES {
        let (rows, whereabouts) = at_rest(&shards, id).await?;
        let here = match whereabouts {
            Whereabouts::In(shard) => Some(shard),
            _ => None,
        };
        let database = shards.database(here.unwrap_or_default())?.clone();
        let mut registrar = Registrar::at(env, database)?;
        let current = match here.and_then(|shard| rows.get(shard)) {
            Some(row) => {
                let version = row.integer(5).unwrap_or_default();
                if row.truth(6) {
                    registrar.help(id.get(), version, row.integer(7)).await?;
                    continue;
                }
                Some(Stored {
                    id: id.get(),
                    version,
                    body: row.value(4),
                })
            }
            None => None,
        };
        registrar.layout = Some(Layout {
            shards,
            whereabouts,
        });
        return Ok((registrar, current));
    }
    Err(Problem::being_written().into())
}
