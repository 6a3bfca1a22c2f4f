//! Writes that bring somebody into a database: from another one, or from nowhere.

use edge::shards::Shards;
use edge::{Answer, Call, Error, Keyed, Stored, pause};
use futures_util::future::try_join3;
use registry::shards::handover::Whereabouts;
use registry::{PersonId, Problem};
use serde_json::Value;

use super::find::{Layout, placed, seen};
use super::handover::Handover;
use super::open;
use crate::domain::Person;
use crate::routes::settling::Registrar;
use crate::routes::writing::PEOPLE;
use crate::store::handover::{self as store, Going, New};
use crate::store::known;

/// The pause before one tries again who met another that brings the same person, in milliseconds.
/// Both wait, each for another time.
const PAUSE_MS: f64 = 40.0;

/// The row of a person who arrives in a version, alone.
fn arrival(person: &Person, id: Option<i64>, version: i64) -> Value {
    let mut row = person.to_row(id, Some(version));
    if let Some(row) = row.as_object_mut() {
        row.insert("n".to_owned(), 0.into());
    }
    row
}

/// How far the ids are: the greatest that the sequence has given, and that any database has seen.
pub async fn ids(shards: &Shards) -> Result<(i64, i64), Error> {
    let rows = shards.rows(&known::greatest()).await?;
    let last = rows.first().and_then(|row| row.integer(0));
    let greatest = rows.iter().filter_map(|row| row.integer(1)).max();
    Ok((last.unwrap_or_default(), greatest.unwrap_or_default()))
}

/// Adds a person under the next id.
///
/// # Errors
/// A place that does not stand, a second king, or a key that came with another request.
pub async fn create(
    call: &Call,
    shards: Shards,
    person: &Person,
    keyed: Option<Keyed>,
) -> Result<Answer, Error> {
    let place = person.residence.place();
    let to = shards.map.of(place);
    let registrar = Registrar::at(&call.env, shards.database(to)?.clone())?;
    let first = shards.database(0)?;
    let kept = async {
        match &keyed {
            Some(keyed) => keyed.kept(first).await,
            None => Ok(None),
        }
    };
    let stands = async { Ok(registrar.must_stand(place).await) };
    let (kept, stands, (last, greatest)) = try_join3(kept, stands, ids(&shards)).await?;
    if let Some(kept) = kept {
        return replay(&shards, kept).await;
    }
    stands?;

    let handover = Handover::new(None, [(to, arrival(person, None, 1))]);
    if let Err(error) = handover.prepare(&shards).await {
        return Err(registrar.refused(error, person.residence).await);
    }
    handover.look(&shards, &registrar).await?;
    let new = New {
        unnumbered: 1,
        chosen: 0,
        last,
        greatest,
    };
    let first_id = match given(&shards, &handover, new, person, keyed).await? {
        Given::Id(first_id) => first_id,
        Given::Kept(kept) => return replay(&shards, kept).await,
    };
    let rows = handover.arrive(&shards, first_id).await?;
    handover.forget_behind(call, &shards)?;
    match Stored::written(&rows) {
        Some(written) => Ok(written.into_created(PEOPLE)),
        // A reader has had them arrive already.
        None => arrived(&shards, first_id).await,
    }
}

/// What came of the decision that somebody new arrives.
enum Given {
    /// They do, under this id.
    Id(Option<i64>),
    /// The same request has been faster, and got this answer.
    Kept(Stored),
}

/// Decides that somebody new arrives, and keeps the answer if the request has a key.
async fn given(
    shards: &Shards,
    handover: &Handover,
    new: New,
    person: &Person,
    keyed: Option<Keyed>,
) -> Result<Given, Error> {
    let mut decide = store::give(&handover.token, &new);
    if let Some([key, fingerprint]) = keyed.as_ref().map(Keyed::names) {
        let row = person.to_row(None, None);
        decide.push(store::remember(&handover.token, key, fingerprint, &row));
    }
    let error = match handover.decide(shards, &decide).await {
        Ok(decided) => {
            let first_id = decided.iter().flatten().find_map(|row| row.integer(0));
            return Ok(Given::Id(first_id));
        }
        Err(error) => error,
    };
    match keyed {
        Some(keyed) if error.is_unique("idempotency.key") => {
            let kept = keyed.kept(shards.database(0)?).await?;
            Ok(Given::Kept(kept.ok_or_else(Problem::request_in_flight)?))
        }
        _ if is_late(&error) => Err(Problem::being_written().into()),
        _ => Err(error),
    }
}

/// The answer for somebody whom others have had arrive.
async fn arrived(shards: &Shards, first_id: Option<i64>) -> Result<Answer, Error> {
    let id = first_id
        .and_then(PersonId::new)
        .ok_or_else(Problem::internal)?;
    let stored = stored(shards, id).await?;
    Ok(stored
        .ok_or_else(Problem::being_written)?
        .into_created(PEOPLE))
}

/// The person as of now, whoever has written them.
async fn stored(shards: &Shards, id: PersonId) -> Result<Option<Stored>, Error> {
    let (rows, whereabouts) = super::find::at_rest(shards, id).await?;
    let row = match whereabouts {
        Whereabouts::In(shard) => rows.get(shard),
        _ => None,
    };
    Ok(row.map(|row| Stored {
        id: id.get(),
        version: row.integer(5).unwrap_or_default(),
        body: row.value(4),
    }))
}

