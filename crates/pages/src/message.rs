//! A page that says why there is no other.

use maud::{Markup, html};

use crate::layout::document;

/// What went wrong, and what can be done.
#[must_use]
pub fn message(title: &str, detail: &str, mend: &str) -> Markup {
    let main = html! {
        h1 { (title) }
        p.lead { (detail) }
        p { (mend) }
        p.actions { a.button href="/" { "To the places" } }
    };
    document(title, None, &[], &main)
}
