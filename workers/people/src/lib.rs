//! The people worker: the register of people.

pub mod domain;
pub mod routes;
pub mod service;
pub mod store;

use std::rc::Rc;

use edge::{JSON, MERGE_PATCH, Routes, access, collection, get, health, held, post};
use js_sys::Promise;
use tables::import;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::Request;
use worker::{Env, ScheduleContext, ScheduledEvent, console_error, event, worker_sys};

use crate::domain::Person;

/// The whole route table, each address without its `/v1`.
#[must_use]
pub fn table() -> Routes {
    Routes::of("people", access::at_an_owner)
        .at("/healthz", get(health::alive))
        .at("/readyz", get(collection::ready::<Person>))
        .at("/openapi.json", get(collection::document::<Person>))
        .at(
            "/people",
            get(held(
                collection::current_seqs::<Person>,
                collection::list::<Person>,
            ))
            .post(routes::create)
            .taking(JSON),
        )
        .at(
            "/people/{id}",
            get(held(
                collection::current_seqs::<Person>,
                collection::read::<Person>,
            ))
            .put(routes::put)
            .patch(routes::patch)
            .taking(MERGE_PATCH)
            .delete(routes::delete),
        )
        .at("/people/{id}/history", get(collection::history::<Person>))
        .at("/people/by-place", get(routes::by_place))
        .at("/people/population", get(routes::population))
        .at(
            "/people/import",
            post(routes::import).taking(&import::Format::MEDIA_TYPES),
        )
        .at("/people/export", get(collection::export::<Person>))
        .at("/people/changes", get(collection::changes::<Person>))
        .at(
            "/internal/residents/{id}/close",
            post(routes::residents::close),
        )
        .at(
            "/internal/residents/{id}/reassign",
            post(routes::residents::reassign),
        )
        .at(
            "/internal/residents/{id}/detach-dead",
            post(routes::residents::detach_dead),
        )
        .at("/internal/counter", get(collection::change_seq::<Person>))
        .at("/internal/integrity", get(routes::integrity))
        .at("/internal/repair", post(routes::repair))
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
pub fn fetch(request: Request, env: Env, context: worker_sys::Context) -> Promise {
    edge::serve(ROUTES.with(Rc::clone), request, env, context)
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(error) = routes::repair::scheduled(&edge::Env::of_schedule(env)).await {
        console_error!("the scheduled repair: {error}");
    }
}
