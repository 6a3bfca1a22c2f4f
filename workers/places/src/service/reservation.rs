//! Deletes places as part of a batch of operations (docs/integrity.md). First, the batch *reserves*
//! all its places or none: it adds a tombstone to each. If nobody lives in these places, the
//! transaction of the batch deletes them. Otherwise the tombstones are removed, and nothing has
//! changed.
//!
//! If the request crashes before this transaction, the repair removes the tombstones. The batch has
//! written nothing then, so its places stay.

use std::collections::HashSet;

use domain::PlaceId;
use domain::place_status::RETRY_DELAYS_MS;
use edge::{Calls, Database, Env, Error, Row, ServiceClient, import, now, pause};
use http_semantics::Problem;
use http_semantics::actor::Actor;
use http_semantics::from_json;
use serde_json::{Value, json};
use tables::import::Removal;
use tables::record::Author;
use tables::statement::Statement;

use super::deletion::{Deletion, Token};
use crate::store;

/// The time that a batch spends on its dead people after it is written, in milliseconds.
const DETACH_MS: i64 = 5_000;

/// The calls of the deletion of a place after the batch, at most.
const DETACH: Calls = Calls::services(2).and(Calls::round_trips(4, 3));

/// The people of a place.
#[derive(Debug, Clone, Copy)]
struct Residents {
    place_id: i64,
    living: i64,
    dead: i64,
}

from_json! {
    Residents { place_id: "placeId", living, dead }
}

/// A place that a batch deletes.
#[derive(Debug, Clone, Copy)]
struct Reserved {
    place: i64,
    token: Token,
    /// Whether dead people refer to it.
    has_dead: bool,
}

/// The places that a batch deletes. Each has a tombstone.
#[derive(Debug, Default)]
pub struct Reservation {
    places: Vec<Reserved>,
    actor: Option<Actor>,
}

/// A place that the batch cannot delete.
type Obstacle = (i64, Problem);

impl Reservation {
    /// Reserves the places of removals, and checks that nobody lives there. Otherwise nothing is
    /// reserved, and the obstacles are returned.
    ///
    /// # Errors
    /// A place in another version, or a service that failed.
    pub async fn begin(
        env: &Env,
        database: &Database,
        removals: &[Removal],
    ) -> Result<(Self, Vec<Obstacle>), Error> {
        if removals.is_empty() {
            return Ok((Self::default(), Vec::new()));
        }
        let row = |removal: &Removal| json!({"id": removal.id, "version": removal.version});
        let rows: Vec<Value> = removals.iter().map(row).collect();
        let actor = env.author().actor;
        let mut reservation = match mark(database, &rows, actor.as_ref()).await? {
            Ok(places) => Self { places, actor },
            Err(obstacles) => return Ok((Self::default(), obstacles)),
        };
        let obstacles = reservation.close(env).await;
        if !matches!(&obstacles, Ok(obstacles) if obstacles.is_empty()) {
            reservation.cancel(database).await;
        }
        Ok((reservation, obstacles?))
    }

    /// Counts the people of the places, and revokes the pending writes if nobody lives there.
    async fn close(&mut self, env: &Env) -> Result<Vec<Obstacle>, Error> {
        let places: Vec<i64> = self.places.iter().map(|reserved| reserved.place).collect();
        let places = serde_json::to_vec(&places).map_err(|_| Problem::internal())?;
        let people = ServiceClient::new(env, "PEOPLE", "people")?;
        let response = people
            .post_body("/internal/residents/close", &places)
            .await?;
        let residents: Vec<Residents> = people.read_json(response).await?;
        let with_dead = residents.iter().filter(|residents| residents.dead > 0);
        let with_dead: HashSet<i64> = with_dead.map(|residents| residents.place_id).collect();
        for reserved in &mut self.places {
            reserved.has_dead = with_dead.contains(&reserved.place);
        }
        let living = residents.iter().filter(|residents| residents.living > 0);
        let obstacle = |residents: &Residents| {
            let place = residents.place_id;
            (place, Problem::place_has_people(place, residents.living))
        };
        Ok(living.map(obstacle).collect())
    }

    /// The rows of the statements that end the reservation.
    fn rows(&self) -> Vec<Value> {
        let row = |reserved: &Reserved| {
            json!({
                "id": reserved.place,
                "token": reserved.token,
                "hasDead": reserved.has_dead,
            })
        };
        self.places.iter().map(row).collect()
    }

    /// The statements that delete the places, for the transaction of the batch.
    #[must_use]
    pub fn delete(&self, author: &Author) -> Vec<Statement> {
        let rows = self.rows();
        let delete = |rows: &[Value]| store::delete_reserved(rows, author);
        let mut statements = import::with_row_count_check(&rows, delete);
        if !rows.is_empty() {
            statements.extend(store::end_reservation(&rows));
        }
        statements
    }

    /// Removes the tombstones of a batch that was not written.
    pub async fn cancel(&self, database: &Database) {
        if !self.places.is_empty() {
            // If this fails, the repair removes them.
            let cancel = store::cancel_reservation(&self.rows());
            let _ = database.batch(&[cancel]).await;
        }
    }

    /// Detaches the dead people of the deleted places. If this fails, the repair does it later.
    pub async fn detach_dead(&self, env: &Env, database: &Database) {
        let until = now() + DETACH_MS;
        for reserved in self.places.iter().filter(|reserved| reserved.has_dead) {
            if !database.quota().has(DETACH) || now() >= until {
                break;
            }
            let place = PlaceId::new(reserved.place);
            let deletion =
                place.map(|place| Deletion::new(env, place, None, self.actor.clone(), until));
            if let Some(Ok(deletion)) = deletion {
                let _ = deletion.detach_dead(reserved.token).await;
            }
        }
    }
}

/// Adds the tombstones of all places, or of none. Waits for other deletions that concern them, for at
/// most the sum of [`RETRY_DELAYS_MS`].
async fn mark(
    database: &Database,
    rows: &[Value],
    actor: Option<&Actor>,
) -> Result<Result<Vec<Reserved>, Vec<Obstacle>>, Error> {
    let mut obstacles = Vec::new();
    for milliseconds in [0].into_iter().chain(RETRY_DELAYS_MS) {
        if milliseconds > 0 {
            pause(milliseconds).await;
        }
        match database.batch(&store::reserve(rows, actor)).await {
            Ok(results) => return Ok(Ok(reserved(&results))),
            Err(Error::Check(constraint)) => {
                let conflicts = database.rows(&store::reservation_conflicts(rows)).await?;
                if conflicts.iter().any(|row| row.boolean("has_changed")) {
                    // The batch is planned again.
                    return Err(Error::Check(constraint));
                }
                obstacles = conflicts.iter().filter_map(obstacle).collect();
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Err(obstacles))
}

fn obstacle(row: &Row) -> Option<Obstacle> {
    let id = row.integer("id")?;
    Some((id, Problem::place_is_deleting(id)))
}

/// The places in the rows that [`store::reserve`] has returned.
fn reserved(results: &[Vec<Row>]) -> Vec<Reserved> {
    let reserved = |row: &Row| {
        Some(Reserved {
            place: row.integer("place_id")?,
            token: row.integer("token")?,
            has_dead: false,
        })
    };
    results.iter().flatten().filter_map(reserved).collect()
}
