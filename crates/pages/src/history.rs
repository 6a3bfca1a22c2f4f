//! Renders the history of a person or a place as sentences.

use maud::{Markup, html};

use crate::api::{Change, PlaceView};
use crate::field::hidden;
use crate::layout::time;

/// A record whose changes can be described.
pub trait DescribeChange: Sized {
    /// The differences to the previous version, each in a few words.
    fn differences(&self, before: &Self, name_of: &dyn Fn(i64) -> String) -> Vec<String>;
    /// The first version.
    fn first_version(&self, name_of: &dyn Fn(i64) -> String) -> String;
    /// This version in a few words, for the button that restores it.
    fn in_words(&self, name_of: &dyn Fn(i64) -> String) -> String {
        let first = self.first_version(name_of);
        first.strip_prefix("added as ").unwrap_or(&first).to_owned()
    }

    /// Whether this version can be restored.
    fn can_be_restored(&self) -> bool {
        true
    }
}

impl DescribeChange for PlaceView {
    fn differences(&self, before: &Self, _name_of: &dyn Fn(i64) -> String) -> Vec<String> {
        let renamed = format!("renamed from “{}” to “{}”", before.name, self.name);
        Vec::from_iter((before.name != self.name).then_some(renamed))
    }

    fn first_version(&self, _name_of: &dyn Fn(i64) -> String) -> String {
        format!("added as “{}”", self.name)
    }
}

/// A sentence per change, in the order of the changes, oldest first.
pub fn sentences<T: DescribeChange>(
    changes: &[Change<T>],
    name_of: &dyn Fn(i64) -> String,
) -> Vec<String> {
    let mut previous: Option<&T> = None;
    let sentences = changes.iter().map(|change| {
        let sentence = match (&change.record, previous) {
            (None, _) if change.kind == "erased" => "erased".to_owned(),
            (None, _) => "removed".to_owned(),
            (Some(record), None) if change.kind == "created" => record.first_version(name_of),
            // The history begins later, with a change of which the previous version is unknown.
            (Some(record), None) => record
                .first_version(name_of)
                .replacen("added", "existed", 1),
            (Some(record), Some(previous)) => record.differences(previous, name_of).join(", "),
        };
        previous = change.record.as_ref();
        if sentence.is_empty() {
            "saved without changes".to_owned()
        } else {
            sentence
        }
    });
    sentences.collect()
}

/// An entry of a history.
pub struct Entry<'a> {
    /// The time in UTC (RFC 3339).
    pub at: &'a str,
    /// The name of the token, if writing needed one.
    pub by: Option<&'a str>,
    /// The change in words.
    pub text: Markup,
    /// The button that restores this version.
    pub button: Option<Markup>,
}

/// The entries of the changes of a record, newest change first, with a button to restore each earlier
/// version. `page` is the path of the page, and `version` the present version, if a restore requires it.
pub fn entries<'a, T: DescribeChange>(
    changes: &'a [Change<T>],
    page: &str,
    version: Option<&str>,
    name_of: &dyn Fn(i64) -> String,
) -> Vec<Entry<'a>> {
    let sentences = sentences(changes, name_of);
    let present = changes.last().map(|change| change.version);
    let entry = |(change, sentence): (&'a Change<T>, String)| {
        let is_earlier = Some(change.version) != present;
        let restored = change.record.as_ref();
        let restored = restored.filter(|record| is_earlier && record.can_be_restored());
        // The entry is about a change, so the label says that its result is restored, not undone.
        let label = |record: &T| {
            html! {
                "Return to this state"
                span.unseen { " of " (time(&change.at)) ": " (record.in_words(name_of)) }
            }
        };
        Entry {
            at: &change.at,
            by: change.by.as_deref(),
            text: html! { (sentence) },
            button: restored
                .map(|record| restore_button(page, version, Some(change.version), &label(record))),
        }
    };
    changes.iter().zip(sentences).rev().map(entry).collect()
}

