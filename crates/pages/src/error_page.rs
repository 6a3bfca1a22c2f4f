//! Renders the page for an error.

use http_semantics::Problem;
use maud::{Markup, html};

use crate::layout::document;

/// The page: the error in everyday language, and the next step.
#[must_use]
pub fn page(problem: &Problem) -> Markup {
    let entry = problem.kind().problem_type();
    let (title, next) = match entry.slug {
        "unknown-route" => (
            "Page not found",
            "There is no page at this address. Check the address, or start from the places.",
        ),
        "not-found" => (
            "Not found",
            "This person or place does not exist. It may have been removed.",
        ),
        "invalid-parameter" => (
            "Invalid address",
            "The address of this page is not valid. Check it, or start from the places.",
        ),
        "method-not-allowed" => (
            "Page not found",
            "This address is not a page. Start from the places.",
        ),
        "query-too-long" => (
            "Address too long",
            "The address of this page is too long. Shorten the search.",
        ),
        "body-too-large" => (
            "Too large",
            "What you sent is too large. Split a file into parts.",
        ),
        "body-timed-out" => (
            "Too slow",
            "What you sent did not arrive in time. Try again, or split the file into parts.",
        ),
        "unsupported-media-type" | "malformed-body" => (
            "Form not readable",
            "Open the page of the form again, and send it from there.",
        ),
        "foreign-form" | "foreign-request" => (
            "Form from another site",
            "This form was sent from another site, so nothing was changed. Open the page here, and send the form from there.",
        ),
        "too-many-requests" => (
            "Too many requests",
            "There were too many requests at once, so nothing was changed. Try again in a minute.",
        ),
        "service-failed" | "service-timed-out" | "not-ready" | "overloaded" => (
            "Unavailable right now",
            "A part of this site does not respond. Try again in a moment. If you were saving something, check first whether it was saved.",
        ),
        _ => (
            "Something went wrong",
            "Try again. If you were saving something, check first whether it was saved.",
        ),
    };
    let is_person = entry.slug == "not-found" && problem.detail().contains("person");
    let main = html! {
        h1 { (title) }
        p.lead { (next) }
        p.actions {
            a.button.quiet[is_person] href="/" { "To the places" }
            a.button.quiet[!is_person] href="/ui/people" { "To the people" }
        }
    };
    document(title, None, &[], &main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_page_states_the_error_without_the_terms_of_the_api() {
        for (problem, title) in [
            (Problem::unknown_route(), "Page not found"),
            (Problem::not_found("person", 9), "Not found"),
            (Problem::internal(), "Something went wrong"),
            (Problem::service_failed("people"), "Unavailable right now"),
        ] {
            let page = page(&problem).into_string();
            assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
            assert!(!page.contains('`') && !page.contains(problem.detail()));
        }
    }
}
