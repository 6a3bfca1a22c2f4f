//! The cache of responses. It has two tiers.
//!
//! | tier | where | a response is served |
//! |---|---|---|
//! | memory | this isolate, `Layer::ResponseCache` | after its change sequences were revalidated |
//! | snapshots | our database, all isolates | while a backend is down, with its age |
//!
//! A [`CachedRoute`] is the interface of both: it saves fresh responses, and finds the newest
//! stale one. [`snapshot_writer`] limits how often a snapshot is written. [`snapshot_refresh`]
//! runs by schedule.

pub mod snapshot_refresh;
mod snapshot_writer;
mod stale_response;

use std::rc::Rc;

use edge::{CachedResponse, Database, Env, Error, Request, cached_response, with_timeout};
use http_semantics::MediaType;
use worker::console_error;

use crate::domain::snapshot::{self, SNAPSHOT_READ_TIMEOUT_MS};
use crate::store;

pub use stale_response::StaleResponse;

/// The setting that turns snapshots off with the value `off`.
const SETTING: &str = "SNAPSHOTS";

/// The cache of one request.
pub struct CachedRoute {
    request: Request,
    formats: &'static [MediaType],
    /// When the request arrived, in milliseconds since 1970.
    started: i64,
}

impl CachedRoute {
    /// The cache of a request whose response has one of these formats.
    #[must_use]
    pub fn new(request: Request, formats: &'static [MediaType]) -> Self {
        let started = edge::now();
        Self {
            request,
            formats,
            started,
        }
    }

    /// The request.
    #[must_use]
    pub fn call(&self) -> &Request {
        &self.request
    }

    /// Saves a response that is fresh now. The memory tier has it already.
    pub fn save(&self, copy: &Rc<CachedResponse>) {
        snapshot_writer::offer(&self.request, || self.key(), copy, self.started);
    }

    /// The newest response of both tiers. Memory is enough if it is as new as anything that this
    /// isolate has observed.
    pub async fn stale_response(&self) -> Option<StaleResponse> {
        let began = edge::now();
        let in_memory = cached_response(&self.request).map(|copy| StaleResponse::of_copy(&copy));
        let newest = snapshot_writer::observed().map(|(change_seqs, _)| change_seqs);
        let found = match (in_memory, self.key()) {
            (Some(copy), _) if Some(copy.change_seqs()) == newest => Some(copy),
            (copy, Some(key)) => {
                let snapshot = read_snapshot(&self.request.env, &key).await;
                let both = [copy, snapshot].into_iter().flatten();
                both.max_by_key(StaleResponse::fresh_at)
            }
            (copy, None) => copy,
        };
        let found = found.filter(StaleResponse::may_be_served);
        let outcome = if found.is_some() { "kept" } else { "none" };
        let span = [began, edge::now()];
        let mut timings = self.request.timings.borrow_mut();
        timings.record("snapshot", span, outcome);
        found
    }

    /// The key of the snapshot.
    fn key(&self) -> Option<String> {
        let Request { path, query, .. } = &self.request;
        let accept = self.request.header("accept");
        let format = snapshot::format(query, accept.as_deref(), self.formats)?;
        snapshot::key(path, query, format)
    }
}

/// The snapshot of a key, if there is one and our database answers in time.
pub async fn read_snapshot(env: &Env, key: &str) -> Option<StaleResponse> {
    let rows = async { Database::new(env)?.rows(&store::snapshot::find(key)).await };
    let rows = with_timeout(SNAPSHOT_READ_TIMEOUT_MS, rows).await?;
    let rows = rows.unwrap_or_else(|error: Error| {
        console_error!("a snapshot: {error}");
        Vec::new()
    });
    StaleResponse::of_rows(&rows).filter(StaleResponse::may_be_served)
}

fn is_off(env: &Env) -> bool {
    env.setting(SETTING).as_deref() == Some("off")
}
