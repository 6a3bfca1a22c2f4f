//! Renders the page that asks for a token. It is shown if reading needs a token.

use maud::{Markup, html};

use crate::Form;
use crate::field;
use crate::layout::document;

/// The page.
#[must_use]
pub fn page(form: &Form, lead: &str) -> Markup {
    let title = "Log in";
    let main = html! {
        h1 { (title) }
        p.lead { (lead) }
        form.entry method="post" action="/ui/enter" data-once {
            (field::preamble(form))
            p.actions { button type="submit" { "Log in" } }
        }
    };
    document(title, None, &[], &main)
}

/// The page for a browser that has a token.
#[must_use]
pub fn stored() -> Markup {
    let main = html! {
        h1 { "Token" }
        p.lead { "This browser has a token." }
        form.actions method="post" action="/ui/forget" data-once {
            button type="submit" { "Forget my token" }
        }
    };
    document("Token", None, &[], &main)
}
