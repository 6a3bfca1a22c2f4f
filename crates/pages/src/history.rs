//! The history of a record, in words.

use maud::{Markup, html};

use crate::api::{Change, Place};
use crate::layout::moment;

/// What can be said of a change by what was there before.
pub trait Told: Sized {
    /// What is different, each in a few words.
    fn differences(&self, before: &Self, name_of: &dyn Fn(i64) -> String) -> Vec<String>;
    /// What it was when it came.
    fn arrival(&self, name_of: &dyn Fn(i64) -> String) -> String;
}

impl Told for Place {
    fn differences(&self, before: &Self, _name_of: &dyn Fn(i64) -> String) -> Vec<String> {
        let renamed = format!("renamed from “{}” to “{}”", before.name, self.name);
        Vec::from_iter((before.name != self.name).then_some(renamed))
    }

    fn arrival(&self, _name_of: &dyn Fn(i64) -> String) -> String {
        format!("added as “{}”", self.name)
    }
}

/// What each change did, oldest first as they come.
pub fn sentences<T: Told>(changes: &[Change<T>], name_of: &dyn Fn(i64) -> String) -> Vec<String> {
    let mut before: Option<&T> = None;
    let told = changes.iter().map(|change| {
        let sentence = match (&change.record, before) {
            (None, _) => "removed".to_owned(),
            (Some(now), None) if change.kind == "created" => now.arrival(name_of),
            (Some(now), None) => now.arrival(name_of).replacen("added", "was there", 1),
            (Some(now), Some(before)) => now.differences(before, name_of).join(", "),
        };
        before = change.record.as_ref();
        if sentence.is_empty() {
            "written as it was".to_owned()
        } else {
            sentence
        }
    });
    told.collect()
}

/// The changes, newest first.
pub fn show<T: Told>(changes: &[Change<T>], all: &str, name_of: &dyn Fn(i64) -> String) -> Markup {
    let told = sentences(changes, name_of);
    html! {
        section aria-labelledby="history" {
            h2 #history { "History" }
            ol.history reversed {
                @for (change, sentence) in changes.iter().zip(told).rev() {
                    li { (moment(&change.at)) " " (sentence) }
                }
            }
            p.more { a href=(all) { "The history as data" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Person;

    fn person(name: &str, is_alive: bool, place_id: Option<i64>, is_king: bool) -> Person {
        crate::person::fields::with_state(1, name, place_id, is_alive, is_king)
    }

    fn change<T>(version: i64, kind: &str, record: Option<T>) -> Change<T> {
        let at = "2026-01-31T12:00:00.000Z".to_owned();
        Change {
            at,
            kind: kind.to_owned(),
            version,
            record,
        }
    }

    #[test]
    fn a_life_is_told() {
        let changes = [
            change(1, "created", Some(person("A", true, Some(3), false))),
            change(2, "updated", Some(person("A", true, Some(3), true))),
            change(3, "updated", Some(person("B", true, Some(4), false))),
            change(4, "updated", Some(person("B", true, Some(3), false))),
            change(5, "updated", Some(person("B", false, None, false))),
            change(6, "updated", Some(person("B", false, None, false))),
            change(7, "deleted", None),
            change(8, "created", Some(person("C", false, None, false))),
        ];
        let told = sentences(&changes, &|id| format!("P{id}"));
        assert_eq!(
            told,
            [
                "added as “A”, alive, of P3",
                "was crowned",
                "renamed from “A” to “B”, moved from P3 to P4, lost the crown",
                "moved from P4 to P3",
                "moved from P3 to no place, died",
                "written as it was",
                "removed",
                "added as “C”, dead",
            ]
        );
    }

    #[test]
    fn a_place_is_renamed() {
        let place = |name: &str| {
            Some(Place {
                id: 1,
                name: name.to_owned(),
            })
        };
        let changes = [
            change(1, "created", place("A")),
            change(2, "updated", place("B")),
        ];
        let told = sentences(&changes, &|_| String::new());
        assert_eq!(told, ["added as “A”", "renamed from “A” to “B”"]);
    }
}
