//! `POST /internal/repair`, and the same by a schedule: ends what a crash left unsettled, and
//! sweeps the answers kept long enough.

use std::collections::HashSet;

use edge::{Answer, Body, Call, Error};
use registry::Format;
use registry::integrity::Verdict;
use registry::params::Seconds;
use serde_json::{Value, json};

use super::settling::{Registrar, standing};
use crate::store::{self, Write};

/// A write that is older than this, in milliseconds, has lost its writer. Acting on one whose
/// writer is still there would do no harm, but be for nothing.
const ABANDONED_MS: i64 = 30_000;

/// The most writes of one round.
const A_ROUND: i64 = 500;

/// What the repair did, or would do: `{"unsettled":[{"id":1,"version":2,"placeId":3,"action":"settle"}]}`.
///
/// # Errors
/// A query that cannot be used, or a service that failed.
pub async fn repair(call: Call) -> Result<Answer, Error> {
    let params = call.params(&["dryRun", "olderThan"])?;
    let dry_run = params.get("dryRun")?.unwrap_or(false);
    let older_than = params.get::<Seconds>("olderThan")?;
    let age = older_than.map_or(ABANDONED_MS, Seconds::to_milliseconds);
    let report = run(&Registrar::of(&call.env)?, age, dry_run).await?;
    let body = json!({ "unsettled": report }).to_string();
    Ok(Answer::ok(Format::Json.media_type(), Body::Text(body)))
}

/// The scheduled run.
///
/// # Errors
/// What D1 says, or a service that failed.
pub async fn scheduled(env: &edge::Env) -> Result<(), Error> {
    let registrar = Registrar::of(env)?;
    registrar.database.sweep_answers().await?;
    run(&registrar, ABANDONED_MS, false).await.map(drop)
}

async fn run(registrar: &Registrar, age: i64, dry_run: bool) -> Result<Vec<Value>, Error> {
    let rows = registrar
        .database
        .rows(&store::unsettled(age, A_ROUND))
        .await?;
    let places: HashSet<i64> = rows.iter().filter_map(|row| row.integer(2)).collect();
    let standings = registrar.standings(&places).await?;
    let (mut settled, mut undone, mut report) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows {
        let place = row.integer(2);
        let Some((id, version)) = row.integer(0).zip(row.integer(1)) else {
            continue;
        };
        let write: Write = (id, version);
        let action = match standing(&standings, place).for_others() {
            Verdict::Settle => {
                settled.push(write);
                "settle"
            }
            Verdict::Undo => {
                undone.push(write);
                "undo"
            }
            Verdict::Wait => "wait",
        };
        report.push(json!({"id": id, "version": version, "placeId": place, "action": action}));
    }
    if !dry_run && !settled.is_empty() {
        registrar.settle(&settled).await?;
    }
    if !dry_run && !undone.is_empty() {
        registrar.undo(&undone).await?;
    }
    Ok(report)
}
