//! The places worker: the register of places.

pub mod domain;
pub mod routes;
pub mod store;

use std::rc::Rc;

use edge::{JSON, MERGE_PATCH, Routes, get, held, post};
use registry::import;
use worker::{Context, Env, Result, ScheduleContext, ScheduledEvent, console_error, event};

/// The whole route table, each address without its `/v1`.
#[must_use]
pub fn table() -> Routes {
    Routes::default()
        .at("/openapi.json", get(routes::document))
        .at(
            "/places",
            get(held(routes::marks, routes::list))
                .post(routes::create)
                .taking(JSON),
        )
        .at(
            "/places/{id}",
            get(held(routes::marks, routes::read))
                .put(routes::put)
                .patch(routes::patch)
                .taking(MERGE_PATCH)
                .delete(routes::delete),
        )
        .at("/places/{id}/history", get(routes::history))
        .at("/places/as-of", get(routes::as_of))
        .at(
            "/places/import",
            post(routes::import).taking(&import::Format::MEDIA_TYPES),
        )
        .at("/places/export", get(routes::export))
        .at("/places/changes", get(routes::changes))
        .at("/internal/standing", get(routes::standing))
        .at("/internal/counter", get(routes::counter))
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

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> Result<web_sys::Response> {
    ROUTES.with(Rc::clone).serve(request, env, context).await
}

#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(error) = routes::repair::scheduled(&env).await {
        console_error!("the scheduled repair: {error}");
    }
}
