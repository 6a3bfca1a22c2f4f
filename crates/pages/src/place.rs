//! Renders the page of a place with its people and its history, and the forms that change a place.

use domain::moment;
use maud::{Markup, html};

use crate::api::{PlaceView, Population};
use crate::chart::Point;
use crate::field::{self, PLACE_HINT, Text, hidden};
use crate::form::Form;
use crate::layout::{Notice, document, number, time};
use crate::people::People;
use crate::place_history::PlaceHistory;

/// The page of a place.
#[derive(Debug)]
pub struct PlacePage {
    /// The place, or the last state of a removed place. If the places service is down, its name is a
    /// placeholder.
    pub place: PlaceView,
    /// Whether the place was removed.
    pub is_removed: bool,
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
        let past = self.past();
        let shown_name = match past {
            Some(Past::Named(name)) => name,
            _ => name,
        };
        let main = html! {
            p.crumb { a href="/" { "All places" } }
            h1 { (shown_name) }
            (self.state(past.as_ref()))
            @if !self.is_removed {
                p.actions {
                    a.button href={ "/ui/people/new?placeId=%23" (id) } { "Add a person here" }
                    a.button.quiet href={ (path) "/rename" } { "Rename" }
                    a.button.quiet href={ (path) "/remove" } { "Remove" }
                }
            }
            form.filters.date method="get" {
                span #kept data-part { (query.list.hidden(&["asOf"])) }
                (period.date_input(&query.list.form))
                button.quiet type="submit" { "Go to date" }
            }
            (period.section(
                self.series.as_deref(),
                &|step| query.list.link(&[("step", step)]),
                Some(*id),
                self.is_removed,
            ))
            @if self.is_removed {
                (self.history.section(*id, &query.list))
            } @else {
                h2 { "People" }
                @if period.as_of.is_some() { p.hint { "This list and the history are of now." } }
                (query.filters())
                div #results data-part data-told=(self.people.result_text()) {
                    (self.people.table())
                    (self.history.section(*id, &query.list))
                }
            }
        };
        // The data is of now.
        let data = (period.as_of.is_none() && !self.is_removed)
            .then(|| format!("/v1/people-per-place/{id}"));
        let title = [shown_name, &*period.suffix()].concat();
        document(&title, data.as_deref(), &self.notices, &main)
    }

    /// The place at the date of the page, if the page has a date and the history is known.
    fn past(&self) -> Option<Past<'_>> {
        let time = self.people.query.period.as_of.as_ref()?;
        let time = moment::format(time.milliseconds());
        let changes = &self.history.changes;
        let first = changes.first()?;
        match changes.iter().rfind(|change| change.at <= time) {
            Some(change) => Some(match &change.record {
                Some(place) => Past::Named(&place.name),
                None => Past::Removed,
            }),
            // An older history may be unknown.
            None => (first.kind == "created").then_some(Past::AddedAt(&first.at)),
        }
    }

    /// When the place was removed, and the numbers of the time that the page shows.
    fn state(&self, past: Option<&Past<'_>>) -> Markup {
        let as_of = self.people.query.period.as_of.as_ref();
        let present = &self.place.name;
        html! {
            @if self.is_removed {
                p.lead {
                    "This place was removed"
                    @if let Some(change) = self.history.changes.last() { " on " (time(&change.at)) }
                    ". It cannot be restored, but its history stays."
                }
            }
            @match (past, as_of, &self.population) {
                (Some(Past::AddedAt(at)), Some(date), _) => p.lead {
                    "As of " (date) ", this place did not exist. It was added on " (time(at)) "."
                },
                (Some(Past::Removed), _, _) => {},
                (_, None, _) if self.is_removed => {},
                (_, _, None) => p.lead { "The population is unavailable right now." },
                (_, date, Some(population)) => {
                    @if let Some(date) = date {
                        p.lead {
                            "As of " (date)
                            @match past {
                                Some(Past::Named(name)) if name != present && !self.is_removed => {
                                    " (now “" (present) "”)"
                                }
                                _ => {}
                            }
                            ":"
                        }
                    }
                    (numbers(population))
                }
            }
        }
    }
}

/// A place at a date.
enum Past<'a> {
    /// It had this name.
    Named(&'a str),
    /// It was removed before the date.
    Removed,
    /// It was added after the date, at this time.
    AddedAt(&'a str),
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
mod tests;
