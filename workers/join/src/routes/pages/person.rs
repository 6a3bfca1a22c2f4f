//! `/ui/people/{id}`, `/ui/people/{id}/{action}` and `/ui/people/new`

use domain::PersonId;
use edge::{Error, Request, Response};
use futures_util::future::join;
use http_semantics::Problem;
use pages::Form;
use pages::api::{Change, Person, Place};
use pages::person::{self, Action, PersonPage};
use serde_json::{Value, json};

use super::form::{self, Session, Write};
use super::reads::{choices, history, missing, or_warn, places_of, record, with};
use super::{flash, html};
use crate::backends::Backends;

/// The page of a person.
///
/// # Errors
/// A person who does not exist, or a backend that failed.
pub async fn person(request: Request) -> Result<Response, Error> {
    let id: PersonId = request.id()?;
    let backends = Backends::new(&request.env)?;
    let mut notices = flash(&request.query);
    let path = format!("/v1/people/{id}");
    let (found, changes) = join(
        record::<Person>(&backends.people, &path),
        history::<Person>(&backends.people, &path),
    )
    .await;
    let (person, version) = found?.ok_or_else(|| missing("person", id.get()))?;
    let changes = changes.unwrap_or_default();
    let past = changes
        .iter()
        .filter_map(|change: &Change<Person>| change.record.as_ref());
    let ids = past
        .chain([&person])
        .filter_map(|person| person.place_id)
        .collect();
    let places = or_warn(
        places_of(&backends, ids).await,
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

fn target(request: &Request) -> Result<(PersonId, Action), Problem> {
    let action = request.segments.get(1).and_then(|name| Action::parse(name));
    Ok((request.id()?, action.ok_or_else(Problem::unknown_route)?))
}

async fn found(backends: &Backends, id: PersonId) -> Result<(Person, String), Error> {
    let found = record::<Person>(&backends.people, &format!("/v1/people/{id}")).await?;
    found.ok_or_else(|| missing("person", id.get()))
}

/// The form of an action.
///
/// # Errors
/// A person who does not exist.
pub async fn person_action(request: Request) -> Result<Response, Error> {
    let (id, action) = target(&request)?;
    let backends = Backends::new(&request.env)?;
    let (found, places) = join(found(&backends, id), choices(&backends)).await;
    let (person, version) = found?;
    let places = with(&backends, places, person.place_id).await;
    let mut form = Session::load(&request).begin(Form::default());
    person::fill(&mut form, &person, place_text(person.place_id, &places));
    form.set("version", version);
    Ok(html(200, person::action(&person, action, &form, &places)))
}

/// The text of a place in a field.
fn place_text(id: Option<i64>, known: &[Place]) -> String {
    let Some(id) = id else { return String::new() };
    let place = known.iter().find(|place| place.id == id);
    place.map_or_else(|| format!("#{id}"), |place| place.name.clone())
}

/// Performs an action.
///
/// # Errors
/// A form of another origin, or a person who does not exist.
pub async fn change_person(request: Request) -> Result<Response, Error> {
    let (id, action) = target(&request)?;
    let mut form = form::read(&request).await?;
    let mut session = Session::load(&request);
    let backends = Backends::new(&request.env)?;
    if session.may_write(&mut form)
        && let Some(body) = body(&backends, action, &mut form).await?
        && write(id, body, &form)
            .send(&backends.people, &mut form)
            .await?
            .is_some()
    {
        let path = match action {
            Action::Remove => "/ui/people".to_owned(),
            _ => format!("/ui/people/{id}"),
        };
        let location = format!("{path}?done={}", action.done());
        return Ok(session.store(Response::see_other(location)));
    }
    let (found, places) = join(found(&backends, id), choices(&backends)).await;
    let (person, _) = found?;
    let places = with(&backends, places, person.place_id).await;
    let page = person::action(&person, action, &form, &places);
    Ok(session.store(html(form.status(), page)))
}

/// The body of an action; `null` is a removal. Without a body, the form states why.
async fn body(
    backends: &Backends,
    action: Action,
    form: &mut Form,
) -> Result<Option<Value>, Error> {
    Ok(match action {
        Action::Edit => fields(backends, form).await?,
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
    let depose = if form.is_checked("depose") {
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

/// All fields of a person, with the id of the place.
async fn fields(backends: &Backends, form: &mut Form) -> Result<Option<Value>, Error> {
    let place = form::place(backends, form, "placeId").await?;
    if form.has_errors() {
        return Ok(None);
    }
    Ok(Some(person::body(form, place)))
}

/// The form of a new person, with the place that the query names.
///
/// # Errors
/// A worker without its bindings.
pub async fn new_person(request: Request) -> Result<Response, Error> {
    let backends = Backends::new(&request.env)?;
    let query = Form::parse(request.query.as_bytes());
    let mut form = Session::load(&request).begin(Form::default());
    form.set("isAlive", "on");
    form::add_idempotency_key(&mut form);
    let id = query
        .get("placeId")
        .strip_prefix('#')
        .and_then(|id| id.parse().ok());
    let places = with(&backends, choices(&backends).await, id).await;
    form.set("placeId", place_text(id, &places));
    Ok(html(200, person::new(&form, &places)))
}

/// Creates a person.
///
/// # Errors
/// A form of another origin.
pub async fn create_person(request: Request) -> Result<Response, Error> {
    let mut form = form::read(&request).await?;
    let mut session = Session::load(&request);
    let backends = Backends::new(&request.env)?;
    if session.may_write(&mut form)
        && let Some(body) = fields(&backends, &mut form).await?
    {
        let write = Write {
            method: "POST",
            path: "/v1/people".to_owned(),
            body: Some(body),
        };
        if let Some(created) = write.send(&backends.people, &mut form).await? {
            let id = form::id_of(&created).unwrap_or_default();
            let location = format!("/ui/people/{id}?done=added");
            return Ok(session.store(Response::see_other(location)));
        }
    }
    form::add_idempotency_key(&mut form);
    let page = person::new(&form, &choices(&backends).await);
    Ok(session.store(html(form.status(), page)))
}
