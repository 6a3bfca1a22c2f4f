//! A naive join, for comparison: it fetches the places and all people, and groups them in memory.

use std::collections::HashMap;

use futures_util::future::try_join;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::{Context, Env, Request, Response, Result, RouteContext, Router, event};

#[derive(Deserialize)]
struct Place {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    id: i64,
    name: String,
    is_alive: bool,
    place_id: Option<i64>,
    is_king: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resident {
    id: i64,
    name: String,
    is_alive: bool,
    is_king: bool,
}

#[derive(Serialize)]
struct PeoplePerPlace {
    id: i64,
    name: String,
    people: Vec<Resident>,
}

#[derive(Serialize)]
struct Count {
    id: i64,
    name: String,
    total: usize,
    living: usize,
    dead: usize,
    share: f64,
    king: Option<King>,
}

#[derive(Serialize)]
struct King {
    id: i64,
    name: String,
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> Result<Response> {
    Router::new()
        .get_async("/v1/people-per-place", list)
        .get_async("/v1/people-per-place/:id", read)
        .get_async("/v1/statistics/places", statistics)
        .or_else_any_method_async("/v1/people", forward)
        .or_else_any_method_async("/v1/people/*rest", forward)
        .run(request, env)
        .await
}

async fn json<T: DeserializeOwned>(env: &Env, service: &str, path: &str) -> Result<T> {
    let url = format!("http://service/v1{path}");
    env.service(service)?.fetch(url, None).await?.json().await
}

async fn forward(request: Request, context: RouteContext<()>) -> Result<Response> {
    context.env.service("PEOPLE")?.fetch_request(request).await
}

async fn page(request: &Request, env: &Env) -> Result<(Vec<Place>, Vec<Person>)> {
    let limit = request.query::<Page>()?.limit.unwrap_or(100);
    let places = format!("/places?limit={limit}");
    try_join(
        json(env, "PLACES", &places),
        json(env, "PEOPLE", "/people/all"),
    )
    .await
}

fn by_place(people: Vec<Person>) -> HashMap<i64, Vec<Person>> {
    let mut groups: HashMap<i64, Vec<Person>> = HashMap::new();
    for person in people {
        if let Some(place) = person.place_id {
            groups.entry(place).or_default().push(person);
        }
    }
    groups
}

fn with_people(place: Place, people: Vec<Person>) -> PeoplePerPlace {
    let resident = |Person {
                        id,
                        name,
                        is_alive,
                        is_king,
                        ..
                    }| Resident {
        id,
        name,
        is_alive,
        is_king,
    };
    PeoplePerPlace {
        id: place.id,
        name: place.name,
        people: people.into_iter().map(resident).collect(),
    }
}

async fn list(request: Request, context: RouteContext<()>) -> Result<Response> {
    let (places, people) = page(&request, &context.env).await?;
    let mut groups = by_place(people);
    let whole: Vec<_> = places
        .into_iter()
        .map(|place| {
            let people = groups.remove(&place.id).unwrap_or_default();
            with_people(place, people)
        })
        .collect();
    Response::from_json(&whole)
}

async fn read(_: Request, context: RouteContext<()>) -> Result<Response> {
    let id: i64 = context
        .param("id")
        .and_then(|id| id.parse().ok())
        .unwrap_or(0);
    let path = format!("/places/{id}");
    let (place, people): (Place, Vec<Person>) = try_join(
        json(&context.env, "PLACES", &path),
        json(&context.env, "PEOPLE", "/people/all"),
    )
    .await?;
    let people = by_place(people).remove(&id).unwrap_or_default();
    Response::from_json(&with_people(place, people))
}

async fn statistics(request: Request, context: RouteContext<()>) -> Result<Response> {
    let (places, people) = page(&request, &context.env).await?;
    let all = people.iter().filter(|person| person.is_alive).count();
    let mut groups = by_place(people);
    let counts: Vec<Count> = places
        .into_iter()
        .map(|Place { id, name }| {
            let people = groups.remove(&id).unwrap_or_default();
            let living = people.iter().filter(|person| person.is_alive).count();
            let share = living as f64 / all.max(1) as f64;
            let total = people.len();
            let king = people.into_iter().find(|person| person.is_king);
            Count {
                id,
                name,
                total,
                living,
                dead: total - living,
                share: (share * 1e6).round() / 1e6,
                king: king.map(|Person { id, name, .. }| King { id, name }),
            }
        })
        .collect();
    Response::from_json(&counts)
}
