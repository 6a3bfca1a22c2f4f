//! Two people change the same person: a three-way merge of the form, and the texts that explain what
//! has happened meanwhile.

use maud::{Markup, html};
use tables::schema::PERSON_TABLE;

use super::fields;
use super::forms::Action;
use crate::api::PersonView;
use crate::field::hidden;
use crate::form::Form;

/// The inputs of a person.
fn inputs() -> impl Iterator<Item = &'static str> {
    let columns = PERSON_TABLE.visible().map(|column| column.json);
    columns.filter(|field| *field != "id")
}

/// The hidden field with the value that an input had when the form was opened.
fn original(field: &str) -> String {
    format!("was-{field}")
}

/// Sets the original values to the present ones.
pub(super) fn remember(form: &mut Form) {
    for field in inputs() {
        let value = form.get(field).to_owned();
        form.set(&original(field), value);
    }
}

/// The hidden fields with the original values.
pub(super) fn originals(form: &Form) -> Markup {
    html! {
        @for field in inputs() { (hidden(&original(field), form.get(&original(field)))) }
    }
}

/// After a conflict, gives each input that the user has not changed the value that is saved now.
/// `place` is the text of the saved place.
pub fn merge(form: &mut Form, saved: &PersonView, place: String) {
    // A form without originals was not made by the page. A name is never empty.
    if !form.is_conflict() || form.filled(&original("name")).is_none() {
        return;
    }
    let mut now = Form::default();
    fields::set(&mut now, saved, place);
    for field in inputs() {
        let value = now.get(field);
        if form.get(field) == form.get(&original(field)) {
            form.set(field, value);
        }
        form.set(&original(field), value);
    }
}

/// Says what is meant by an action that has failed because the person was changed or removed
/// meanwhile.
pub fn explain(form: &mut Form, person: &PersonView, action: Action) {
    let name = &person.name;
    let text = if form.is_missing() {
        format!("{name} was removed meanwhile, so nothing was saved.")
    } else if !form.is_conflict() {
        return;
    } else if let Some(done) = done_already(person, action) {
        format!("{name} {done}. Somebody else has saved that meanwhile.")
    } else if action == Action::Edit {
        "Somebody else has changed this person. Fields that you have not changed show the saved \
         values. Compare yours, then save again or cancel."
            .to_owned()
    } else {
        "Somebody else has changed this person, so nothing was saved. Look at the state below, and \
         choose again."
            .to_owned()
    };
    form.general_error = Some(text);
}

/// The state that an action leads to, if the person has it already.
pub(super) fn done_already(person: &PersonView, action: Action) -> Option<&'static str> {
    match action {
        Action::Bury if !person.is_alive => Some("is already recorded as dead"),
        Action::Crown if person.is_king => Some("is already king"),
        Action::Uncrown if !person.is_king => Some("has no crown"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::{Problem, from_json};

    fn failed(values: &[u8], problem: &Problem) -> Form {
        let mut form = Form::parse(values);
        form.show_problem(&from_json::parse(problem.to_json().as_bytes()).unwrap());
        form
    }

    #[test]
    fn only_the_inputs_that_the_user_changed_keep_their_values_after_a_conflict() {
        let typed = b"name=Old&placeId=Dos&isAlive=on&was-name=Old&was-placeId=Uno&was-isAlive=on";
        let saved = fields::with_state(7, "New", Some(1), false, false);
        let values = |form: &Form| inputs().map(|field| form.get(field).to_owned()).collect();
        let merged = |typed: &[u8], problem: &Problem| -> Vec<String> {
            let mut form = failed(typed, problem);
            merge(&mut form, &saved, "Uno".to_owned());
            values(&form)
        };
        let conflict = Problem::precondition_failed(None);
        let kept = ["Old", "on", "Dos", ""];
        assert_eq!(merged(typed, &conflict), ["New", "", "Dos", ""]);
        assert_eq!(merged(typed, &Problem::internal()), kept);
        assert_eq!(merged(&typed[..33], &conflict), kept);
        // A second conflict compares with what was shown after the first one.
        let mut form = failed(typed, &conflict);
        merge(&mut form, &saved, "Uno".to_owned());
        let saved = fields::with_state(7, "Newer", Some(1), false, false);
        merge(&mut form, &saved, "Uno".to_owned());
        let values: Vec<String> = values(&form);
        assert_eq!(values, ["Newer", "", "Dos", ""]);
    }

    #[test]
    fn a_change_that_came_too_late_is_explained() {
        let dead = fields::with_state(7, "A", None, false, false);
        let king = fields::with_state(7, "A", Some(3), true, true);
        let conflict = Problem::precondition_failed(None);
        let missing = Problem::not_found("person", 7);
        for (person, action, problem, expected) in [
            (
                &dead,
                Action::Bury,
                &conflict,
                Some("A is already recorded as dead."),
            ),
            (&king, Action::Crown, &conflict, Some("A is already king.")),
            (&dead, Action::Uncrown, &conflict, Some("A has no crown.")),
            (
                &king,
                Action::Bury,
                &conflict,
                Some("Somebody else has changed this person, so"),
            ),
            (
                &king,
                Action::Edit,
                &conflict,
                Some("Somebody else has changed this person. Fields"),
            ),
            (
                &king,
                Action::Edit,
                &missing,
                Some("A was removed meanwhile"),
            ),
            (
                &dead,
                Action::Bury,
                &Problem::internal(),
                Some("Something failed."),
            ),
        ] {
            let mut form = failed(b"", problem);
            explain(&mut form, person, action);
            let text = form.general_error.unwrap_or_default();
            assert!(
                expected.is_some_and(|start| text.starts_with(start)),
                "{text}"
            );
        }
    }
}
