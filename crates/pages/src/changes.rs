//! Renders the page of recent changes.

use maud::{Markup, html};
use serde_json::Value;

use crate::from_json;
use crate::layout::{Notice, document, time};

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
    /// The name of the token, if writing needed one.
    by: Option<String>,
    /// The record after the change. An erased one has no name.
    record: Option<Value>,
}

from_json! {
    RecentChange {
        at: "at",
        collection: "collection",
        kind: "kind",
        id: "id",
        by: "by",
        record: "record",
    }
}

/// The page. The changes are in order of time, the newest first. `stream` is the path of the later
/// ones as events, if the browser may read them.
#[must_use]
pub fn page(changes: &[RecentChange], stream: Option<&str>, notices: &[Notice]) -> Markup {
    let main = html! {
        h1 { "Recent changes" }
        @if changes.is_empty() { p.empty { "No changes." } }
        ul #changes .history data-stream=[stream] {
            @for change in changes { li { (time(&change.at)) " " (sentence(change)) } }
        }
        p.more { a href="/v1/changes" { "All changes as JSON" } }
    };
    document("Recent changes", Some("/v1/changes"), notices, &main)
}

fn sentence(change: &RecentChange) -> Markup {
    let verb = match change.kind.as_str() {
        "created" => "added",
        "deleted" => "removed",
        "erased" => "erased",
        _ => "changed",
    };
    let is_place = change.collection == "places";
    let noun = if is_place { "place" } else { "person" };
    let name = change
        .record
        .as_ref()
        .and_then(|record| record.get("name")?.as_str());
    html! {
        (verb) " " (noun) " "
        // A removed place has no page.
        @if is_place && change.record.is_none() {
            (change.id)
        } @else {
            a href={ "/ui/" (change.collection) "/" (change.id) } {
                @match name { Some(name) => (name), None => (change.id) }
            }
        }
        @if let Some(by) = &change.by { " by " (by) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn each_change_has_a_sentence_with_its_actor() {
        let change = |collection: &str, kind: &str, by: &str, record: &str| {
            let at = "2026-01-31T12:00:00.000Z";
            let json = format!(
                r#"{{"at":"{at}","collection":"{collection}","kind":"{kind}","id":7,"seq":1,"version":1,"by":{by},"record":{record}}}"#
            );
            json::parse::<RecentChange>(json.as_bytes()).unwrap()
        };
        let place = r#"{"id":7,"name":"<A>"}"#;
        let changes = [
            change("places", "created", r#""anna""#, place),
            change("places", "deleted", "null", "null"),
            change("people", "updated", "null", r#"{"id":7,"name":null}"#),
            change("people", "erased", "null", "null"),
        ];
        let sentence = |change| sentence(change).into_string();
        assert_eq!(
            changes.each_ref().map(sentence),
            [
                r#"added place <a href="/ui/places/7">&lt;A&gt;</a> by anna"#,
                "removed place 7",
                r#"changed person <a href="/ui/people/7">7</a>"#,
                r#"erased person <a href="/ui/people/7">7</a>"#,
            ]
        );
    }
}