/// The answer once more. It is kept with the decision, so that the person will be there; now
/// they are.
async fn replay(shards: &Shards, kept: Stored) -> Result<Answer, Error> {
    open::end(shards, None).await?;
    Ok(kept.replayed(PEOPLE))
}

/// Whether a handover came too late: somebody else was faster, and it is to be tried again.
fn is_late(error: &Error) -> bool {
    error.is_unique("decision.token") || error.is_unique("arrival.person_id")
}

async fn back_off() {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few milliseconds"
    )]
    let some = (1.0 + PAUSE_MS * js_sys::Math::random()) as u32;
    pause(some).await;
}

impl Layout {
    /// Moves a person into another database; none if somebody else was faster.
    ///
    /// # Errors
    /// A place that does not stand any more, or a second king.
    pub async fn hand_over(
        &self,
        call: &Call,
        registrar: &Registrar,
        current: &Stored,
        person: &Person,
        to: usize,
    ) -> Result<Option<Stored>, Error> {
        let shards = &self.shards;
        let Whereabouts::In(from) = self.whereabouts else {
            return Ok(None);
        };
        let row = arrival(person, Some(current.id), current.version + 1);
        let handover = Handover::moving(from, [(to, row)]);
        let there = Registrar::at(&call.env, shards.database(to)?.clone())?;
        match handover.prepare(shards).await {
            Ok(()) => {}
            Err(error) if is_late(&error) => {
                back_off().await;
                return Ok(None);
            }
            Err(error) => return Err(there.refused(error, person.residence).await),
        }
        handover.look(shards, registrar).await?;
        let peer = shards.map.shards().get(to).ok_or_else(Problem::internal)?;
        let go = Going {
            to: &peer.binding,
            count: 1,
            leaving: &[(current.id, current.version)],
            fence: None,
        };
        let leave = store::leave(&handover.token, &go);
        match handover.decide(shards, &leave).await {
            Ok(_) => {}
            Err(error) if is_late(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
        let rows = handover.arrive(shards, None).await?;
        handover.forget_behind(call, shards)?;
        self.written(&rows, current.id).await
    }

    /// Adds a person under an id that was chosen; none if somebody else was faster.
    ///
    /// # Errors
    /// As [`Self::hand_over`].
    pub async fn take_in(
        &self,
        call: &Call,
        registrar: &Registrar,
        id: PersonId,
        person: &Person,
    ) -> Result<Option<Stored>, Error> {
        let shards = &self.shards;
        let Some(version) = self.whereabouts.free_behind() else {
            return Ok(None);
        };
        // Before it is looked whether the id is free: what was given until then is seen.
        let (last, greatest) = ids(shards).await?;
        let to = shards.map.of(person.residence.place());
        let row = arrival(person, Some(id.get()), version + 1);
        let handover = Handover::new(self.whereabouts.origin(to), [(to, row)]);
        let there = Registrar::at(&call.env, shards.database(to)?.clone())?;
        match handover.prepare(shards).await {
            Ok(()) => {}
            Err(error) if is_late(&error) => {
                back_off().await;
                return Ok(None);
            }
            Err(error) => return Err(there.refused(error, person.residence).await),
        }
        // Of two who bring the same person, each first says so and then looks, so that one of
        // them sees the other at least.
        if !is_free(shards, id, version, &handover.token).await? {
            handover.withdraw(shards).await?;
            back_off().await;
            return Ok(None);
        }
        handover.look(shards, registrar).await?;
        let peer = shards.map.shards().get(to).ok_or_else(Problem::internal)?;
        let decide = if self.whereabouts.origin(to).is_some() {
            // An id that has been used is never given.
            let go = Going {
                to: &peer.binding,
                count: 1,
                leaving: &[],
                fence: None,
            };
            store::leave(&handover.token, &go)
        } else {
            let new = New {
                unnumbered: 0,
                chosen: id.get(),
                last,
                greatest,
            };
            store::give(&handover.token, &new)
        };
        match handover.decide(shards, &decide).await {
            Ok(_) => {}
            Err(error) if is_late(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
        let rows = handover.arrive(shards, None).await?;
        handover.forget_behind(call, shards)?;
        self.written(&rows, id.get()).await
    }

    /// What has arrived, by oneself or by a reader.
    async fn written(&self, rows: &[edge::Row], id: i64) -> Result<Option<Stored>, Error> {
        if let Some(written) = Stored::written(rows) {
            return Ok(Some(written));
        }
        let id = PersonId::new(id).ok_or_else(Problem::internal)?;
        stored(&self.shards, id).await
    }
}

/// Whether nobody has this id, and nobody but this handover is about to have it.
async fn is_free(shards: &Shards, id: PersonId, version: i64, token: &str) -> Result<bool, Error> {
    let mut rows = seen(shards, id, token).await?;
    if rows.iter().any(|row| row.truth(3) || row.truth(9)) {
        open::end(shards, None).await?;
        rows = seen(shards, id, token).await?;
    }
    let is_awaited = rows.iter().any(|row| row.truth(3));
    Ok(!is_awaited && placed(&rows).free_behind() == Some(version))
}
