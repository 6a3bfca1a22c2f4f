//! The places worker: the register of places.

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

use crate::domain::Place;

/// The whole route table, each address without its `/v1`.
#[must_use]
pub fn table() -> Routes {
    Routes::of("places", access::at_an_owner)
        .at("/healthz", get(health::alive))
        .at("/readyz", get(collection::ready::<Place>))
        .at("/openapi.json", get(collection::document::<Place>))
        .at(
            "/places",
            get(held(
                collection::current_seqs::<Place>,
                collection::list::<Place>,
            ))
            .post(routes::create)
            .taking(JSON),
        )
        .at(
            "/places/{id}",
            get(held(
                collection::current_seqs::<Place>,
                collection::read::<Place>,
            ))
            .put(routes::put)
            .patch(routes::patch)
            .taking(MERGE_PATCH)
            .delete(routes::delete),
        )
        .at("/places/{id}/history", get(collection::history::<Place>))
        .at("/places/as-of", get(routes::as_of))
        .at(
            "/places/import",
            post(routes::import).taking(&import::Format::MEDIA_TYPES),
        )
        .at("/places/export", get(collection::export::<Place>))
        .at("/places/changes", get(collection::changes::<Place>))
        .at("/internal/statuses", get(routes::statuses))
        .at("/internal/counter", get(collection::change_seq::<Place>))
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
