//! The worker `places`: the backend that stores places.

pub mod domain;
pub mod routes;
pub mod service;
pub mod store;

use std::rc::Rc;

use edge::auth::backend_guard;
use edge::{JSON, Layer, MERGE_PATCH, Router, collection, get, health, post};
use js_sys::Promise;
use tables::import;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, ScheduleContext, ScheduledEvent, console_error, event, worker_sys};

use crate::domain::Place;

/// The layers of a request, in order. Its response passes through them in reverse order.
/// `edge::serve` surrounds them: it traces the request, and responds even if the worker panics.
const LAYERS: &[Layer] = &[
    Layer::Cors,
    Layer::Head,
    Layer::Consistency,
    Layer::Authenticate(backend_guard),
    Layer::RateLimit,
    Layer::Authorize,
    Layer::Problems,
    Layer::ResponseCache(None),
];

/// The routes, without `/v1`. A property follows the method that it applies to.
#[must_use]
pub fn router() -> Router {
    Router::new("places", LAYERS)
        .route("/healthz", get(health::alive).health_check())
        .route("/readyz", get(collection::ready::<Place>).health_check())
        .route("/openapi.json", get(collection::document::<Place>))
        .route(
            "/places",
            get(collection::list::<Place>)
                .cached(collection::current_seqs::<Place>)
                .post(collection::create::<Place>)
                .accepts(JSON),
        )
        .route(
            "/places/{id}",
            get(collection::read::<Place>)
                .cached(collection::current_seqs::<Place>)
                .put(collection::put::<Place>)
                .patch(collection::patch::<Place>)
                .accepts(MERGE_PATCH)
                .delete(routes::delete),
        )
        .route("/places/{id}/history", get(collection::history::<Place>))
        .route(
            "/places/{id}/restore",
            post(collection::restore::<Place>).accepts(JSON),
        )
        .route("/places/as-of", get(routes::as_of))
        .route(
            "/places/import",
            post(routes::import).accepts(&import::FileFormat::MEDIA_TYPES),
        )
        .route("/places/batch", post(routes::batch).accepts(JSON))
        .route("/places/export", get(collection::export::<Place>))
        .route("/places/changes", get(collection::changes::<Place>))
        .route("/operations/{token}", get(routes::operation).from_primary())
        .route("/internal/statuses", get(routes::statuses).internal())
        .route("/internal/place-ids", post(routes::place_ids).internal())
        .route(
            "/internal/matches",
            get(routes::matches).internal().from_replica(),
        )
        .route(
            "/internal/changes",
            get(collection::stream_lines::<Place>)
                .internal()
                .from_replica(),
        )
        .route(
            "/internal/recent-changes",
            get(edge::recent_changes::<Place>).internal().from_replica(),
        )
        .route(
            "/internal/counter",
            get(collection::change_seq::<Place>)
                .internal()
                .from_replica(),
        )
        .route("/internal/integrity", get(routes::integrity).internal())
        .route("/internal/repair", post(routes::repair).internal())
}

thread_local! {
    static ROUTER: Rc<Router> = Rc::new(router());
}

#[event(start)]
fn start() {
    edge::start();
}

/// Serves a request.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, context: worker_sys::Context) -> Promise {
    edge::serve(ROUTER.with(Rc::clone), request, env, context)
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(error) = routes::repair::scheduled(&edge::Env::for_schedule(env)).await {
        console_error!("the scheduled repair failed: {error}");
    }
}
