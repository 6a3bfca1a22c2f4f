//! The worker `people`: the backend that stores people.

pub mod domain;
pub mod routes;
pub mod service;
pub mod store;

use std::rc::Rc;

use edge::auth::backend_guard;
use edge::{JSON, Layer, MERGE_PATCH, Router, collection, get, health, post};
use http_semantics::auth::Scope;
use js_sys::Promise;
use tables::import;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, ScheduleContext, ScheduledEvent, console_error, event, worker_sys};

use crate::domain::Person;

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
    Router::new("people", LAYERS)
        .route("/healthz", get(health::alive).health_check())
        .route("/readyz", get(collection::ready::<Person>).health_check())
        .route("/openapi.json", get(collection::document::<Person>))
        .route(
            "/people",
            get(collection::list::<Person>)
                .cached(collection::current_seqs::<Person>)
                .post(collection::create::<Person>)
                .accepts(JSON),
        )
        .route(
            "/people/{id}",
            get(collection::read::<Person>)
                .cached(collection::current_seqs::<Person>)
                .put(collection::put::<Person>)
                .patch(collection::patch::<Person>)
                .accepts(MERGE_PATCH)
                .delete(routes::delete)
                .scope_of_parameter(routes::delete::ERASE, Scope::Admin),
        )
        .route("/people/{id}/history", get(collection::history::<Person>))
        .route(
            "/people/{id}/restore",
            post(collection::restore::<Person>).accepts(JSON),
        )
        .route("/people/by-place", get(routes::by_place))
        .route("/people/population", get(routes::population))
        .route("/people/population/series", get(routes::series))
        .route(
            "/people/import",
            post(routes::import).accepts(&import::FileFormat::MEDIA_TYPES),
        )
        .route("/people/batch", post(routes::batch).accepts(JSON))
        .route("/people/export", get(collection::export::<Person>))
        .route("/people/changes", get(collection::changes::<Person>))
        .route(
            "/internal/residents/{id}/close",
            post(routes::residents::close).internal(),
        )
        .route(
            "/internal/residents/close",
            post(routes::residents::close_all).internal(),
        )
        .route(
            "/internal/residents/{id}/reassign",
            post(routes::residents::reassign).internal(),
        )
        .route(
            "/internal/residents/{id}/detach-dead",
            post(routes::residents::detach_dead).internal(),
        )
        .route(
            "/internal/population",
            post(routes::listed_population).internal().from_replica(),
        )
        .route(
            "/internal/population-changes",
            get(routes::population_changes).internal().from_replica(),
        )
        .route(
            "/internal/changes",
            get(collection::stream_lines::<Person>)
                .internal()
                .from_replica(),
        )
        .route(
            "/internal/recent-changes",
            get(edge::recent_changes::<Person>)
                .internal()
                .from_replica(),
        )
        .route(
            "/internal/counter",
            get(collection::change_seq::<Person>)
                .internal()
                .from_replica(),
        )
        .route(
            "/internal/people-lines",
            get(routes::people_lines).internal().from_replica(),
        )
        .route("/internal/erasure", get(routes::latest_erasure).internal())
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
