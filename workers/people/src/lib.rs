//! The people worker: the register of people.

pub mod domain;
pub mod routes;
pub mod store;

use std::rc::Rc;

use edge::{Routes, get};
use worker::{Context, Env, Result, event};

/// The whole route table, each address without its `/v1`.
fn table() -> Routes {
    Routes::default()
        .at("/people", get(routes::list))
        .at("/people/{id}", get(routes::read))
        .at("/people/by-place", get(routes::by_place))
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
