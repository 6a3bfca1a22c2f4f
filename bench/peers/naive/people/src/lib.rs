//! A naive people worker, for comparison. It follows the examples of workers-rs, and uses serde for
//! rows and responses.

use serde::{Deserialize, Serialize};
use worker::wasm_bindgen::JsValue;
use worker::{Context, Env, Request, Response, Result, RouteContext, Router, event};

#[derive(Deserialize)]
struct Row {
    id: f64,
    name: String,
    is_alive: f64,
    is_king: f64,
    place_id: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    id: i64,
    name: String,
    is_alive: bool,
    place_id: Option<i64>,
    is_king: bool,
}

impl From<Row> for Person {
    fn from(row: Row) -> Self {
        Self {
            id: row.id as i64,
            name: row.name,
            is_alive: row.is_alive != 0.0,
            place_id: row.place_id.map(|id| id as i64),
            is_king: row.is_king != 0.0,
        }
    }
}

#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    name: Option<String>,
    is_alive: Option<bool>,
    is_king: Option<bool>,
    place_id: Option<i64>,
}

const COLUMNS: &str = "id, name, is_alive, is_king, place_id";

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> Result<Response> {
    Router::new()
        .get_async("/v1/people", list)
        .get_async("/v1/people/all", all)
        .get_async("/v1/people/export", export)
        .post_async("/v1/people/import", import)
        .get_async("/v1/people/:id", read)
        .patch_async("/v1/people/:id", patch)
        .run(request, env)
        .await
}

async fn rows(context: &RouteContext<()>, rest: &str, binds: &[JsValue]) -> Result<Vec<Person>> {
    let sql = format!("SELECT {COLUMNS} FROM person {rest}");
    let statement = context.env.d1("DB")?.prepare(sql).bind(binds)?;
    let rows = statement.all().await?.results::<Row>()?;
    Ok(rows.into_iter().map(Person::from).collect())
}

async fn list(request: Request, context: RouteContext<()>) -> Result<Response> {
    let limit = request.query::<Page>()?.limit.unwrap_or(100);
    Response::from_json(&rows(&context, "ORDER BY id LIMIT ?", &[limit.into()]).await?)
}

async fn all(_: Request, context: RouteContext<()>) -> Result<Response> {
    Response::from_json(&rows(&context, "ORDER BY id", &[]).await?)
}

fn id(context: &RouteContext<()>) -> f64 {
    context
        .param("id")
        .and_then(|id| id.parse().ok())
        .unwrap_or(0.0)
}

async fn read(_: Request, context: RouteContext<()>) -> Result<Response> {
    let found = rows(&context, "WHERE id = ?", &[id(&context).into()]).await?;
    match found.first() {
        Some(person) => Response::from_json(person),
        None => Response::error("no such person", 404),
    }
}

async fn patch(mut request: Request, context: RouteContext<()>) -> Result<Response> {
    let given: Patch = request.json().await?;
    let id = id(&context);
    let Some(mut person) = rows(&context, "WHERE id = ?", &[id.into()]).await?.pop() else {
        return Response::error("no such person", 404);
    };
    person.name = given.name.unwrap_or(person.name);
    person.is_alive = given.is_alive.unwrap_or(person.is_alive);
    person.is_king = given.is_king.unwrap_or(person.is_king);
    person.place_id = given.place_id.or(person.place_id);
    let place = person
        .place_id
        .map_or(JsValue::NULL, |id| (id as f64).into());
    context
        .env
        .d1("DB")?
        .prepare("UPDATE person SET name = ?, is_alive = ?, is_king = ?, place_id = ? WHERE id = ?")
        .bind(&[
            person.name.as_str().into(),
            u32::from(person.is_alive).into(),
            u32::from(person.is_king).into(),
            place,
            id.into(),
        ])?
        .run()
        .await?;
    Response::from_json(&person)
}

/// Parses each line by hand, because the file has no quotes.
async fn import(mut request: Request, context: RouteContext<()>) -> Result<Response> {
    #[derive(Serialize)]
    struct Report {
        read: usize,
        created: usize,
    }
    let text = request.text().await?;
    let d1 = context.env.d1("DB")?;
    let lines: Vec<&str> = text.lines().skip(1).collect();
    for chunk in lines.chunks(2000) {
        let mut statements = Vec::new();
        for line in chunk {
            let cells: Vec<&str> = line.split(',').collect();
            let [name, is_alive, place, is_king] = cells[..] else {
                return Response::error("a line needs four cells", 400);
            };
            let insert =
                "INSERT INTO person (name, is_alive, is_king, place_id) VALUES (?, ?, ?, ?)";
            statements.push(d1.prepare(insert).bind(&[
                name.into(),
                u32::from(is_alive == "true").into(),
                u32::from(is_king == "true").into(),
                place.parse::<f64>().map_or(JsValue::NULL, JsValue::from),
            ])?);
        }
        d1.batch(statements).await?;
    }
    let read = lines.len();
    Response::from_json(&Report {
        read,
        created: read,
    })
}

async fn export(_: Request, context: RouteContext<()>) -> Result<Response> {
    let mut csv = String::from("id,name,isAlive,placeId,isKing\n");
    for Person {
        id,
        name,
        is_alive,
        place_id,
        is_king,
    } in rows(&context, "ORDER BY id", &[]).await?
    {
        let place = place_id.map(|id| id.to_string()).unwrap_or_default();
        csv.push_str(&format!("{id},{name},{is_alive},{place},{is_king}\n"));
    }
    let mut response = Response::ok(csv)?;
    response.headers_mut().set("content-type", "text/csv")?;
    Ok(response)
}
