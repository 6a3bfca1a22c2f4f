//! Pending writes. This module is the writer's side of the protocol between the two databases
//! (docs/integrity.md).
//!
//! A write with a new reference takes three round trips. The first records a pending write and
//! reads the person. The second asks the places worker whether the place exists. The third commits.
//! The commit fails if a deletion of the place has revoked the pending write.

use std::collections::HashSet;

use domain::id;
use domain::place_status::{PlaceStatuses, RETRY_DELAYS_MS, Step};
use edge::{Calls, Database, Error, Request, ServiceClient, pause};
use http_semantics::Problem;
use tables::statement::Statement;

use crate::store::{self, REVOKED};

/// Checks places and rolls back pending writes for one request.
pub struct PendingWrites {
    /// The people database.
    pub database: Database,
    places: ServiceClient,
}

/// A pending write: a token, and the places that the write refers to.
pub struct PendingWrite {
    token: String,
    places: Vec<i64>,
}

impl PendingWrite {
    /// A pending write with a random token.
    #[must_use]
    pub fn new(places: impl IntoIterator<Item = i64>) -> Self {
        Self::with_token(edge::random_token(), places)
    }

    /// A pending write with this token, which must be unique.
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

    /// The places that the write refers to.
    #[must_use]
    pub fn places(&self) -> &[i64] {
        &self.places
    }

    /// Adds a place that a statement has already recorded under the token.
    pub fn add_place(&mut self, place: i64) {
        self.places.push(place);
    }

    /// The statement that records the pending write. None if the write refers to no place.
    #[must_use]
    pub fn add(&self) -> Option<Statement> {
        (!self.places.is_empty()).then(|| store::add_pending(&self.token, &self.places))
    }

    /// The first statements of the commit. The write follows in the same batch.
    #[must_use]
    pub fn commit(&self) -> Vec<Statement> {
        if self.places.is_empty() {
            return Vec::new();
        }
        store::commit_pending(&self.token, &self.places).into()
    }

    /// Whether a commit failed because a deletion had revoked the pending write.
    #[must_use]
    pub fn is_revoked(error: &Error) -> bool {
        error.violates_check(REVOKED)
    }
}

impl PendingWrites {
    /// The pending writes of one request.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn new(env: &edge::Env) -> Result<Self, Error> {
        Ok(Self {
            database: Database::new(env)?,
            places: ServiceClient::new(env, "PLACES", "places")?,
        })
    }

    /// Removes a pending write that is not committed. This happens after the response.
    pub fn roll_back(&self, request: &Request, write: &PendingWrite) {
        if let Some(removal) = self.removal(write) {
            request.context.wait_until(removal);
        }
    }

    /// Removes a pending write that is not committed, before the response.
    pub async fn remove(&self, write: &PendingWrite) {
        if let Some(removal) = self.removal(write) {
            removal.await;
        }
    }

    /// Removes a pending write, if it has places.
    fn removal(&self, write: &PendingWrite) -> Option<impl Future<Output = ()> + use<>> {
        if write.places.is_empty() {
            return None;
        }
        let database = self.database.clone();
        let remove = store::remove_pending(&write.token, &write.places);
        Some(async move {
            // If this fails, a deletion or the repair removes the rows later.
            let _ = database.batch(&[remove]).await;
        })
    }

    /// Checks that all places are active. It waits for deletions in progress.
    ///
    /// # Errors
    /// A missing place (409 `no-such-place`, by `Problem::check_place` in `conflict.rs`), a deletion that does not end in time, or a service that failed.
    pub async fn check(&self, places: &[i64]) -> Result<(), Error> {
        let statuses = self.statuses(&places.iter().copied().collect()).await?;
        for place in places {
            Problem::check_place(*place, statuses.get(*place))?;
        }
        Ok(())
    }

    /// The status of places. If a place is being deleted, it waits and asks again, for at most the
    /// sum of [`RETRY_DELAYS_MS`] and as long as the quota suffices.
    ///
    /// # Errors
    /// A service that failed.
    pub async fn statuses(&self, places: &HashSet<i64>) -> Result<PlaceStatuses, Error> {
        let mut statuses = self.fetch_statuses(places).await?;
        for milliseconds in RETRY_DELAYS_MS {
            let mut steps = places.iter().map(|place| statuses.get(*place).next_step());
            let calls = id::lists(places.iter().copied()).len();
            let calls = Calls::services(u32::try_from(calls).unwrap_or(u32::MAX));
            if !steps.any(|step| step == Step::Wait) || !self.database.quota().has(calls) {
                break;
            }
            pause(milliseconds).await;
            statuses = self.fetch_statuses(places).await?;
        }
        Ok(statuses)
    }

    /// The ids of the places with these names, in the same order. With `create`, the missing ones are
    /// created first.
    ///
    /// # Errors
    /// A service that failed.
    pub async fn place_ids(&self, names: &[&str], create: bool) -> Result<Vec<Option<i64>>, Error> {
        let names = serde_json::to_vec(names).map_err(|_| Problem::internal())?;
        let path = format!("/internal/place-ids?create={create}");
        if !create {
            let response = self.places.post_query(&path, &names).await?;
            return self.places.read_json(response).await;
        }
        let response = self.places.post_body(&path, &names).await?;
        let ids = self.places.read_json(response).await;
        ids.map_err(Error::with_unknown_outcome)
    }

    async fn fetch_statuses(&self, places: &HashSet<i64>) -> Result<PlaceStatuses, Error> {
        // A set has another order in each build.
        let mut places: Vec<i64> = places.iter().copied().collect();
        places.sort_unstable();
        let mut statuses = PlaceStatuses::default();
        for ids in id::lists(places) {
            let path = format!("/internal/statuses?ids={ids}");
            let response = self.places.get(&path).await?;
            statuses.extend(self.places.read_json(response).await?);
        }
        Ok(statuses)
    }
}
