//! The cache of responses. It has two tiers.
//!
//! | tier | stored in | a response is served |
//! |---|---|---|
//! | memory | this isolate, by `Layer::ResponseCache` | if its change sequences are still current |
//! | snapshots | the gateway's database, for all isolates | while a backend is down, with its age |
//!
//! [`RequestCache`] is the interface of both tiers for one request: it saves fresh responses as
//! snapshots, and finds the newest stale response. [`snapshot_writer`] limits how often snapshots
//! are written. [`snapshot_refresh`] runs by schedule.

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

/// The setting that disables snapshots. Its value is then `off`.
const SNAPSHOTS_SETTING: &str = "SNAPSHOTS";

/// The cache of one request.
pub struct RequestCache {
    request: Request,
    formats: &'static [MediaType],
    /// When the request arrived, in milliseconds since 1970.
    requested_at: i64,
}

impl RequestCache {
    /// The cache of a request whose response has one of these formats.
    #[must_use]
    pub fn new(request: Request, formats: &'static [MediaType]) -> Self {
        Self {
            request,
            formats,
            requested_at: edge::now(),
        }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Saves a fresh response as a snapshot. The memory tier has it already.
    pub fn save(&self, response: &Rc<CachedResponse>) {
        snapshot_writer::enqueue(&self.request, || self.key(), response, self.requested_at);
    }

    /// The newest response of both tiers. The snapshot is not read if the response in memory has
    /// the newest change sequences that this isolate has observed.
    pub async fn stale_response(&self) -> Option<StaleResponse> {
        let began = edge::now();
        let memory = cached_response(&self.request);
        let memory = memory.map(|response| StaleResponse::from_cached(&response));
        let newest = snapshot_writer::newest_change_seqs().map(|(change_seqs, _)| change_seqs);
        let response = match (memory, self.key()) {
            (Some(memory), _) if Some(memory.change_seqs()) == newest => Some(memory),
            (memory, Some(key)) => {
                let snapshot = read_snapshot(&self.request.env, &key).await;
                let tiers = [memory, snapshot].into_iter().flatten();
                tiers.max_by_key(StaleResponse::fresh_at)
            }
            (memory, None) => memory,
        };
        let response = response.filter(StaleResponse::may_be_served);
        let outcome = if response.is_some() { "kept" } else { "none" };
        let span = [began, edge::now()];
        let mut timings = self.request.timings.borrow_mut();
        timings.record("snapshot", span, outcome);
        response
    }

    /// The key of the snapshot, if the request has a format and is not too long.
    fn key(&self) -> Option<String> {
        let Request { path, query, .. } = &self.request;
        let accept = self.request.header("accept");
        let format = snapshot::format(query, accept.as_deref(), self.formats)?;
        snapshot::key(path, query, format)
    }
}

/// The snapshot of a key. None if there is none, or if the database fails or times out.
pub async fn read_snapshot(env: &Env, key: &str) -> Option<StaleResponse> {
    let rows = async { Database::new(env)?.rows(&store::snapshot::find(key)).await };
    let rows = with_timeout(SNAPSHOT_READ_TIMEOUT_MS, rows).await?;
    let rows = rows.unwrap_or_else(|error: Error| {
        console_error!("reading a snapshot: {error}");
        Vec::new()
    });
    StaleResponse::from_rows(&rows).filter(StaleResponse::may_be_served)
}

fn is_disabled(env: &Env) -> bool {
    env.setting(SNAPSHOTS_SETTING).as_deref() == Some("off")
}
