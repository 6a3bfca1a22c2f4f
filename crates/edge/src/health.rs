//! Health checks: `GET /healthz` says that the worker runs, and `GET /readyz` says whether its
//! dependencies respond.

use std::cell::RefCell;

use http_semantics::{MediaType, Problem};
use serde_json::{Map, Value, json};

use crate::d1::Database;
use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response};
use crate::layers::auth;
use crate::service_client::ServiceClient;
use crate::time::{now, with_timeout};

/// The timeout of each check, in milliseconds.
const TIMEOUT_MS: u32 = 1_000;

/// The largest database on the Paid plan, in bytes.
const MAX_DATABASE_BYTES: i64 = 10_000_000_000;

/// The name of the worker's own database.
const OWN_DATABASE: &str = "database";

/// The result of the check of a dependency.
#[derive(Clone)]
pub struct Dependency {
    name: &'static str,
    responds: bool,
    state: State,
}

/// The state of a dependency, if it told it.
#[derive(Clone, Default)]
struct State {
    /// The size of its database.
    bytes: Option<i64>,
    /// Its invalid setting.
    invalid_setting: Option<String>,
}

/// `GET /healthz`: the worker runs. No dependency is checked.
///
/// # Errors
/// A query parameter.
#[expect(clippy::unused_async, reason = "handlers are async")]
pub async fn alive(request: Request) -> Result<Response, Error> {
    request.params(&[])?;
    Ok(json_response(&json!({"status": "alive"})))
}

/// The member of the response that has the sizes of the databases.
const DATABASES: &str = "databases";

/// The member of the response that has the invalid settings.
const INVALID_SETTINGS: &str = "invalidSettings";

/// How long the result of the checks of `GET /readyz` is used again, in milliseconds.
const MAX_AGE_MS: i64 = 1_000;

thread_local! {
    /// The time of the last checks, and their results.
    static CHECKED: RefCell<Option<(i64, Vec<Dependency>)>> = const { RefCell::new(None) };
}

/// The response of `GET /readyz`. Anyone may send this request, so each isolate checks at most once
/// per second. While it checks, other requests get the previous result. Only administrators and
/// other workers get the sizes of the databases and the invalid settings.
///
/// # Errors
/// A problem that names the dependencies that do not respond.
pub async fn ready(
    request: &Request,
    checks: impl Future<Output = Vec<Dependency>>,
) -> Result<Response, Error> {
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
    let results = if let Some(results) = recent {
        results
    } else {
        let results = checks.await;
        CHECKED.set(Some((started, results.clone())));
        results
    };
    ready_response(request, &results)
}

fn ready_response(request: &Request, checked: &[Dependency]) -> Result<Response, Error> {
    let failed = checked.iter().filter(|dependency| !dependency.responds);
    let failed: Vec<&str> = failed.map(|dependency| dependency.name).collect();
    if !failed.is_empty() {
        return Err(Problem::not_ready(&failed).into());
    }
    // A loop, because to collect a map would add a sort to each worker.
    let (mut checks, mut databases) = (Map::new(), Map::new());
    let own = auth::access_policy(&request.env).check_setting().err();
    let own = own.map(|problem| json!({"detail": problem.detail()}));
    let mut invalid_settings: Vec<Value> = own.into_iter().collect();
    for Dependency { name, state, .. } in checked {
        checks.insert((*name).to_owned(), json!("ready"));
        if let Some(bytes) = state.bytes {
            let size = json!({"bytes": bytes, "maxBytes": MAX_DATABASE_BYTES});
            databases.insert((*name).to_owned(), size);
        }
        if let Some(detail) = &state.invalid_setting {
            invalid_settings.push(json!({"service": name, "detail": detail}));
        }
    }
    let mut ready = Map::new();
    ready.insert("status".to_owned(), json!("ready"));
    ready.insert("checks".to_owned(), Value::Object(checks));
    if auth::is_known_admin(request) {
        ready.insert(DATABASES.to_owned(), Value::Object(databases));
        if !invalid_settings.is_empty() {
            ready.insert(INVALID_SETTINGS.to_owned(), invalid_settings.into());
        }
    }
    Ok(json_response(&Value::Object(ready)))
}

fn json_response(value: &Value) -> Response {
    Response::ok(
        MediaType::Json.content_type(),
        Body::Text(value.to_string()),
    )
}

/// Runs a check with the timeout.
async fn check(
    name: &'static str,
    check: impl Future<Output = Result<State, Error>>,
) -> Dependency {
    let outcome = with_timeout(TIMEOUT_MS, check).await;
    let state = outcome.and_then(Result::ok);
    Dependency {
        name,
        responds: state.is_some(),
        state: state.unwrap_or_default(),
    }
}

/// Checks the worker's own database.
pub async fn check_database(env: &Env) -> Dependency {
    let size = async {
        Ok(State {
            bytes: Database::new(env)?.size().await?,
            ..State::default()
        })
    };
    check(OWN_DATABASE, size).await
}

/// Checks that another worker runs.
pub async fn check_alive(env: &Env, binding: &'static str, service: &'static str) -> Dependency {
    let alive = async {
        let client = ServiceClient::new(env, binding, service)?;
        client.require_ok(client.get("/healthz").await?)?;
        Ok(State::default())
    };
    check(service, alive).await
}

/// Checks that another worker and its dependencies respond.
pub async fn check_ready(env: &Env, binding: &'static str, service: &'static str) -> Dependency {
    let ready = async {
        let client = ServiceClient::new(env, binding, service)?;
        let ready: Value = client.read_json(client.get("/readyz").await?).await?;
        let bytes = || {
            ready
                .get(DATABASES)?
                .get(OWN_DATABASE)?
                .get("bytes")?
                .as_i64()
        };
        let setting = || ready.get(INVALID_SETTINGS)?.get(0)?.get("detail")?.as_str();
        Ok(State {
            bytes: bytes(),
            invalid_setting: setting().map(str::to_owned),
        })
    };
    check(service, ready).await
}
