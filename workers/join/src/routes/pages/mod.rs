//! The HTML pages: `/` and `/ui/*`. A page gets its data from the API of the backends, like any
//! client. The crate `pages` renders the HTML.

mod changes;
mod compare;
mod form;
mod import;
mod overview;
mod people;
mod person;
mod place;
mod problem_types;
mod reads;
mod saved;
mod selection;

use domain::{Param, PersonId, PlaceId};
use edge::{Body, Env, Error, Request, Response};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::Problem;
use http_semantics::params::is_utf8;
use maud::Markup;
use pages::{Notice, POLICY};

use crate::backends::Backends;

pub use changes::changes;
pub use compare::compare;
pub use form::{login, login_form, logout};
pub use import::{import, import_form};
pub use overview::{first_query, overview};
pub use people::people;
pub use person::{change_person, create_person, new_person, person, person_action};
pub use place::{change_place, create_place, new_place, place, place_action};
pub use problem_types::{problem_type, problem_types};
pub use selection::selected_people;

/// The page instead of a page of records: an error if the query is not UTF-8, or the login if reading
/// needs a token that the browser does not have.
#[must_use]
pub fn check_request(request: &Request) -> Option<Response> {
    if !is_utf8(request.query.as_bytes()) {
        let problem = Problem::invalid_parameter("query", "text in UTF-8");
        return Some(error_page(problem.into()));
    }
    let session = form::Session::load(request);
    let problem = session.require_read().err()?;
    Some(form::login_page(&problem, session.why_log_in()))
}

/// `/ui/places` is the overview.
///
/// # Errors
/// None.
pub async fn places(request: Request) -> Result<Response, Error> {
    let query = [
        if request.query.is_empty() { "" } else { "?" },
        &request.query,
    ];
    Ok(Response::see_other(format!("/{}", query.concat())))
}

/// An unknown path: a page for a browser, and a problem for other clients and below `/v1`.
///
/// # Errors
/// None.
pub async fn unknown(request: Request) -> Result<Response, Error> {
    let error = Problem::unknown_route();
    let is_api = http_semantics::path::path_and_query(&request.parts.url)
        .0
        .starts_with("/v1/");
    Ok(if !is_api && request.prefers_html() {
        error_page(error.into()).header("vary", "accept")
    } else {
        Response::problem(&error)
    })
}

/// The page for an unknown path.
///
/// # Errors
/// Always.
pub async fn not_found(_request: Request) -> Result<Response, Error> {
    Err(Problem::unknown_route().into())
}

/// The page for an error.
#[must_use]
pub fn error_page(error: Error) -> Response {
    let problem = error.into_problem();
    let page = html(problem.status(), pages::error_page::page(&problem));
    let headers = problem.headers().iter();
    headers.fold(page, |page, (name, value)| page.header(name, value.clone()))
}

/// The data of the page at a path, for the scheduled refresh of its snapshot. None if it no longer
/// exists.
#[must_use]
pub fn page_data(
    env: Env,
    path: String,
    query: String,
) -> LocalBoxFuture<'static, Result<Option<Response>, Error>> {
    async move {
        let backends = Backends::new(&env)?;
        if path == "/ui/people" {
            return Ok(people::people_data(&backends, &query).await);
        }
        if let Some(id) = path.strip_prefix("/ui/people/").map(PersonId::parse) {
            return Ok(match id {
                Some(id) => person::data(&backends, id).await,
                None => None,
            });
        }
        let id = path.strip_prefix("/ui/places/").map(PlaceId::parse);
        match id {
            Some(Some(id)) => Ok(place::data(&backends, id, &query).await),
            Some(None) => Ok(None),
            None => Ok(overview::data(&backends, &query).await),
        }
    }
    .boxed_local()
}

/// A page. It depends on the cookie, so no cache may store it.
fn html(status: u16, page: Markup) -> Response {
    html_body(status, Body::Text(page.into_string()))
}

fn html_body(status: u16, body: Body) -> Response {
    Response::html(status, body)
        .header("cache-control", "no-store")
        .header("content-security-policy", POLICY)
        .header("referrer-policy", "same-origin")
}

/// The notice of what the form before this page did. The query names the action. `subject` is the
/// name of the record, or of its kind if it was removed. `form_path` is the path of the form that adds another one.
fn flash(query: &str, subject: &str, form_path: String) -> Vec<Notice> {
    let form = pages::Form::parse(query.as_bytes());
    let text = match form.get("done") {
        "added" => return vec![Notice::Added(format!("Added {subject}."), form_path)],
        "saved" => format!("Saved {subject}."),
        "crowned" => format!("Crowned {subject}."),
        "uncrowned" => format!("Removed the crown from {subject}."),
        "buried" => format!("Recorded the death of {subject}."),
        "removed" => format!("Removed {subject}."),
        "restored" => format!("Restored {subject}."),
        "removing" => format!("Removing {subject} takes a few minutes."),
        "forgotten" => "This browser has forgotten its token.".to_owned(),
        _ => return Vec::new(),
    };
    vec![Notice::Done(text)]
}
