//! Handovers that somebody else has begun, and not ended.

use std::collections::HashMap;

use edge::Error;
use edge::shards::Shards;
use futures_util::future::try_join_all;
use registry::Problem;
use registry::shards::handover::{Decision, Help, help};

use crate::store::handover as store;

/// The most that are looked at in each database.
const MOST: i64 = 500;

/// A handover that a database waits for.
pub struct Open {
    /// The database.
    shard: usize,
    token: String,
    /// The database that decides.
    decider: usize,
    age: i64,
    /// The first of those who arrive, if that is known already, with the version and the place.
    pub person: Option<i64>,
    /// The version that they arrive in.
    pub version: Option<i64>,
    /// Where they arrive.
    pub place: Option<i64>,
    /// What is to be done with it.
    pub help: Help,
}

/// What was met, and whether anything of it has been ended.
pub struct Met {
    /// All that was open.
    pub open: Vec<Open>,
    /// Whether there is less now.
    pub have_ended: bool,
}

/// What is open, with what is to be done with it. Handovers that nobody has decided, and that are
/// as old as `patience` in milliseconds, are to be given up.
///
/// # Errors
/// What D1 says.
pub async fn look(shards: &Shards, patience: Option<i64>) -> Result<Vec<Open>, Error> {
    let mut open = Vec::new();
    for (shard, rows) in shards
        .all(&store::open(MOST))
        .await?
        .into_iter()
        .enumerate()
    {
        for row in rows {
            let origin = row.text(1);
            let bindings = || {
                shards
                    .map
                    .shards()
                    .iter()
                    .map(|shard| shard.binding.as_str())
            };
            let decider = match origin.as_deref() {
                None => Some(0),
                Some(origin) => bindings().position(|binding| binding == origin),
            };
            open.push(Open {
                shard,
                token: row.text(0).unwrap_or_default(),
                decider: decider.ok_or_else(Problem::internal)?,
                age: row.integer(2).unwrap_or_default(),
                person: row.integer(3),
                version: row.integer(4),
                place: row.integer(5),
                help: Help::Leave,
            });
        }
    }
    decide(shards, &mut open, patience).await?;
    Ok(open)
}

/// Asks those who decide.
async fn decide(shards: &Shards, open: &mut [Open], patience: Option<i64>) -> Result<(), Error> {
    let mut decisions = HashMap::new();
    for decider in 0..shards.map.shards().len() {
        let tokens = of_decider(open, decider);
        if tokens.is_empty() {
            continue;
        }
        let rows = shards
            .database(decider)?
            .rows(&store::decided(&tokens))
            .await?;
        decisions.extend(rows.iter().filter_map(|row| {
            let decision = if row.truth(1) {
                Decision::Done(row.integer(2))
            } else {
                Decision::GivenUp
            };
            Some((row.text(0)?, decision))
        }));
    }
    for one in open {
        let is_old = patience.is_some_and(|patience| one.age >= patience);
        one.help = help(decisions.get(&one.token).copied(), is_old);
    }
    Ok(())
}

fn of_decider(open: &[Open], decider: usize) -> Vec<&str> {
    let mine = open.iter().filter(|one| one.decider == decider);
    mine.map(|one| one.token.as_str()).collect()
}

/// Ends what can be ended of all that is open.
///
/// # Errors
/// What D1 says.
pub async fn end(shards: &Shards, patience: Option<i64>) -> Result<Met, Error> {
    let mut open = look(shards, patience).await?;
    let has_to = |open: &[Open]| open.iter().any(|one| one.help == Help::GiveUp);
    if has_to(&open) {
        for decider in 0..shards.map.shards().len() {
            let old = open
                .iter()
                .filter(|one| one.decider == decider && one.help == Help::GiveUp);
            let old: Vec<&str> = old.map(|one| one.token.as_str()).collect();
            if !old.is_empty() {
                shards
                    .database(decider)?
                    .batch(&[store::give_up(&old)])
                    .await?;
            }
        }
        // Whoever began it may have been the faster.
        decide(shards, &mut open, patience).await?;
    }
    let ended = open.iter().map(|one| one.end(shards));
    let have_ended = try_join_all(ended).await?.contains(&true);
    Ok(Met { open, have_ended })
}

impl Open {
    async fn end(&self, shards: &Shards) -> Result<bool, Error> {
        let database = shards.database(self.shard)?;
        match self.help {
            Help::Leave | Help::GiveUp => return Ok(false),
            // The decision stays: others of the same handover may be on the way elsewhere.
            Help::Arrive(first_id) => {
                database
                    .batch(&store::arrive(&self.token, first_id))
                    .await?
            }
            Help::Withdraw => database.batch(&[store::withdraw(&self.token)]).await?,
        };
        Ok(true)
    }

    /// The name of the handover.
    pub fn token(&self) -> &str {
        &self.token
    }
}
