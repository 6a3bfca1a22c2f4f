//! Renders the inputs of forms. Each has a label, and may have a hint and an error.

use maud::{Markup, html};

use crate::form::Form;

/// An input for one line of text.
pub struct Text<'a> {
    /// The name in the form.
    pub name: &'a str,
    /// The label.
    pub label: &'a str,
    /// A hint on what to type, or an empty text.
    pub hint: &'a str,
    /// The type of the input: `text`, `search`, `number` or `password`.
    pub kind: &'a str,
    /// The latest date, or an empty text.
    pub max: &'a str,
    /// Whether it is required.
    pub is_required: bool,
}

impl<'a> Text<'a> {
    /// An optional text input.
    pub fn new(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            hint: "",
            kind: "text",
            max: "",
            is_required: false,
        }
    }

    /// The HTML, with the value and the error of the form.
    pub fn to_html(&self, form: &Form) -> Markup {
        let Self {
            name,
            label,
            hint,
            kind,
            max,
            is_required,
        } = *self;
        let error = form.error(name);
        let (hint_id, error_id) = (format!("{name}-hint"), format!("{name}-error"));
        let described = match (hint.is_empty(), error) {
            (true, None) => None,
            (true, Some(_)) => Some(error_id.clone()),
            (false, None) => Some(hint_id.clone()),
            (false, Some(_)) => Some(format!("{error_id} {hint_id}")),
        };
        let list = ["placeId", "reassignTo", "add"]
            .contains(&name)
            .then_some("places");
        let value = if kind == "password" {
            ""
        } else {
            form.get(name)
        };
        let autocomplete = if kind == "password" {
            "current-password"
        } else {
            "off"
        };
        html! {
            div.field.wrong[error.is_some()] {
                label for=(name) { (label) }
                input id=(name) name=(name) type=(kind) value=(value) required[is_required]
                    list=[list] maxlength=[(kind == "text").then_some("400")]
                    min=[(kind == "number").then_some("1")] max=[(!max.is_empty()).then_some(max)]
                    autocomplete=(autocomplete) autofocus[form.focuses(name)]
                    aria-describedby=[described] aria-invalid=[error.map(|_| "true")];
                (error_text(&error_id, error))
                @if !hint.is_empty() { p.hint id=(hint_id) { (hint) } }
            }
        }
    }
}

/// The input of a name.
pub fn name(form: &Form) -> Markup {
    let name = Text {
        is_required: true,
        ..Text::new("name", "Name")
    };
    name.to_html(form)
}

fn error_text(id: &str, error: Option<&str>) -> Markup {
    html! {
        @if let Some(error) = error { p.error id=(id) { (error) } }
    }
}

/// A checkbox.
pub fn checkbox(form: &Form, name: &str, label: &str) -> Markup {
    let error = form.error(name);
    let error_id = format!("{name}-error");
    html! {
        div.field.tick.wrong[error.is_some()] {
            input id=(name) name=(name) type="checkbox" value="on" checked[form.is_checked(name)]
                autofocus[form.focuses(name)]
                aria-describedby=[error.map(|_| &error_id)] aria-invalid=[error.map(|_| "true")];
            label for=(name) { (label) }
            (error_text(&error_id, error))
        }
    }
}

/// A list to choose one of a few values from.
pub fn choice(form: &Form, name: &str, label: &str, choices: &[(&str, &str)]) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, text) in choices {
                    option value=(value) selected[form.get(name) == *value] { (text) }
                }
            }
        }
    }
}

/// A hidden field.
pub fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// The error of the whole form, and the token input if the form needs a token.
pub fn preamble(form: &Form) -> Markup {
    let token = Text {
        kind: "password",
        hint: "You enter it once. This browser keeps it until you choose “Token” below and forget it.",
        is_required: true,
        ..Text::new("token", "Token")
    };
    html! {
        @if let Some(error) = &form.general_error {
            p.notice.warning role="alert" tabindex="-1" autofocus { (error) }
        }
        @if form.needs_token { (token.to_html(form)) }
    }
}

/// The suggestions of the inputs that name a place.
pub fn places(places: &[crate::api::PlaceView]) -> Markup {
    html! {
        datalist #places {
            @for place in places { option value=(place.name) {} }
        }
    }
}

/// The error of an input that names no place. `similar` are places that the user may mean.
#[must_use]
pub fn no_such_place(similar: &[crate::api::PlaceView]) -> String {
    let names: Vec<String> = similar
        .iter()
        .map(|place| format!("“{}”", place.name))
        .collect();
    let question = match names.split_last() {
        None => "Choose another.".to_owned(),
        Some((name, [])) => format!("Did you mean {name}?"),
        Some((last, others)) => format!("Did you mean {} or {last}?", others.join(", ")),
    };
    format!("There is no place with this name. {question}")
}

/// The hint of the inputs that name a place.
pub const PLACE_HINT: &str = "Enter the name of a place, or # and its number.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PlaceView;

    #[test]
    fn an_unknown_place_suggests_similar_ones() {
        let place = |name: &str| PlaceView {
            id: 1,
            name: name.to_owned(),
        };
        for (similar, expected) in [
            (vec![], "Choose another."),
            (vec![place("Á")], "Did you mean “Á”?"),
            (
                vec![place("A"), place("B"), place("C")],
                "Did you mean “A”, “B” or “C”?",
            ),
        ] {
            let text = no_such_place(&similar);
            assert_eq!(
                text,
                format!("There is no place with this name. {expected}")
            );
        }
    }
}
