//! The join worker: the users' single entry point. It merges what places and people
//! answer, and passes on what is asked of one of them alone.

mod backends;
pub mod domain;
pub mod routes;
mod service;
pub mod store;

use std::rc::Rc;

use backends::change_seqs;
use edge::{Routes, any, get, health, held, post};
use http_semantics::Format;
use http_semantics::media::{LIST, TABLE};
use js_sys::Promise;
use routes::pages::{self, html_errors, require_read};
use routes::stale_if_error::stale_if_error;
use service::cache::snapshot_refresh;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::{Env, console_error, event, worker_sys};

/// The whole route table, each address without its `/v1`.
#[must_use]
pub fn table() -> Routes {
    Routes::of("join", routes::guard)
        .at("/healthz", get(health::alive))
        .at("/readyz", get(routes::ready))
        .at("/", get(html_errors(pages::overview)))
        .at(
            "/people-per-place",
            get(stale_if_error(
                LIST,
                held(change_seqs, routes::people_per_place::list),
            )),
        )
        .at(
            "/people-per-place/{id}",
            get(stale_if_error(
                &[Format::Json],
                held(change_seqs, routes::people_per_place::read),
            )),
        )
        .at("/integrity", get(routes::integrity))
        .at("/integrity/repair", post(routes::repair))
        .at(
            "/statistics/places",
            get(stale_if_error(
                TABLE,
                held(change_seqs, routes::statistics::places),
            )),
        )
        .at("/changes", get(routes::changes))
        .at("/places", any(routes::forward::to_places))
        .at("/places/import", any(routes::forward::import_places))
        .at("/places/{*rest}", any(routes::forward::to_places))
        .at("/people", any(routes::forward::to_people))
        .at("/people/import", any(routes::forward::import_people))
        .at("/people/{*rest}", any(routes::forward::to_people))
        .at("/ui/people", get(require_read(pages::people)))
        .at(
            "/ui/people/new",
            get(require_read(pages::new_person)).post(require_read(pages::create_person)),
        )
        .at("/ui/people/{id}", get(require_read(pages::person)))
        .at(
            "/ui/people/{id}/{action}",
            get(require_read(pages::person_action)).post(require_read(pages::change_person)),
        )
        .at(
            "/ui/places/new",
            get(require_read(pages::new_place)).post(require_read(pages::create_place)),
        )
        .at("/ui/places/{id}", get(require_read(pages::place)))
        .at(
            "/ui/places/{id}/{action}",
            get(require_read(pages::place_action)).post(require_read(pages::change_place)),
        )
        .at(
            "/ui/import",
            get(require_read(pages::import_form)).post(require_read(pages::import)),
        )
        .at("/ui/enter", post(html_errors(pages::login)))
        .at("/ui/forget", post(html_errors(pages::logout)))
        .at("/ui", any(html_errors(pages::not_found)))
        .at("/ui/{*rest}", any(html_errors(pages::not_found)))
}

thread_local! {
    static ROUTES: Rc<Routes> = Rc::new(table());
}

#[event(start)]
fn start() {
    edge::start();
}

/// Answers a request.
#[wasm_bindgen]
pub fn fetch(request: Request, bindings: Env, context: worker_sys::Context) -> Promise {
    edge::serve(ROUTES.with(Rc::clone), request, bindings, context)
}

/// Refreshes the snapshots by schedule.
#[wasm_bindgen]
pub async fn scheduled(_event: JsValue, bindings: Env, _context: worker_sys::Context) {
    let env = edge::Env::of_schedule(bindings);
    if let Err(error) = snapshot_refresh::run(&env, &pages::first_statistics_query()).await {
        console_error!("the scheduled refresh: {error}");
    }
}
