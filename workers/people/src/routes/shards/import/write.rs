//! What an import does with a batch once it is planned.

use std::collections::BTreeMap;

use edge::import::{self, Plan};
use edge::{Error, Row};
use registry::Problem;
use registry::import::Batch;
use registry::shards::handover::Whereabouts;
use registry::sql::runs;
use serde_json::{Value, json};

use super::{Taker, set};
use crate::domain::Person;
use crate::routes::shards::handover::Handover;
use crate::routes::shards::{open, write};
use crate::store as people;
use crate::store::handover::{self as store, Going, New};
use crate::store::known;

impl Taker {
    /// Does it.
    ///
    /// # Errors
    /// [`Error::Unique`] where somebody else was faster, and as [`Self::plan`].
    pub async fn write(&self, batch: &Batch<Person>, plan: &Plan) -> Result<(), Error> {
        let mut here: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        let mut moves: BTreeMap<(usize, usize), Vec<Value>> = BTreeMap::new();
        for row in &plan.updates {
            let from = shard_before(row).ok_or_else(Problem::internal)?;
            match self.shard_of(row) {
                Some(to) if to != from => moves.entry((from, to)).or_default().push(row.clone()),
                _ => here.entry(from).or_default().push(row.clone()),
            }
        }
        // Who gets an id that was used in another database comes from there.
        let mut again: BTreeMap<(usize, usize), Vec<&Value>> = BTreeMap::new();
        let mut new = Vec::new();
        for row in &plan.inserts {
            let to = self.shard_of(row).unwrap_or_default();
            match shard_before(row) {
                Some(from) if from != to => again.entry((from, to)).or_default().push(row),
                _ => new.push(row),
            }
        }
        for (shard, rows) in here {
            self.change(shard, &rows).await?;
        }
        for ((from, to), rows) in moves {
            self.hand_over(from, to, rows).await?;
        }
        for ((from, to), rows) in again {
            self.take_in_again(from, to, &rows).await?;
        }
        self.take_in(batch, plan, &new).await
    }
}

/// The database that a person is in, or was in last.
fn shard_before(row: &Value) -> Option<usize> {
    usize::try_from(row["shard"].as_u64()?).ok()
}

/// Rows of those who arrive, each with a number in the handover.
fn numbered<'a>(rows: impl IntoIterator<Item = &'a Value>) -> impl Iterator<Item = Value> {
    rows.into_iter().enumerate().map(|(n, row)| {
        let mut row = row.clone();
        set(&mut row, "n", n);
        row
    })
}

impl Taker {
    /// Changes people of one database where they are: all of these, or none.
    async fn change(&self, shard: usize, rows: &[Value]) -> Result<(), Error> {
        let registrar = self.registrar(shard)?;
        let statements = import::checked(rows, people::update_all);
        let mut statements = [vec![people::CHANGES.counter()], statements].concat();
        statements.push(people::CHANGES.counter());
        let results = registrar.database.batch(&statements).await?;
        let counter = |rows: Option<&Vec<Row>>| rows.and_then(|rows| rows.first()?.integer(0));
        let range = counter(results.first()).zip(counter(results.last()));
        let (before, last) = range.ok_or_else(Problem::internal)?;
        let anew = rows.iter().filter(|row| row["isAnew"] == Value::Bool(true));
        let places = anew.filter_map(|row| row["placeId"].as_i64()).collect();
        registrar
            .look_again_at_batch(&self.call, (before + 1, last), &places)
            .await
    }

    /// Moves people from one database to another: all of these, or none.
    async fn hand_over(&self, from: usize, to: usize, rows: Vec<Value>) -> Result<(), Error> {
        let number = |row: &Value, member: &str| row[member].as_i64().unwrap_or_default();
        let who: Vec<(i64, i64)> = rows
            .iter()
            .map(|row| (number(row, "id"), number(row, "version")))
            .collect();
        let arrivals = numbered(&rows).map(|mut row| {
            let version = number(&row, "version") + 1;
            set(&mut row, "version", version);
            (to, row)
        });
        let handover = Handover::moving(from, arrivals);
        handover.prepare(&self.shards).await?;
        self.leave(handover, to, who.len(), &who).await
    }

