//! Renders the forms that change a person, and the form that adds one.

use domain::name::{Normalize, case_key};
use maud::{Markup, html};

use super::fields;
use crate::api::{PersonView, PlaceView};
use crate::field::{self, checkbox, hidden};
use crate::form::Form;
use crate::layout::document;
use crate::people::{name_of, state};

/// A change of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Changes name, place and state.
    Edit,
    /// Makes the person king of the place.
    Crown,
    /// Removes the crown.
    Uncrown,
    /// Records the death.
    Bury,
    /// Removes the person.
    Remove,
    /// Restores an earlier version, or a removed person.
    Restore,
}

impl Action {
    const ALL: [Self; 6] = [
        Self::Edit,
        Self::Crown,
        Self::Uncrown,
        Self::Bury,
        Self::Remove,
        Self::Restore,
    ];

    /// The action with this name in a path.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// The name in a path.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Crown => "crown",
            Self::Uncrown => "uncrown",
            Self::Bury => "bury",
            Self::Remove => "remove",
            Self::Restore => "restore",
        }
    }

    /// The label of the button.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Edit => "Save",
            Self::Crown => "Crown",
            Self::Uncrown => "Remove the crown",
            Self::Bury => "Record death",
            Self::Remove => "Remove person",
            Self::Restore => "Restore",
        }
    }

    /// The value of `done` in the path of the next page, which shows a confirmation.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Edit => "saved",
            Self::Crown => "crowned",
            Self::Uncrown => "uncrowned",
            Self::Bury => "buried",
            Self::Remove => "removed",
            Self::Restore => "restored",
        }
    }

    fn title(self, name: &str) -> String {
        match self {
            Self::Edit => format!("Change {name}"),
            Self::Crown => format!("Crown {name}"),
            Self::Uncrown => format!("Remove the crown of {name}"),
            Self::Bury => format!("Record the death of {name}"),
            Self::Remove => format!("Remove {name}"),
            Self::Restore => format!("Restore {name}"),
        }
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::Edit => "",
            Self::Crown => "A place has at most one king.",
            Self::Uncrown => "The place then has no king.",
            Self::Bury => "Dead people stay in the list. A king who dies loses the crown.",
            Self::Remove => {
                "The person disappears from the list. To record a death, do not remove the person: choose “Record death”. A removed person can be restored."
            }
            Self::Restore => {
                "The name, the place and the state become those of the earlier version, if they are still possible."
            }
        }
    }
}

/// The inputs of a person. Only a resident of the place can replace its king at once.
fn person_inputs(form: &Form, places: &[PlaceView], is_resident: bool) -> Markup {
    html! {
        (fields::inputs(form, places))
        @if is_resident {
            (depose_checkbox(form))
        } @else if form.filled("king").is_some() {
            p { "Only a person who lives in the place can replace its king. Save this person without the crown first, then choose “Crown”." }
        }
    }
}

/// The checkbox to replace the present king, whose name the form has after a rejected attempt.
fn depose_checkbox(form: &Form) -> Markup {
    html! {
        @if let Some(king) = form.filled("king") {
            (hidden("king", king))
            (checkbox(form, "depose", &format!("Remove the crown from {king}")))
        }
    }
}

/// Whether the place in the form is the present place of the person.
fn stays(person: &PersonView, form: &Form, places: &[PlaceView]) -> bool {
    let value = form.get("placeId");
    person.place_id.is_some_and(|id| {
        let key = |name: &str| case_key(name, Normalize::NONE);
        value == format!("#{id}") || key(value) == key(&name_of(places, id))
    })
}

/// The saved version, for comparison after a conflict.
fn saved_version(person: &PersonView, places: &[PlaceView]) -> Markup {
    html! {
        p {
            "Now saved: " b { (person.name) } ", " (state(person)) ", "
            @match person.place_id {
                Some(id) => { "in " (name_of(places, id)) },
                None => "without a place",
            }
            "."
        }
    }
}

/// The form of an action.
#[must_use]
pub fn action(person: &PersonView, action: Action, form: &Form, places: &[PlaceView]) -> Markup {
    let back = format!("/ui/people/{}", person.id);
    let title = action.title(&person.name);
    let explanation = action.explanation();
    let main = html! {
        p.crumb { a href=(back) { (person.name) } }
        h1 { (title) }
        form.entry method="post" action={ (back) "/" (action.name()) } data-once {
            (hidden("version", form.get("version")))
            @if let Some(restored) = form.filled("restored") { (hidden("restored", restored)) }
            (field::preamble(form))
            @if form.is_conflict() { (saved_version(person, places)) }
            @if !explanation.is_empty() { p { (explanation) } }
            @match action {
                Action::Edit => (person_inputs(form, places, stays(person, form, places))),
                _ => {
                    @for field in ["isKing", "isAlive", "placeId"] {
                        @if let Some(error) = form.error(field) {
                            p.error role="alert" tabindex="-1" autofocus[form.focuses(field)] { (error) }
                        }
                    }
                    @if action == Action::Crown && let Some((king, place)) = form.filled("king").zip(person.place_id) {
                        p { "The king of " (name_of(places, place)) " is " b { (king) } "." }
                    }
                    (depose_checkbox(form))
                }
            }
            p.actions {
                button.danger[action == Action::Remove] type="submit" { (action.label()) }
                a.button.quiet href=(back) { "Cancel" }
            }
        }
    };
    document(&title, None, &[], &main)
}

/// The form of a new person.
#[must_use]
pub fn new(form: &Form, places: &[PlaceView]) -> Markup {
    let main = html! {
        p.crumb { a href="/ui/people" { "All people" } }
        h1 { "Add a person" }
        form.entry method="post" action="/ui/people/new" data-once {
            (hidden("key", form.get("key")))
            (field::preamble(form))
            (person_inputs(form, places, false))
            p.actions {
                button type="submit" { "Add person" }
                a.button.quiet href="/ui/people" { "Cancel" }
            }
        }
    };
    document("Add a person", None, &[], &main)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn living() -> PersonView {
        fields::with_state(7, "A & B", Some(3), true, false)
    }

    #[test]
    fn an_action_is_parsed_from_its_name() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.name()), Some(action));
        }
    }

    #[test]
    fn a_king_can_be_replaced_after_a_rejected_attempt() {
        let mut form = Form::parse(b"version=4");
        form.add_error("isKing", "The place already has a king, K.");
        form.set("king", "K<>");
        let page = action(&living(), Action::Crown, &form, &[]).into_string();
        assert!(page.contains("Remove the crown from K&lt;&gt;"));
        assert!(page.contains("The place already has a king, K."));
    }

    #[test]
    fn only_a_resident_can_replace_a_king_at_once() {
        let places = [PlaceView {
            id: 3,
            name: "Tres".to_owned(),
        }];
        let (now, later) = ("Remove the crown from K", "then choose “Crown”.");
        for (values, is_resident) in [
            (&b"placeId=tRES"[..], true),
            (b"placeId=%233", true),
            (b"placeId=Cuatro", false),
            (b"placeId=", false),
        ] {
            let mut form = Form::parse(values);
            form.set("king", "K");
            let page = action(&living(), Action::Edit, &form, &places).into_string();
            assert_eq!(page.contains(now), is_resident);
            assert_eq!(page.contains(later), !is_resident);
            let page = new(&form, &places).into_string();
            assert!(page.contains(later) && !page.contains(now));
        }
    }
}
