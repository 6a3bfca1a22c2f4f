//! Deletes a place. This module is one side of the protocol between the two databases
//! (docs/integrity.md).
//!
//! A deletion first adds a tombstone to the place. From then on, nobody can move there. If nobody
//! lives there, or after all residents have moved to another place, the place is deleted. Last, the
//! dead people who still refer to the place are detached from it.
//!
//! The tombstone has a fencing token. If the repair takes over a slow deletion, it changes the
//! token. Then the statements of the slow request match no row.
//!
//! If many people have to move, a deletion takes longer than an invocation may run. Then it stops
//! between two steps, and the scheduled run continues it. The deletion needs no cursor: each step
//! takes some of the people who are still there.

use std::cell::Cell;

use domain::PlaceId;
use edge::collection::delete_if;
use edge::{Calls, Database, Error, Row, ServiceClient, now};
use http_semantics::actor::Actor;
use http_semantics::from_json;
use http_semantics::from_json::or_default;
use http_semantics::{Preconditions, Validator};
use serde_json::json;
use tables::record;
use tables::schema::PLACE;
use tables::statement::Statement;

use crate::domain::Place;
use crate::store::{self, OperationStatus};

/// A deletion of a place.
pub struct Deletion {
    /// The places database.
    pub database: Database,
    people: ServiceClient,
    place: PlaceId,
    /// The place that the residents move to.
    reassign_to: Option<PlaceId>,
    /// The author of all changes. The tombstone has it, too, so that a repair continues under the
    /// same name.
    actor: Option<Actor>,
    /// When it stops and leaves the rest to the scheduled run, in milliseconds since 1970.
    until: i64,
    /// Whether the client knows the deletion as an operation, and asks for its status.
    is_operation: Cell<bool>,
    /// The people who were moved or detached since the last record of the progress.
    unrecorded: Cell<i64>,
    /// Whether dead people referred to the place when its last residents were counted. If none did, and
    /// the pending writes were revoked in the same transaction, nobody ever will.
    has_dead: Cell<bool>,
}

/// The result of a step in the people worker.
#[derive(Debug, Clone, Copy)]
struct StepResult {
    /// The living people who are left in the place.
    living: i64,
    /// The dead people who are left in the place.
    dead: i64,
    /// The people whom the step has moved or detached.
    changed: i64,
}

from_json! {
    StepResult { living, dead, changed: or_default("changed") }
}

/// How a repeated step ended.
enum Repeated {
    /// No people are left for it.
    Done,
    /// The time or the quota of the invocation is used up.
    Interrupted,
    /// Another process has taken the deletion over.
    TakenOver,
}

/// The calls of one more step: the step, the record of its progress, and the two batches at the end
/// of a deletion.
const STEP: Calls = Calls::services(1).and(Calls::round_trips(3, 3));

/// The outcome of a deletion.
pub enum DeletionOutcome {
    /// The place is deleted.
    Deleted,
    /// People live there. The tombstone is removed, and nothing has changed.
    Blocked {
        /// The number of residents.
        living: i64,
    },
    /// It was part of a batch that was not done. The tombstone is removed.
    Cancelled,
    /// The scheduled run continues the deletion.
    Interrupted,
    /// Another process continues the deletion.
    TakenOver,
}

/// The fencing token of a deletion.
pub type Token = i64;

