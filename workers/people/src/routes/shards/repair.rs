//! The repair of a register over several databases: of each, and of those on the way between them.

use edge::shards::Shards;
use edge::{Env, Error};
use registry::idempotency::HOURS_KEPT;
use registry::shards::handover::Help;
use serde_json::{Value, json};

use super::open;
use crate::routes::repair::run;
use crate::routes::settling::Registrar;
use crate::store::handover::sweep_decisions;

/// Ends what has been left for so many milliseconds; what it did, or would do.
///
/// # Errors
/// What D1 says, or a service that failed.
pub async fn repair(
    env: &Env,
    shards: &Shards,
    age: i64,
    dry_run: bool,
) -> Result<Vec<Value>, Error> {
    let open = if dry_run {
        open::look(shards, Some(age)).await?
    } else {
        open::end(shards, Some(age)).await?.open
    };
    let mut report: Vec<Value> = open.iter().filter_map(reported).collect();
    let kept: Vec<String> = open.iter().map(|one| one.token().to_owned()).collect();
    for shard in 0..shards.map.shards().len() {
        let database = shards.database(shard)?;
        let registrar = Registrar::at(env, database.clone())?;
        report.extend(run(&registrar, age, dry_run).await?);
        if !dry_run {
            database.sweep_answers().await?;
        }
        // What was not even seen may still be asked for.
        if !dry_run && open.len() < open::MOST {
            let sweep = sweep_decisions(HOURS_KEPT * 60 * 60 * 1000, &kept);
            database.batch(&[sweep]).await?;
        }
    }
    Ok(report)
}

/// Who has no id yet is nobody that a client was told of.
fn reported(open: &open::Open) -> Option<Value> {
    let id = open.person?;
    let action = match open.help {
        Help::Arrive(_) => "settle",
        Help::Withdraw | Help::GiveUp => "undo",
        Help::Leave => "wait",
    };
    Some(json!({"id": id, "version": open.version, "placeId": open.place, "action": action}))
}
