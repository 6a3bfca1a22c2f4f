//! `/ui/places/{id}/{action}` and `/ui/places/new`: the forms that change or add a place.

use domain::PlaceId;
use edge::{Error, Request, Response};
use futures_util::future::join;
use http_semantics::Problem;
use http_semantics::problem::Kind;
use pages::api::{PlaceView, Population, last_state};
use pages::place::{self, Action};
use pages::place_removed;
use serde_json::json;

use crate::backends::{Backends, places};
use crate::routes::pages::form::{
    Session, Submission, Write, add_idempotency_key, created_id, id_and_action, restored_version,
};
use crate::routes::pages::html;
use crate::routes::pages::reads::{
    places_by_id, read_history, read_population, read_record, suggested_places,
};

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

/// The population of a place that is to be removed, if it is known.
async fn population(backends: &Backends, id: PlaceId, action: Action) -> Option<Population> {
    match action {
        Action::Remove => read_population(backends, id.get()).await.ok(),
        _ => None,
    }
}

/// The form of an action.
///
/// # Errors
/// A place that does not exist.
pub async fn place_action(request: Request) -> Result<Response, Error> {
    let (id, action) = id_and_action(&request, Action::parse)?;
    let backends = Backends::new(&request.env)?;
    let read = read_for_form(&backends, id).await;
    if let (Action::Remove, Err(Error::Problem(problem))) = (action, &read)
        && problem.kind() == Kind::NotFound
        && let Some(page) = removed_page(&backends, id, &request.query).await?
    {
        return Ok(page);
    }
    let (place, version, places) = read?;
    let mut form = Session::load(&request).empty_form();
    form.set("name", &*place.name);
    form.set("version", version);
    let population = population(&backends, id, action).await;
    let page = place::action(&place, action, &form, &places, population.as_ref());
    Ok(html(200, page))
}

/// The page of a place that was removed. None if it never existed.
async fn removed_page(
    backends: &Backends,
    id: PlaceId,
    query: &str,
) -> Result<Option<Response>, Error> {
    let path = format!("/v1/places/{id}");
    let history = read_history::<PlaceView>(&backends.places, &path).await?;
    let Some(place) = last_state(&history) else {
        return Ok(None);
    };
    let target = place_removed::target(query);
    let target = places_by_id(backends, Vec::from_iter(target)).await?;
    let page = place_removed::page(&place.name, query, target.first());
    Ok(Some(html(200, page)))
}

/// Performs an action.
///
/// # Errors
/// A form of another origin, or a place that does not exist.
pub async fn change_place(request: Request) -> Result<Response, Error> {
    let (id, action) = id_and_action(&request, Action::parse)?;
    let mut submission = Submission::read(&request).await?;
    if submission.may_write()
        && let Some((write, target)) = change(&mut submission, id, action).await?
    {
        let before = population(&submission.backends, id, action).await;
        // A removal may take longer than other writes.
        let places = places(&request.env)?.with_deletion_timeout();
        if let Some(response) = write.send(&places, &mut submission.form).await? {
            return Ok(submission.redirect(match action {
                Action::Rename => format!("/ui/places/{id}?done=saved"),
                Action::Restore => format!("/ui/places/{id}?done=restored"),
                Action::Remove if response.status() == 202 => "/?done=removing".to_owned(),
                Action::Remove => place_removed::path(id.get(), target, before.as_ref()),
            }));
        }
    }
    let (place, _, places) = read_for_form(&submission.backends, id).await?;
    let population = population(&submission.backends, id, action).await;
    let page = place::action(
        &place,
        action,
        &submission.form,
        &places,
        population.as_ref(),
    );
    Ok(submission.show_again(page))
}

/// The write of an action, and the place that people move to. None if the form is invalid: the form
/// then shows why.
async fn change(
    submission: &mut Submission,
    id: PlaceId,
    action: Action,
) -> Result<Option<(Write, Option<i64>)>, Error> {
    let path = format!("/v1/places/{id}");
    let mut target = None;
    let write = match action {
        Action::Rename => Write {
            method: "PATCH",
            path,
            body: Some(json!({"name": submission.form.get("name")})),
        },
        Action::Restore => Write {
            method: "POST",
            path: path + "/restore",
            body: restored_version(&submission.form)?,
        },
        Action::Remove => {
            target = submission.place_id("reassignTo").await?;
            if submission.form.has_errors() {
                return Ok(None);
            }
            let query = target.map(|target| format!("?reassignTo={target}"));
            Write {
                method: "DELETE",
                path: path + &query.unwrap_or_default(),
                body: None,
            }
        }
    };
    Ok(Some((write, target)))
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
