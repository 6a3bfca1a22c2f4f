//! Health checks: `GET /healthz` (the worker runs) and `GET /readyz` (its dependencies respond).

use std::cell::RefCell;

use http_semantics::{MediaType, Problem};
use serde_json::{Map, Value, json};
use tables::statement::Statement;

use crate::d1::Database;
use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response};
use crate::service_client::ServiceClient;
use crate::time::{now, with_timeout};

/// The timeout of each check, in milliseconds.
const TIMEOUT_MS: u32 = 1_000;

/// The name of a dependency, and whether it responds.
pub type Dependency = (&'static str, bool);

/// `GET /healthz`: the worker runs. No dependency is checked.
///
/// # Errors
/// A query parameter.
#[expect(clippy::unused_async, reason = "handlers are async")]
pub async fn alive(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    Ok(json_response(&json!({"status": "alive"})))
}

/// How long the result of the checks of `GET /readyz` is used again, in milliseconds.
const MAX_AGE_MS: i64 = 1_000;

thread_local! {
    /// The time of the last checks, and their results.
    static CHECKED: RefCell<Option<(i64, Vec<Dependency>)>> = const { RefCell::new(None) };
}

/// The response of `GET /readyz`. Anyone may send this request, so each isolate checks at most once
/// per second. While it checks, other requests get the previous result.
///
/// # Errors
/// A problem that names the dependencies that do not respond.
pub async fn ready(checks: impl Future<Output = Vec<Dependency>>) -> Result<Response, Error> {
    let started = now();
    let recent = CHECKED.with_borrow_mut(|checked| {
        let (at, results) = checked.as_mut()?;
        if started - *at < MAX_AGE_MS {
            return Some(results.clone());
        }
        // Later requests use the previous result until this one has the next.
        *at = started;
        None
    });
    if let Some(results) = recent {
        return ready_response(&results);
    }
    let results = checks.await;
    CHECKED.set(Some((started, results.clone())));
    ready_response(&results)
}

/// The response of `GET /readyz` to the results of the checks.
///
/// # Errors
/// A problem that names the dependencies that do not respond.
fn ready_response(checked: &[Dependency]) -> Result<Response, Error> {
    let failed = checked.iter().filter(|(_, responds)| !responds);
    let failed: Vec<&str> = failed.map(|(name, _)| *name).collect();
    if !failed.is_empty() {
        return Err(Problem::not_ready(&failed).into());
    }
    // A loop, because to collect a map would add a sort to each worker.
    let mut checks = Map::new();
    for (name, _) in checked {
        checks.insert((*name).to_owned(), json!("ready"));
    }
    Ok(json_response(&json!({"status": "ready", "checks": checks})))
}

fn json_response(value: &Value) -> Response {
    Response::ok(
        MediaType::Json.content_type(),
        Body::Text(value.to_string()),
    )
}

/// Runs a check with the timeout.
async fn check(name: &'static str, check: impl Future<Output = Result<bool, Error>>) -> Dependency {
    let outcome = with_timeout(TIMEOUT_MS, check).await;
    (name, matches!(outcome, Some(Ok(true))))
}

/// Checks the worker's own database.
pub async fn check_database(env: &Env) -> Dependency {
    let responds = async {
        let statement = Statement::new("SELECT 1 AS one", Vec::new());
        Ok(Database::new(env)?.row(&statement).await?.is_some())
    };
    check("database", responds).await
}

/// Checks another worker by a GET of `path`.
pub async fn check_service(
    env: &Env,
    binding: &'static str,
    service: &'static str,
    path: &str,
) -> Dependency {
    let responds = async {
        let response = ServiceClient::new(env, binding, service)?.get(path).await?;
        Ok(response.status() == 200)
    };
    check(service, responds).await
}
