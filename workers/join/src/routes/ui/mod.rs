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
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, ready};
use http_semantics::Problem;
use maud::Markup;
use pages::{Notice, POLICY, message};

pub use form::{enter, forget};
pub use import::{import, import_form};
pub use overview::{first_page, overview};
pub use people::people;
pub use person::{change_person, new_person, person, person_action, take_person};
pub use place::{change_place, new_place, place, place_action, take_place};

/// A handler of pages that show something of the registry: for whom may read it.
pub fn shown<F, A>(handler: F) -> impl Fn(Call) -> LocalBoxFuture<'static, Result<Answer, Error>>
where
    F: Fn(Call) -> A + 'static,
    A: Future<Output = Result<Answer, Error>> + 'static,
{
    let handler = page(handler);
    move |call| match form::Session::of(&call).may_read() {
        Ok(()) => handler(call),
        Err(problem) => ready(Ok(form::gate(&problem))).boxed_local(),
    }
}

/// A handler whose errors are pages, too.
pub fn page<F, A>(handler: F) -> impl Fn(Call) -> LocalBoxFuture<'static, Result<Answer, Error>>
where
    F: Fn(Call) -> A + 'static,
    A: Future<Output = Result<Answer, Error>> + 'static,
{
    move |call| {
        // Who has written by a form sees it on the next page, whichever replica is near.
        call.demand_newest();
        let answer = handler(call);
        async move { Ok(answer.await.unwrap_or_else(failed)) }.boxed_local()
    }
}

/// An address of no page.
///
/// # Errors
/// Always.
pub async fn nothing(_call: Call) -> Result<Answer, Error> {
    Err(Problem::unknown_route().into())
}

fn failed(error: Error) -> Answer {
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
