//! Renders the documentation of the problem types. Its address is the `type` of a problem (RFC
//! 9457, 3.1.1).

use http_semantics::problem::Kind;
use maud::{Markup, html};

use crate::layout::document;

/// The path of the list of all types.
const LIST: &str = "/problems";

/// The list of all types.
#[must_use]
pub fn list() -> Markup {
    let main = html! {
        h1 { "Problem types" }
        p.lead {
            "Every error of the API is a problem document (RFC 9457). Its " code { "type" }
            " is one of these addresses and never changes its meaning. Its " code { "detail" }
            " states the cause in this case."
        }
        table {
            thead { tr { th scope="col" { "Type" } th scope="col" { "Status" } th scope="col" { "Cause" } } }
            tbody {
                @for kind in Kind::ALL {
                    @let entry = kind.problem_type();
                    tr {
                        th scope="row" { a href={ (LIST) "/" (entry.slug) } { (entry.slug) } }
                        td { (entry.status) }
                        td { (with_code(entry.title)) }
                    }
                }
            }
        }
    };
    document("Problem types", None, &[], &main)
}

/// The page of the type with this name. None if there is no such type.
#[must_use]
pub fn page(slug: &str) -> Option<Markup> {
    let mut entries = Kind::ALL.into_iter().map(Kind::problem_type);
    let entry = entries.find(|entry| entry.slug == slug)?;
    let main = html! {
        p.crumb { a href=(LIST) { "All problem types" } }
        h1 { (with_code(entry.title)) }
        p.lead { "What to do: " (with_code(entry.remedy)) }
        table {
            tbody {
                tr { th scope="row" { "Type" } td { code { (LIST) "/" (entry.slug) } } }
                tr { th scope="row" { "Status" } td { (entry.status) } }
            }
        }
    };
    Some(document(&entry.title.replace('`', ""), None, &[], &main))
}

/// A text with code between backticks.
fn with_code(text: &str) -> Markup {
    html! {
        @for (n, part) in text.split('`').enumerate() {
            @if n % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_type_has_a_page_that_the_list_links_to() {
        let list = list().into_string();
        for kind in Kind::ALL {
            let entry = kind.problem_type();
            let page = page(entry.slug)
                .map(Markup::into_string)
                .unwrap_or_default();
            let title = with_code(entry.title).into_string();
            assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
            assert!(!page.contains('`'), "{page}");
            assert!(list.contains(&format!("href=\"/problems/{}\"", entry.slug)));
        }
        assert!(page("unknown").is_none());
    }
}
