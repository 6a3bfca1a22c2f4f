//! The deletion of a place: one side of the protocol between the two databases
//! (docs/integrity.md).
//!
//! A deletion adds a tombstone to the place. Then nobody new can move there. If nobody lives there,
//! or all residents have moved to another place, it deletes the place. At last it detaches the dead
//! people who still refer to the place.
//!
//! The tombstone's token is a fencing token. If the repair takes a slow deletion over, the token
//! changes, and the statements of the slow request no longer match.

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
    /// The place that the residents move to.
    reassign_to: Option<PlaceId>,
}

/// The numbers of living and dead people of a place, in a response of the people worker.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Population {
    living: i64,
    dead: i64,
}

/// The maximum number of calls that move or detach people. Each call moves up to 5,000 people, so
/// that a million fit. After that the scheduled repair continues.
const MAX_CALLS: usize = 200;

/// The outcome of a deletion.
pub enum DeletionOutcome {
    /// The place is deleted.
    Deleted,
    /// People live there. The tombstone is removed, and nothing has changed.
    Blocked {
        /// The number of residents.
        living: i64,
    },
    /// The outcome is not known yet: the repair continues the deletion.
    Continues,
}

/// The fencing token of a deletion.
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

    /// Adds the tombstone, if the place has this version. None: the version has changed, or another
    /// deletion concerns the place or the target.
    ///
    /// # Errors
    /// An error of D1.
    pub async fn begin(&self, version: i64) -> Result<Option<Token>, Error> {
        self.token(store::begin_deletion(self.place, self.reassign_to, version))
            .await
    }

    /// Takes over the deletion that has a token, and returns the new token. None if it has ended.
    ///
    /// # Errors
    /// An error of D1.
    pub async fn take_over(&self, previous: Token) -> Result<Option<Token>, Error> {
        self.token(store::take_over_deletion(self.place, previous))
            .await
    }

    /// Runs a statement that returns the token of the tombstone, or no row.
    async fn token(&self, statement: Statement) -> Result<Option<Token>, Error> {
        let results = self.database.batch(&[statement]).await?;
        Ok(results
            .iter()
            .flatten()
            .find_map(|row| row.integer("token")))
    }

    /// Runs all steps after [`Self::begin`].
    ///
    /// # Errors
    /// A problem that names the service that failed, or an error of D1.
    pub async fn run(&self, token: Token) -> Result<DeletionOutcome, Error> {
        let early_outcome = match self.reassign_to {
            Some(to) => self.reassign(to).await?,
            None => self.close(token).await?,
        };
        if let Some(outcome) = early_outcome {
            return Ok(outcome);
        }
        let results = self.database.batch(&store::delete(self.place, token)).await;
        let results = results.map_err(Error::with_unknown_outcome)?;
        if results.first().is_none_or(Vec::is_empty) {
            return self.outcome_after_take_over().await;
        }
        // The place is deleted, so the request has succeeded. If this step fails, the repair
        // detaches the dead.
        let _ = self.detach_dead(token).await;
        Ok(DeletionOutcome::Deleted)
    }

    /// Checks that the place has no residents, and revokes the pending writes that refer to it.
    /// Returns the outcome if the deletion ends here. If people live there or the people worker
    /// fails, no person has changed, so the tombstone is removed.
    async fn close(&self, token: Token) -> Result<Option<DeletionOutcome>, Error> {
        let blocked = match self.call_people("close").await {
            Ok(Population { living: 0, .. }) => return Ok(None),
            Ok(Population { living, .. }) => Ok(Some(DeletionOutcome::Blocked { living })),
            Err(error) => Err(error),
        };
        let cancel = store::cancel_deletion(self.place, token);
        self.database.batch(&[cancel]).await?;
        blocked
    }

    /// Moves all residents. Returns the outcome if some are left. Only writes that checked the
    /// place before its tombstone can still add people, and each call revokes those writes.
    ///
    /// If a call fails, the tombstone stays: the call may still arrive, and then its target must
    /// exist. The repair continues the deletion.
    async fn reassign(&self, to: PlaceId) -> Result<Option<DeletionOutcome>, Error> {
        let path = format!("reassign?to={to}");
        for _ in 0..MAX_CALLS {
            let left = self.call_people(&path).await;
            if left.map_err(Error::with_unknown_outcome)?.living == 0 {
                return Ok(None);
            }
        }
        Ok(Some(DeletionOutcome::Continues))
    }

    /// The outcome if the token has changed: another process may have deleted the place.
    async fn outcome_after_take_over(&self) -> Result<DeletionOutcome, Error> {
        let read = record::read_version(&PLACE, self.place.get());
        let place = self.database.row(&read).await;
        Ok(match place.map_err(Error::with_unknown_outcome)? {
            Some(_) => DeletionOutcome::Continues,
            None => DeletionOutcome::Deleted,
        })
    }

    /// Detaches the dead people of a deleted place, and then removes the tombstone.
    ///
    /// # Errors
    /// A problem that names the service that failed, or an error of D1.
    pub async fn detach_dead(&self, token: Token) -> Result<(), Error> {
        for _ in 0..MAX_CALLS {
            if self.call_people("detach-dead").await?.dead == 0 {
                let remove = store::remove_tombstone(self.place, token);
                return self.database.batch(&[remove]).await.map(drop);
            }
        }
        Ok(())
    }

    /// Calls a step of the people worker, and returns the people who are left in the place.
    async fn call_people(&self, step: &str) -> Result<Population, Error> {
        let path = format!("/internal/residents/{}/{step}", self.place);
        let response = self.people.post(&path).await?;
        self.people.read_json(response).await
    }
}

impl DeletionOutcome {
    /// The result of the request.
    ///
    /// # Errors
    /// A deletion that is blocked, or whose outcome is not known yet.
    pub fn into_result(self, place: PlaceId) -> Result<(), Problem> {
        match self {
            Self::Deleted => Ok(()),
            Self::Blocked { living } => Err(Problem::place_has_people(place.get(), living)),
            Self::Continues => Err(Problem::deletion_continues(place.get())),
        }
    }
}
