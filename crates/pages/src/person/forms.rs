//! Renders the forms that change a person, and the form that adds one.

use domain::name::{Normalize, case_key};
use maud::{Markup, html};

use super::conflict::{done_already, originals};
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

/// The errors of the fields that a form without inputs sends.
fn errors(form: &Form) -> Markup {
    html! {
        @for field in ["isKing", "isAlive", "placeId"] {
            @if let Some(error) = form.error(field) {
                p.error role="alert" tabindex="-1" autofocus[form.focuses(field)] { (error) }
            }
        }
    }
}

/// Says who loses the crown. The button then replaces this king, and the hidden name is that of the
/// king whom the page has named.
fn crown(person: &PersonView, form: &Form, places: &[PlaceView]) -> Markup {
    html! {
        (errors(form))
        @if let Some((king, place)) = form.filled("king").zip(person.place_id) {
            p {
                "The king of " (name_of(places, place)) " is " b { (king) } ". "
                "Crowning " (person.name) " removes the crown from " (king) "."
            }
            (hidden("king", king))
            (hidden("depose", "on"))
        }
    }
}

/// The form of an action.
#[must_use]
pub fn action(person: &PersonView, action: Action, form: &Form, places: &[PlaceView]) -> Markup {
    let back = format!("/ui/people/{}", person.id);
    let title = action.title(&person.name);
    let explanation = action.explanation();
    let is_missing = form.is_missing();
    let done = done_already(person, action);
    let main = html! {
        p.crumb { a href=(back) { (person.name) } }
        h1 { (title) }
        form.entry method="post" action={ (back) "/" (action.name()) } data-once {
            (hidden("version", form.get("version")))
            @if let Some(restored) = form.filled("restored") { (hidden("restored", restored)) }
            (field::preamble(form))
            @if form.is_conflict() { (saved_version(person, places)) }
            @if is_missing {
                p {
                    a href=(back) { "The page of " (person.name) }
                    " has the history, and can restore the person."
                    @if action == Action::Edit { " Then save again: your entries are still here." }
                }
            } @else if let Some(done) = done {
                @if !form.has_errors() { p { (person.name) " " (done) "." } }
            } @else if !explanation.is_empty() { p { (explanation) } }
            @match action {
                Action::Edit => {
                    (originals(form))
                    (person_inputs(form, places, stays(person, form, places)))
                }
                Action::Crown if done.is_none() && !is_missing => (crown(person, form, places)),
                _ => {
                    (errors(form))
                    @if action != Action::Crown { (depose_checkbox(form)) }
                }
            }
            p.actions {
                @if done.is_none() && (!is_missing || action == Action::Edit) {
                    button.danger[action == Action::Remove] type="submit" {
                        (action.label()) @if action == Action::Crown { " " (person.name) }
                    }
                    a.button.quiet href=(back) { "Cancel" }
                } @else {
                    a.button href=(back) { "Back" }
                }
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
        assert!(page.contains("Crowning A &amp; B removes the crown from K&lt;&gt;."));
        assert!(page.contains(r#"name="depose" value="on""#));
        assert!(page.contains(">Crown A &amp; B</button>"));
        assert!(page.contains("The place already has a king, K."));
    }

    #[test]
    fn an_action_that_is_done_already_has_no_button() {
        let dead = fields::with_state(7, "A", None, false, false);
        let page =
            |person: &PersonView| action(person, Action::Bury, &Form::default(), &[]).into_string();
        let done = page(&dead);
        assert!(done.contains("A is already recorded as dead.") && !done.contains("<button"));
        assert!(page(&living()).contains(">Record death</button>"));
    }

    #[test]
    fn the_form_of_a_removed_person_keeps_the_entries_and_leads_to_the_person() {
        let mut form = Form::parse(b"name=Typed&version=4");
        let problem = http_semantics::Problem::not_found("person", 7).to_json();
        form.show_problem(&http_semantics::from_json::parse(problem.as_bytes()).unwrap());
        let page = action(&living(), Action::Edit, &form, &[]).into_string();
        for part in [
            r#"value="Typed""#,
            r#"<a href="/ui/people/7">The page of A &amp; B</a> has the history"#,
            ">Save</button>",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        let bury = action(&living(), Action::Bury, &form, &[]).into_string();
        assert!(!bury.contains("<button"), "{bury}");
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
