//! `/ui/places/{id}`, `/ui/places/{id}/{action}` and `/ui/places/new`

use domain::{PlaceId, name};
use edge::{Error, Request, Response};
use futures_util::future::{join, join4};
use http_semantics::Problem;
use pages::api::{King, PersonView, PlaceView, Population};
use pages::people::{People, PeopleQuery};
use pages::place::{self, Action, PlacePage};
use serde::Deserialize;
use serde_json::json;

use super::form::{Session, Submission, Write, add_idempotency_key, created_id, id_and_action};
use super::reads::{or_notice, read_history, read_list, read_record, suggested_places};
use super::stale_part::StalePart;
use super::{flash, html};
use crate::backends::Backends;
use crate::domain::statistics;

/// The page of a place with its people. If a backend is down, a snapshot replaces its part.
///
/// # Errors
/// A place that does not exist.
pub async fn place(request: Request) -> Result<Response, Error> {
    let id: PlaceId = request.id()?;
    let backends = Backends::new(&request.env)?;
    let mut notices = Vec::new();
    let query = PeopleQuery::parse(&request.query, edge::NORMALIZE);
    let place_path = format!("/v1/places/{id}");
    let people_path = query.api_path(Some(id.get()));
    let population_path = format!("/v1/people/population?ids={id}");
    let (mut place, mut people, population, history) = join4(
        read_record(&backends.places, &place_path),
        read_list(&backends.people, &people_path),
        read_list::<statistics::Population>(&backends.people, &population_path),
        read_history(&backends.places, &place_path),
    )
    .await;
    let mut population = population.ok().map(|(populations, _)| {
        let population = populations.into_iter().next();
        population.map_or_else(|| count(id, &[]), shown)
    });
    // The snapshot has the first page of all people, so it does not fit a search.
    if (place.is_err() || people.is_err()) && query.is_default() {
        let api_path = format!("/people-per-place/{id}");
        if let Some(stale) = StalePart::load(&request, &api_path, "").await {
            let stale: StalePart<PlaceWithPeople> = stale;
            if population.is_none() && stale.content.next.is_none() {
                population = Some(count(id, &stale.content.people));
            }
            place =
                Ok(
                    stale.replace_error(place, "The name of the place is", &mut notices, |stale| {
                        let name = stale.name.clone();
                        Some((PlaceView { id: id.get(), name }, String::new()))
                    }),
                );
            people = Ok(stale.replace_error(
                people,
                "The list of people is",
                &mut notices,
                |stale| (stale.sorted_people(), None),
            ));
        }
    }
    let place = match or_notice(place, "The name of the place is", &mut notices) {
        Some(None) => return Err(Problem::not_found("place", id.get()).into()),
        Some(Some((place, _))) => place,
        None => PlaceView {
            id: id.get(),
            name: format!("Place {id}"),
        },
    };
    let (people, next) = or_notice(people, "The list of people is", &mut notices).unzip();
    let notices = [flash(&request.query, &place.name), notices].concat();
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
        history: history.unwrap_or_default(),
        notices,
    };
    Ok(html(200, page.to_html()))
}

/// A place with its people, as in the API.
#[derive(Deserialize)]
struct PlaceWithPeople {
    name: String,
    people: Vec<PersonView>,
    /// The link to more people, if there are more.
    next: Option<String>,
}

impl PlaceWithPeople {
    /// The people in the order of the page.
    fn sorted_people(&self) -> Vec<PersonView> {
        let mut people = self.people.clone();
        people.sort_by_cached_key(|person| {
            let key = name::case_key(&person.name, edge::NORMALIZE);
            name::search_key(&key, edge::NORMALIZE)
        });
        people
    }
}

/// A population, as the page shows it.
fn shown(population: statistics::Population) -> Population {
    Population {
        place_id: population.place_id,
        living: population.living,
        dead: population.dead,
        king: population.king.map(|king| King {
            id: king.id,
            name: king.name,
        }),
    }
}

/// Counts the people of a place.
fn count(id: PlaceId, people: &[PersonView]) -> Population {
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

/// A place with its version, and the suggestions of the place field.
async fn read_for_form(
    backends: &Backends,
    id: PlaceId,
) -> Result<(PlaceView, String, Vec<PlaceView>), Error> {
    let path = format!("/v1/places/{id}");
    let place = read_record(&backends.places, &path);
    let (place, places) = join(place, suggested_places(backends)).await;
    let not_found = || Problem::not_found("place", id.get());
    let (place, version) = place?.ok_or_else(not_found)?;
    Ok((place, version, places))
}

/// The form of an action.
///
/// # Errors
/// A place that does not exist.
pub async fn place_action(request: Request) -> Result<Response, Error> {
    let (id, action) = id_and_action(&request, Action::parse)?;
    let backends = Backends::new(&request.env)?;
    let (place, version, places) = read_for_form(&backends, id).await?;
    let mut form = Session::load(&request).empty_form();
    form.set("name", &*place.name);
    form.set("version", version);
    Ok(html(200, place::action(&place, action, &form, &places)))
}

/// Performs an action.
///
/// # Errors
/// A form of another origin, or a place that does not exist.
pub async fn change_place(request: Request) -> Result<Response, Error> {
    let (id, action) = id_and_action(&request, Action::parse)?;
    let mut submission = Submission::read(&request).await?;
    if submission.may_write()
        && let Some(write) = change(&mut submission, id, action).await?
        && write
            .send(&submission.backends.places, &mut submission.form)
            .await?
            .is_some()
    {
        return Ok(submission.redirect(match action {
            Action::Rename => format!("/ui/places/{id}?done=saved"),
            Action::Remove => "/?done=removed".to_owned(),
        }));
    }
    let (place, _, places) = read_for_form(&submission.backends, id).await?;
    let page = place::action(&place, action, &submission.form, &places);
    Ok(submission.show_again(page))
}

/// The write of an action. None if the form is invalid: the form then shows why.
async fn change(
    submission: &mut Submission,
    id: PlaceId,
    action: Action,
) -> Result<Option<Write>, Error> {
    let path = format!("/v1/places/{id}");
    Ok(match action {
        Action::Rename => Some(Write {
            method: "PATCH",
            path,
            body: Some(json!({"name": submission.form.get("name")})),
        }),
        Action::Remove => {
            let target = submission.place_id("reassignTo").await?;
            if submission.form.has_errors() {
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
    let mut form = Session::load(&request).empty_form();
    add_idempotency_key(&mut form);
    Ok(html(200, place::new(&form)))
}

/// Creates a place.
///
/// # Errors
/// A form of another origin.
pub async fn create_place(request: Request) -> Result<Response, Error> {
    let mut submission = Submission::read(&request).await?;
    if submission.may_write() {
        let write = Write {
            method: "POST",
            path: "/v1/places".to_owned(),
            body: Some(json!({"name": submission.form.get("name")})),
        };
        let sent = write.send(&submission.backends.places, &mut submission.form);
        if let Some(created) = sent.await? {
            let id = created_id(&created).unwrap_or_default();
            return Ok(submission.redirect(format!("/ui/places/{id}?done=added")));
        }
    }
    add_idempotency_key(&mut submission.form);
    let page = place::new(&submission.form);
    Ok(submission.show_again(page))
}
