//! `/ui/people/{id}`, `/ui/people/{id}/{action}` and `/ui/people/new`

use domain::PersonId;
use edge::{Answer, Call, Error};
use futures_util::future::join;
use http_semantics::Problem;
use pages::Form;
use pages::api::{Change, Person, Place};
use pages::person::{self, Action, PersonPage};
use serde_json::{Value, json};

use super::form::{self, Session, Write};
use super::reading::{choices, history, missing, or_warn, places_of, record, with};
use super::{done, html};
use crate::routes::people_per_place::Services;

/// A person.
///
/// # Errors
/// One who does not exist, or a register that does not answer.
pub async fn person(call: Call) -> Result<Answer, Error> {
    let id: PersonId = call.id()?;
    let services = Services::of(&call.env)?;
    let mut notices = done(&call.query);
    let path = format!("/v1/people/{id}");
    let (found, changes) = join(
        record::<Person>(&services.people, &path),
        history::<Person>(&services.people, &path),
    )
    .await;
    let (person, version) = found?.ok_or_else(|| missing("person", id.get()))?;
    let changes = changes.unwrap_or_default();
    let spoken_of = changes
        .iter()
        .filter_map(|change: &Change<Person>| change.record.as_ref());
    let ids = spoken_of
        .chain([&person])
        .filter_map(|person| person.place_id)
        .collect();
    let places = or_warn(
        places_of(&services, ids).await,
        "the names of the places",
        &mut notices,
    );
    let page = PersonPage {
        person,
        version,
        places: places.unwrap_or_default(),
        history: changes,
        notices,
    };
    Ok(html(200, page.to_html()))
}

fn target(call: &Call) -> Result<(PersonId, Action), Problem> {
    let action = call.segments.get(1).and_then(|name| Action::of(name));
    Ok((call.id()?, action.ok_or_else(Problem::unknown_route)?))
}

async fn found(services: &Services, id: PersonId) -> Result<(Person, String), Error> {
    let found = record::<Person>(&services.people, &format!("/v1/people/{id}")).await?;
    found.ok_or_else(|| missing("person", id.get()))
}

/// The form of an action.
///
/// # Errors
/// A person who does not exist.
pub async fn person_action(call: Call) -> Result<Answer, Error> {
    let (id, action) = target(&call)?;
    let services = Services::of(&call.env)?;
    let (found, places) = join(found(&services, id), choices(&services)).await;
    let (person, version) = found?;
    let places = with(&services, places, person.place_id).await;
    let mut form = Session::of(&call).begin(Form::default());
    person::fill(&mut form, &person, place_text(person.place_id, &places));
    form.set("version", version);
    Ok(html(200, person::action(&person, action, &form, &places)))
}

/// What a field shows for a place.
fn place_text(id: Option<i64>, known: &[Place]) -> String {
    let Some(id) = id else { return String::new() };
    let place = known.iter().find(|place| place.id == id);
    place.map_or_else(|| format!("#{id}"), |place| place.name.clone())
}

/// The action itself.
///
/// # Errors
/// A form that is not ours, or a person who does not exist.
pub async fn change_person(call: Call) -> Result<Answer, Error> {
    let (id, action) = target(&call)?;
    let mut form = form::read(&call).await?;
    let mut session = Session::of(&call);
    let services = Services::of(&call.env)?;
    if session.admits(&mut form)
        && let Some(body) = body(&services, action, &mut form).await?
        && write(id, body, &form)
            .send(&services.people, &mut form)
            .await?
            .is_some()
    {
        let path = match action {
            Action::Remove => "/ui/people".to_owned(),
            _ => format!("/ui/people/{id}"),
        };
        let location = format!("{path}?done={}", action.done());
        return Ok(session.keep(Answer::see_other(location)));
    }
    let (found, places) = join(found(&services, id), choices(&services)).await;
    let (person, _) = found?;
    let places = with(&services, places, person.place_id).await;
    let page = person::action(&person, action, &form, &places);
    Ok(session.keep(html(form.status(), page)))
}

/// What an action changes; `null` is a removal. Nothing where the form now says why not.
async fn body(
    services: &Services,
    action: Action,
    form: &mut Form,
) -> Result<Option<Value>, Error> {
    Ok(match action {
        Action::Edit => fields(services, form).await?,
        Action::Crown => Some(json!({"isKing": true})),
        Action::Uncrown => Some(json!({"isKing": false})),
        Action::Bury => Some(json!({"isAlive": false, "isKing": false})),
        Action::Remove => Some(Value::Null),
    })
}

fn write(id: PersonId, body: Value, form: &Form) -> Write<'static> {
    let path = format!("/v1/people/{id}");
    if body.is_null() {
        return Write {
            method: "DELETE",
            path,
            body: None,
        };
    }
    let depose = if form.is_ticked("depose") {
        "?depose=true"
    } else {
        ""
    };
    Write {
        method: "PATCH",
        path: path + depose,
        body: Some(body),
    }
}

/// All the fields of a person, the place looked up.
async fn fields(services: &Services, form: &mut Form) -> Result<Option<Value>, Error> {
    let place = form::place(services, form, "placeId").await?;
    if form.is_wrong() {
        return Ok(None);
    }
    Ok(Some(person::body(form, place)))
}

/// The form of a new person, of the place that the query names.
///
/// # Errors
/// A worker without its bindings.
pub async fn new_person(call: Call) -> Result<Answer, Error> {
    let services = Services::of(&call.env)?;
    let asked = Form::read(call.query.as_bytes());
    let mut form = Session::of(&call).begin(Form::default());
    form.set("isAlive", "on");
    form::fresh_key(&mut form);
    let id = asked
        .get("placeId")
        .strip_prefix('#')
        .and_then(|id| id.parse().ok());
    let places = with(&services, choices(&services).await, id).await;
    form.set("placeId", place_text(id, &places));
    Ok(html(200, person::new(&form, &places)))
}

/// Adds a person.
///
/// # Errors
/// A form that is not ours.
pub async fn take_person(call: Call) -> Result<Answer, Error> {
    let mut form = form::read(&call).await?;
    let mut session = Session::of(&call);
    let services = Services::of(&call.env)?;
    if session.admits(&mut form)
        && let Some(body) = fields(&services, &mut form).await?
    {
        let write = Write {
            method: "POST",
            path: "/v1/people".to_owned(),
            body: Some(body),
        };
        if let Some(created) = write.send(&services.people, &mut form).await? {
            let id = form::id_of(&created).unwrap_or_default();
            let location = format!("/ui/people/{id}?done=added");
            return Ok(session.keep(Answer::see_other(location)));
        }
    }
    form::fresh_key(&mut form);
    let page = person::new(&form, &choices(&services).await);
    Ok(session.keep(html(form.status(), page)))
}
