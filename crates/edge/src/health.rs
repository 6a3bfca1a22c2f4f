//! `GET /healthz`, whether a worker lives, and `GET /readyz`, whether all that it needs is there.

use http_semantics::{Format, Problem};
use serde_json::{Map, Value, json};
use tables::statement::Statement;

use crate::{Answer, Body, Call, Database, Env, Error, ServiceClient, within};

/// Where the two are, which no guard and no limit stands before.
const ADDRESSES: [&str; 2] = ["/healthz", "/readyz"];

/// How long each dependency may take, in milliseconds.
const PATIENCE_MS: u32 = 1_000;

/// Whether an address is one of the two.
#[must_use]
pub fn is_of(path: &str) -> bool {
    ADDRESSES.contains(&path)
}

/// Something that a worker needs, and whether it is there.
pub type Dependency = (&'static str, bool);

/// `GET /healthz`: it answers, so it lives. It asks nobody.
///
/// # Errors
/// A query where none is known.
#[expect(clippy::unused_async, reason = "a handler is")]
pub async fn alive(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    Ok(json_of(&json!({"status": "alive"})))
}

/// `GET /readyz`: what has been found.
///
/// # Errors
/// A problem that names what is not there.
pub fn report(found: &[Dependency]) -> Result<Answer, Error> {
    let failed = found.iter().filter(|(_, is_there)| !is_there);
    let failed: Vec<&str> = failed.map(|(name, _)| *name).collect();
    if !failed.is_empty() {
        return Err(Problem::not_ready(&failed).into());
    }
    let names = found.iter().map(|(name, _)| (*name).to_owned());
    let checks: Map<String, Value> = names.map(|name| (name, json!("ready"))).collect();
    Ok(json_of(&json!({"status": "ready", "checks": checks})))
}

fn json_of(value: &Value) -> Answer {
    Answer::ok(Format::Json.media_type(), Body::Text(value.to_string()))
}

/// Whether a look finds something there, and in time.
async fn in_time(
    name: &'static str,
    look: impl Future<Output = Result<bool, Error>>,
) -> Dependency {
    let found = within(PATIENCE_MS, look).await;
    (name, matches!(found, Some(Ok(true))))
}

/// The worker's own database.
pub async fn database(env: &Env) -> Dependency {
    let look = async {
        let one = Statement::new("SELECT 1 AS one", Vec::new());
        Ok(Database::of(env)?.row(&one).await?.is_some())
    };
    in_time("database", look).await
}

/// Another worker, of which `path` is asked.
pub async fn service(
    env: &Env,
    binding: &'static str,
    service: &'static str,
    path: &str,
) -> Dependency {
    let look = async {
        let answer = ServiceClient::new(env, binding, service)?.get(path).await?;
        Ok(answer.status() == 200)
    };
    in_time(service, look).await
}
