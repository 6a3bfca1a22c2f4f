//! The join worker: the users' single entry point. It merges what places and people
//! answer, and passes on what is asked of one of them alone.

pub mod domain;
pub mod routes;
pub mod store;

use std::rc::Rc;

use edge::{Routes, any, get, post};
use worker::{Context, Env, Result, event};

/// The whole route table, each address without its `/v1`.
fn table() -> Routes {
    Routes::behind(routes::guard)
        .at("/", get(routes::dataset))
        .at("/people-per-place", get(routes::people_per_place::list))
        .at(
            "/people-per-place/{id}",
            get(routes::people_per_place::read),
        )
        .at("/integrity", get(routes::integrity))
        .at("/integrity/repair", post(routes::repair))
        .at("/statistics/places", get(routes::statistics::places))
        .at("/changes", get(routes::changes))
        .at("/places", any(routes::forward::to_places))
        .at("/places/import", any(routes::forward::import_places))
        .at("/places/{*rest}", any(routes::forward::to_places))
        .at("/people", any(routes::forward::to_people))
        .at("/people/import", any(routes::forward::import_people))
        .at("/people/{*rest}", any(routes::forward::to_people))
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
