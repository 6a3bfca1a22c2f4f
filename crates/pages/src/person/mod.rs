//! Renders the page of a person. The module `forms` has the forms that change the person.

mod conflict;
pub(crate) mod fields;
mod forms;

use maud::{Markup, html};

use crate::api::{Change, PersonView, PlaceView};
use crate::field::hidden;
use crate::history::{self, DescribeChange};
use crate::layout::{Notice, document};
use crate::people::name_of;

pub use conflict::{explain, merge};
pub use fields::{body, fill};
pub use forms::{Action, action, new};

/// The page of a person, who may have been removed.
#[derive(Debug)]
pub struct PersonPage {
    /// The person, or the last state of a removed person.
    pub person: PersonView,
    /// The version of the person. A removed person has none.
    pub version: Option<String>,
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
        let path = format!("/ui/people/{id}");
        let name_of = |id: i64| name_of(&self.places, id);
        let version = self.version.as_deref();
        let main = html! {
            p.crumb { a href="/ui/people" { "All people" } }
            h1 { (name) }
            @match version {
                Some(version) => {
                    (fields::facts(&self.person, &name_of))
                    (self.actions(&path, version))
                }
                None => (self.removal(&path)),
            }
            (history::section(
                &history::entries(&self.history, &path, version, &name_of),
                &html! {},
                &html! { a href={ "/v1/people/" (id) "/history" } { "History as JSON" } },
            ))
        };
        let data = version.map(|_| format!("/v1/people/{id}"));
        document(name, data.as_deref(), &self.notices, &main)
    }

    /// The name and the state, for the notice after a restore.
    #[must_use]
    pub fn in_words(&self) -> String {
        let state = self.person.in_words(&|id| name_of(&self.places, id));
        let name = format!("“{}”, ", self.person.name);
        let state = state.strip_prefix(&name).unwrap_or(&state);
        format!("{}: {state}", self.person.name)
    }

    fn removal(&self, path: &str) -> Markup {
        // The reader has just removed the person.
        let label = if self.notices.is_empty() {
            "Restore"
        } else {
            "Undo"
        };
        html! {
            @if self.person.can_be_restored() {
                p.lead { "This person was removed. The history stays." }
                div.actions { (history::restore_button(path, None, None, &html! { (label) })) }
            } @else {
                p.lead { "The data of this person was erased and cannot be restored." }
            }
        }
    }

    fn actions(&self, path: &str, version: &str) -> Markup {
        let button = |action: Action| {
            html! {
                form method="post" action={ (path) "/" (action.name()) } data-once {
                    (hidden("version", version))
                    button.quiet type="submit" { (action.label()) }
                }
            }
        };
        html! {
            div.actions {
                a.button href={ (path) "/edit" } { "Change or move" }
                @if self.person.is_alive {
                    @if self.person.is_king {
                        (button(Action::Uncrown))
                    } @else {
                        a.button.quiet href={ (path) "/crown" } { "Crown" }
                    }
                    (button(Action::Bury))
                }
                a.button.quiet href={ (path) "/remove" } { "Remove" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(is_alive: bool, is_king: bool) -> String {
        of(is_alive, is_king).to_html().into_string()
    }

    fn of(is_alive: bool, is_king: bool) -> PersonPage {
        PersonPage {
            person: fields::with_state(7, "A & B", Some(3), is_alive, is_king),
            version: Some("4".to_owned()),
            places: Vec::new(),
            history: Vec::new(),
            notices: Vec::new(),
        }
    }

    #[test]
    fn the_notice_of_a_restore_has_the_state() {
        assert_eq!(of(false, false).in_words(), "A & B: dead, in place 3");
        assert_eq!(of(true, true).in_words(), "A & B: alive, king, in place 3");
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
