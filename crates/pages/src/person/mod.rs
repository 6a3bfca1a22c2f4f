//! A person, and the forms that change one.

pub(crate) mod fields;

use maud::{Markup, html};

use crate::api::{Change, Person, Place};
use crate::field::{self, hidden, tick};
use crate::form::Form;
use crate::history;
use crate::layout::{Notice, document};
use crate::people::{name_of, state};

pub use fields::{body, fill};

/// A person.
#[derive(Debug)]
pub struct PersonPage {
    /// The person.
    pub person: Person,
    /// The version that is shown.
    pub version: String,
    /// The places that are spoken of, as far as known.
    pub places: Vec<Place>,
    /// What happened.
    pub history: Vec<Change<Person>>,
    /// What is to be told first.
    pub notices: Vec<Notice>,
}

impl PersonPage {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let Person { id, name, .. } = &self.person;
        let name_of = |id: i64| name_of(&self.places, id);
        let main = html! {
            p.crumb { a href="/ui/people" { "All people" } }
            h1 { (name) }
            (fields::facts(&self.person, &name_of))
            (self.actions())
            (history::show(&self.history, &format!("/v1/people/{id}/history"), &name_of))
        };
        let data = format!("/v1/people/{id}");
        document(name, Some(&data), &self.notices, &main)
    }

    fn actions(&self) -> Markup {
        let path = format!("/ui/people/{}", self.person.id);
        let at_once = |action: Action| {
            html! {
                form method="post" action={ (path) "/" (action.name()) } data-once {
                    (hidden("version", &self.version))
                    button.quiet type="submit" { (action.verb()) }
                }
            }
        };
        html! {
            div.actions {
                a.button href={ (path) "/edit" } { "Change or move" }
                @if self.person.is_alive {
                    (at_once(if self.person.is_king { Action::Uncrown } else { Action::Crown }))
                    (at_once(Action::Bury))
                }
                a.button.quiet href={ (path) "/remove" } { "Remove" }
            }
        }
    }
}

/// What can be done to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Change any of it: name, place, state.
    Edit,
    /// Make king of the place.
    Crown,
    /// Take the crown.
    Uncrown,
    /// Write down the death.
    Bury,
    /// Remove from the register.
    Remove,
}

impl Action {
    const ALL: [Self; 5] = [
        Self::Edit,
        Self::Crown,
        Self::Uncrown,
        Self::Bury,
        Self::Remove,
    ];

    /// The action of an address.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The name in an address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Crown => "crown",
            Self::Uncrown => "uncrown",
            Self::Bury => "bury",
            Self::Remove => "remove",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Edit => "Save",
            Self::Crown => "Crown",
            Self::Uncrown => "Take the crown",
            Self::Bury => "Bury",
            Self::Remove => "Remove from the register",
        }
    }

    /// What is said once it is done.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Edit => "saved",
            Self::Crown => "crowned",
            Self::Uncrown => "uncrowned",
            Self::Bury => "buried",
            Self::Remove => "removed",
        }
    }
}

/// The form of a person. If the place has a king already, only a resident can depose the king.
fn person_form(form: &Form, places: &[Place], is_resident: bool) -> Markup {
    html! {
        (fields::inputs(form, places))
        @if is_resident {
            (deposing(form))
        } @else if form.given("king").is_some() {
            p { "Who lives in the place can take the crown: save it without the crown, then crown." }
        }
    }
}

fn deposing(form: &Form) -> Markup {
    html! {
        @if let Some(king) = form.given("king") {
            (hidden("king", king))
            (tick(form, "depose", &format!("Take the crown from {king}")))
        }
    }
}

/// Whether the form leaves the person where they are.
fn stays(person: &Person, form: &Form, places: &[Place]) -> bool {
    let typed = form.get("placeId");
    person.place_id.is_some_and(|id| {
        let key = |name: &str| domain::name::key(name);
        typed == format!("#{id}") || key(typed) == key(&name_of(places, id))
    })
}

/// What is there now, for whoever began with something else.
fn now(person: &Person, places: &[Place]) -> Markup {
    html! {
        p {
            "By now: " b { (person.name) } ", " (state(person)) ", "
            @match person.place_id {
                Some(id) => { "of " (name_of(places, id)) },
                None => "of no place",
            }
            "."
        }
    }
}

