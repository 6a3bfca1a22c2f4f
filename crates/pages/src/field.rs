//! The fields of forms, each with its label, its hint and what is wrong with it.

use maud::{Markup, html};

use crate::form::Form;

/// A line of text.
pub struct Text<'a> {
    /// The name that it is sent under.
    pub name: &'a str,
    /// The label.
    pub label: &'a str,
    /// What to type, if it is not plain.
    pub hint: &'a str,
    /// `text`, `search`, `number`, `password`
    pub kind: &'a str,
    /// Whether it must be filled in.
    pub is_required: bool,
}

impl<'a> Text<'a> {
    /// A line that may be left empty.
    pub fn new(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            hint: "",
            kind: "text",
            is_required: false,
        }
    }

    /// The field, as far as it is filled in.
    pub fn show(&self, form: &Form) -> Markup {
        let Self {
            name,
            label,
            hint,
            kind,
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
        let list =
            (kind == "text" && (name == "placeId" || name == "reassignTo")).then_some("places");
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
                    min=[(kind == "number").then_some("1")]
                    autocomplete=(autocomplete) autofocus[form.begins_at(name)]
                    aria-describedby=[described] aria-invalid=[error.map(|_| "true")];
                (said(&error_id, error))
                @if !hint.is_empty() { p.hint id=(hint_id) { (hint) } }
            }
        }
    }
}

fn said(id: &str, error: Option<&str>) -> Markup {
    html! {
        @if let Some(error) = error { p.error id=(id) { (error) } }
    }
}

/// A box to tick.
pub fn tick(form: &Form, name: &str, label: &str) -> Markup {
    let error = form.error(name);
    let error_id = format!("{name}-error");
    html! {
        div.field.tick.wrong[error.is_some()] {
            input id=(name) name=(name) type="checkbox" value="on" checked[form.is_ticked(name)]
                autofocus[form.begins_at(name)]
                aria-describedby=[error.map(|_| &error_id)] aria-invalid=[error.map(|_| "true")];
            label for=(name) { (label) }
            (said(&error_id, error))
        }
    }
}

/// One of a few choices.
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

/// What is sent along unseen.
pub fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// What is wrong with the whole form, and the token where one is wanted.
pub fn preamble(form: &Form) -> Markup {
    let token = Text {
        kind: "password",
        hint: "It is asked for once, and kept by this browser alone, until you let it be forgotten.",
        is_required: true,
        ..Text::new("token", "Token")
    };
    html! {
        @if let Some(trouble) = &form.trouble {
            p.notice.warning role="alert" tabindex="-1" autofocus { (trouble) }
        }
        @if form.wants_token { (token.show(form)) }
    }
}

/// The places to choose from, for the fields that name one.
pub fn places(places: &[crate::api::Place]) -> Markup {
    html! {
        datalist #places {
            @for place in places { option value=(place.name) {} }
        }
    }
}

/// How a place is named in a field: by its name, or by `#` and its id.
pub const PLACE_HINT: &str = "The name of a place, or # and its number.";
