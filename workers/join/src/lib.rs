//! The join worker: the gateway. It joins what the two backends return, and forwards requests that
//! concern only one of them.

pub mod domain;
pub mod routes;
pub mod store;

use std::rc::Rc;

use edge::auth::gateway_guard;
use edge::{Layer, MethodRouter, Router, any, get, health, post};
use http_semantics::Format;
use http_semantics::auth::Scope;
use http_semantics::media::{LIST, TABLE};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::{Context, Env, console_error, event, worker_sys};

use routes::people_per_place::{self, change_seqs};
use routes::{forward, standby, statistics, ui};

/// What a request passes through on its way to a handler, and in reverse order on its way back.
/// Around all of it, `edge::serve` traces the request and responds even if the worker panics.
const LAYERS: &[Layer] = &[
    Layer::Cors,
    Layer::Head,
    Layer::Consistency,
    Layer::Authenticate(gateway_guard),
    Layer::RateLimit,
    Layer::Authorize,
    Layer::Problems,
    Layer::StaleIfError(standby::stale_if_error),
    Layer::ResponseCache,
];

/// The routes, without their `/v1`. A property stands after the method that it belongs to.
#[must_use]
pub fn router() -> Router {
    Router::new("join", LAYERS)
        .route("/healthz", get(health::alive).health_check())
        .route("/readyz", get(routes::ready).health_check())
        .route(
            "/people-per-place",
            get(people_per_place::list)
                .cached(change_seqs)
                .stale_if_error(LIST),
        )
        .route(
            "/people-per-place/{id}",
            get(people_per_place::read)
                .cached(change_seqs)
                .stale_if_error(&[Format::Json]),
        )
        .route(
            "/statistics/places",
            get(statistics::places)
                .cached(change_seqs)
                .stale_if_error(TABLE),
        )
        .route("/integrity", get(routes::integrity))
        .route(
            "/integrity/repair",
            post(routes::repair).scope(Scope::Admin),
        )
        .route("/changes", get(routes::changes))
        .route("/places", any(forward::to_places))
        .route("/places/import", any(forward::import_places))
        .route("/places/{*rest}", any(forward::to_places))
        .route("/people", any(forward::to_people))
        .route("/people/import", any(forward::import_people))
        .route("/people/{*rest}", any(forward::to_people))
        .route("/", page(get(ui::overview)))
        .route("/ui/people", private_page(get(ui::people)))
        .route(
            "/ui/people/new",
            private_page(get(ui::new_person).post(ui::take_person)),
        )
        .route("/ui/people/{id}", private_page(get(ui::person)))
        .route(
            "/ui/people/{id}/{action}",
            private_page(get(ui::person_action).post(ui::change_person)),
        )
        .route(
            "/ui/places/new",
            private_page(get(ui::new_place).post(ui::take_place)),
        )
        .route("/ui/places/{id}", private_page(get(ui::place)))
        .route(
            "/ui/places/{id}/{action}",
            private_page(get(ui::place_action).post(ui::change_place)),
        )
        .route(
            "/ui/import",
            private_page(get(ui::import_form).post(ui::import)),
        )
        .route("/ui/enter", page(post(ui::enter)))
        .route("/ui/forget", page(post(ui::forget)))
        .route("/ui", page(any(ui::nothing)))
        .route("/ui/{*rest}", page(any(ui::nothing)))
}

/// A page: its handler finds the token in a cookie, and errors are pages, too.
fn page(methods: MethodRouter) -> MethodRouter {
    methods.pages(ui::error_page)
}

/// A page that shows records: it asks for a login if reading needs a token.
fn private_page(methods: MethodRouter) -> MethodRouter {
    page(methods).gate(ui::require_read)
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
pub fn fetch(request: Request, bindings: Env, context: worker_sys::Context) -> Promise {
    edge::serve(ROUTER.with(Rc::clone), request, bindings, context)
}

/// Refreshes snapshots by a schedule. The `event` macro does not pass the context on.
#[wasm_bindgen]
pub async fn scheduled(_event: JsValue, bindings: Env, context: worker_sys::Context) {
    let env = edge::Env::of_schedule(bindings);
    if let Err(error) = standby::refresh::scheduled(env, Context::new(context)).await {
        console_error!("the scheduled refresh: {error}");
    }
}
