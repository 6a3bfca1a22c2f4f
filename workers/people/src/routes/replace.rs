//! `PUT` and `PATCH /v1/people/{id}`

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use domain::name::Name;
use domain::{PersonId, PlaceId};
use edge::group_commit::{self, WriteCoalescer, group_commit};
use edge::{
    Database, Env, Error, JSON, MERGE_PATCH, Request, Response, VersionedRecord, parse_record,
};
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use http_semantics::{Preconditions, Problem};
use serde_json::Value;
use tables::Record;

use super::writing::response;
use crate::domain::Person;
use crate::service::{self, Plan};
use crate::store::{self, NewPlace, PlaceChange};

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["depose"];

/// A person and the new name.
type Rename = (PersonId, Name);

thread_local! {
    static RENAMES: RefCell<WriteCoalescer<Rename, VersionedRecord>> = const { group_commit::coalescer() };
}

/// Writes new names. Of several for one person the first is written, and the others have to be
/// written over it.
async fn rename(env: Env, names: Vec<Rename>) -> Result<Vec<Option<VersionedRecord>>, Error> {
    let mut seen = HashSet::new();
    let ids = names.iter().map(|(id, _)| seen.insert(*id).then_some(*id));
    let ids: Vec<Option<PersonId>> = ids.collect();
    let firsts = names.into_iter().zip(&ids);
    let firsts: Vec<Rename> = firsts.filter_map(|(name, id)| id.and(Some(name))).collect();
    let rows = Database::new(&env)?.rows(&store::rename(&firsts)).await?;
    let mut written: HashMap<i64, VersionedRecord> = rows
        .iter()
        .filter_map(|row| VersionedRecord::from_returning(std::slice::from_ref(row)))
        .map(|stored| (stored.id, stored))
        .collect();
    let of_each = ids.into_iter().map(|id| written.remove(&id?.get()));
    Ok(of_each.collect())
}

/// What PUT and PATCH have in common.
struct Change {
    id: PersonId,
    preconditions: Preconditions,
    depose: bool,
}

impl Change {
    fn read(request: &Request) -> Result<Self, Problem> {
        let depose = request.params(PARAMETERS)?.get("depose")?;
        Ok(Self {
            id: request.id()?,
            preconditions: request.preconditions()?,
            depose: depose.unwrap_or(false),
        })
    }
}

/// Replaces the person with this id, or adds one under it.
///
/// # Errors
/// A body that is no person, a precondition that fails, or a rule that the new state breaks.
pub async fn put(request: Request) -> Result<Response, Error> {
    let change = Change::read(&request)?;
    let (object, _) = request.json_object(JSON).await?;
    let person: Person = parse_record(object, Some(change.id.get()))?;
    let place_change = PlaceChange {
        place: NewPlace::Set(person.residence.place()),
        is_alive: Some(person.residence.is_alive()),
    };
    let plan = |current: Option<&VersionedRecord>| {
        let version = current.map(|current| current.version);
        change.preconditions.check(version)?;
        match current {
            Some(current) => change.update(current, person.clone()),
            None => change.insert(person.clone()),
        }
    };
    let written = service::write(&request, change.id, place_change, plan).await?;
    Ok(response(written))
}

/// Changes some fields of a person (RFC 7396).
///
/// # Errors
/// As [`put`], and a person who does not exist.
pub async fn patch(request: Request) -> Result<Response, Error> {
    let change = Change::read(&request)?;
    let (patch, _) = request.json_object(MERGE_PATCH).await?;
    if let Some(answer) = change.rename(&request, &patch).await? {
        return Ok(answer);
    }
    let plan = |current: Option<&VersionedRecord>| {
        let current = current.ok_or_else(|| Problem::not_found("person", change.id.get()))?;
        change.preconditions.check(Some(current.version))?;
        let before: Person = current.record()?;
        let object = before.to_object().patched(patch.clone());
        let person = parse_record(object, Some(change.id.get()))?;
        change.update(current, person)
    };
    let written = service::write(&request, change.id, place_change(&patch), plan).await?;
    Ok(response(written))
}

/// What a merge patch says about the place, as far as its fields are valid: an invalid one is
/// rejected before anything is written.
fn place_change(patch: &Object) -> PlaceChange {
    let place = patch.0.get("placeId");
    let is_alive = patch.0.get("isAlive");
    PlaceChange {
        place: place.map_or(NewPlace::Unchanged, |place| {
            NewPlace::Set(place.as_i64().and_then(PlaceId::new))
        }),
        is_alive: is_alive.map(|is_alive| is_alive.as_bool().unwrap_or(false)),
    }
}

impl Change {
    /// Changes nothing but the name: no rule depends on it, so nothing has to be read first.
    /// None if nothing was written, or if the rules have to be checked.
    async fn rename(&self, request: &Request, patch: &Object) -> Result<Option<Response>, Error> {
        if self.depose || self.preconditions != Preconditions::default() || patch.0.len() != 1 {
            return Ok(None);
        }
        let name = patch.0.get("name").and_then(Value::as_str);
        let Some(name) = name.and_then(|name| Name::new(name, edge::normalize)) else {
            return Ok(None);
        };
        let written = group_commit(&RENAMES, request, (self.id, name), rename).await?;
        Ok(written.map(VersionedRecord::into_response))
    }

    fn update(&self, current: &VersionedRecord, person: Person) -> Result<Plan, Error> {
        let before: Person = current.record()?;
        if before == person {
            return Ok(Plan::Unchanged);
        }
        let new_reference = person.residence.new_reference(Some(before.residence));
        if new_reference.is_some() && self.depose {
            return Err(depose_needs_a_resident().into());
        }
        let depose = self.depose && person.residence.is_king();
        Ok(Plan::Update { person, depose })
    }

    fn insert(&self, person: Person) -> Result<Plan, Error> {
        if self.depose {
            return Err(depose_needs_a_resident().into());
        }
        if !self.id.is_choosable() {
            let expected = http_semantics::fields::EXPECTED_CHOICE;
            return Err(Problem::invalid_parameter("id", expected).into());
        }
        Ok(Plan::Insert(person))
    }
}

/// `depose` applies to the king of the place where the person lives already.
fn depose_needs_a_resident() -> Problem {
    Problem::invalid_record(&[FieldError {
        pointer: "/placeId".to_owned(),
        detail: "as it is, with `depose`: move first, then crown".to_owned(),
    }])
}
