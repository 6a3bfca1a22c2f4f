//! The worker `join`, which is the gateway. It joins the responses of the two backends, and
//! forwards the requests that a single backend can answer.
//!
//! To follow `GET /v1/people-per-place` from the request to the bytes of its response, read these
//! files in order:
//!
//! | file | what happens |
//! |---|---|
//! | this one | the layers and the route |
//! | `edge/src/router.rs`, `edge/src/layers/mod.rs` | the request passes through the layers |
//! | `edge/src/layers/response_cache.rs` | a cached response is sent if it is current |
//! | `routes/people_per_place.rs`, `domain/list_query.rs` | the query is parsed |
//! | `backends.rs` | both backends are called |
//! | `service/people_per_place/{mod,page,stream}.rs`, `domain/merge_join.rs` | the responses are joined and streamed |
//! | `service/cache/mod.rs` | a stale response is sent if a backend is down |

mod access;
mod backends;
pub mod domain;
pub mod routes;
mod service;
pub mod store;

use std::rc::Rc;

use edge::{Layer, MethodRouter, Router, any, delete, files, get, health, post, shared_cache};
use http_semantics::MediaType;
use http_semantics::auth::Scope;
use http_semantics::media::TABLE_MEDIA_TYPES;
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Env, console_error, event, worker_sys};

use backends::change_seqs;
use routes::{forward, pages, people, people_per_place, statistics};
use service::cache::{snapshot_refresh, stale_if_error};

/// The layers that a request passes through on its way to a handler. The response passes through
/// them in reverse order. `edge::serve` is around all of them.
const LAYERS: &[Layer] = &[
    Layer::Cors,
    Layer::Head,
    Layer::Consistency,
    Layer::Authenticate(access::guard),
    Layer::RateLimit,
    Layer::Authorize,
    Layer::Problems,
    Layer::StaleIfError(stale_if_error),
    Layer::ResponseCache(Some(shared_cache)),
];

/// The layers of [`read_shared`]. The request has passed through the others before.
const SHARED_LAYERS: &[Layer] = &[
    Layer::Consistency,
    Layer::Authenticate(|_, _| Ok(())),
    Layer::Authorize,
    Layer::Problems,
    Layer::StaleIfError(stale_if_error),
    Layer::ResponseCache(None),
];

/// The routes, without their prefix `/v1`. A property applies to the method before it.
#[must_use]
pub fn router() -> Router {
    router_with(LAYERS)
}

fn router_with(layers: &'static [Layer]) -> Router {
    Router::new("join", layers)
        .route("/healthz", get(health::alive).health_check())
        .route("/readyz", get(routes::ready).health_check())
        .route("/openapi.json", get(files::serve).open())
        .route("/docs", get(files::serve).open())
        .route("/docs/{*rest}", get(files::serve).open())
        .route(
            "/people-per-place",
            get(people_per_place::list)
                .cached(change_seqs)
                .stale_if_error(TABLE_MEDIA_TYPES),
        )
        .route(
            "/people-per-place/{id}",
            get(people_per_place::read)
                .cached(change_seqs)
                .stale_if_error(&[MediaType::Json]),
        )
        .route(
            "/statistics/places",
            get(statistics::places)
                .cached(change_seqs)
                .stale_if_error(TABLE_MEDIA_TYPES),
        )
        .route("/statistics/export", get(statistics::export))
        .route("/statistics/series", get(statistics::series).reusable())
        .route(
            "/statistics/places/{id}/series",
            get(statistics::place_series).reusable(),
        )
        .route("/integrity", get(routes::integrity))
        .route(
            "/integrity/repair",
            post(routes::repair).scope(Scope::Admin),
        )
        .route("/changes", get(routes::changes))
        .route("/places", any(forward::to_places).reusable())
        .route("/places/import", any(forward::import_places))
        .route("/places/batch", any(forward::batch_of_places))
        .route("/places/{*rest}", any(forward::to_places).reusable())
        .route("/operations/{token}", any(forward::to_places))
        .route("/people", any(people::list).reusable())
        .route(
            "/people/{id}",
            delete(routes::delete_person)
                .scope_of_parameter("erase", Scope::Admin)
                .any(people::read)
                .reusable(),
        )
        .route("/people/import", any(forward::import_people))
        .route("/people/batch", any(forward::batch_of_people))
        .route("/people/export", any(people::export))
        .route("/people/{*rest}", any(forward::to_people).reusable())
        .route("/", page(get(pages::overview)))
        .route("/problems", page(get(pages::problem_types).open()))
        .route("/problems/{type}", page(get(pages::problem_type).open()))
        .route("/ui/changes", private_page(get(pages::changes)))
        .route("/ui/compare", private_page(get(pages::compare)))
        .route("/ui/people", private_page(get(pages::people)))
        .route(
            "/ui/people/new",
            private_page(get(pages::new_person).post(pages::create_person)),
        )
        .route(
            "/ui/people/selected",
            private_page(get(pages::selected_people).post(pages::selected_people)),
        )
        .route("/ui/people/{id}", private_page(get(pages::person)))
        .route(
            "/ui/people/{id}/{action}",
            private_page(get(pages::person_action).post(pages::change_person)),
        )
        .route(
            "/ui/places/new",
            private_page(get(pages::new_place).post(pages::create_place)),
        )
        .route("/ui/places/{id}", private_page(get(pages::place)))
        .route(
            "/ui/places/{id}/{action}",
            private_page(get(pages::place_action).post(pages::change_place)),
        )
        .route(
            "/ui/import",
            private_page(get(pages::import_form).post(pages::import)),
        )
        .route("/ui/enter", page(get(pages::login_form).post(pages::login)))
        .route("/ui/forget", page(post(pages::logout)))
        .route("/ui", page(any(pages::not_found)))
        .route("/ui/{*rest}", page(any(pages::not_found)))
        .route("/ui/places", page(get(pages::places)))
        .route("/{*rest}", page(any(pages::unknown)))
}

/// A page for a browser: its token is in a cookie, and its errors are pages, too.
fn page(methods: MethodRouter) -> MethodRouter {
    methods.pages(pages::error_page, access::session_token)
}

/// A page that shows records. It is replaced by the login if reading needs a token.
fn private_page(methods: MethodRouter) -> MethodRouter {
    page(methods).gate(pages::check_request)
}

thread_local! {
    static ROUTER: Rc<Router> = Rc::new(router());
    static SHARED_ROUTER: Rc<Router> = Rc::new(router_with(SHARED_LAYERS));
}

#[event(start)]
fn start() {
    edge::start();
}

/// Serves a request.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, bindings: Env, context: worker_sys::Context) -> Promise {
    edge::serve(ROUTER.with(Rc::clone), request, bindings, context)
}

/// Makes a response for the cache that all isolates share. Only [`fetch`] calls it, after it has
/// authorized and counted the request (`shared_reads.ts`).
#[wasm_bindgen]
pub fn read_shared(
    request: web_sys::Request,
    bindings: Env,
    context: worker_sys::Context,
) -> Promise {
    let router = SHARED_ROUTER.with(Rc::clone);
    edge::serve(router, request, bindings, context)
}

/// Refreshes the snapshots by schedule.
#[wasm_bindgen]
pub async fn scheduled(_event: JsValue, bindings: Env, _context: worker_sys::Context) {
    let env = edge::Env::for_schedule(bindings);
    let query = pages::first_query();
    if let Err(error) = snapshot_refresh::run(&env, &query, pages::page_data).await {
        console_error!("refreshing the snapshots: {error}");
    }
}
