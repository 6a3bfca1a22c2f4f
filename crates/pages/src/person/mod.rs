//! The page of a person. The forms that change a person are in `forms`.

pub(crate) mod fields;
mod forms;

use maud::{Markup, html};

use crate::api::{Change, PersonView, PlaceView};
use crate::field::hidden;
use crate::history::{self, DescribeChange};
use crate::layout::{Notice, document};
use crate::people::name_of;

pub use fields::{body, fill};
pub use forms::{Action, action, new};

/// The page of a person.
#[derive(Debug)]
pub struct PersonPage {
    /// The person.
    pub person: PersonView,
    /// The version of the person.
    pub version: String,
    /// The known places of the person and of the history.
    pub places: Vec<PlaceView>,
    /// The history.
    pub history: Vec<Change<PersonView>>,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl PersonPage {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let PersonView { id, name, .. } = &self.person;
        let name_of = |id: i64| name_of(&self.places, id);
        let main = html! {
            p.crumb { a href="/ui/people" { "All people" } }
            h1 { (name) }
            (fields::facts(&self.person, &name_of))
            (self.actions())
            (history::section(
                &self.history,
                &format!("/ui/people/{id}"),
                Some(&self.version),
                &format!("/v1/people/{id}/history"),
                &name_of,
            ))
        };
        let data = format!("/v1/people/{id}");
        document(name, Some(&data), &self.notices, &main)
    }

    fn actions(&self) -> Markup {
        let path = format!("/ui/people/{}", self.person.id);
        let button = |action: Action| {
            html! {
                form method="post" action={ (path) "/" (action.name()) } data-once {
                    (hidden("version", &self.version))
                    button.quiet type="submit" { (action.label()) }
                }
            }
        };
        html! {
            div.actions {
                a.button href={ (path) "/edit" } { "Change or move" }
                @if self.person.is_alive {
                    (button(if self.person.is_king { Action::Uncrown } else { Action::Crown }))
                    (button(Action::Bury))
                }
                a.button.quiet href={ (path) "/remove" } { "Remove" }
            }
        }
    }
}

/// The page of a removed person.
#[derive(Debug)]
pub struct RemovedPersonPage {
    /// The person before the removal.
    pub person: PersonView,
    /// The known places of the history.
    pub places: Vec<PlaceView>,
    /// The history.
    pub history: Vec<Change<PersonView>>,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl RemovedPersonPage {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let PersonView { id, name, .. } = &self.person;
        let path = format!("/ui/people/{id}");
        let name_of = |id: i64| name_of(&self.places, id);
        // The reader has just removed the person.
        let label = if self.notices.is_empty() {
            "Restore"
        } else {
            "Undo"
        };
        let main = html! {
            p.crumb { a href="/ui/people" { "All people" } }
            h1 { (name) }
            @if self.person.can_be_restored() {
                p.lead { "This person was removed. The history stays." }
                div.actions { (history::restore_button(&path, None, None, label)) }
            } @else {
                p.lead { "The data of this person was erased and cannot be restored." }
            }
            (history::section(
                &self.history,
                &path,
                None,
                &format!("/v1/people/{id}/history"),
                &name_of,
            ))
        };
        document(name, None, &self.notices, &main)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(is_alive: bool, is_king: bool) -> String {
        let page = PersonPage {
            person: fields::with_state(7, "A & B", Some(3), is_alive, is_king),
            version: "4".to_owned(),
            places: Vec::new(),
            history: Vec::new(),
            notices: Vec::new(),
        };
        page.to_html().into_string()
    }

    #[test]
    fn a_page_offers_only_possible_actions() {
        let (king, living, dead) = (page(true, true), page(true, false), page(false, false));
        assert!(king.contains("/uncrown\"") && !king.contains("/crown\""));
        assert!(living.contains("/crown\"") && living.contains("/bury\""));
        assert!(!dead.contains("crown\"") && !dead.contains("/bury\""));
        assert!(living.contains(r#"name="version" value="4""#));
    }
}
