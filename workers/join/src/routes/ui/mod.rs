//! The pages for a browser: `/` and `/ui/*`. Each asks the services as any client would, and
//! has the crate `pages` make the HTML.

mod form;
mod import;
mod overview;
mod past;
mod people;
mod person;
mod place;
mod reading;

use edge::{Answer, Body, Call, Error};
use http_semantics::Problem;
use maud::Markup;
use pages::{Notice, POLICY, message};

pub use form::{enter, forget};
pub use import::{import, import_form};
pub use overview::{first_page, overview};
pub use people::people;
pub use person::{change_person, new_person, person, person_action, take_person};
pub use place::{change_place, new_place, place, place_action, take_place};

/// The login, if the reader needs to log in first.
#[must_use]
pub fn require_read(call: &Call) -> Option<Answer> {
    let problem = form::Session::of(call).may_read().err()?;
    Some(form::gate(&problem))
}

/// An address of no page.
///
/// # Errors
/// Always.
pub async fn nothing(_call: Call) -> Result<Answer, Error> {
    Err(Problem::unknown_route().into())
}

/// The page of an error.
#[must_use]
pub fn error_page(error: Error) -> Answer {
    let problem = error.into_problem();
    let entry = problem.kind().entry();
    html(
        entry.status,
        message::message(entry.title, problem.detail(), entry.remedy),
    )
}

/// A page. What it shows may differ by cookie, and is no business of a cache.
fn html(status: u16, page: Markup) -> Answer {
    of_body(status, Body::Text(page.into_string()))
}

fn of_body(status: u16, body: Body) -> Answer {
    Answer::page(status, body)
        .header("cache-control", "no-store")
        .header("content-security-policy", POLICY)
        .header("referrer-policy", "same-origin")
}

/// What the page before has done, as its address says.
fn done(query: &str) -> Vec<Notice> {
    let form = pages::Form::read(query.as_bytes());
    let told = match form.get("done") {
        "added" => "It has been added.",
        "saved" => "It has been saved.",
        "crowned" => "Long live the king.",
        "uncrowned" => "The crown has been taken.",
        "buried" => "The death has been written down.",
        "removed" => "It has been removed.",
        "forgotten" => "This browser has forgotten its token.",
        _ => return Vec::new(),
    };
    vec![Notice::Done(told)]
}