impl Deletion {
    /// A deletion that has not begun. It stops at the time `until`, in milliseconds since 1970.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn new(
        env: &edge::Env,
        place: PlaceId,
        reassign_to: Option<PlaceId>,
        actor: Option<Actor>,
        until: i64,
    ) -> Result<Self, Error> {
        let people = ServiceClient::new(env, "PEOPLE", "people")?;
        Ok(Self {
            database: Database::new(env)?,
            people: people.on_behalf_of(actor.clone()),
            place,
            reassign_to,
            actor,
            until,
            is_operation: Cell::new(false),
            unrecorded: Cell::new(0),
            has_dead: Cell::new(true),
        })
    }

    /// Whether the time and the quota suffice for another step.
    fn may_continue(&self) -> bool {
        now() < self.until && self.database.quota().has(STEP)
    }

    /// Adds the tombstone. None: another deletion concerns the place or the target.
    ///
    /// # Errors
    /// A place that does not exist, a precondition that fails, or an error of D1.
    pub async fn begin(&self, preconditions: &Preconditions) -> Result<Option<Token>, Error> {
        let actor = self.actor.as_ref();
        let begin = |versions: Option<&[Validator]>| {
            store::begin_deletion(self.place, self.reassign_to, versions, actor)
        };
        let row = delete_if::<Place>(&self.database, self.place, preconditions, begin).await?;
        Ok(row.and_then(|row| row.integer("token")))
    }

    /// Takes over the deletion that has a token, and returns the new token. None if it has ended.
    ///
    /// # Errors
    /// An error of D1.
    pub async fn take_over(
        &self,
        previous: Token,
        is_operation: bool,
    ) -> Result<Option<Token>, Error> {
        self.is_operation.set(is_operation);
        self.token(store::take_over_deletion(self.place, previous))
            .await
    }

    /// Removes the tombstone of a batch that was not done.
    ///
    /// # Errors
    /// An error of D1.
    pub async fn cancel_reservation(&self, token: Token) -> Result<DeletionOutcome, Error> {
        let cancel = store::cancel_reservation(&[json!({"token": token})]);
        self.database.batch(&[cancel]).await?;
        Ok(DeletionOutcome::Cancelled)
    }

    /// Makes the deletion an operation, whose status the client can read. Returns whether the token
    /// still owns the tombstone.
    ///
    /// # Errors
    /// An error of D1.
    pub async fn make_operation(&self, token: Token, operation: &str) -> Result<bool, Error> {
        let make = store::make_operation(self.place, token, operation);
        let is_operation = self.token(make).await?.is_some();
        self.is_operation.set(is_operation);
        Ok(is_operation)
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
            Some(to) => self.reassign(to, token).await?,
            None => self.close(token).await?,
        };
        if let Some(outcome) = early_outcome {
            return Ok(outcome);
        }
        if !self.has_dead.get() {
            return self.delete_unreferenced(token).await;
        }
        let delete = store::delete(self.place, token, self.actor.as_ref());
        let results = self.database.batch(&delete).await;
        let results = results.map_err(Error::with_unknown_outcome)?;
        if results.first().is_none_or(Vec::is_empty) {
            return self.outcome_after_take_over().await;
        }
        match self.detach_dead(token).await {
            Ok(outcome) => Ok(outcome),
            // The place is deleted, so the request has succeeded. The repair detaches the dead.
            Err(_) if !self.is_operation.get() => Ok(DeletionOutcome::Deleted),
            Err(error) => Err(error),
        }
    }

    /// Deletes a place that nobody refers to, together with its tombstone.
    async fn delete_unreferenced(&self, token: Token) -> Result<DeletionOutcome, Error> {
        let delete = store::delete_unreferenced(self.place, token, self.actor.as_ref());
        let remove = store::cancel_deletion(self.place, token);
        let results = self.end_after(Some(delete), OperationStatus::Done, token, remove);
        let results = results.await.map_err(Error::with_unknown_outcome)?;
        if results.first().is_none_or(Vec::is_empty) {
            return self.outcome_after_take_over().await;
        }
        Ok(DeletionOutcome::Deleted)
    }

    /// Checks that the place has no residents, and revokes the pending writes that refer to it.
    /// Returns the outcome if the deletion ends here. If people live there or the people worker
    /// fails, no person has changed, so the tombstone is removed. But a repair may have taken the
    /// deletion over: it may finish it, if the people leave meanwhile.
    async fn close(&self, token: Token) -> Result<Option<DeletionOutcome>, Error> {
        let blocked = match self.call_people("close").await {
            Ok(StepResult { living: 0, .. }) => return Ok(None),
            Ok(StepResult { living, .. }) => Ok(Some(DeletionOutcome::Blocked { living })),
            Err(error) => Err(error),
        };
        let cancel = store::cancel_deletion(self.place, token);
        let results = self.end_after(None, OperationStatus::Failed, token, cancel);
        let results = results.await.map_err(Error::with_unknown_outcome)?;
        if results.last().is_none_or(Vec::is_empty) {
            return self.outcome_after_take_over().await.map(Some);
        }
        blocked
    }

    /// Moves all residents. Returns the outcome if some are left. Only writes that checked the
    /// place before its tombstone can still add people, and each call revokes those writes.
    ///
    /// If a call fails, the tombstone stays: the call may still arrive, and then its target must
    /// exist. The repair continues the deletion.
    async fn reassign(&self, to: PlaceId, token: Token) -> Result<Option<DeletionOutcome>, Error> {
        let step = format!("reassign?to={to}");
        let repeated = self.repeat(&step, token, |people| people.living).await;
        Ok(match repeated.map_err(Error::with_unknown_outcome)? {
            Repeated::Done => None,
            Repeated::Interrupted => Some(DeletionOutcome::Interrupted),
            Repeated::TakenOver => Some(self.outcome_after_take_over().await?),
        })
    }

    /// The outcome if the token has changed: another process may have deleted the place.
    ///
    /// # Errors
    /// An error of D1.
    pub async fn outcome_after_take_over(&self) -> Result<DeletionOutcome, Error> {
        let read = record::read_version(&PLACE, self.place.get());
        let place = self.database.row(&read).await;
        Ok(match place.map_err(Error::with_unknown_outcome)? {
            Some(_) => DeletionOutcome::TakenOver,
            None => DeletionOutcome::Deleted,
        })
    }

    /// Detaches the dead people of a deleted place, and then removes the tombstone.
    ///
    /// # Errors
    /// A problem that names the service that failed, or an error of D1.
    pub async fn detach_dead(&self, token: Token) -> Result<DeletionOutcome, Error> {
        let repeated = self
            .repeat("detach-dead", token, |people| people.dead)
            .await;
        match repeated? {
            Repeated::Done => {
                let remove = store::remove_tombstone(self.place, token);
                self.end(OperationStatus::Done, token, remove).await?;
            }
            Repeated::Interrupted => return Ok(DeletionOutcome::Interrupted),
            Repeated::TakenOver => {}
        }
        Ok(DeletionOutcome::Deleted)
    }

    /// Repeats a step of the people worker until no people are left for it.
    async fn repeat(
        &self,
        step: &str,
        token: Token,
        left: fn(StepResult) -> i64,
    ) -> Result<Repeated, Error> {
        loop {
            if !self.may_continue() {
                let release = store::release_deletion(self.place, token);
                self.database.batch(&[release]).await?;
                return Ok(Repeated::Interrupted);
            }
            let result = self.call_people(step).await?;
            let changed = self.unrecorded.get() + result.changed;
            self.unrecorded.set(changed);
            if left(result) == 0 {
                return Ok(Repeated::Done);
            }
            let remaining = result.living + result.dead;
            let record = store::record_progress(self.place, token, changed, remaining);
            if self.token(record).await?.is_none() {
                return Ok(Repeated::TakenOver);
            }
            self.unrecorded.set(0);
        }
    }

    /// Removes the tombstone by a statement. If the deletion is an operation, the same transaction
    /// saves its status.
    async fn end(
        &self,
        status: OperationStatus,
        token: Token,
        remove: Statement,
    ) -> Result<(), Error> {
        self.end_after(None, status, token, remove).await.map(drop)
    }

    /// As [`Self::end`], after another statement of the same transaction.
    async fn end_after(
        &self,
        first: Option<Statement>,
        status: OperationStatus,
        token: Token,
        remove: Statement,
    ) -> Result<Vec<Vec<Row>>, Error> {
        let is_operation = self.is_operation.get();
        let save = is_operation
            .then(|| store::save_operation(self.place, token, status, self.unrecorded.get()));
        let statements: Vec<Statement> = first.into_iter().chain(save).chain([remove]).collect();
        self.database.batch(&statements).await
    }

    /// Calls a step of the people worker.
    async fn call_people(&self, step: &str) -> Result<StepResult, Error> {
        let path = format!("/internal/residents/{}/{step}", self.place);
        let response = self.people.post(&path).await?;
        let result: StepResult = self.people.read_json(response).await?;
        self.has_dead.set(result.dead > 0);
        Ok(result)
    }
}
