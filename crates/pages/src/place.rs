//! A place with its people, its king and its history, and the forms that change it.

use maud::{Markup, html};

use crate::api::{Change, Place, Population};
use crate::field::{self, PLACE_HINT, Text, hidden};
use crate::form::Form;
use crate::history;
use crate::layout::{Notice, document, number};
use crate::people::People;

/// A place.
#[derive(Debug)]
pub struct PlacePage {
    /// The place; its name is not known where its owner does not answer.
    pub place: Place,
    /// Its people in numbers, where they are known.
    pub population: Option<Population>,
    /// Its people.
    pub people: People,
    /// What happened to it.
    pub history: Vec<Change<Place>>,
    /// What is to be told first.
    pub notices: Vec<Notice>,
}

impl PlacePage {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let Place { id, name } = &self.place;
        let path = format!("/ui/places/{id}");
        let main = html! {
            p.crumb { a href="/" { "All places" } }
            h1 { (name) }
            @match &self.population {
                None => p.lead { "How many live here cannot be told just now." },
                Some(population) => (numbers(population)),
            }
            p.actions {
                a.button href={ "/ui/people/new?placeId=%23" (id) } { "Add a person here" }
                a.button.quiet href={ (path) "/rename" } { "Rename" }
                a.button.quiet href={ (path) "/remove" } { "Remove" }
                a.button.quiet href={ "/v1/people/export?placeId=" (id) } download { "Its people as CSV" }
            }
            h2 { "People" }
            (self.people.ask.filters(&path))
            (self.people.table(&path, false))
            (history::show(&self.history, &format!("/v1/places/{id}/history"), &|_| String::new()))
        };
        let data = format!("/v1/people-per-place/{id}");
        document(name, Some(&data), &self.notices, &main)
    }
}

fn numbers(population: &Population) -> Markup {
    html! {
        dl.totals {
            div { dt { "living" } dd { (number(population.living)) } }
            div { dt { "dead" } dd { (number(population.dead)) } }
            div {
                dt { "king" }
                dd {
                    @match &population.king {
                        Some(king) => {
                            span.crown aria-hidden="true" { "♛" }
                            a href={ "/ui/people/" (king.id) } { (king.name) }
                        }
                        None => "none",
                    }
                }
            }
        }
    }
}

/// What can be done to a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Give it another name.
    Rename,
    /// Remove it.
    Remove,
}

impl Action {
    /// The action of an address.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "rename" => Some(Self::Rename),
            "remove" => Some(Self::Remove),
            _ => None,
        }
    }
}

fn name_field(form: &Form) -> Markup {
    let field = Text {
        is_required: true,
        ..Text::new("name", "Name")
    };
    field.show(form)
}

/// The page of an action.
#[must_use]
pub fn action(place: &Place, action: Action, form: &Form, places: &[Place]) -> Markup {
    let back = format!("/ui/places/{}", place.id);
    let (title, verb) = match action {
        Action::Rename => (format!("Rename {}", place.name), "Rename"),
        Action::Remove => (format!("Remove {}", place.name), "Remove the place"),
    };
    let target = Text {
        hint: PLACE_HINT,
        ..Text::new("reassignTo", "Its living people move to")
    };
    let main = html! {
        p.crumb { a href=(back) { (place.name) } }
        h1 { (title) }
        form.entry method="post" data-once {
            (hidden("version", form.get("version")))
            (field::preamble(form))
            @if form.is_outdated() { p { "By now: " b { (place.name) } "." } }
            @match action {
                Action::Rename => (name_field(form)),
                Action::Remove => {
                    p { "Where living people are, they have to move first. The dead stay in the register, of no place. The number " (place.id) " is never used again." }
                    (target.show(form))
                    (field::places(places))
                }
            }
            p.actions {
                button.danger[action == Action::Remove] type="submit" { (verb) }
                a.button.quiet href=(back) { "Leave it" }
            }
        }
    };
    document(&title, None, &[], &main)
}

/// The page on which a place is added.
#[must_use]
pub fn new(form: &Form) -> Markup {
    let main = html! {
        p.crumb { a href="/" { "All places" } }
        h1 { "Add a place" }
        form.entry method="post" action="/ui/places/new" data-once {
            (hidden("key", form.get("key")))
            (field::preamble(form))
            (name_field(form))
            p.actions {
                button type="submit" { "Add the place" }
                a.button.quiet href="/" { "Leave it" }
            }
        }
    };
    document("Add a place", None, &[], &main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_form_keeps_what_was_typed_and_says_why() {
        let mut form = Form::read(b"name=%22A%22&version=3");
        form.wrong("name", "Another <place> has it.");
        form.wants_token = true;
        let place = Place {
            id: 7,
            name: "Old & dear".to_owned(),
        };
        let page = action(&place, Action::Rename, &form, &[]).into_string();
        assert!(page.contains(r#"value="&quot;A&quot;""#));
        assert!(
            page.contains(r#"<p class="error" id="name-error">Another &lt;place&gt; has it.</p>"#)
        );
        assert!(page.contains(r#"<input type="hidden" name="version" value="3">"#));
        assert!(page.contains(r#"type="password" value="""#));
        assert!(page.contains("<h1>Rename Old &amp; dear</h1>"));
    }
}
