//! Renders the page of a place with its people and its history, and the forms that change a place.

use maud::{Markup, html};

use crate::api::{PlaceView, Population};
use crate::chart::{Period, Point, date_input};
use crate::field::{self, PLACE_HINT, Text, hidden};
use crate::form::Form;
use crate::layout::{Notice, document, number};
use crate::people::People;
use crate::place_history::PlaceHistory;

/// The page of a place.
#[derive(Debug)]
pub struct PlacePage {
    /// The place. If the places service is down, its name is a placeholder.
    pub place: PlaceView,
    /// The population, if it is known.
    pub population: Option<Population>,
    /// The people.
    pub people: People,
    /// The population over time, if it is known.
    pub series: Option<Vec<Point>>,
    /// The history.
    pub history: PlaceHistory,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl PlacePage {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let PlaceView { id, name } = &self.place;
        let path = format!("/ui/places/{id}");
        let query = &self.people.query;
        let period = &query.period;
        let main = html! {
            p.crumb { a href="/" { "All places" } }
            h1 { (name) }
            @match &self.population {
                None => p.lead { "The population is unavailable right now." },
                Some(population) => (numbers(population, period)),
            }
            p.actions {
                a.button href={ "/ui/people/new?placeId=%23" (id) } { "Add a person here" }
                a.button.quiet href={ (path) "/rename" } { "Rename" }
                a.button.quiet href={ (path) "/remove" } { "Remove" }
            }
            form.filters.date method="get" {
                (query.list.hidden(&["asOf"]))
                (date_input(&query.list.form))
                button.quiet type="submit" { "Go to date" }
            }
            (period.section(
                self.series.as_deref(),
                &|step| query.list.link(&[("step", step)]),
                Some(*id),
            ))
            h2 { "People" }
            @if period.as_of.is_some() { p.hint { "This list and the history are of now." } }
            (query.filters())
            div #results data-told=(self.people.result_text()) {
                (self.people.table())
                (self.history.section(*id, &query.list))
            }
        };
        let data = format!("/v1/people-per-place/{id}");
        document(name, Some(&data), &self.notices, &main)
    }
}

fn numbers(population: &Population, period: &Period) -> Markup {
    html! {
        @if let Some(time) = &period.as_of { p.lead { "As of " (time) ":" } }
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

/// A change of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Gives it another name.
    Rename,
    /// Removes it.
    Remove,
    /// Restores an earlier version.
    Restore,
}

impl Action {
    /// The action with this name in a path.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "rename" => Some(Self::Rename),
            "remove" => Some(Self::Remove),
            "restore" => Some(Self::Restore),
            _ => None,
        }
    }
}

/// The form of an action.
#[must_use]
pub fn action(
    place: &PlaceView,
    action: Action,
    form: &Form,
    places: &[PlaceView],
    population: Option<&Population>,
) -> Markup {
    let back = format!("/ui/places/{}", place.id);
    let (title, verb) = match action {
        Action::Rename => (format!("Rename {}", place.name), "Rename"),
        Action::Remove => (format!("Remove {}", place.name), "Remove place"),
        Action::Restore => (
            format!("Restore an earlier name of {}", place.name),
            "Restore",
        ),
    };
    let target = Text {
        hint: PLACE_HINT,
        ..Text::new("reassignTo", "Move living people to")
    };
    let main = html! {
        p.crumb { a href=(back) { (place.name) } }
        h1 { (title) }
        form.entry method="post" data-once {
            (hidden("version", form.get("version")))
            (field::preamble(form))
            @if form.is_conflict() { p { "Now saved: " b { (place.name) } "." } }
            @match action {
                Action::Rename => (field::name(form)),
                Action::Remove => {
                    @if let Some(Population { living, dead, .. }) = population {
                        p { "Living people here: " b { (number(*living)) } ". Dead people: " b { (number(*dead)) } "." }
                    }
                    p { "Living people must move to another place. Dead people stay in the list, without a place. There is no Undo: a removed place cannot be restored." }
                    @if form.has_errors() || population.is_none_or(|population| population.living > 0) {
                        (target.to_html(form))
                        (field::places(places))
                    }
                }
                Action::Restore => {
                    (hidden("restored", form.get("restored")))
                    @if let Some(error) = form.error("name") { p.error role="alert" { (error) } }
                }
            }
            p.actions {
                button.danger[action == Action::Remove] type="submit" { (verb) }
                a.button.quiet href=(back) { "Cancel" }
            }
        }
    };
    document(&title, None, &[], &main)
}

/// The form of a new place.
#[must_use]
pub fn new(form: &Form) -> Markup {
    let main = html! {
        p.crumb { a href="/" { "All places" } }
        h1 { "Add a place" }
        form.entry method="post" action="/ui/places/new" data-once {
            (hidden("key", form.get("key")))
            (field::preamble(form))
            (field::name(form))
            p.actions {
                button type="submit" { "Add place" }
                a.button.quiet href="/" { "Cancel" }
            }
        }
    };
    document("Add a place", None, &[], &main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_with_an_error_keeps_its_values_and_shows_the_error() {
        let mut form = Form::parse(b"name=%22A%22&version=3");
        form.add_error("name", "Another <place> has it.");
        form.needs_token = true;
        let place = PlaceView {
            id: 7,
            name: "Old & dear".to_owned(),
        };
        let page = action(&place, Action::Rename, &form, &[], None).into_string();
        assert!(page.contains(r#"value="&quot;A&quot;""#));
        assert!(
            page.contains(r#"<p class="error" id="name-error">Another &lt;place&gt; has it.</p>"#)
        );
        assert!(page.contains(r#"<input type="hidden" name="version" value="3">"#));
        assert!(page.contains(r#"type="password" value="""#));
        assert!(page.contains("<h1>Rename Old &amp; dear</h1>"));
    }
}
