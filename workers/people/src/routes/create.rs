//! `POST /v1/people`

use edge::{Answer, Call, Error, JSON, Keyed, Stored, record_of};
use futures_util::future::try_join;
use registry::Problem;

use super::settling::Registrar;
use super::writing::PEOPLE;
use crate::domain::Person;
use crate::store;

/// Adds a person under the next id.
///
/// # Errors
/// A body that is no person, a place that does not stand, a second king, or a key that came
/// with another request.
pub async fn create(call: Call) -> Result<Answer, Error> {
    call.params(&[])?;
    let (object, body) = call.object(JSON).await?;
    let person: Person = record_of(object, None)?;
    let keyed = Keyed::of(&call, "POST /people", &body)?;
    let registrar = Registrar::of(&call.env)?;
    let place = person.residence.place();

    let (kept, stands) = match &keyed {
        None => (None, registrar.must_stand(place).await),
        Some(keyed) => {
            let stands = async { Ok(registrar.must_stand(place).await) };
            try_join(keyed.kept(&registrar.database), stands).await?
        }
    };
    if let (Some(kept), Some(keyed)) = (&kept, &keyed) {
        return replay(&registrar, kept, keyed).await;
    }
    stands?;

    let mut statements = vec![store::insert(&person.to_row(None, None))];
    if let Some(keyed) = &keyed {
        statements.push(keyed.remember(store::REGISTER, store::CHANGES));
    }
    let written = match (registrar.database.batch(&statements).await, keyed) {
        (Ok(results), _) => results.first().and_then(|rows| Stored::written(rows)),
        // The same request has been faster.
        (Err(error), Some(keyed)) if error.is_unique("idempotency.key") => {
            let kept = keyed.kept(&registrar.database).await?;
            let kept = kept.ok_or_else(Problem::request_in_flight)?;
            return replay(&registrar, &kept, &keyed).await;
        }
        (Err(error), _) => return Err(registrar.refused(error, person.residence).await),
    };
    let written = written.ok_or_else(Problem::internal)?;
    if let Some(place) = place {
        let write = (written.id, written.version);
        registrar.look_again(&call, &[(write, place.get())]).await?;
    }
    Ok(written.into_created(PEOPLE))
}

/// The answer once more, when it is certain that it will stay: whoever settles the person may
/// find that it has to be taken back, and the answer with it.
async fn replay(registrar: &Registrar, kept: &Stored, keyed: &Keyed) -> Result<Answer, Error> {
    let in_flight = |_| Problem::request_in_flight();
    if let Some(id) = registry::PersonId::new(kept.id) {
        registrar.current(id).await.map_err(in_flight)?;
    }
    let kept = keyed.kept(&registrar.database).await?;
    let kept = kept.ok_or_else(Problem::request_in_flight)?;
    Ok(kept.replayed(PEOPLE))
}
