//! Changes the people who are ticked in a list. This module has the possible actions, the page that
//! asks for confirmation, and the notice afterwards.

use domain::Param;
use domain::name::Normalize;
use domain::param::parse_positive_integer;
use http_semantics::Validator;
use maud::{Markup, html};

use crate::api::{PersonView, PlaceView};
use crate::field::{self, PLACE_HINT, Text, hidden};
use crate::form::Form;
use crate::layout::{Notice, document, number};
use crate::people::{PeopleQuery, name_of, state};

/// The maximum number of people: the longest page of a list.
const MAX_TICKED: usize = 250;

/// The maximum number of names that are shown at once. A `<summary>` opens the others.
const MAX_OPEN: usize = 12;

/// The path of the page.
pub(crate) const PATH: &str = "/ui/people/selected";

/// The parameter with the address of the list.
const BACK: &str = "back";

/// The action for the ticked people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Moves them to another place.
    Move,
    /// Records their deaths.
    Bury,
    /// Removes them.
    Remove,
}

impl Action {
    const ALL: [Self; 3] = [Self::Move, Self::Bury, Self::Remove];

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Move => "move",
            Self::Bury => "bury",
            Self::Remove => "remove",
        }
    }

    /// The label of the button below a list.
    fn label(self) -> &'static str {
        match self {
            Self::Move => "Move",
            Self::Bury => "Record death",
            Self::Remove => "Remove",
        }
    }

    /// The action in words.
    fn with_count(self, count: i64) -> String {
        let start = match self {
            Self::Move => "Move",
            Self::Bury => "Record the death of",
            Self::Remove => "Remove",
        };
        format!("{start} {}", people(count))
    }

    fn explanation(self) -> &'static str {
        match self {
            Self::Move => "",
            Self::Bury => "Dead people stay in the list.",
            Self::Remove => {
                "They disappear from the list. To record a death, do not remove a person: choose “Record death”. Each removed person can be restored: “Changes” has a link to the page of the person."
            }
        }
    }

    /// The effect of the action on kings.
    fn of_kings(self) -> &'static str {
        match self {
            Self::Move => "A king who moves loses the crown: ",
            Self::Bury => "A king who dies loses the crown: ",
            Self::Remove => "Their places then have no king: ",
        }
    }
}

fn people(count: i64) -> String {
    format!(
        "{} {}",
        number(count),
        if count == 1 { "person" } else { "people" }
    )
}

fn count<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// A person who is ticked. The list knows only the id. The page that asks also keeps the version and
/// the place, so that a form that is sent twice results in the same operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ticked {
    id: i64,
    version: Option<Validator>,
    place: Option<i64>,
}

impl Ticked {
    /// Parses `7`, or `7:3.1f09ab34:1` with the version and the place.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let id = parse_positive_integer(parts.next()?)?;
        let (version, place) = match (parts.next(), parts.next()) {
            (None, _) => (None, None),
            (Some(version), place) => {
                let version = Validator::parse(version)?;
                (Some(version), place.and_then(parse_positive_integer))
            }
        };
        Some(Self { id, version, place })
    }
}

/// The ticked people, and what is done with them.
#[derive(Debug)]
pub struct Selection {
    /// The action.
    pub action: Action,
    list: PeopleQuery,
    ticked: Vec<Ticked>,
}

impl Selection {
    /// Parses the query of a list, or the form of the page. None if no page sends that.
    #[must_use]
    pub fn parse(form: &Form, normalize: Normalize) -> Option<Self> {
        let mut ticked = Vec::new();
        for text in form.all("person") {
            let person = Ticked::parse(text)?;
            if ticked.iter().all(|other: &Ticked| other.id != person.id) {
                if ticked.len() == MAX_TICKED {
                    return None;
                }
                ticked.push(person);
            }
        }
        let back = form.get(BACK);
        let (path, query) = back.split_once('?').unwrap_or((back, ""));
        let place = path.strip_prefix("/ui/places/");
        let place = place.and_then(parse_positive_integer);
        Some(Self {
            action: Action::parse(form.get("action"))?,
            list: PeopleQuery::parse(place, query, 0, normalize),
            ticked,
        })
    }

