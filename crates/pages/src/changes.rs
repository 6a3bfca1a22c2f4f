//! Renders the page of recent changes.

use http_semantics::from_json;
use http_semantics::from_json::FromJson;
use maud::{Markup, html};
use serde_json::Value;

use crate::api::{PersonView, PlaceView};
use crate::history::DescribeChange;
use crate::layout::{Notice, main_document, time};
use crate::people::name_of;

/// A change of a place or a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentChange {
    /// The time in UTC (RFC 3339).
    pub at: String,
    /// `places` or `people`.
    collection: String,
    /// `created`, `updated`, `deleted` or `erased`.
    kind: String,
    id: i64,
    /// The version after the change.
    version: i64,
    /// The name of the token, if writing needed one.
    by: Option<String>,
    /// The record before the change.
    before: Option<Value>,
    /// The record after the change. An erased one has no name.
    record: Option<Value>,
}

from_json! {
    RecentChange { at, collection, kind, id, version, by, before, record }
}

impl RecentChange {
    /// The record before and after the change, if there are both.
    fn states<T: FromJson>(&self) -> Option<(T, T)> {
        let state = |state: &Option<Value>| T::from_json(state.as_ref()?);
        state(&self.before).zip(state(&self.record))
    }

    fn is_of_place(&self) -> bool {
        self.collection == "places"
    }

    /// The last known name.
    fn name(&self) -> Option<&str> {
        let state = self.record.as_ref().or(self.before.as_ref())?;
        state.get("name")?.as_str()
    }
}

/// The places that people were moved from or to.
#[must_use]
pub fn places_of_moves(changes: &[RecentChange]) -> Vec<i64> {
    let mut places = Vec::new();
    for change in changes.iter().filter(|change| !change.is_of_place()) {
        if let Some((before, after)) = change.states::<PersonView>()
            && before.place_id != after.place_id
        {
            places.extend(before.place_id.into_iter().chain(after.place_id));
        }
    }
    places
}

/// The page.
#[derive(Debug)]
pub struct RecentChanges {
    /// The changes in order of time, the newest first.
    pub changes: Vec<RecentChange>,
    /// The known places that people were moved from or to.
    pub places: Vec<PlaceView>,
    /// The path of the later changes as events. Empty if it is unknown.
    pub stream: String,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl RecentChanges {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let main = html! {
            h1 { "Recent changes" }
            @if self.changes.is_empty() && self.notices.is_empty() { p.empty { "No changes." } }
            ul #changes .history data-stream=(self.stream) {
                @for change in &self.changes {
                    li { (time(&change.at)) " " (self.sentence(change)) }
                }
            }
            p.more { a href="/v1/changes" { "All changes as JSON" } }
        };
        main_document(
            "/ui/changes",
            "Recent changes",
            Some("/v1/changes"),
            &self.notices,
            &main,
        )
    }

    fn sentence(&self, change: &RecentChange) -> Markup {
        let verb = match change.kind.as_str() {
            "created" if change.version > 1 => "restored",
            "created" => "added",
            "deleted" => "removed",
            "erased" => "erased",
            _ => "changed",
        };
        let noun = if change.is_of_place() {
            "place"
        } else {
            "person"
        };
        let link = html! {
            a href={ "/ui/" (change.collection) "/" (change.id) } {
                @match change.name() { Some(name) => (name), None => (change.id) }
            }
        };
        html! {
            @match self.differences(change).filter(|text| !text.is_empty()) {
                Some(text) => { (link) " " (text) },
                None => { (verb) " " (noun) " " (link) },
            }
            @if let Some(by) = &change.by { " by " (by) }
        }
    }

    /// The changes of an update, in the words of the history of the record.
    fn differences(&self, change: &RecentChange) -> Option<String> {
        if change.is_of_place() {
            let (before, after) = change.states::<PlaceView>()?;
            Some(after.differences(&before, &|_| String::new()).join(", "))
        } else {
            let (before, after) = change.states::<PersonView>()?;
            let name_of = |id| self.name_of_place(id);
            Some(after.differences(&before, &name_of).join(", "))
        }
    }

    /// The name of a place, which may have been removed by one of the changes.
    fn name_of_place(&self, id: i64) -> String {
        let mut changes = self.changes.iter();
        let removal = changes
            .find(|change| change.is_of_place() && change.id == id && change.record.is_none());
        match removal.and_then(RecentChange::name) {
            Some(name) => name.to_owned(),
            None => name_of(&self.places, id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::from_json;

    fn change(
        collection: &str,
        kind: &str,
        version: i64,
        before: &str,
        record: &str,
    ) -> RecentChange {
        let at = "2026-01-31T12:00:00.000Z";
        let json = format!(
            r#"{{"at":"{at}","collection":"{collection}","kind":"{kind}","id":7,"seq":1,"version":{version},"by":"anna","before":{before},"record":{record}}}"#
        );
        from_json::parse(json.as_bytes()).unwrap()
    }

    fn person(name: &str, is_alive: bool, place: i64) -> String {
        format!(r#"{{"id":7,"name":{name},"isAlive":{is_alive},"placeId":{place},"isKing":false}}"#)
    }

    #[test]
    fn each_change_says_what_changed_and_who_did_it() {
        let (old, new) = (r#"{"id":7,"name":"<A>"}"#, r#"{"id":7,"name":"B"}"#);
        let living = person(r#""Ana""#, true, 3);
        let dead = person(r#""Ana""#, false, 7);
        let erased = person("null", true, 3);
        let place = |text: &str| format!(r#"<a href="/ui/places/7">{text}</a>"#);
        let ana = r#"<a href="/ui/people/7">Ana</a>"#;
        let cases = [
            (
                change("places", "deleted", 3, new, "null"),
                format!("removed place {}", place("B")),
            ),
            (
                change("places", "updated", 2, old, new),
                format!("{} renamed from “&lt;A&gt;” to “B”", place("B")),
            ),
            (
                change("places", "created", 1, "null", old),
                format!("added place {}", place("&lt;A&gt;")),
            ),
            (
                change("people", "updated", 2, &living, &dead),
                format!("{ana} moved from Tres to B, died"),
            ),
            (
                change("people", "updated", 2, "null", &dead),
                format!("changed person {ana}"),
            ),
            (
                change("people", "updated", 2, &dead, &dead),
                format!("changed person {ana}"),
            ),
            (
                change("people", "deleted", 3, &dead, "null"),
                format!("removed person {ana}"),
            ),
            (
                change("people", "created", 4, "null", &living),
                format!("restored person {ana}"),
            ),
            (
                change("people", "erased", 5, &erased, "null"),
                r#"erased person <a href="/ui/people/7">7</a>"#.to_owned(),
            ),
        ];
        let page = RecentChanges {
            changes: cases.iter().map(|(change, _)| change.clone()).collect(),
            places: vec![PlaceView {
                id: 3,
                name: "Tres".to_owned(),
            }],
            stream: String::new(),
            notices: Vec::new(),
        };
        for (change, text) in &cases {
            let sentence = page.sentence(change).into_string();
            assert_eq!(sentence, format!("{text} by anna"));
        }
        assert_eq!(places_of_moves(&page.changes), [3, 7]);
    }
}
