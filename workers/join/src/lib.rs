//! The join worker: the users' single entry point. It merges what places and people
//! answer, and passes on what is asked of one of them alone.

pub mod domain;
pub mod routes;
pub mod store;

use std::rc::Rc;

use edge::{Routes, any, get, held, post};
use registry::Format;
use registry::media::{LIST, TABLE};
use routes::people_per_place::marks;
use routes::standby::{self, standby};
use routes::ui::{self, page};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, Result, console_error, event, worker_sys};

/// The whole route table, each address without its `/v1`.
#[must_use]
pub fn table() -> Routes {
    Routes::behind(routes::guard)
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
        .at("/ui/people", get(page(ui::people)))
        .at(
            "/ui/people/new",
            get(page(ui::new_person)).post(page(ui::take_person)),
        )
        .at("/ui/people/{id}", get(page(ui::person)))
        .at(
            "/ui/people/{id}/{action}",
            get(page(ui::person_action)).post(page(ui::change_person)),
        )
        .at(
            "/ui/places/new",
            get(page(ui::new_place)).post(page(ui::take_place)),
        )
        .at("/ui/places/{id}", get(page(ui::place)))
        .at(
            "/ui/places/{id}/{action}",
            get(page(ui::place_action)).post(page(ui::change_place)),
        )
        .at(
            "/ui/import",
            get(page(ui::import_form)).post(page(ui::import)),
        )
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

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<web_sys::Response> {
    ROUTES.with(Rc::clone).serve(request, env, context).await
}

/// What the schedule runs. The macro of the platform's crate would keep the context to itself,
/// that a call needs.
#[wasm_bindgen]
pub async fn scheduled(_event: JsValue, env: Env, context: worker_sys::Context) {
    if let Err(error) = standby::refresh::scheduled(env, Context::new(context)).await {
        console_error!("the scheduled refresh: {error}");
    }
}