    /// The ids of the people.
    #[must_use]
    pub fn ids(&self) -> Vec<i64> {
        self.ticked.iter().map(|person| person.id).collect()
    }

    /// The operations of the batch as JSON, and their number. People who live in the destination
    /// already need none.
    #[must_use]
    pub fn operations(&self, destination: Option<i64>) -> (String, usize) {
        let place = destination.unwrap_or_default();
        let (operation, body) = match self.action {
            Action::Move => (
                "update",
                format!(r#","body":{{"placeId":{place},"isKing":false}}"#),
            ),
            Action::Bury => (
                "update",
                r#","body":{"isAlive":false,"isKing":false}"#.to_owned(),
            ),
            Action::Remove => ("delete", String::new()),
        };
        let (mut operations, mut count) = (String::new(), 0);
        for Ticked { id, version, place } in &self.ticked {
            if self.action == Action::Move && *place == destination {
                continue;
            }
            // A version contains nothing that JSON would escape.
            let version = version.map(|version| format!(r#","ifMatch":"\"{version}\"""#));
            let version = version.unwrap_or_default();
            add(
                &mut operations,
                &format!(r#"{{"op":"{operation}","id":{id}{version}{body}}}"#),
            );
            count += 1;
        }
        (format!("[{operations}]"), count)
    }

    /// The operations that change nothing, but tell the versions of the people with these ids.
    #[must_use]
    pub fn no_operations(ids: &[i64]) -> String {
        let mut operations = String::new();
        for id in ids {
            let operation = format!(r#"{{"op":"update","id":{id},"body":{{}}}}"#);
            add(&mut operations, &operation);
        }
        format!("[{operations}]")
    }

    /// The address of the list, which then says what was done with this number of people.
    #[must_use]
    pub fn done_path(&self, count: usize, destination: Option<i64>) -> String {
        let (count, place) = (
            count.to_string(),
            destination.unwrap_or_default().to_string(),
        );
        self.list.list.address(&[
            ("did", self.action.name()),
            ("people", &count),
            ("to", if destination.is_some() { &place } else { "" }),
        ])
    }

    /// The page that asks before anything is done. `people` are those who exist, with their versions.
    /// `removed` are the ids and names of the others.
    #[must_use]
    pub fn page(
        &self,
        form: &Form,
        people: &[(PersonView, String)],
        removed: &[(i64, String)],
        places: &[PlaceView],
    ) -> Markup {
        let back = self.list.list.address(&[]);
        let mut affected = Vec::new();
        let (mut kings, mut dead) = (String::new(), String::new());
        for ticked in people {
            let (person, _) = ticked;
            if self.action == Action::Bury && !person.is_alive {
                add(&mut dead, &person.name);
                continue;
            }
            affected.push(ticked);
            if person.is_king {
                add(&mut kings, &person.name);
            }
        }
        let title = self.action.with_count(count(&affected));
        let mark = if self.action == Action::Move { "" } else { "?" };
        let heading = [&title, mark].concat();
        let main = html! {
            p.crumb { a href=(back) { "Back to the list" } }
            h1 { (heading) }
            form.entry method="post" action=(PATH) data-once {
                (hidden("action", self.action.name()))
                (hidden(BACK, &back))
                (hidden("key", form.get("key")))
                (field::preamble(form))
                @if form.refused.is_empty() { (removed_notice(removed, self.ticked.len())) }
                @if !dead.is_empty() { p { "Dead already: " b { (dead) } "." } }
                @if affected.is_empty() {
                    p { "There is nothing to do for these people." }
                } @else {
                    @if !self.action.explanation().is_empty() { p { (self.action.explanation()) } }
                    @if !kings.is_empty() { p { (self.action.of_kings()) b { (kings) } "." } }
                    @if self.action == Action::Move {
                        (destination_field().to_html(form))
                        (field::places(places))
                    }
                }
                @for (id, reason) in &form.refused {
                    @if people.iter().all(|(person, _)| person.id != *id) {
                        p.error {
                            @match removed.iter().find(|(removed, _)| removed == id) {
                                Some(person) => (link(person)),
                                None => { "Person " (id) },
                            }
                            ": " (reason)
                        }
                    }
                }
                (people_list(form, &affected, places))
                p.actions {
                    @if !affected.is_empty() {
                        button.danger[self.action == Action::Remove] type="submit" { (title) }
                    }
                    a.button.quiet href=(back) { @if affected.is_empty() { "Back" } @else { "Cancel" } }
                }
            }
        };
        document(&heading, None, &[], &main)
    }
}

fn link((id, name): &(i64, String)) -> Markup {
    html! { a href={ "/ui/people/" (id) } { (name) } }
}

/// The ticked people who were removed meanwhile.
fn removed_notice(removed: &[(i64, String)], ticked: usize) -> Markup {
    html! {
        @if let Some((first, others)) = removed.split_first() {
            p.notice.warning role="alert" {
                (number(count(removed))) " of the " (number(i64::try_from(ticked).unwrap_or(i64::MAX)))
                " ticked people " @if others.is_empty() { "was" } @else { "were" }
                " removed meanwhile: " (link(first))
                @for other in others { ", " (link(other)) }
                "."
            }
        }
    }
}

fn destination_field() -> Text<'static> {
    Text {
        hint: PLACE_HINT,
        is_required: true,
        ..Text::new("placeId", "Move to")
    }
}

/// Adds an item to a list that is separated by commas.
fn add(list: &mut String, item: &str) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push_str(item);
}

/// The people with their states, and why some of them cannot be changed.
fn people_list(form: &Form, people: &[&(PersonView, String)], places: &[PlaceView]) -> Markup {
    html! {
        @if !people.is_empty() {
            details open[people.len() <= MAX_OPEN || !form.refused.is_empty()] {
                summary { (self::people(count(people))) }
                ul.selected {
                    @for (person, version) in people {
                        li {
                            (hidden("person", &value(person, version)))
                            a href={ "/ui/people/" (person.id) } { (person.name) } ", " (state(person))
                            @if let Some(place) = person.place_id { ", in " (name_of(places, place)) }
                            @for (id, reason) in &form.refused {
                                @if *id == person.id { p.error { (reason) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A person as [`Ticked::parse`] reads it.
fn value(person: &PersonView, version: &str) -> String {
    let place = person
        .place_id
        .map_or_else(String::new, |id| id.to_string());
    format!("{}:{version}:{place}", person.id)
}

/// The box of a person in a list. Its label is the name, which has the id `p` and the number.
pub(crate) fn tick(id: i64) -> Markup {
    html! { input type="checkbox" name="person" value=(id) aria-labelledby={ "p" (id) }; }
}

/// The buttons below a list with boxes, and the hidden address of the list.
pub(crate) fn buttons(list: &PeopleQuery) -> Markup {
    html! {
        (hidden(BACK, &list.list.address(&[])))
        fieldset.actions {
            legend { "With the ticked people" }
            @for action in Action::ALL {
                button.quiet type="submit" name="action" value=(action.name()) { (action.label()) }
            }
        }
    }
}

/// The place that people were moved to, as the query of a list names it.
#[must_use]
pub fn destination(query: &str) -> Option<i64> {
    parse_positive_integer(Form::parse(query.as_bytes()).get("to"))
}

/// The notice of a list about what was done with ticked people, if anything.
#[must_use]
pub fn notice(query: &str, places: &[PlaceView]) -> Option<Notice> {
    let form = Form::parse(query.as_bytes());
    let action = Action::parse(form.get("did"))?;
    let Some(count) = parse_positive_integer(form.get("people")) else {
        let text = "Nobody is ticked. Tick the boxes of some people first.";
        return Some(Notice::Warning(text.to_owned()));
    };
    let people = people(count);
    Some(Notice::Done(match action {
        Action::Move => match destination(query) {
            Some(place) => format!("Moved {people} to {}.", name_of(places, place)),
            None => format!("Moved {people}."),
        },
        Action::Bury => format!("Recorded the death of {people}."),
        Action::Remove => format!("Removed {people}."),
    }))
}

#[cfg(test)]
mod tests;
