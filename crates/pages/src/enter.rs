//! The page in front of a registry that not everybody may read.

use maud::{Markup, html};

use crate::Form;
use crate::field;
use crate::layout::document;

/// The page that asks for a token.
#[must_use]
pub fn page(form: &Form) -> Markup {
    let title = "A token is needed";
    let main = html! {
        h1 { (title) }
        p.lead { "This registry shows itself to those alone who have a token." }
        form.entry method="post" action="/ui/enter" data-once {
            (field::preamble(form))
            p.actions { button type="submit" { "Enter" } }
        }
    };
    document(title, None, &[], &main)
}
