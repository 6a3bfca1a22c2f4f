//! The deleter's side of the protocol over the two databases (docs/integrity.md): a place is
//! marked as going before its people are counted.

use edge::{Database, Error, Upstream};
use registry::sql::Statement;
use registry::{PlaceId, Problem};
use serde::Deserialize;

use crate::store;

/// A place's deletion.
pub struct Deletion {
    /// The register.
    pub database: Database,
    people: Upstream,
    /// What is deleted.
    pub place: PlaceId,
    /// Where its living people go.
    pub reassign_to: Option<PlaceId>,
}

/// Who belongs to a place, as their owner answers.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Residents {
    living: i64,
    dead: i64,
    /// Who would come back if an unsettled write were undone.
    #[serde(rename = "comingBack")]
    coming_back: i64,
    /// The dead of whom it is not certain yet that they are here.
    #[serde(rename = "inDoubt")]
    in_doubt: i64,
}

impl Residents {
    /// Whether nobody keeps the place from going.
    fn are_none(self) -> bool {
        self.living + self.coming_back + self.in_doubt == 0
    }
}

/// How often people are moved, 5,000 at a time, before it is given up: a million of them.
const MOVES: usize = 200;

/// How a deletion under its mark has ended.
pub enum End {
    /// The place is deleted.
    Deleted,
    /// So many living people keep it, or somebody on the way, and the mark is lifted.
    Kept(i64),
    /// Somebody else has taken it over.
    TakenOver,
}

/// The token of a mark: it is one's own until somebody takes the deletion over.
pub type Token = i64;

impl Deletion {
    /// A deletion that is about to be marked.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn of(
        env: &edge::Env,
        place: PlaceId,
        reassign_to: Option<PlaceId>,
    ) -> Result<Self, Error> {
        Ok(Self {
            database: Database::of(env)?,
            people: Upstream::of(env, "PEOPLE", "people")?,
            place,
            reassign_to,
        })
    }

    /// Marks the place in a version; none if it cannot be marked now.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn mark(&self, version: i64) -> Result<Option<Token>, Error> {
        self.token(store::mark(self.place, self.reassign_to, version))
            .await
    }

    /// Takes the place's deletion over from whoever had the token; none if it has ended.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn take_over(&self, from: Token) -> Result<Option<Token>, Error> {
        self.token(store::take_over(self.place, from)).await
    }

    async fn token(&self, statement: Statement) -> Result<Option<Token>, Error> {
        let done = self.database.batch(&[statement]).await?;
        Ok(done.iter().flatten().find_map(|row| row.integer(0)))
    }

    /// Goes on from the mark to an end. Where the people cannot be asked the mark is lifted,
    /// but not where they were to be moved: a move whose answer got lost may yet arrive, and
    /// must find the other place held. Then it is the repair that goes on.
    ///
    /// # Errors
    /// A problem that names the service that failed, or what D1 says.
    pub async fn finish(&self, token: Token) -> Result<End, Error> {
        let residents = match self.reassign_to {
            // Some may be moved already, and the repair goes on from there.
            Some(to) => self.relocated(to, token).await.map_err(Error::of_write)?,
            None => match self.residents("GET", "").await {
                Ok(residents) => residents,
                Err(failed) => {
                    self.unmark(token).await?;
                    return Err(failed);
                }
            },
        };
        if !residents.are_none() {
            self.unmark(token).await?;
            return Ok(End::Kept(residents.living));
        }
        let commit = store::commit(self.place, token);
        let done = self.database.batch(&commit).await?;
        if done.first().is_none_or(Vec::is_empty) {
            return Ok(End::TakenOver);
        }
        // The place is deleted. What is left to do is the dead's, and the repair does it where
        // this is kept from it.
        let _ = self.clear(token).await;
        Ok(End::Deleted)
    }

    /// Lets go of the dead of a place that is gone, and of the tombstone behind the last.
    ///
    /// # Errors
    /// A problem that names the service that failed, or what D1 says.
    pub async fn clear(&self, token: Token) -> Result<(), Error> {
        for _ in 0..MOVES {
            let left = self.residents("POST", "/release").await?;
            if left.dead == 0 {
                // Who is on the way in is yet to step back: the repair looks again.
                if left.are_none() {
                    let forget = store::forget(self.place, token);
                    self.database.batch(&[forget]).await?;
                }
                return Ok(());
            }
        }
        Ok(())
    }

    /// Who is left once those who can be moved have been.
    async fn relocated(&self, to: PlaceId, token: Token) -> Result<Residents, Error> {
        let path = format!("/relocate?to={to}&token={token}");
        for _ in 0..MOVES {
            if self.residents("POST", &path).await?.are_none() {
                break;
            }
        }
        // Counted apart from the moves: behind the mark, and behind the last of them.
        self.residents("GET", "").await
    }

    async fn residents(&self, method: &str, what: &str) -> Result<Residents, Error> {
        let path = format!("/internal/residents/{}{what}", self.place);
        let answer = match method {
            "POST" => self.people.post(&path).await?,
            _ => self.people.get(&path).await?,
        };
        self.people.read_json(answer).await
    }

    async fn unmark(&self, token: Token) -> Result<(), Error> {
        let unmark = store::unmark(self.place, token);
        self.database.batch(&[unmark]).await.map(drop)
    }
}

impl End {
    /// What the client is told.
    ///
    /// # Errors
    /// Any other end than the place's.
    pub fn into_result(self, place: PlaceId) -> Result<(), Problem> {
        match self {
            Self::Deleted => Ok(()),
            Self::Kept(0) => Err(Problem::being_written()),
            Self::Kept(people) => Err(Problem::place_has_people(place.get(), people)),
            Self::TakenOver => Err(Problem::place_is_going(place.get())),
        }
    }
}
