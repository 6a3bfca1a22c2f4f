//! Renders the history of a place: its own changes, and the arrivals, departures, deaths and
//! crownings of its people.

use domain::{Moment, Param, moment};
use http_semantics::from_json;
use maud::{Markup, html};

use crate::api::{Change, PersonView, PlaceView};
use crate::history::{Entry, entries, section};
use crate::layout::{number, time};
use crate::list::ListQuery;
use crate::people::name_of;

/// The maximum number of moments on a page at which the population changed.
const MAX_MOMENTS: usize = 20;

/// A change of a person that changed the population of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PopulationChange {
    /// The time in UTC (RFC 3339).
    at: String,
    /// The name of the token, if writing needed one.
    by: Option<String>,
    /// The person before the change.
    before: Option<PersonView>,
    /// The person after the change.
    record: Option<PersonView>,
    /// The numbers of people after many changes at once, which have no people here.
    living: Option<i64>,
    dead: Option<i64>,
}

from_json! {
    PopulationChange { at, by, before, record, living, dead }
}

/// The request for the latest changes of the population of a place, before `until`.
#[must_use]
pub fn path(place: i64, until: Option<&str>) -> String {
    let limit = MAX_MOMENTS + 1;
    let path = format!("/internal/population-changes?placeId={place}&limit={limit}");
    match until {
        Some(until) => [&path, "&before=", until].concat(),
        None => path,
    }
}

