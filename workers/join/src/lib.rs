//! The join worker: the users' single entry point. It merges what places and people
//! answer, and passes on what is asked of one of them alone.

pub mod domain;
pub mod routes;
pub mod store;

use std::rc::Rc;

use edge::{Routes, any, get, health, held, post};
use http_semantics::Format;
use http_semantics::media::{LIST, TABLE};
use js_sys::Promise;
use routes::people_per_place::marks;
use routes::standby::{self, standby};
use routes::ui::{self, page, shown};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::{Context, Env, console_error, event, worker_sys};

/// The whole route table, each address without its `/v1`.
#[must_use]
pub fn table() -> Routes {
    Routes::of("join", routes::guard)
        .at("/healthz", get(health::alive))
        .at("/readyz", get(routes::ready))
        .at("/", get(page(ui::overview)))
        .at(
            "/people-per-place",
            get(standby(LIST, held(marks, routes::people_per_place::list))),
        )
        .at(
            "/people-per-place/{id}",
            get(standby(
                &[Format::Json],
                held(marks, routes::people_per_place::read),
            )),
        )
        .at("/integrity", get(routes::integrity))
        .at("/integrity/repair", post(routes::repair))
        .at(
            "/statistics/places",
            get(standby(TABLE, held(marks, routes::statistics::places))),
        )
        .at("/changes", get(routes::changes))
        .at("/places", any(routes::forward::to_places))
        .at("/places/import", any(routes::forward::import_places))
        .at("/places/{*rest}", any(routes::forward::to_places))
        .at("/people", any(routes::forward::to_people))
        .at("/people/import", any(routes::forward::import_people))
        .at("/people/{*rest}", any(routes::forward::to_people))
        .at("/ui/people", get(shown(ui::people)))
        .at(
            "/ui/people/new",
            get(shown(ui::new_person)).post(shown(ui::take_person)),
        )
        .at("/ui/people/{id}", get(shown(ui::person)))
        .at(
            "/ui/people/{id}/{action}",
            get(shown(ui::person_action)).post(shown(ui::change_person)),
        )
        .at(
            "/ui/places/new",
            get(shown(ui::new_place)).post(shown(ui::take_place)),
        )
        .at("/ui/places/{id}", get(shown(ui::place)))
        .at(
            "/ui/places/{id}/{action}",
            get(shown(ui::place_action)).post(shown(ui::change_place)),
        )
        .at(
            "/ui/import",
            get(shown(ui::import_form)).post(shown(ui::import)),
        )
        .at("/ui/enter", post(page(ui::enter)))
        .at("/ui/forget", post(page(ui::forget)))
        .at("/ui", any(page(ui::nothing)))
        .at("/ui/{*rest}", any(page(ui::nothing)))
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

/// What the schedule runs. The macro of the platform's crate would keep the context to itself,
/// that a call needs.
#[wasm_bindgen]
pub async fn scheduled(_event: JsValue, bindings: Env, context: worker_sys::Context) {
    let env = edge::Env::of_schedule(bindings);
    if let Err(error) = standby::refresh::scheduled(env, Context::new(context)).await {
        console_error!("the scheduled refresh: {error}");
    }
}
