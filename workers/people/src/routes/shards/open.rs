//! Handovers that somebody else has begun, and not ended.

use std::collections::HashMap;

use edge::Error;
use edge::shards::Shards;
use registry::Problem;
use registry::shards::handover::{Decision, Help, help};
use registry::sql::Statement;

use crate::store::{handover as store, known};

/// The most that are looked at in each database.
pub const MOST: usize = 500;

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
    let asked = known::open(i64::try_from(MOST).unwrap_or(i64::MAX));
    for (shard, rows) in shards.all(&asked).await?.into_iter().enumerate() {
        for row in rows {
            let decider = match row.text(1) {
                None => Some(0),
                Some(origin) => shards.map.named(&origin),
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
    let asked = for_each_decider(shards, open, |_| true, known::decided);
    let rows = shards.run(&asked).await?.into_iter().flatten().flatten();
    let decisions = rows.filter_map(|row| {
        let decision = if row.truth(1) {
            Decision::Done(row.integer(2))
        } else {
            Decision::GivenUp
        };
        Some((row.text(0)?, decision))
    });
    let decisions: HashMap<String, Decision> = decisions.collect();
    for one in open {
        let is_old = patience.is_some_and(|patience| one.age >= patience);
        one.help = help(decisions.get(&one.token).copied(), is_old);
    }
    Ok(())
}

/// A statement over the handovers that each database decides, of those that are meant.
fn for_each_decider(
    shards: &Shards,
    open: &[Open],
    is_meant: fn(&Open) -> bool,
    statement: fn(&[&str]) -> Statement,
) -> Vec<(usize, Vec<Statement>)> {
    let of_decider = |decider| {
        let mine = open
            .iter()
            .filter(|one| one.decider == decider && is_meant(one));
        let tokens: Vec<&str> = mine.map(|one| one.token.as_str()).collect();
        (!tokens.is_empty()).then(|| (decider, vec![statement(&tokens)]))
    };
    (0..shards.map.shards().len())
        .filter_map(of_decider)
        .collect()
}

/// Ends what can be ended of all that is open.
///
/// # Errors
/// What D1 says.
pub async fn end(shards: &Shards, patience: Option<i64>) -> Result<Met, Error> {
    let mut open = look(shards, patience).await?;
    let is_old = |one: &Open| one.help == Help::GiveUp;
    let given_up = for_each_decider(shards, &open, is_old, store::give_up);
    if !given_up.is_empty() {
        shards.run(&given_up).await?;
        // Whoever began it may have been the faster.
        decide(shards, &mut open, patience).await?;
    }
    let ends: Vec<_> = open.iter().filter_map(Open::end).collect();
    shards.run(&ends).await?;
    Ok(Met {
        have_ended: !ends.is_empty(),
        open,
    })
}

impl Open {
    /// What ends it, if it can be ended, and where.
    fn end(&self) -> Option<(usize, Vec<Statement>)> {
        let end = match self.help {
            Help::Leave | Help::GiveUp => return None,
            // The decision stays: others of the same handover may be on the way elsewhere.
            Help::Arrive(first_id) => store::arrive(&self.token, first_id),
            Help::Withdraw => vec![store::withdraw(&self.token)],
        };
        Some((self.shard, end))
    }

    /// The name of the handover.
    pub fn token(&self) -> &str {
        &self.token
    }
}