    /// Adds people in one database whose ids were used in another.
    async fn take_in_again(&self, from: usize, to: usize, rows: &[&Value]) -> Result<(), Error> {
        let arrivals = numbered(rows.iter().copied()).map(|row| (to, row));
        let handover = Handover::new(Some(from), arrivals);
        handover.prepare(&self.shards).await?;
        self.must_be_free(rows, &handover).await?;
        self.leave(handover, to, rows.len(), &[]).await
    }

    /// Ends a handover from one database to another that has been prepared.
    async fn leave(
        &self,
        handover: Handover,
        to: usize,
        count: usize,
        leaving: &[(i64, i64)],
    ) -> Result<(), Error> {
        let peer = self
            .shards
            .map
            .shards()
            .get(to)
            .ok_or_else(Problem::internal)?;
        let go = Going {
            to: &peer.binding,
            count,
            leaving,
            fence: None,
        };
        let leave = store::leave(&handover.token, &go);
        handover.look(&self.shards, &self.registrar(to)?).await?;
        handover.decide(&self.shards, &leave).await?;
        handover.arrive(&self.shards, None).await?;
        handover.forget_behind(&self.call, &self.shards)
    }

    /// Adds the new, and remembers the batch.
    async fn take_in(
        &self,
        batch: &Batch<Person>,
        plan: &Plan,
        new: &[&Value],
    ) -> Result<(), Error> {
        let key = import::key(&batch.fingerprint);
        let remember = [
            people::forget_batch(&key),
            import::remember(&batch.fingerprint, plan),
        ];
        if new.is_empty() {
            let first = self.shards.database(0)?;
            return first.batch(&remember).await.map(drop);
        }
        let (last, greatest) = write::ids(&self.shards).await?;
        let (chosen, unnumbered): (Vec<&Value>, Vec<&Value>) =
            new.iter().copied().partition(|row| row["id"].is_i64());
        // Those without an id are numbered first: it is the number behind the first free one.
        let arrivals = numbered(unnumbered.iter().chain(&chosen).copied());
        let arrivals = arrivals.map(|row| (self.shard_of(&row).unwrap_or_default(), row));
        let handover = Handover::new(None, arrivals);
        handover.prepare(&self.shards).await?;
        self.must_be_free(&chosen, &handover).await?;
        handover.look(&self.shards, &self.registrar(0)?).await?;
        let new = New {
            unnumbered: i64::try_from(unnumbered.len()).unwrap_or_default(),
            chosen: chosen
                .iter()
                .filter_map(|row| row["id"].as_i64())
                .max()
                .unwrap_or_default(),
            last,
            greatest,
        };
        let decide = [store::give(&handover.token, &new), remember.to_vec()].concat();
        let decided = handover.decide(&self.shards, &decide).await?;
        let first_id = decided.iter().flatten().find_map(|row| row.integer(0));
        handover.arrive(&self.shards, first_id).await?;
        handover.forget_behind(&self.call, &self.shards)
    }

    /// The ids that were chosen must be free still, or nobody arrives.
    async fn must_be_free(&self, chosen: &[&Value], handover: &Handover) -> Result<(), Error> {
        if self.are_free(chosen, &handover.token).await? {
            return Ok(());
        }
        handover.withdraw(&self.shards).await?;
        Err(Problem::being_written().into())
    }

    /// Whether nobody has, or is about to have, one of the ids that were chosen.
    async fn are_free(&self, chosen: &[&Value], token: &str) -> Result<bool, Error> {
        let numbered = chosen.iter().enumerate();
        let ids: Vec<Value> = numbered
            .map(|(n, row)| json!({"n": n, "id": row["id"]}))
            .collect();
        let awaited = || async {
            let mut found = (false, false);
            for run in runs(&ids) {
                for row in self.shards.rows(&known::awaited(run, token)).await? {
                    found = (found.0 || row.truth(0), found.1 || row.truth(1));
                }
            }
            Ok::<_, Error>(found)
        };
        if awaited().await? != (false, false) {
            open::end(&self.shards, None).await?;
            if awaited().await?.0 {
                return Ok(false);
            }
        }
        let known = self.known(&ids).await?;
        Ok(chosen.iter().enumerate().all(|(n, row)| {
            let before = row["version"].as_i64().unwrap_or_default() - 1;
            let found = known
                .get(&n)
                .map_or(Whereabouts::Nowhere, |(found, _)| *found);
            found.free_behind() == Some(before)
        }))
    }
}