/// The other places that people came from or left for.
#[must_use]
pub fn other_places(changes: &[PopulationChange], place: i64) -> Vec<i64> {
    let states = changes
        .iter()
        .flat_map(|change| [&change.before, &change.record]);
    let places = states.flatten().filter_map(|person| person.place_id);
    let mut places: Vec<i64> = places.filter(|id| *id != place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The history of a place.
#[derive(Debug, Default)]
pub struct PlaceHistory {
    /// The changes of the place itself, oldest first.
    pub changes: Vec<Change<PlaceView>>,
    /// The latest changes of its population, latest first, if they are known.
    pub population_changes: Option<Vec<PopulationChange>>,
    /// The known places that people came from or left for.
    pub places: Vec<PlaceView>,
}

impl PlaceHistory {
    /// The section of the page, latest change first.
    pub(crate) fn section(&self, place: i64, query: &ListQuery) -> Markup {
        let until = until(query);
        let changes = self.population_changes.as_deref();
        let (shown, older) = latest(changes.unwrap_or_default());
        let is_shown = |at: &str| {
            older.is_none_or(|older| at >= older) && until.as_deref().is_none_or(|until| at < until)
        };
        let own = entries(&self.changes, &query.path, None, &|_| String::new());
        let own = own.into_iter().filter(|entry| is_shown(entry.at));
        // A removed place cannot be restored.
        let is_removed = (self.changes.last()).is_some_and(|change| change.record.is_none());
        let own = own.map(|entry| Entry {
            button: entry.button.filter(|_| !is_removed),
            ..entry
        });
        let mut all: Vec<Entry<'_>> = own.collect();
        // Both are in order of time, so the changes of the place are merged in without a sort, whose
        // code would be larger.
        for change in shown {
            let entry = Entry {
                at: &change.at,
                by: change.by.as_deref(),
                text: self.sentence(change, place),
                button: None,
            };
            let at = all.iter().position(|other| other.at < entry.at);
            all.insert(at.unwrap_or(all.len()), entry);
        }
        let json = format!("/v1/changes?placeId={place}&order=desc");
        let lead = html! {
            @if let Some(until) = &until { p.hint { "Before " (time(until)) "." } }
            @if changes.is_none() {
                p.hint { "Arrivals, departures, deaths and crownings are unavailable right now." }
            }
        };
        let links = html! {
            @if until.is_some() {
                a href={ (query.link(&[("until", "")])) "#history" } { "Latest history" } " "
            }
            @if let Some(older) = older {
                a href={ (query.link(&[("until", older)])) "#history" } { "Older history" } " "
            }
            a href=(json) { "History as JSON" }
        };
        section(&all, &lead, &links)
    }

    fn sentence(&self, change: &PopulationChange, place: i64) -> Markup {
        let (before, after) = (change.before.as_ref(), change.record.as_ref());
        let (Some(person), text) = (after.or(before), self.text(before, after, place)) else {
            let count = |count: Option<i64>| number(count.unwrap_or_default());
            let (living, dead) = (count(change.living), count(change.dead));
            return html! { "many changes at once (" (living) " living and " (dead) " dead after them)" };
        };
        html! { a href={ "/ui/people/" (person.id) } { (person.name) } " " (text) }
    }

    /// The text of one change of a person, from the point of view of the place.
    fn text(&self, before: Option<&PersonView>, after: Option<&PersonView>, place: i64) -> String {
        let Some(after) = after else {
            return "was removed".to_owned();
        };
        let Some(before) = before else {
            let text = match (after.is_alive, after.is_king) {
                (true, true) => "was added as king",
                (true, false) => "was added",
                (false, _) => "was added, dead",
            };
            return text.to_owned();
        };
        let moved = (before.place_id != after.place_id).then(|| {
            let ([verb, preposition], other) = if after.place_id == Some(place) {
                (["arrived", " from "], before.place_id)
            } else {
                (["left", " for "], after.place_id)
            };
            match other {
                Some(id) => [verb, preposition, &name_of(&self.places, id)].concat(),
                None => verb.to_owned(),
            }
        });
        after.differences_and(before, moved).join(", ")
    }
}

/// The time before which the history is shown.
pub(crate) fn until(query: &ListQuery) -> Option<String> {
    let time = Moment::parse(query.form.filled("until")?)?;
    Some(moment::format(time.milliseconds()))
}

/// The changes of a page, and the time of the last one if there are older ones.
fn latest(changes: &[PopulationChange]) -> (&[PopulationChange], Option<&str>) {
    let (mut moments, mut last) = (0, None);
    for (n, change) in changes.iter().enumerate() {
        if last == Some(change.at.as_str()) {
            continue;
        }
        if moments == MAX_MOMENTS {
            return (changes.get(..n).unwrap_or_default(), last);
        }
        moments += 1;
        last = Some(&change.at);
    }
    (changes, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::PeopleQuery;
    use domain::name::Normalize;
    use http_semantics::from_json;

    fn person(place: &str, is_alive: bool, is_king: bool) -> String {
        format!(
            r#"{{"id":7,"name":"<A>","isAlive":{is_alive},"placeId":{place},"isKing":{is_king}}}"#
        )
    }

    fn change(minute: usize, before: &str, record: &str) -> PopulationChange {
        let json = format!(
            r#"{{"at":"2026-01-31T12:{minute:02}:00.000Z","by":"anna","id":7,"before":{before},"record":{record}}}"#
        );
        from_json::parse(json.as_bytes()).unwrap()
    }

    fn history(changes: Vec<PopulationChange>) -> PlaceHistory {
        PlaceHistory {
            population_changes: Some(changes),
            places: vec![PlaceView {
                id: 3,
                name: "C".to_owned(),
            }],
            ..PlaceHistory::default()
        }
    }

    fn section_of(history: &PlaceHistory, query: &str) -> String {
        let query = PeopleQuery::parse(Some(1), query, 0, Normalize::NONE);
        history.section(1, &query.list).into_string()
    }

    #[test]
    fn each_change_of_a_population_has_a_sentence() {
        let null = "null".to_owned();
        let here = |is_alive, is_king| person("1", is_alive, is_king);
        for (before, record, expected) in [
            (null.clone(), here(true, false), "was added"),
            (null.clone(), here(true, true), "was added as king"),
            (null.clone(), here(false, false), "was added, dead"),
            (here(true, false), null, "was removed"),
            (
                person("3", true, false),
                here(true, true),
                "arrived from C, was crowned",
            ),
            (
                person("9", true, false),
                here(true, false),
                "arrived from place 9",
            ),
            (person("null", false, false), here(false, false), "arrived"),
            (
                here(true, true),
                person("3", true, false),
                "left for C, lost the crown",
            ),
            (here(false, false), person("null", false, false), "left"),
            (here(true, true), here(false, false), "died, lost the crown"),
            (here(false, false), here(true, false), "recorded as alive"),
            (here(true, false), here(true, true), "was crowned"),
        ] {
            let change = change(0, &before, &record);
            let sentence = history(Vec::new()).sentence(&change, 1).into_string();
            let link = r#"<a href="/ui/people/7">&lt;A&gt;</a> "#;
            assert_eq!(sentence, format!("{link}{expected}"));
        }
    }

    #[test]
    fn many_changes_at_once_have_a_sentence_with_the_population() {
        let json = r#"[{"at":"2026-01-31T12:00:00.000Z","by":null,"living":1200,"dead":3}]"#;
        let changes = from_json::parse(json.as_bytes()).unwrap();
        let section = section_of(&history(changes), "");
        let text = "many changes at once (1,200 living and 3 dead after them)";
        assert!(section.contains(text), "{section}");
    }

    #[test]
    fn a_history_has_the_changes_of_the_place_between_those_of_its_people() {
        let here = person("1", true, false);
        let mut history = history(vec![change(30, &here, "null"), change(10, "null", &here)]);
        let renamed = r#"[{"at":"2026-01-31T12:20:00.000Z","kind":"created","version":1,"by":"ben","record":{"id":1,"name":"B"}}]"#;
        history.changes = from_json::parse(renamed.as_bytes()).unwrap();
        let section = section_of(&history, "");
        let position = |text: &str| section.find(text).unwrap();
        let order = [
            "was removed by anna",
            "added as “B” by ben",
            "was added by anna",
        ];
        assert!(order.map(position).is_sorted(), "{section}");
        assert!(!section.contains("Older history"), "{section}");
    }

    #[test]
    fn older_changes_are_behind_a_link_that_repeats_none() {
        let here = person("1", true, false);
        let changes = (0..=MAX_MOMENTS).rev().flat_map(|minute| {
            // Two people at each moment.
            [change(minute, "null", &here), change(minute, "null", &here)]
        });
        let mut history = history(changes.collect());
        let of_place = r#"[{"at":"2026-01-31T12:00:00.000Z","kind":"created","version":1,"by":null,"record":{"id":1,"name":"B"}}]"#;
        history.changes = from_json::parse(of_place.as_bytes()).unwrap();
        let section = section_of(&history, "show=isAlive%3Dtrue");
        assert_eq!(section.matches("was added").count(), 2 * MAX_MOMENTS);
        assert!(!section.contains("added as “B”"), "{section}");
        let link = "/ui/places/1?sort=name&amp;limit=50&amp;show=isAlive%3Dtrue&amp;step=day\
            &amp;until=2026-01-31T12%3A01%3A00.000Z#history";
        assert!(section.contains(link), "{section}");
        history.population_changes = Some(vec![change(0, "null", &here)]);
        let rest = section_of(&history, "until=2026-01-31T12:01:00.000Z");
        assert_eq!(rest.matches("was added").count(), 1);
        assert!(rest.contains("added as “B”") && rest.contains("Latest history"));
    }

    #[test]
    fn unknown_changes_of_the_population_are_said_to_be_unavailable() {
        let section = section_of(&PlaceHistory::default(), "");
        assert!(section.contains("are unavailable right now"));
    }

    #[test]
    fn other_places_are_those_of_moves() {
        let here = person("1", true, false);
        let changes = [
            change(0, &person("3", true, false), &here),
            change(0, &here, &person("2", true, false)),
            change(0, &here, &person("null", false, false)),
            change(0, &here, &person("3", true, false)),
        ];
        assert_eq!(other_places(&changes, 1), [2, 3]);
    }
}
