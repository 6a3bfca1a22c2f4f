//! A naive places worker, for comparison. It follows the examples of workers-rs, and uses serde for
//! rows and responses.

use serde::{Deserialize, Serialize};
use worker::{Context, Env, Request, Response, Result, RouteContext, Router, event};

#[derive(Serialize, Deserialize)]
struct Place {
    id: f64,
    name: String,
}

#[derive(Serialize)]
struct View {
    id: i64,
    name: String,
}

impl From<Place> for View {
    fn from(place: Place) -> Self {
        Self {
            id: place.id as i64,
            name: place.name,
        }
    }
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> Result<Response> {
    Router::new()
        .get_async("/v1/places", list)
        .get_async("/v1/places/:id", read)
        .run(request, env)
        .await
}

async fn list(request: Request, context: RouteContext<()>) -> Result<Response> {
    let limit = request.query::<Page>()?.limit.unwrap_or(100);
    let statement = context
        .env
        .d1("DB")?
        .prepare("SELECT id, name FROM place ORDER BY id LIMIT ?")
        .bind(&[limit.into()])?;
    let places = statement.all().await?.results::<Place>()?;
    Response::from_json(&places.into_iter().map(View::from).collect::<Vec<_>>())
}

async fn read(_: Request, context: RouteContext<()>) -> Result<Response> {
    let id: f64 = context
        .param("id")
        .and_then(|id| id.parse().ok())
        .unwrap_or(0.0);
    let statement = context
        .env
        .d1("DB")?
        .prepare("SELECT id, name FROM place WHERE id = ?")
        .bind(&[id.into()])?;
    match statement.first::<Place>(None).await? {
        Some(place) => Response::from_json(&View::from(place)),
        None => Response::error("no such place", 404),
    }
}
