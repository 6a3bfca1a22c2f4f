//! Pending writes: the writer's side of the protocol between the two databases
//! (docs/integrity.md).
//!
//! A write that refers to a new place takes three round trips: it records a pending write and
//! reads what it needs, checks the place with the places worker, and commits. The commit fails
//! if a deletion of the place has revoked the pending write meanwhile.

use std::collections::HashSet;

use domain::place_status::{PlaceStatuses, RETRY_DELAYS_MS, Step};
use edge::{Database, Error, Request, ServiceClient, pause};
use http_semantics::Problem;
use tables::statement::Statement;

use crate::store::{self, REVOKED};

/// The most places that are checked in one call.
const MAX_PLACES_PER_CALL: usize = 1_000;

/// The database, and the worker that knows the places.
pub struct PendingWrites {
    /// The people database.
    pub database: Database,
    places: ServiceClient,
}

/// One pending write.
pub struct PendingWrite {
    token: String,
    places: Vec<i64>,
}

impl PendingWrite {
    /// A pending write with a token that nobody else uses.
    #[must_use]
    pub fn new(places: impl IntoIterator<Item = i64>) -> Self {
        Self::with_token(edge::random_token(), places)
    }

    /// A pending write with a token that the caller made.
    #[must_use]
    pub fn with_token(token: String, places: impl IntoIterator<Item = i64>) -> Self {
        let places = places.into_iter().collect();
        Self { token, places }
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The places that it refers to.
    #[must_use]
    pub fn places(&self) -> &[i64] {
        &self.places
    }

    /// Adds a place that the database has recorded for it.
    pub fn add_place(&mut self, place: i64) {
        self.places.push(place);
    }

    /// The statement that records it.
    #[must_use]
    pub fn add(&self) -> Option<Statement> {
        (!self.places.is_empty()).then(|| store::add_pending(&self.token, &self.places))
    }

    /// The statements that begin its commit, in the same batch as the write.
    #[must_use]
    pub fn commit(&self) -> Vec<Statement> {
        if self.places.is_empty() {
            return Vec::new();
        }
        store::commit_pending(&self.token, &self.places).into()
    }

    /// Whether the commit failed because a deletion had revoked it.
    #[must_use]
    pub fn is_revoked(error: &Error) -> bool {
        error.violates_check(REVOKED)
    }
}

impl PendingWrites {
    /// Those of a request.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn new(env: &edge::Env) -> Result<Self, Error> {
        Ok(Self {
            database: Database::new(env)?,
            places: ServiceClient::new(env, "PLACES", "places")?,
        })
    }

    /// Removes a pending write that will not be committed, after the response.
    pub fn roll_back(&self, request: &Request, write: &PendingWrite) {
        if write.places.is_empty() {
            return;
        }
        let (database, remove) = (
            self.database.clone(),
            store::remove_pending(&write.token, &write.places),
        );
        request.context.wait_until(async move {
            // If this fails, the row stays until a deletion or the repair removes it.
            let _ = database.batch(&[remove]).await;
        });
    }

    /// Waits until none of the places is being deleted, and fails if one does not exist.
    ///
    /// # Errors
    /// A missing place, a deletion that takes too long, or a service that failed.
    pub async fn check(&self, places: &[i64]) -> Result<(), Error> {
        let statuses = self.statuses(&places.iter().copied().collect()).await?;
        for place in places {
            Problem::check_place(*place, statuses.get(*place))?;
        }
        Ok(())
    }

    /// The status of places. Waits a moment for deletions to end.
    ///
    /// # Errors
    /// A service that failed.
    pub async fn statuses(&self, places: &HashSet<i64>) -> Result<PlaceStatuses, Error> {
        let mut statuses = self.statuses_now(places).await?;
        for milliseconds in RETRY_DELAYS_MS {
            let mut steps = places.iter().map(|place| statuses.get(*place).next_step());
            if !steps.any(|step| step == Step::Wait) {
                break;
            }
            pause(milliseconds).await;
            statuses = self.statuses_now(places).await?;
        }
        Ok(statuses)
    }

    async fn statuses_now(&self, places: &HashSet<i64>) -> Result<PlaceStatuses, Error> {
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        let mut all = PlaceStatuses::default();
        // No call without places: `chunks` is then empty.
        for some in places.chunks(MAX_PLACES_PER_CALL) {
            let path = format!("/internal/statuses?ids={}", some.join(","));
            let response = self.places.get(&path).await?;
            all.extend(self.places.read_json(response).await?);
        }
        Ok(all)
    }
}