/// The page of an action.
#[must_use]
pub fn action(person: &Person, action: Action, form: &Form, places: &[Place]) -> Markup {
    let back = format!("/ui/people/{}", person.id);
    let name = &person.name;
    let (title, explained) = match action {
        Action::Edit => (format!("Change {name}"), ""),
        Action::Crown => (format!("Crown {name}"), "A place has one king at most."),
        Action::Uncrown => (
            format!("Take the crown of {name}"),
            "The place has no king then.",
        ),
        Action::Bury => (
            format!("Bury {name}"),
            "The dead keep their place, and no crown.",
        ),
        Action::Remove => (
            format!("Remove {name}"),
            "The person leaves the register; the history stays. Who died is buried, not removed.",
        ),
    };
    let main = html! {
        p.crumb { a href=(back) { (name) } }
        h1 { (title) }
        form.entry method="post" action={ (back) "/" (action.name()) } data-once {
            (hidden("version", form.get("version")))
            (field::preamble(form))
            @if form.is_outdated() { (now(person, places)) }
            @if !explained.is_empty() { p { (explained) } }
            @match action {
                Action::Edit => (person_form(form, places, stays(person, form, places))),
                _ => {
                    @for field in ["isKing", "isAlive", "placeId"] {
                        @if let Some(error) = form.error(field) {
                            p.error role="alert" tabindex="-1" autofocus[form.begins_at(field)] { (error) }
                        }
                    }
                    (deposing(form))
                }
            }
            p.actions {
                button.danger[action == Action::Remove] type="submit" { (action.verb()) }
                a.button.quiet href=(back) { "Leave it" }
            }
        }
    };
    document(&title, None, &[], &main)
}

/// The page on which a person is added.
#[must_use]
pub fn new(form: &Form, places: &[Place]) -> Markup {
    let main = html! {
        p.crumb { a href="/ui/people" { "All people" } }
        h1 { "Add a person" }
        form.entry method="post" action="/ui/people/new" data-once {
            (hidden("key", form.get("key")))
            (field::preamble(form))
            (person_form(form, places, false))
            p.actions {
                button type="submit" { "Add the person" }
                a.button.quiet href="/ui/people" { "Leave it" }
            }
        }
    };
    document("Add a person", None, &[], &main)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(is_alive: bool, is_king: bool) -> Person {
        fields::with_state(7, "A & B", Some(3), is_alive, is_king)
    }

    fn shown(person: Person) -> String {
        let page = PersonPage {
            person,
            version: "4".to_owned(),
            places: Vec::new(),
            history: Vec::new(),
            notices: Vec::new(),
        };
        page.to_html().into_string()
    }

    #[test]
    fn only_what_can_be_done_is_offered() {
        let (king, living, dead) = (
            shown(person(true, true)),
            shown(person(true, false)),
            shown(person(false, false)),
        );
        assert!(king.contains("/uncrown\"") && !king.contains("/crown\""));
        assert!(living.contains("/crown\"") && living.contains("/bury\""));
        assert!(!dead.contains("crown\"") && !dead.contains("/bury\""));
        assert!(living.contains(r#"name="version" value="4""#));
    }

    #[test]
    fn a_king_in_the_way_can_be_deposed() {
        let mut form = Form::read(b"version=4");
        form.wrong("isKing", "The place has a king already, K.");
        form.set("king", "K<>");
        let page = action(&person(true, false), Action::Crown, &form, &[]).into_string();
        assert!(page.contains("Take the crown from K&lt;&gt;"));
        assert!(page.contains("The place has a king already, K."));
        for action in Action::ALL {
            assert_eq!(Action::of(action.name()), Some(action));
        }
    }

    #[test]
    fn only_who_lives_there_can_depose_a_king() {
        let places = [Place {
            id: 3,
            name: "Tres".to_owned(),
        }];
        for (typed, expected) in [
            (&b"placeId=tRES"[..], true),
            (b"placeId=%233", true),
            (b"placeId=Cuatro", false),
            (b"placeId=", false),
        ] {
            let mut form = Form::read(typed);
            form.set("king", "K");
            let page = action(&person(true, false), Action::Edit, &form, &places).into_string();
            assert_eq!(page.contains("Take the crown from K"), expected);
            assert_eq!(page.contains("then crown."), !expected);
            let page = new(&form, &places).into_string();
            assert!(page.contains("then crown.") && !page.contains("Take the crown from K"));
        }
    }
}
