//! Renders the page of recent changes.

use http_semantics::from_json;
use maud::{Markup, html};
use serde_json::Value;

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
    RecentChange { at, collection, kind, id, by, record }
}

/// The page. The changes are in order of time, the newest first. `stream` is the path of the later
/// ones as events.
#[must_use]
pub fn page(changes: &[RecentChange], stream: &str, notices: &[Notice]) -> Markup {
    let main = html! {
        h1 { "Recent changes" }
        @if changes.is_empty() { p.empty { "No changes." } }
        ul #changes .history data-stream=(stream) {
            @for change in changes {
                li { (time(&change.at)) " " (sentence(change, has_page(change, changes))) }
            }
        }
        p.more { a href="/v1/changes" { "All changes as JSON" } }
    };
    document("Recent changes", Some("/v1/changes"), notices, &main)
}

/// Whether the record has a page. A removed place has none, so its latest change decides.
fn has_page(change: &RecentChange, changes: &[RecentChange]) -> bool {
    let is_same =
        |other: &&RecentChange| (&other.collection, other.id) == (&change.collection, change.id);
    let latest = changes.iter().find(is_same).unwrap_or(change);
    change.collection != "places" || latest.record.is_some()
}

fn sentence(change: &RecentChange, has_page: bool) -> Markup {
    let verb = match change.kind.as_str() {
        "created" => "added",
        "deleted" => "removed",
        "erased" => "erased",
        _ => "changed",
    };
    let noun = if change.collection == "places" {
        "place"
    } else {
        "person"
    };
    let name = change
        .record
        .as_ref()
        .and_then(|record| record.get("name")?.as_str());
    let name = html! { @match name { Some(name) => (name), None => (change.id) } };
    html! {
        (verb) " " (noun) " "
        @if has_page {
            a href={ "/ui/" (change.collection) "/" (change.id) } { (name) }
        } @else {
            (name)
        }
        @if let Some(by) = &change.by { " by " (by) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::from_json;

    #[test]
    fn each_change_has_a_sentence_with_its_actor() {
        let change = |collection: &str, kind: &str, by: &str, record: &str| {
            let at = "2026-01-31T12:00:00.000Z";
            let json = format!(
                r#"{{"at":"{at}","collection":"{collection}","kind":"{kind}","id":7,"seq":1,"version":1,"by":{by},"record":{record}}}"#
            );
            from_json::parse::<RecentChange>(json.as_bytes()).unwrap()
        };
        let place = r#"{"id":7,"name":"<A>"}"#;
        let changes = [
            change("places", "deleted", "null", "null"),
            change("places", "created", r#""anna""#, place),
            change("people", "updated", "null", r#"{"id":7,"name":null}"#),
            change("people", "erased", "null", "null"),
        ];
        let sentence = |change| sentence(change, has_page(change, &changes)).into_string();
        assert_eq!(
            sentence(&changes[1]),
            "added place &lt;A&gt; by anna",
            "a removed place"
        );
        assert_eq!(
            super::sentence(&changes[1], has_page(&changes[1], &changes[1..])).into_string(),
            r#"added place <a href="/ui/places/7">&lt;A&gt;</a> by anna"#
        );
        assert_eq!(
            changes.each_ref().map(sentence),
            [
                "removed place 7",
                "added place &lt;A&gt; by anna",
                r#"changed person <a href="/ui/people/7">7</a>"#,
                r#"erased person <a href="/ui/people/7">7</a>"#,
            ]
        );
    }
}
