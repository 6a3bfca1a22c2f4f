//! `/ui/people/selected`: moves the people who are ticked in a list, records their deaths, or
//! removes them. The page asks before it does so.

use domain::{Param, id};
use edge::{Error, Method, NORMALIZE, Request, Response, ServiceClient};
use http_semantics::from_json;
use http_semantics::idempotency::IdempotencyKey;
use http_semantics::{Problem, Tag};
use pages::api::{ApiProblem, Change, OperationResult, PersonView, PlaceView, last_state};
use pages::selection::{Action, Selection};

use super::form::{Submission, add_idempotency_key, hidden_field, show_problem, show_rejection};
use super::html;
use super::reads::{places_by_id, read_history, read_list, suggested_places, unusable_body};
use crate::backends::Backends;

/// The attempts to read the versions, while other requests remove some of the people.
const MAX_READS: u8 = 3;

/// The maximum number of removed people whose names are read.
const MAX_NAMES: usize = 10;

/// The page that asks before something is done with the ticked people. Its form does it, with all of
/// them or none.
///
/// # Errors
/// A query or a form that no page sends, a form of another origin, or a backend that failed.
pub async fn selected_people(request: Request) -> Result<Response, Error> {
    let is_form = request.parts.method == Method::Post;
    let mut submission = if is_form {
        Submission::read(&request).await?
    } else {
        Submission::of_query(&request)?
    };
    let selection = Selection::parse(&submission.form, NORMALIZE);
    let selection = selection.ok_or_else(Problem::modified_form)?;
    if selection.ids().is_empty() {
        return Ok(submission.redirect(selection.done_path(0, None)));
    }
    if is_form
        && submission.may_write()
        && let Some(location) = change(&mut submission, &selection).await?
    {
        return Ok(submission.redirect(location));
    }
    add_idempotency_key(&mut submission.form);
    let (people, places) = read(&submission.backends, &selection).await?;
    let removed = selection.ids().into_iter();
    let removed = removed.filter(|id| people.iter().all(|(person, _)| person.id != *id));
    let removed = names_of_removed(&submission.backends.people, removed.collect()).await;
    let page = selection.page(&submission.form, &people, &removed, &places);
    Ok(if is_form {
        submission.show_again(page)
    } else {
        html(200, page)
    })
}

/// Sends the operations. Returns the address of the next page, or none if nothing was done: the form
/// then shows why.
async fn change(
    submission: &mut Submission,
    selection: &Selection,
) -> Result<Option<String>, Error> {
    let destination = submission.place_id("placeId").await?;
    let Submission { form, backends, .. } = submission;
    if selection.action == Action::Move && form.filled("placeId").is_none() {
        form.add_error("placeId", "Enter the place that they move to.");
    }
    let (operations, count) = selection.operations(destination);
    if count == 0 {
        form.add_error(
            "placeId",
            "They lived in this place when the page was opened. Choose another.",
        );
    }
    if form.has_errors() {
        return Ok(None);
    }
    let key = hidden_field(form, "key", IdempotencyKey::parse)?;
    match send(&backends.people, &operations, key.as_ref()).await {
        Ok((200, body)) if from_json::parse::<Vec<OperationResult>>(&body).is_some() => {
            return Ok(Some(selection.done_path(count, destination)));
        }
        Ok((_, rejection)) => {
            if show_rejection(form, &rejection).is_none() {
                show_problem(form, &unusable_body(&backends.people).into_problem());
            }
        }
        Err(error) => show_problem(form, &error.into_problem()),
    }
    Ok(None)
}

/// Sends a batch of operations. Returns the status and the body of the response.
async fn send(
    people: &ServiceClient,
    operations: &str,
    key: Option<&IdempotencyKey>,
) -> Result<(u16, Vec<u8>), Error> {
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(key.map(|key| ("idempotency-key", key.as_str())));
    let body = Some(operations.as_bytes());
    let response = people
        .send("POST", "/v1/people/batch", &headers, body)
        .await?;
    Ok((response.status(), people.bytes(&response).await?))
}

/// Those of the people who exist, with their versions, and the places that the page names or
/// suggests. The versions are read first: if a person is changed in between, the later form is
/// rejected, and does not overwrite the change.
async fn read(
    backends: &Backends,
    selection: &Selection,
) -> Result<(Vec<(PersonView, String)>, Vec<PlaceView>), Error> {
    let mut ids = selection.ids();
    let versions = versions(&backends.people, &mut ids).await?;
    let mut people = Vec::new();
    for ids in id::lists(ids) {
        let path = format!("/v1/people?sort=name&limit=1000&ids={ids}");
        let (mut list, _) = read_list::<PersonView>(&backends.people, &path).await?;
        people.append(&mut list);
    }
    let place_ids = people.iter().filter_map(|person| person.place_id).collect();
    let mut places = places_by_id(backends, place_ids).await.unwrap_or_default();
    if selection.action == Action::Move {
        for place in suggested_places(backends).await {
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    let mut with_versions = Vec::new();
    for person in people {
        if let Some((_, version)) = versions.iter().find(|(id, _)| *id == person.id) {
            with_versions.push((person, version.clone()));
        }
    }
    Ok((with_versions, places))
}

/// The last names of removed people. The others, after the first ones, are numbers.
async fn names_of_removed(people: &ServiceClient, ids: Vec<i64>) -> Vec<(i64, String)> {
    let mut names = Vec::new();
    for id in ids {
        let mut history: Vec<Change<PersonView>> = Vec::new();
        if names.len() < MAX_NAMES {
            let path = format!("/v1/people/{id}");
            history = read_history(people, &path).await.unwrap_or_default();
        }
        let last = last_state(&history).map(|person| person.name.clone());
        names.push((id, last.unwrap_or_else(|| format!("person {id}"))));
    }
    names
}

/// The versions of people, by their ids. Lists have no versions, but the result of a batch that
/// changes nothing has. Leaves out the ids of people who do not exist.
async fn versions(people: &ServiceClient, ids: &mut Vec<i64>) -> Result<Vec<(i64, String)>, Error> {
    for _ in 0..MAX_READS {
        let (status, body) = send(people, &Selection::no_operations(ids), None).await?;
        let results = match status {
            200 => from_json::parse(&body),
            _ => from_json::parse::<ApiProblem>(&body).map(|problem| problem.results),
        };
        let results: Vec<OperationResult> = results.unwrap_or_default();
        let mut versions = Vec::new();
        let mut missing = Vec::new();
        for result in results {
            let tag = result.etag.as_deref().and_then(Tag::parse);
            match (result.id, tag.and_then(|tag| tag.version())) {
                (Some(id), Some(version)) => versions.push((id, version.to_string())),
                (Some(id), None) if result.problem.is_some() => missing.push(id),
                _ => {}
            }
        }
        if status == 200 && versions.len() == ids.len() {
            return Ok(versions);
        }
        if missing.is_empty() {
            let problem = Problem::parse(&body);
            return Err(problem.map_or_else(|| unusable_body(people), Error::from));
        }
        ids.retain(|id| !missing.contains(id));
    }
    Err(Problem::being_written().into())
}
