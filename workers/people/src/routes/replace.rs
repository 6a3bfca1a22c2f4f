//! `PUT` and `PATCH /v1/people/{id}`

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use edge::{
    Answer, Call, Database, Env, Error, JSON, MERGE_PATCH, Queue, Stored, TRIES, record_of,
    together,
};
use registry::json::Object;
use registry::name::Name;
use registry::{PersonId, Preconditions, Problem};
use serde_json::Value;

use super::settling::Registrar;
use super::writing::{PEOPLE, depose_needs_a_resident};
use crate::domain::Person;
use crate::store;

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["depose"];

/// A person and the new name.
type Rename = (PersonId, Name);

thread_local! {
    static RENAMES: RefCell<Queue<Rename, Stored>> = RefCell::default();
}

/// Writes new names. Of several for one person the first is written, and the others have to be
/// written over it.
async fn rename(env: Env, names: Vec<Rename>) -> Result<Vec<Option<Stored>>, Error> {
    let mut seen = HashSet::new();
    let ids = names.iter().map(|(id, _)| seen.insert(*id).then_some(*id));
    let ids: Vec<Option<PersonId>> = ids.collect();
    let firsts = names.into_iter().zip(&ids);
    let firsts: Vec<Rename> = firsts.filter_map(|(name, id)| id.and(Some(name))).collect();
    let rows = Database::of(&env)?.rows(&store::rename(&firsts)).await?;
    let mut written: HashMap<i64, Stored> = rows
        .iter()
        .filter_map(|row| Stored::written(std::slice::from_ref(row)))
        .map(|stored| (stored.id, stored))
        .collect();
    let of_each = ids.into_iter().map(|id| written.remove(&id?.get()));
    Ok(of_each.collect())
}

/// A change of one person, as far as it does not depend on how it is put.
struct Change {
    id: PersonId,
    preconditions: Preconditions,
    depose: bool,
}

impl Change {
    fn of(call: &Call) -> Result<Self, Problem> {
        let depose = call.params(PARAMETERS)?.get("depose")?;
        Ok(Self {
            id: call.id()?,
            preconditions: call.preconditions()?,
            depose: depose.unwrap_or(false),
        })
    }
}

/// Puts a person in the place of one with this id, or adds one under it.
///
/// # Errors
/// A body that is no person, a precondition that is not met, a rule that the state breaks.
pub async fn put(call: Call) -> Result<Answer, Error> {
    let change = Change::of(&call)?;
    let (object, _) = call.object(JSON).await?;
    let person: Person = record_of(object, Some(change.id.get()))?;
    for _ in 0..TRIES {
        let registrar = Registrar::of(&call.env)?;
        let current = registrar.current(change.id).await?;
        change
            .preconditions
            .check(current.as_ref().map(|now| now.version))?;
        let answer = match current {
            Some(current) => change.apply(&call, registrar, current, &person).await?,
            None => change.add(&call, registrar, &person).await?,
        };
        if let Some(answer) = answer {
            return Ok(answer);
        }
    }
    Err(Problem::being_written().into())
}

/// Changes some fields of a person (RFC 7396).
///
/// # Errors
/// As [`put`], and a person who does not exist.
pub async fn patch(call: Call) -> Result<Answer, Error> {
    let change = Change::of(&call)?;
    let (patch, _) = call.object(MERGE_PATCH).await?;
    if let Some(answer) = change.rename(&call, &patch).await? {
        return Ok(answer);
    }
    for _ in 0..TRIES {
        let registrar = Registrar::of(&call.env)?;
        let current = registrar.current(change.id).await?;
        let current = current.ok_or_else(|| Problem::not_found("person", change.id.get()))?;
        change.preconditions.check(Some(current.version))?;
        let before: Person = current.record()?;
        let object = before.to_object().patched(patch.clone());
        let person: Person = record_of(object, Some(change.id.get()))?;
        if let Some(answer) = change.apply(&call, registrar, current, &person).await? {
            return Ok(answer);
        }
    }
    Err(Problem::being_written().into())
}

impl Change {
    /// Changes no more than the name: no rule bears on who has which, so that nothing has to be
    /// read first. None where nothing was written, or more has to be known.
    async fn rename(&self, call: &Call, patch: &Object) -> Result<Option<Answer>, Error> {
        if self.depose || self.preconditions != Preconditions::default() || patch.0.len() != 1 {
            return Ok(None);
        }
        let name = patch.0.get("name").and_then(Value::as_str);
        let Some(name) = name.and_then(|name| Name::new(name, edge::normalize)) else {
            return Ok(None);
        };
        let written = together(&RENAMES, call, (self.id, name), rename).await?;
        Ok(written.map(Stored::into_answer))
    }

    /// Writes the person over the current one; none if somebody else was faster.
    async fn apply(
        &self,
        call: &Call,
        registrar: Registrar,
        current: Stored,
        person: &Person,
    ) -> Result<Option<Answer>, Error> {
        let before: Person = current.record()?;
        if before == *person {
            return Ok(Some(current.into_answer()));
        }
        let anew = person.residence.refers_anew(Some(before.residence));
        if anew.is_some() && self.depose {
            return Err(depose_needs_a_resident().into());
        }
        registrar.must_stand(anew).await?;

        let mut row = person.to_row(Some(self.id.get()), Some(current.version));
        if let Some(row) = row.as_object_mut() {
            row.insert("isAnew".to_owned(), anew.is_some().into());
        }
        let mut statements = Vec::new();
        if let Some(place) = person.residence.place()
            && person.residence.is_king()
            && self.depose
        {
            statements.push(store::depose(place, self.id, current.version));
        }
        statements.push(store::update(&row));
        let results = match registrar.database.batch(&statements).await {
            Ok(results) => results,
            Err(error) => return Err(registrar.refused(error, person.residence).await),
        };
        let Some(written) = results.last().and_then(|rows| Stored::written(rows)) else {
            return Ok(None);
        };
        if let Some(place) = anew {
            let write = (written.id, written.version);
            registrar.look_again(call, &[(write, place.get())]).await?;
        }
        Ok(Some(written.into_answer()))
    }

    /// Adds the person under the id; none if somebody else was faster.
    async fn add(
        &self,
        call: &Call,
        registrar: Registrar,
        person: &Person,
    ) -> Result<Option<Answer>, Error> {
        if self.depose {
            return Err(depose_needs_a_resident().into());
        }
        if !self.id.is_choosable() {
            let expected = registry::fields::EXPECTED_CHOICE;
            return Err(Problem::invalid_parameter("id", expected).into());
        }
        let place = person.residence.place();
        registrar.must_stand(place).await?;
        let insert = store::insert(&person.to_row(Some(self.id.get()), None));
        let results = match registrar.database.batch(&[insert]).await {
            Ok(results) => results,
            Err(error) if error.is_unique("person.id") => return Ok(None),
            Err(error) => return Err(registrar.refused(error, person.residence).await),
        };
        let written = results.first().and_then(|rows| Stored::written(rows));
        let written = written.ok_or_else(Problem::internal)?;
        if let Some(place) = place {
            let write = (written.id, written.version);
            registrar.look_again(call, &[(write, place.get())]).await?;
        }
        Ok(Some(written.into_created(PEOPLE)))
    }
}
