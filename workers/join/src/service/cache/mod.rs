//! The cache of responses, and stale-if-error (RFC 5861). The cache has two tiers.
//!
//! | tier | stored in | a response is served |
//! |---|---|---|
//! | memory | this isolate, by `Layer::ResponseCache` | if its change sequences are still current |
//! | snapshots | the gateway's database, for all isolates | while a backend is down, with its age |
//!
//! If a backend fails, times out or sends a malformed response, the gateway sends the first of
//! these that exists:
//! 1. the newest stale response to the same request from either tier, with its age,
//! 2. the partial response of the handler,
//! 3. the problem.
//!
//! A client that sends `Prefer: handling=strict` (RFC 7240) always gets the problem.
//!
//! The module [`parts`] keeps the backends' responses, so that the gateway can combine them again
//! after a write. [`snapshot_writer`] limits how often snapshots are written. [`snapshot_refresh`]
//! refreshes them on a schedule.

pub mod erasure;
pub mod parts;
pub mod snapshot_refresh;
mod snapshot_writer;
mod stale_response;

use std::rc::Rc;

use domain::Param;
use edge::{
    CIRCUIT_OPEN, Database, Env, Error, Request, Response, Row, StaleIfError, cached_response, now,
    with_timeout,
};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::{MediaType, Problem, Validator, prefer};
use tables::ChangeSeqs;
use worker::console_error;

use crate::domain::cache_status::CacheStatus;
use crate::domain::snapshot::{self, SNAPSHOT_MAX_BYTES, SNAPSHOT_READ_TIMEOUT_MS};
use crate::store;

use stale_response::StaleResponse;

/// The setting that disables snapshots. Its value is then `off`.
const SNAPSHOTS_SETTING: &str = "SNAPSHOTS";

/// Both tiers for one request: saves a fresh response as a snapshot, and finds a stale one.
struct RequestCache {
    request: Request,
    /// The formats of the route.
    formats: &'static [MediaType],
    /// When the request arrived, in milliseconds since 1970.
    requested_at: i64,
}

/// The fallback of a request whose response has one of these formats. It also saves fresh
/// responses as snapshots.
#[must_use]
pub fn stale_if_error(request: &Request, formats: &'static [MediaType]) -> Rc<dyn StaleIfError> {
    Rc::new(RequestCache {
        request: request.clone(),
        formats,
        requested_at: now(),
    })
}

impl StaleIfError for RequestCache {
    fn replace(
        self: Rc<Self>,
        outcome: Result<Response, Error>,
    ) -> LocalBoxFuture<'static, Result<Response, Error>> {
        async move {
            let response = match outcome {
                Ok(mut response) => match response.take_partial_reason() {
                    None => Rc::clone(&self).save(response),
                    Some(problem) => self.fallback(problem, Some(response)).await,
                },
                Err(Error::Problem(problem)) if problem.service().is_some() => {
                    self.fallback(problem, None).await
                }
                Err(other) => return Err(other),
            };
            let timings = self.request.timings.borrow().header();
            Ok(response.header_if("server-timing", timings))
        }
        .boxed_local()
    }
}

impl RequestCache {
    /// Saves a fresh response as a snapshot. The layer of the memory tier has stored it already.
    fn save(self: Rc<Self>, response: Response) -> Response {
        response.when_cached(move |fresh| {
            snapshot_writer::enqueue(&self.request, || self.key(), fresh, self.requested_at);
        })
    }

    /// The response that replaces a problem or a partial response.
    async fn fallback(&self, problem: Problem, partial: Option<Response>) -> Response {
        let request = &self.request;
        if prefer::is_strict(request.header("prefer").as_deref()) {
            return Response::problem(&problem).header("preference-applied", prefer::STRICT);
        }
        let outcome = problem
            .service()
            .and_then(|service| request.timings.borrow().outcome(service));
        let status = |age| CacheStatus {
            age,
            was_called: outcome != Some(CIRCUIT_OPEN),
            problem: &problem,
        };
        if let Some(stale) = self.stale_response().await {
            let age = stale.age(now());
            return stale
                .into_response(request)
                .header("age", age.to_string())
                .header("cache-control", "no-cache")
                .header("cache-status", status(Some(age)).to_string());
        }
        match partial {
            Some(partial) => partial.header("cache-status", status(None).to_string()),
            None => Response::problem(&problem),
        }
    }

    /// The newest response of both tiers. The snapshot is not read if the response in memory has
    /// the newest change sequences that this isolate has observed.
    async fn stale_response(&self) -> Option<StaleResponse> {
        let began = now();
        let memory = cached_response(&self.request);
        let memory = match memory.and_then(|response| StaleResponse::from_cached(&response)) {
            Some(memory) => {
                let erasure = erasure::latest(&self.request.env).await;
                Some(memory).filter(|memory| memory.change_seqs().people.number >= erasure)
            }
            None => None,
        };
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
        let span = [began, now()];
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

/// Whether this isolate has saved a response with this key at these change sequences.
pub fn is_saved(key: &str, change_seqs: ChangeSeqs) -> bool {
    snapshot_writer::is_saved(key, change_seqs)
}

/// Saves a response that is not the one to the request, such as the data of a page, as a snapshot.
pub fn save(request: &Request, key: String, response: Response, requested_at: i64) {
    let response = response.with_future_copy(requested_at, SNAPSHOT_MAX_BYTES, false);
    let request = request.clone();
    // A text is copied at once.
    let _ = response.when_cached(move |copy| {
        snapshot_writer::enqueue(&request, || Some(key), copy, requested_at);
    });
}

/// The change sequences in the row of a snapshot.
fn change_seqs_of(row: &Row) -> Option<ChangeSeqs> {
    let change_seq = |column| Validator::parse(&row.text(column)?);
    Some(ChangeSeqs {
        places: change_seq("places_seq")?,
        people: change_seq("people_seq")?,
    })
}

/// Whether snapshots are disabled.
#[must_use]
pub fn is_disabled(env: &Env) -> bool {
    env.setting(SNAPSHOTS_SETTING).as_deref() == Some("off")
}
