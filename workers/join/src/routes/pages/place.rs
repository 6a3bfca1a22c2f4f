//! `/ui/places/{id}`, `/ui/places/{id}/{action}` and `/ui/places/new`

use domain::{PlaceId, name};
use edge::{Error, Request, Response};
use futures_util::future::{join, join4};
use http_semantics::Problem;
use pages::api::{King, Person, Place, Population};
use pages::people::{People, PeopleQuery};
use pages::place::{self, Action, PlacePage};
use pages::{Form, Notice};
use serde::Deserialize;
use serde_json::json;

use super::form::{self, Session, Write};
use super::reads::{choices, history, list, missing, or_warn, record};
use super::stale_part::StalePart;
use super::{flash, html};
use crate::backends::Backends;

/// The page of a place with its people.
///
/// # Errors
/// A place that does not exist.
pub async fn place(request: Request) -> Result<Response, Error> {
    let id: PlaceId = request.id()?;
    let backends = Backends::new(&request.env)?;
    let mut notices = flash(&request.query);
    let query = PeopleQuery::parse(&request.query);
    let path = format!("/v1/places/{id}");
    let (people_path, population_path) = (
        query.api_path(Some(id.get())),
        format!("/v1/people/population?ids={id}"),
    );
    let (place, people, population, changes) = join4(
        record::<Place>(&backends.places, &path),
        list::<Person>(&backends.people, &people_path),
        list::<Population>(&backends.people, &population_path),
        history(&backends.places, &path),
    )
    .await;
    let mut population = population.ok().map(|(found, _)| {
        let empty = counted(id, &[]);
        found.into_iter().next().unwrap_or(empty)
    });
    let is_missing = place.is_err() || people.is_err();
    let stale = if is_missing && query.is_default() {
        StalePart::<PlaceWithPeople>::load(&request, &format!("/people-per-place/{id}"), "").await
    } else {
        None
    };
    let (place, people) = match stale {
        None => (place, people),
        Some(stale) => {
            if stale.content.next.is_none() {
                population = population.or(Some(counted(id, &stale.content.people)));
            }
            fill(&stale, id, place, people, &mut notices)
        }
    };
    let place = match or_warn(place, "the name of the place", &mut notices) {
        Some(None) => return Err(missing("place", id.get())),
        Some(Some((place, _))) => place,
        None => Place {
            id: id.get(),
            name: format!("Place {id}"),
        },
    };
    let (people, next) = or_warn(people, "who lives here", &mut notices).unzip();
    let page = PlacePage {
        place,
        population,
        people: People {
            query,
            people,
            places: Vec::new(),
            next: next.flatten(),
            notices: Vec::new(),
        },
        history: changes.unwrap_or_default(),
        notices,
    };
    Ok(html(200, page.to_html()))
}

/// A place with its people, as the API shows it.
#[derive(Deserialize)]
struct PlaceWithPeople {
    name: String,
    people: Vec<Person>,
    /// The link to more people, if there are more.
    next: Option<String>,
}

/// A place with its version: none if it does not exist.
type ReadPlace = Result<Option<(Place, String)>, Error>;

/// Its people, and the cursor of the next page.
type ReadPeople = Result<(Vec<Person>, Option<String>), Error>;

/// Replaces the failed reads by the snapshot.
fn fill(
    stale: &StalePart<PlaceWithPeople>,
    id: PlaceId,
    place: ReadPlace,
    people: ReadPeople,
    notices: &mut Vec<Notice>,
) -> (ReadPlace, ReadPeople) {
    let mut warn = |error, what| stale.warn(error, what, notices);
    let place = place.or_else(|error| {
        warn(error, "the name of the place");
        let place = Place {
            id: id.get(),
            name: stale.content.name.clone(),
        };
        Ok(Some((place, String::new())))
    });
    let people = people.or_else(|error| {
        warn(error, "who lives here");
        let mut people = stale.content.people.clone();
        people.sort_by_cached_key(|person| name::key(&person.name));
        Ok((people, None))
    });
    (place, people)
}

