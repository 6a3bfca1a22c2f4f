//! A handover from its beginning to its end: prepare, look, decide, arrive.

use std::collections::{BTreeMap, HashSet};

use edge::shards::{Answers, Shards, token};
use edge::{Call, Error, Row};
use registry::sql::{Statement, runs};
use serde_json::Value;

use crate::routes::settling::Registrar;
use crate::store::handover as store;

/// People who go to other databases, together.
pub struct Handover {
    /// What it is called in all of them.
    pub token: String,
    /// The database that they leave, or in which their ids were used; none for the others who are
    /// new.
    origin: Option<usize>,
    /// How they are logged.
    kind: &'static str,
    /// Who arrives where, as rows to prepare.
    arrivals: BTreeMap<usize, Vec<Value>>,
}

impl Handover {
    /// Who moves from a database, each a row with the number of the one that they go to.
    pub fn moving(from: usize, rows: impl IntoIterator<Item = (usize, Value)>) -> Self {
        Self::of(Some(from), "updated", rows)
    }

    /// The same for who is new.
    pub fn new(origin: Option<usize>, rows: impl IntoIterator<Item = (usize, Value)>) -> Self {
        Self::of(origin, "created", rows)
    }

    fn of(
        origin: Option<usize>,
        kind: &'static str,
        rows: impl IntoIterator<Item = (usize, Value)>,
    ) -> Self {
        let mut arrivals: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        for (shard, row) in rows {
            arrivals.entry(shard).or_default().push(row);
        }
        Self {
            token: token(),
            origin,
            kind,
            arrivals,
        }
    }

    /// The database that decides.
    fn decider(&self) -> usize {
        self.origin.unwrap_or_default()
    }

    /// Writes down who is to arrive.
    ///
    /// # Errors
    /// [`Error::Unique`] of `person.place_id` where a crown is another's, of `arrival.person_id`
    /// where somebody is on the way already, and what D1 says. Nobody is on the way then.
    pub async fn prepare(&self, shards: &Shards) -> Result<(), Error> {
        let origin = self.origin.and_then(|shard| shards.map.shards().get(shard));
        let origin = origin.map(|origin| origin.binding.as_str());
        let prepare = |run: &[Value]| store::prepare(&self.token, run, origin, self.kind);
        let prepare = |(shard, rows): (&usize, &Vec<Value>)| {
            (*shard, runs(rows).into_iter().map(prepare).collect())
        };
        let prepare: Vec<_> = self.arrivals.iter().map(prepare).collect();
        if let Err(error) = shards.run(&prepare).await {
            self.withdraw(shards).await?;
            return Err(error);
        }
        Ok(())
    }

    /// The same statements wherever somebody is to arrive.
    async fn in_each(
        &self,
        shards: &Shards,
        statements: &[Statement],
    ) -> Result<Vec<Answers>, Error> {
        let each = self
            .arrivals
            .keys()
            .map(|shard| (*shard, statements.to_vec()));
        shards.run(&each.collect::<Vec<_>>()).await
    }

    /// Takes back what was prepared, before it is decided.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn withdraw(&self, shards: &Shards) -> Result<(), Error> {
        let withdraw = [store::withdraw(&self.token)];
        self.in_each(shards, &withdraw).await.map(drop)
    }

    /// Asks whether the places still stand that people arrive in. If not, nobody arrives.
    ///
    /// # Errors
    /// The place that does not stand, or a service that could not be asked.
    pub async fn look(&self, shards: &Shards, registrar: &Registrar) -> Result<(), Error> {
        let rows = self.arrivals.values().flatten();
        let places: HashSet<i64> = rows.filter_map(|row| row["placeId"].as_i64()).collect();
        if let Some(doubt) = registrar.doubt(&places).await {
            self.withdraw(shards).await?;
            return Err(doubt);
        }
        Ok(())
    }

    /// Decides, by statements of the database whose part it is. What they say is known for certain
    /// is taken back; what else fails may have been decided, and whoever meets it next finds out.
    ///
    /// # Errors
    /// [`Error::Unique`], with nobody on the way any more, or what D1 says.
    pub async fn decide(
        &self,
        shards: &Shards,
        statements: &[Statement],
    ) -> Result<Vec<Vec<Row>>, Error> {
        let decided = shards.database(self.decider())?.batch(statements).await;
        if let Err(Error::Unique(_)) = decided {
            self.withdraw(shards).await?;
        }
        decided
    }

    /// Has everybody arrive: the rows of the records that are there now.
    ///
    /// # Errors
    /// What D1 says: they will arrive all the same.
    pub async fn arrive(&self, shards: &Shards, first_id: Option<i64>) -> Result<Vec<Row>, Error> {
        let arrive = store::arrive(&self.token, first_id);
        let answers = self.in_each(shards, &arrive).await?.into_iter();
        let arrived = answers.filter_map(|answers| answers.into_iter().nth(1));
        Ok(arrived.flatten().collect())
    }

    /// Forgets the decision, once the answer has gone: everybody is there.
    ///
    /// # Errors
    /// None: the map knows the database that decides.
    pub fn forget_behind(&self, call: &Call, shards: &Shards) -> Result<(), Error> {
        let database = shards.database(self.decider())?.clone();
        let forget = store::forget_decision(&self.token);
        call.context.wait_until(async move {
            // What stays is swept by the repair.
            let _ = database.batch(&[forget]).await;
        });
        Ok(())
    }
}
