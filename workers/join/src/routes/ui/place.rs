//! `/ui/places/{id}`, `/ui/places/{id}/{action}` and `/ui/places/new`

use domain::{PlaceId, name};
use edge::{Answer, Call, Error};
use futures_util::future::{join, join4};
use http_semantics::Problem;
use pages::api::{King, Person, Place, Population};
use pages::people::{Ask, People};
use pages::place::{self, Action, PlacePage};
use pages::{Form, Notice};
use serde::Deserialize;
use serde_json::json;

use super::form::{self, Session, Write};
use super::past::{self, Past};
use super::reading::{choices, history, list, missing, or_warn, record};
use super::{done, html};
use crate::routes::people_per_place::Services;

/// A place with its people.
///
/// # Errors
/// One that does not exist.
pub async fn place(call: Call) -> Result<Answer, Error> {
    let id: PlaceId = call.id()?;
    let services = Services::of(&call.env)?;
    let mut notices = done(&call.query);
    let ask = Ask::read(&call.query);
    let path = format!("/v1/places/{id}");
    let (people_path, population_path) = (
        ask.path(Some(id.get())),
        format!("/v1/people/population?ids={id}"),
    );
    let (place, people, population, changes) = join4(
        record::<Place>(&services.places, &path),
        list::<Person>(&services.people, &people_path),
        list::<Population>(&services.people, &population_path),
        history(&services.places, &path),
    )
    .await;
    let mut population = population.ok().map(|(found, _)| {
        let nobody = counted(id, &[]);
        found.into_iter().next().unwrap_or(nobody)
    });
    let is_missing = place.is_err() || people.is_err();
    let past = if is_missing && ask.is_plain() {
        past::past::<Whole>(&call, &format!("/people-per-place/{id}"), "").await
    } else {
        None
    };
    let (place, people) = match past {
        None => (place, people),
        Some(past) => {
            if past.shown.next.is_none() {
                population = population.or(Some(counted(id, &past.shown.people)));
            }
            filled(&past, id, place, people, &mut notices)
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
            ask,
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
struct Whole {
    name: String,
    people: Vec<Person>,
    /// Where there are more people than are shown.
    next: Option<String>,
}

/// What was read of a place: with its version, or none where there is no such place.
type Read = Result<Option<(Place, String)>, Error>;

/// What was read of its people, and where the page behind begins.
type ReadPeople = Result<(Vec<Person>, Option<String>), Error>;

/// What could not be read, as it was.
fn filled(
    past: &Past<Whole>,
    id: PlaceId,
    place: Read,
    people: ReadPeople,
    notices: &mut Vec<Notice>,
) -> (Read, ReadPeople) {
    let mut told = |error, what| past.told(error, what, notices);
    let place = place.or_else(|error| {
        told(error, "the name of the place");
        let place = Place {
            id: id.get(),
            name: past.shown.name.clone(),
        };
        Ok(Some((place, String::new())))
    });
    let people = people.or_else(|error| {
        told(error, "who lives here");
        let mut people = past.shown.people.clone();
        people.sort_by_cached_key(|person| name::key(&person.name));
        Ok((people, None))
    });
    (place, people)
}

/// The people of a place in numbers.
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

fn target(call: &Call) -> Result<(PlaceId, Action), Problem> {
    let action = call.segments.get(1).and_then(|name| Action::of(name));
    Ok((call.id()?, action.ok_or_else(Problem::unknown_route)?))
}

async fn found(services: &Services, id: PlaceId) -> Result<(Place, String), Error> {
    let found = record::<Place>(&services.places, &format!("/v1/places/{id}")).await?;
    found.ok_or_else(|| missing("place", id.get()))
}

/// The form of an action.
///
/// # Errors
/// A place that does not exist.
pub async fn place_action(call: Call) -> Result<Answer, Error> {
    let (id, action) = target(&call)?;
    let services = Services::of(&call.env)?;
    let (found, places) = join(found(&services, id), choices(&services)).await;
    let (place, version) = found?;
    let mut form = Session::of(&call).begin(Form::default());
    form.set("name", &*place.name);
    form.set("version", version);
    Ok(html(200, place::action(&place, action, &form, &places)))
}

/// The action itself.
///
/// # Errors
/// A form that is not ours, or a place that does not exist.
pub async fn change_place(call: Call) -> Result<Answer, Error> {
    let (id, action) = target(&call)?;
    let mut form = form::read(&call).await?;
    let mut session = Session::of(&call);
    let services = Services::of(&call.env)?;
    if session.admits(&mut form)
        && let Some(write) = write(&services, id, action, &mut form).await?
        && write.send(&services.places, &mut form).await?.is_some()
    {
        let location = match action {
            Action::Rename => format!("/ui/places/{id}?done=saved"),
            Action::Remove => "/?done=removed".to_owned(),
        };
        return Ok(session.keep(Answer::see_other(location)));
    }
    let (found, places) = join(found(&services, id), choices(&services)).await;
    let page = place::action(&found?.0, action, &form, &places);
    Ok(session.keep(html(form.status(), page)))
}

async fn write(
    services: &Services,
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
            let heir = form::place(services, form, "reassignTo").await?;
            if form.is_wrong() {
                return Ok(None);
            }
            let heir = heir.map(|heir| format!("?reassignTo={heir}"));
            Some(Write {
                method: "DELETE",
                path: path + &heir.unwrap_or_default(),
                body: None,
            })
        }
    })
}

/// The form of a new place.
///
/// # Errors
/// None.
pub async fn new_place(call: Call) -> Result<Answer, Error> {
    let mut form = Session::of(&call).begin(Form::default());
    form::fresh_key(&mut form);
    Ok(html(200, place::new(&form)))
}

/// Adds a place.
///
/// # Errors
/// A form that is not ours.
pub async fn take_place(call: Call) -> Result<Answer, Error> {
    let mut form = form::read(&call).await?;
    let mut session = Session::of(&call);
    let services = Services::of(&call.env)?;
    let write = Write {
        method: "POST",
        path: "/v1/places".to_owned(),
        body: Some(json!({"name": form.get("name")})),
    };
    if session.admits(&mut form)
        && let Some(created) = write.send(&services.places, &mut form).await?
    {
        let id = form::id_of(&created).unwrap_or_default();
        let location = format!("/ui/places/{id}?done=added");
        return Ok(session.keep(Answer::see_other(location)));
    }
    form::fresh_key(&mut form);
    Ok(session.keep(html(form.status(), place::new(&form))))
}
