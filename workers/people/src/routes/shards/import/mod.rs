//! An import into several databases. A batch is sorted by where its people are and where they go:
//! who is changed where they are, who is handed over, and who is new. The new arrive together,
//! wherever they go, and the batch is remembered with them.

mod write;

use std::collections::HashMap;

use edge::import::Plan;
use edge::shards::Shards;
use edge::{Call, Error, Row};
use registry::import::{Batch, Given, Mode};
use registry::shards::handover::{Whereabouts, whereabouts};
use registry::sql::runs;
use registry::{PlaceId, Problem};
use serde_json::{Value, json};

use super::find::last_known;
use crate::domain::Person;
use crate::routes::import::{Present, add, person_of, places_of};
use crate::routes::settling::Registrar;
use crate::store::known;

/// Takes people in.
pub struct Taker {
    call: Call,
    shards: Shards,
}

/// What all databases know of the people of a batch, by their number in it.
type Known = HashMap<usize, (Whereabouts, Option<Row>)>;

impl Taker {
    /// The taker of a call.
    #[must_use]
    pub fn of(call: Call, shards: Shards) -> Self {
        Self { call, shards }
    }

    fn registrar(&self, shard: usize) -> Result<Registrar, Error> {
        Registrar::at(&self.call.env, self.shards.database(shard)?.clone())
    }

    /// Where the people with an id are; who has never been is not among them.
    async fn known(&self, ids: &[Value]) -> Result<Known, Error> {
        let count = self.shards.map.shards().len();
        let mut last: HashMap<usize, Vec<Option<Row>>> = HashMap::new();
        for run in runs(ids) {
            let of_each = self.shards.all(&known::of_all(run)).await?;
            for (shard, rows) in of_each.into_iter().enumerate() {
                for row in rows {
                    let n = row.integer(0).and_then(|n| usize::try_from(n).ok());
                    let known = last.entry(n.unwrap_or_default());
                    let known = known.or_insert_with(|| (0..count).map(|_| None).collect());
                    if let Some(known) = known.get_mut(shard) {
                        *known = Some(row);
                    }
                }
            }
        }
        let placed = last.into_iter().map(|(n, mut rows)| {
            let seen = rows
                .iter()
                .map(|row| row.as_ref().and_then(|row| last_known(row, 1)));
            let found = whereabouts(seen);
            let row = match found {
                Whereabouts::In(shard) => rows.get_mut(shard).and_then(Option::take),
                _ => None,
            };
            (n, (found, row))
        });
        Ok(placed.collect())
    }

    /// Who wears a crown that is claimed.
    async fn kings(&self, claims: &[Value]) -> Result<HashMap<usize, (i64, String)>, Error> {
        let mut kings = HashMap::new();
        for run in runs(claims) {
            for row in self.shards.all(&known::kings(run)).await?.iter().flatten() {
                let n = row.integer(0).and_then(|n| usize::try_from(n).ok());
                kings.extend(n.zip(row.integer(1).zip(row.text(2))));
            }
        }
        Ok(kings)
    }

    fn shard_of(&self, row: &Value) -> Option<usize> {
        let place = row["placeId"].as_i64().and_then(PlaceId::new)?;
        Some(self.shards.map.of(Some(place)))
    }
}

impl Taker {
    /// What is to be done with the records of a batch.
    ///
    /// # Errors
    /// What D1 says, or a service that failed.
    pub async fn plan(&self, batch: &Batch<Person>, mode: Mode) -> Result<Plan, Error> {
        let standings = self.registrar(0)?.all_standings(&places_of(batch)).await?;
        let given = || batch.given.iter().enumerate();
        let ids: Vec<Value> = given()
            .filter_map(|(n, given)| Some(json!({"n": n, "id": given.id?})))
            .collect();
        let claims = given().filter(|(_, given)| given.record.residence.is_king());
        let claims: Vec<Value> = claims
            .map(|(n, given)| {
                let place = given.record.residence.place().map(PlaceId::get);
                json!({"n": n, "id": given.id, "placeId": place})
            })
            .collect();
        let (known, kings) = (self.known(&ids).await?, self.kings(&claims).await?);
        let rows = given().map(|(n, given)| {
            let mut row = given.record.to_row(given.id, Some(1));
            match known.get(&n) {
                Some((Whereabouts::In(shard), _)) => set(&mut row, "shard", *shard),
                Some((Whereabouts::Gone(shard, version), _)) => {
                    set(&mut row, "shard", *shard);
                    set(&mut row, "version", version + 1);
                }
                _ => {}
            }
            row
        });
        let add = |plan: &mut Plan, n: usize, given: &Given<Person>, row: Value| {
            let known = known.get(&n);
            if known.is_some_and(|(found, _)| *found == Whereabouts::OnTheWay) {
                return Err(Problem::being_written());
            }
            let person = known.and_then(|(_, person)| person.as_ref());
            let present = Present {
                version: person.and_then(|row| row.integer(4)),
                is_unsettled: person.is_some_and(|row| row.truth(5)),
                person: person.and_then(|row| person_of(row, 6)),
                king: kings.get(&n).cloned(),
            };
            add(plan, given, row, present, mode, &standings)
        };
        Ok(Plan::made(batch, rows.collect(), add))
    }
}

fn set(row: &mut Value, member: &str, value: impl Into<Value>) {
    if let Some(row) = row.as_object_mut() {
        row.insert(member.to_owned(), value.into());
    }
}