/// The population of a place, counted.
fn counted(id: PlaceId, people: &[Person]) -> Population {
    let living = people.iter().filter(|person| person.is_alive).count();
    let king = people.iter().find(|person| person.is_king);
    let number = |count: usize| i64::try_from(count).unwrap_or_default();
    Population {
        place_id: id.get(),
        living: number(living),
        dead: number(people.len() - living),
        king: king.map(|king| King {
            id: king.id,
            name: king.name.clone(),
        }),
    }
}

fn target(request: &Request) -> Result<(PlaceId, Action), Problem> {
    let action = request.segments.get(1).and_then(|name| Action::parse(name));
    Ok((request.id()?, action.ok_or_else(Problem::unknown_route)?))
}

async fn found(backends: &Backends, id: PlaceId) -> Result<(Place, String), Error> {
    let found = record::<Place>(&backends.places, &format!("/v1/places/{id}")).await?;
    found.ok_or_else(|| missing("place", id.get()))
}

/// The form of an action.
///
/// # Errors
/// A place that does not exist.
pub async fn place_action(request: Request) -> Result<Response, Error> {
    let (id, action) = target(&request)?;
    let backends = Backends::new(&request.env)?;
    let (found, places) = join(found(&backends, id), choices(&backends)).await;
    let (place, version) = found?;
    let mut form = Session::load(&request).begin(Form::default());
    form.set("name", &*place.name);
    form.set("version", version);
    Ok(html(200, place::action(&place, action, &form, &places)))
}

/// Performs an action.
///
/// # Errors
/// A form of another origin, or a place that does not exist.
pub async fn change_place(request: Request) -> Result<Response, Error> {
    let (id, action) = target(&request)?;
    let mut form = form::read(&request).await?;
    let mut session = Session::load(&request);
    let backends = Backends::new(&request.env)?;
    if session.may_write(&mut form)
        && let Some(write) = write(&backends, id, action, &mut form).await?
        && write.send(&backends.places, &mut form).await?.is_some()
    {
        let location = match action {
            Action::Rename => format!("/ui/places/{id}?done=saved"),
            Action::Remove => "/?done=removed".to_owned(),
        };
        return Ok(session.store(Response::see_other(location)));
    }
    let (found, places) = join(found(&backends, id), choices(&backends)).await;
    let page = place::action(&found?.0, action, &form, &places);
    Ok(session.store(html(form.status(), page)))
}

async fn write(
    backends: &Backends,
    id: PlaceId,
    action: Action,
    form: &mut Form,
) -> Result<Option<Write<'static>>, Error> {
    let path = format!("/v1/places/{id}");
    Ok(match action {
        Action::Rename => Some(Write {
            method: "PATCH",
            path,
            body: Some(json!({"name": form.get("name")})),
        }),
        Action::Remove => {
            let target = form::place(backends, form, "reassignTo").await?;
            if form.has_errors() {
                return Ok(None);
            }
            let query = target.map(|target| format!("?reassignTo={target}"));
            Some(Write {
                method: "DELETE",
                path: path + &query.unwrap_or_default(),
                body: None,
            })
        }
    })
}

/// The form of a new place.
///
/// # Errors
/// None.
pub async fn new_place(request: Request) -> Result<Response, Error> {
    let mut form = Session::load(&request).begin(Form::default());
    form::add_idempotency_key(&mut form);
    Ok(html(200, place::new(&form)))
}

/// Creates a place.
///
/// # Errors
/// A form of another origin.
pub async fn create_place(request: Request) -> Result<Response, Error> {
    let mut form = form::read(&request).await?;
    let mut session = Session::load(&request);
    let backends = Backends::new(&request.env)?;
    let write = Write {
        method: "POST",
        path: "/v1/places".to_owned(),
        body: Some(json!({"name": form.get("name")})),
    };
    if session.may_write(&mut form)
        && let Some(created) = write.send(&backends.places, &mut form).await?
    {
        let id = form::id_of(&created).unwrap_or_default();
        let location = format!("/ui/places/{id}?done=added");
        return Ok(session.store(Response::see_other(location)));
    }
    form::add_idempotency_key(&mut form);
    Ok(session.store(html(form.status(), place::new(&form))))
}
