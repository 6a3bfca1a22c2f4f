//! The writer's side of the protocol over the two databases (docs/integrity.md): who refers
//! to a place anew is written unsettled, then the place is asked again.

use std::collections::HashSet;

use edge::shards::Shards;
use edge::{Call, Database, Error, Row, Stored, TRIES, Upstream};
use registry::integrity::{Standing, Standings, Verdict};
use registry::sql::Statement;
use registry::{PersonId, Problem, name};
use serde_json::{Value, json};

use super::shards::{Layout, find};
use crate::store::{self, Write};

/// The register of people, and the owner of the places that they live in.
pub struct Registrar {
    /// The register, or the one of its databases where the person is.
    pub database: Database,
    /// The databases, where there are several.
    pub layout: Option<Layout>,
    places: Upstream,
}

/// The most places that are asked for at once.
const PLACES_AT_ONCE: usize = 1_000;

impl Registrar {
    /// The registrar of a call.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn of(env: &edge::Env) -> Result<Self, Error> {
        Self::at(env, Database::of(env)?)
    }

    /// The same for one of several databases.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn at(env: &edge::Env, database: Database) -> Result<Self, Error> {
        Ok(Self {
            database,
            layout: None,
            places: Upstream::of(env, "PLACES", "places")?,
        })
    }

    /// The person as of now, settled, and the registrar of the database where they are.
    ///
    /// # Errors
    /// As [`Self::current`].
    pub async fn find(env: &edge::Env, id: PersonId) -> Result<(Self, Option<Stored>), Error> {
        if let Some(shards) = Shards::of(env)? {
            return find(env, shards, id).await;
        }
        let registrar = Self::of(env)?;
        let current = registrar.current(id).await?;
        Ok((registrar, current))
    }

    /// Asks how places stand, at most 1,000 of them.
    ///
    /// # Errors
    /// A problem that names the service, where it failed or was slow.
    pub async fn standings(&self, places: &HashSet<i64>) -> Result<Standings, Error> {
        if places.is_empty() {
            return Ok(Standings::default());
        }
        let ids: Vec<String> = places.iter().map(ToString::to_string).collect();
        let path = format!("/internal/standing?ids={}", ids.join(","));
        self.places.read_json(self.places.get(&path).await?).await
    }

    /// Asks how places stand, however many.
    ///
    /// # Errors
    /// As [`Self::standings`].
    pub async fn all_standings(&self, places: &HashSet<i64>) -> Result<Standings, Error> {
        let places: Vec<i64> = places.iter().copied().collect();
        let mut all = Standings::default();
        for some in places.chunks(PLACES_AT_ONCE) {
            all.join(self.standings(&some.iter().copied().collect()).await?);
        }
        Ok(all)
    }

    /// The person as of now. One that somebody else has left unsettled is settled or taken
    /// back first.
    ///
    /// # Errors
    /// One that cannot be settled yet, because the place may go.
    pub async fn current(&self, id: PersonId) -> Result<Option<Stored>, Error> {
        for _ in 0..TRIES {
            let Some(row) = self.database.row(&store::read(id)).await? else {
                return Ok(None);
            };
            let version = row.integer(1).unwrap_or_default();
            if !row.truth(2) {
                return Ok(Some(Stored {
                    id: id.get(),
                    version,
                    body: row.value(0),
                }));
            }
            self.help(id.get(), version, row.integer(3)).await?;
        }
        Err(Problem::being_written().into())
    }

    /// Ends what another writer has begun.
    ///
    /// # Errors
    /// A write that nobody can tell the end of yet.
    pub async fn help(&self, id: i64, version: i64, place: Option<i64>) -> Result<(), Error> {
        let standings = self.standings(&place.into_iter().collect()).await?;
        match standing(&standings, place).for_others() {
            Verdict::Settle => self.settle(&[(id, version)]).await,
            Verdict::Undo => self.undo(&[(id, version)]).await,
            Verdict::Wait => Err(Problem::being_written().into()),
        }
    }

    /// Ends the pending writes that a query finds, rows of (id, version, `place_id`): true if there
    /// were any.
    ///
    /// # Errors
    /// Writes that cannot be ended yet, because their places may go.
    pub async fn end(&self, pending: &Statement) -> Result<bool, Error> {
        let rows = self.database.rows(pending).await?;
        let places = rows.iter().filter_map(|row| row.integer(2)).collect();
        let standings = self.all_standings(&places).await?;
        let (mut confirmed, mut undone, mut must_wait) = (Vec::new(), Vec::new(), false);
        for row in &rows {
            match standing(&standings, row.integer(2)).for_others() {
                Verdict::Settle => confirmed.extend(write_of(row)),
                Verdict::Undo => undone.extend(write_of(row)),
                Verdict::Wait => must_wait = true,
            }
        }
        if !confirmed.is_empty() {
            self.settle(&confirmed).await?;
        }
        if !undone.is_empty() {
            self.undo(&undone).await?;
        }
        if must_wait {
            return Err(Problem::being_written().into());
        }
        Ok(!rows.is_empty())
    }

    /// Lets writes hold.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn settle(&self, writes: &[Write]) -> Result<(), Error> {
        self.database
            .batch(&[store::settle(writes)])
            .await
            .map(drop)
    }

    /// Takes writes back that nobody else has settled or written over.
    ///
    /// # Errors
    /// What D1 says.
    pub async fn undo(&self, writes: &[Write]) -> Result<(), Error> {
        let before = self.database.rows(&store::before(writes)).await?;
        let (added, changed): (Vec<&Row>, Vec<&Row>) =
            before.iter().partition(|row| row.text(2).is_none());
        let added: Vec<Write> = added.into_iter().filter_map(write_of).collect();
        let changed: Vec<Value> = changed.into_iter().map(row_before).collect();
        let statements = [
            store::restore(&changed),
            store::remove(&added),
            store::forget(writes),
        ];
        self.database.batch(&statements).await.map(drop)
    }

    /// Asks the places of unsettled writes again. Writes whose places still stand are
    /// acknowledged at once and settled once the answer has gone: who comes in between
    /// settles them himself. Else all of them are taken back, as far as nobody was faster.
    ///
    /// # Errors
    /// The place that does not stand, or a service that could not be asked: nothing is left
    /// of the writes then.
    pub async fn look_again(self, call: &Call, written: &[(Write, i64)]) -> Result<(), Error> {
        let writes: Vec<Write> = written.iter().map(|(write, _)| *write).collect();
        let places: HashSet<i64> = written.iter().map(|(_, place)| *place).collect();
        match self.doubt(&places).await {
            None => self.settle_behind(call, store::settle(&writes)),
            Some(doubt) => self.take_back(&writes, doubt).await?,
        }
        Ok(())
    }

    /// The same for all writes of a batch, by its first change and its last, with the places
    /// that they refer to anew.
    ///
    /// # Errors
    /// As [`Self::look_again`].
    pub async fn look_again_at_batch(
        self,
        call: &Call,
        (first, last): (i64, i64),
        places: &HashSet<i64>,
    ) -> Result<(), Error> {
        if places.is_empty() {
            return Ok(());
        }
        match self.doubt(places).await {
            None => self.settle_behind(call, store::settle_batch(first, last)),
            Some(doubt) => {
                let rows = self.database.rows(&store::doubts_of(first, last)).await?;
                let writes: Vec<Write> = rows.iter().filter_map(write_of).collect();
                self.take_back(&writes, doubt).await?;
            }
        }
        Ok(())
    }

    /// Why writes that refer to places cannot hold, if so.
    pub async fn doubt(&self, places: &HashSet<i64>) -> Option<Error> {
        match self.all_standings(places).await {
            Err(failed) => Some(failed),
            Ok(standings) => places
                .iter()
                .find(|place| standings.of(**place).for_writer() != Verdict::Settle)
                .and_then(|place| standings.check(*place).err())
                .map(Error::from),
        }
    }

    /// Lets writes hold once the answer has gone.
    fn settle_behind(self, call: &Call, settle: Statement) {
        call.context.wait_until(async move {
            // What fails here is left to whoever meets it, or to the repair.
            let _ = self.database.batch(&[settle]).await;
        });
    }

    /// Takes writes back; fails with the doubt where any of them has not held.
    async fn take_back(&self, writes: &[Write], doubt: Error) -> Result<(), Error> {
        self.undo(writes).await?;
        // Whoever settled a write, moved the person or wrote over it took it for done, and so
        // it is; but somebody else may have taken it back, too.
        let undone = self.database.rows(&store::undone(writes)).await?;
        if undone.is_empty() {
            Ok(())
        } else {
            Err(doubt)
        }
    }
}

/// How the place of a write stands; where it has none, all is well.
#[must_use]
pub fn standing(standings: &Standings, place: Option<i64>) -> Standing {
    place.map_or(Standing::Stands, |place| standings.of(place))
}

fn write_of(row: &Row) -> Option<Write> {
    row.integer(0).zip(row.integer(1))
}

/// The state before a write, as a row to write.
fn row_before(row: &Row) -> Value {
    let name = row.text(2).unwrap_or_default();
    json!({
        "id": row.integer(0),
        "version": row.integer(1),
        "key": name::key(&name),
        "name": name,
        "isAlive": row.truth(3),
        "isKing": row.truth(4),
        "placeId": row.integer(5),
    })
}
