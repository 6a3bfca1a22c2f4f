//! The deletion of a place: the deleter's side of the protocol between the two databases
//! (docs/integrity.md). It marks the place, makes sure that nobody lives there, and deletes it.

use domain::PlaceId;
use edge::{Database, Error, ServiceClient};
use http_semantics::Problem;
use serde::Deserialize;
use tables::record;
use tables::schema::PLACE;
use tables::statement::Statement;

use crate::store;

/// A deletion of a place.
pub struct Deletion {
    /// The places database.
    pub database: Database,
    people: ServiceClient,
    place: PlaceId,
    /// Where the residents go.
    reassign_to: Option<PlaceId>,
}

/// The number of people of a place, as the people worker responds.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Population {
    living: i64,
    dead: i64,
}

/// How many calls move or detach people, 5,000 at a time, before the scheduled repair goes on
/// instead: a million people.
const MAX_CALLS: usize = 200;

/// How a deletion ends.
pub enum End {
    /// The place is deleted.
    Deleted,
    /// So many people live there. The mark is removed, and nothing has changed.
    HasResidents(i64),
    /// Another owner continues it, or will: the outcome is not known yet.
    Continues,
}

/// Identifies the owner of a deletion, until somebody takes it over.
pub type Token = i64;

impl Deletion {
    /// A deletion that has not begun.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn new(
        env: &edge::Env,
        place: PlaceId,
        reassign_to: Option<PlaceId>,
    ) -> Result<Self, Error> {
        Ok(Self {
            database: Database::new(env)?,
            people: ServiceClient::new(env, "PEOPLE", "people")?,
            place,
            reassign_to,
        })
    }

    /// Marks the place in a version. None if it cannot be marked now.
    ///
    /// # Errors
    /// An error of D1.
    pub async fn mark(&self, version: i64) -> Result<Option<Token>, Error> {
        self.token(store::mark(self.place, self.reassign_to, version))
            .await
    }

    /// Takes the deletion over from the owner of a token. None if it has ended.
    ///
    /// # Errors
    /// An error of D1.
    pub async fn take_over(&self, from: Token) -> Result<Option<Token>, Error> {
        self.token(store::take_over(self.place, from)).await
    }

    async fn token(&self, statement: Statement) -> Result<Option<Token>, Error> {
        let results = self.database.batch(&[statement]).await?;
        Ok(results
            .iter()
            .flatten()
            .find_map(|row| row.integer("token")))
    }

    /// Continues from the mark to the end.
    ///
    /// If the people worker fails, the mark is removed, unless residents were to be moved: a
    /// move that was not answered may still arrive, and must find the other place pinned. Then
    /// the repair continues.
    ///
    /// # Errors
    /// A problem that names the service that failed, or an error of D1.
    pub async fn finish(&self, token: Token) -> Result<End, Error> {
        match self.reassign_to {
            Some(to) => {
                if !self
                    .reassign(to)
                    .await
                    .map_err(Error::with_unknown_outcome)?
                {
                    return Ok(End::Continues);
                }
            }
            None => match self.people("close").await {
                Ok(Population { living: 0, .. }) => {}
                Ok(Population { living, .. }) => {
                    self.unmark(token).await?;
                    return Ok(End::HasResidents(living));
                }
                Err(failed) => {
                    self.unmark(token).await?;
                    return Err(failed);
                }
            },
        }
        let results = self.database.batch(&store::delete(self.place, token)).await;
        let results = results.map_err(Error::with_unknown_outcome)?;
        if results.first().is_none_or(Vec::is_empty) {
            // Somebody has taken the deletion over, and may have finished it.
            let current = self
                .database
                .row(&record::read_version(&PLACE, self.place.get()))
                .await;
            let exists = current.map_err(Error::with_unknown_outcome)?.is_some();
            return Ok(if exists { End::Continues } else { End::Deleted });
        }
        // The place is deleted. If this fails, the repair detaches the dead.
        let _ = self.detach_dead(token).await;
        Ok(End::Deleted)
    }

    /// Detaches the dead of a deleted place, and then removes the tombstone.
    ///
    /// # Errors
    /// A problem that names the service that failed, or an error of D1.
    pub async fn detach_dead(&self, token: Token) -> Result<(), Error> {
        for _ in 0..MAX_CALLS {
            if self.people("detach-dead").await?.dead == 0 {
                let remove = store::remove_tombstone(self.place, token);
                return self.database.batch(&[remove]).await.map(drop);
            }
        }
        Ok(())
    }

    /// Moves all residents. Whether it is done: while the place is marked, only writes that
    /// checked it before can still add people, and each move revokes those.
    async fn reassign(&self, to: PlaceId) -> Result<bool, Error> {
        for _ in 0..MAX_CALLS {
            if self.people(&format!("reassign?to={to}")).await?.living == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Has the people worker take a step, and returns who is left.
    async fn people(&self, step: &str) -> Result<Population, Error> {
        let path = format!("/internal/residents/{}/{step}", self.place);
        let response = self.people.post(&path).await?;
        self.people.read_json(response).await
    }

    async fn unmark(&self, token: Token) -> Result<(), Error> {
        let unmark = store::unmark(self.place, token);
        self.database.batch(&[unmark]).await.map(drop)
    }
}

impl End {
    /// The response to the client.
    ///
    /// # Errors
    /// A deletion that was rejected, or whose outcome is not known yet.
    pub fn into_result(self, place: PlaceId) -> Result<(), Problem> {
        match self {
            Self::Deleted => Ok(()),
            Self::HasResidents(living) => Err(Problem::place_has_people(place.get(), living)),
            Self::Continues => Err(Problem::deletion_continues(place.get())),
        }
    }
}