/// The section of a page. `lead` stands before the entries, and `links` after them.
pub fn section(entries: &[Entry<'_>], lead: &Markup, links: &Markup) -> Markup {
    html! {
        section aria-labelledby="history" {
            h2 #history { "History" }
            (lead)
            ol.history reversed {
                @for entry in entries {
                    li {
                        (time(entry.at)) " " (entry.text)
                        @if let Some(by) = entry.by { " by " (by) }
                        @if let Some(button) = &entry.button { " " (button) }
                    }
                }
            }
            p.more { (links) }
        }
    }
}

/// The button that restores a version, or else the last state of a removed record.
pub fn restore_button(
    page: &str,
    version: Option<&str>,
    restored: Option<i64>,
    label: &Markup,
) -> Markup {
    let restored = restored.map(|version| version.to_string());
    html! {
        form method="post" action={ (page) "/restore" } data-once {
            @if let Some(version) = version { (hidden("version", version)) }
            @if let Some(restored) = &restored { (hidden("restored", restored)) }
            button.link[restored.is_some()] type="submit" { (label) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::PersonView;
    use crate::person::fields::ERASED;

    fn person(name: &str, is_alive: bool, place_id: Option<i64>, is_king: bool) -> PersonView {
        crate::person::fields::with_state(1, name, place_id, is_alive, is_king)
    }

    fn change<T>(version: i64, kind: &str, record: Option<T>) -> Change<T> {
        let at = "2026-01-31T12:00:00.000Z".to_owned();
        Change {
            at,
            kind: kind.to_owned(),
            version,
            by: Some("anna".to_owned()),
            record,
        }
    }

    #[test]
    fn each_change_of_a_person_has_a_sentence() {
        let changes = [
            change(1, "created", Some(person("A", true, Some(3), false))),
            change(2, "updated", Some(person("A", true, Some(3), true))),
            change(3, "updated", Some(person("B", true, Some(4), false))),
            change(4, "updated", Some(person("B", true, Some(3), false))),
            change(5, "updated", Some(person("B", false, None, false))),
            change(6, "updated", Some(person("B", false, None, false))),
            change(7, "deleted", None),
            change(8, "erased", None),
            change(9, "created", Some(person("C", false, None, false))),
        ];
        let sentences = sentences(&changes, &|id| format!("P{id}"));
        assert_eq!(
            sentences,
            [
                "added as “A”, alive, in P3",
                "was crowned",
                "renamed from “A” to “B”, moved from P3 to P4, lost the crown",
                "moved from P4 to P3",
                "moved from P3 to no place, died",
                "saved without changes",
                "removed",
                "erased",
                "added as “C”, dead",
            ]
        );
    }

    #[test]
    fn each_earlier_version_can_be_restored_except_removals_and_erased_ones() {
        let changes = [
            change(1, "created", Some(person(ERASED, true, None, false))),
            change(2, "deleted", None),
            change(3, "created", Some(person("B", true, None, false))),
            change(4, "updated", Some(person("C", true, None, false))),
        ];
        let entries = entries(&changes, "/ui/people/1", Some("4.x"), &|_| String::new());
        let page = section(&entries, &html! {}, &html! {}).into_string();
        let restored =
            |version: i64| page.contains(&format!(r#"name="restored" value="{version}""#));
        assert_eq!([1, 2, 3, 4].map(restored), [false, false, true, false]);
        assert!(page.contains(r#"name="version" value="4.x""#));
        // The names of the buttons differ.
        assert!(page.contains("Return to this state<span class=\"unseen\"> of <time"));
        assert!(
            page.contains("2026-01-31 12:00 UTC</time>: “B”, alive</span>"),
            "{page}"
        );
    }

    #[test]
    fn a_renamed_place_has_a_sentence() {
        let place = |name: &str| {
            Some(PlaceView {
                id: 1,
                name: name.to_owned(),
            })
        };
        let changes = [
            change(1, "created", place("A")),
            change(2, "updated", place("B")),
        ];
        let sentences = sentences(&changes, &|_| String::new());
        assert_eq!(sentences, ["added as “A”", "renamed from “A” to “B”"]);
    }
}
