//! The fields of a person: on the page, in the form, in the body of a write and in the history.

use http_semantics::from_json;
use http_semantics::from_json::present;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::api::PlaceView;
use crate::field::{self, PLACE_HINT, Text, checkbox};
use crate::form::Form;
use crate::history::DescribeChange;
use crate::people::state;

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    /// The id.
    pub id: i64,
    /// The name. In a history: [`ERASED`], if the person was erased.
    pub name: String,
    /// Whether the person is alive.
    pub is_alive: bool,
    /// The place, if there is one.
    pub place_id: Option<i64>,
    /// Whether the person is the king of the place.
    pub is_king: bool,
}

/// The text in place of an erased name.
pub(crate) const ERASED: &str = "name erased";

from_json! {
    PersonView {
        id,
        name: name_or_erased("name"),
        is_alive: "isAlive",
        place_id: "placeId",
        is_king: "isKing",
    }
}

fn name_or_erased(member: Option<&Value>) -> Option<String> {
    let name: Option<String> = present(member)?;
    Some(name.unwrap_or_else(|| ERASED.to_owned()))
}

/// The fields without the name, which is the heading of the page.
pub(crate) fn facts(person: &PersonView, name_of: &dyn Fn(i64) -> String) -> Markup {
    html! {
        dl.totals {
            div { dt { "state" } dd { (state(person)) } }
            div {
                dt { "place" }
                dd {
                    @match person.place_id {
                        Some(place) => a href={ "/ui/places/" (place) } { (name_of(place)) },
                        None => "none",
                    }
                }
            }
            div { dt { "number" } dd { (person.id) } }
        }
    }
}

/// The inputs of a form.
pub(crate) fn inputs(form: &Form, places: &[PlaceView]) -> Markup {
    let place = Text {
        hint: PLACE_HINT,
        ..Text::new("placeId", "Place")
    };
    html! {
        (field::name(form))
        (place.to_html(form))
        (field::places(places))
        (checkbox(form, "isAlive", "Alive"))
        (checkbox(form, "isKing", "King of the place"))
    }
}

/// Fills a form with a person, and the hidden fields with the same values. `place` is the text of the
/// place.
pub fn fill(form: &mut Form, person: &PersonView, place: String) {
    set(form, person, place);
    super::conflict::remember(form);
}

/// Sets the values of the inputs.
pub(super) fn set(form: &mut Form, person: &PersonView, place: String) {
    let value = |is_checked| if is_checked { "on" } else { "" };
    form.set("name", &*person.name);
    form.set("placeId", place);
    form.set("isAlive", value(person.is_alive));
    form.set("isKing", value(person.is_king));
}

/// The person of a form, as the body of a write. `place` is the id of the place.
#[must_use]
pub fn body(form: &Form, place: Option<i64>) -> Value {
    json!({
        "name": form.get("name"),
        "placeId": place,
        "isAlive": form.is_checked("isAlive"),
        "isKing": form.is_checked("isKing"),
    })
}

impl PersonView {
    /// The differences to the previous version, each in a few words. `moved` describes a move.
    pub(crate) fn differences_and(&self, before: &Self, moved: Option<String>) -> Vec<String> {
        let renamed = || format!("renamed from “{}” to “{}”", before.name, self.name);
        let died = || {
            if self.is_alive {
                "recorded as alive"
            } else {
                "died"
            }
            .to_owned()
        };
        let crowned = || {
            if self.is_king {
                "was crowned"
            } else {
                "lost the crown"
            }
            .to_owned()
        };
        [
            (before.name != self.name).then(renamed),
            moved,
            (before.is_alive != self.is_alive).then(died),
            (before.is_king != self.is_king).then(crowned),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl DescribeChange for PersonView {
    fn differences(&self, before: &Self, name_of: &dyn Fn(i64) -> String) -> Vec<String> {
        let place = |place: Option<i64>| place.map_or_else(|| "no place".to_owned(), name_of);
        let moved = (before.place_id != self.place_id).then(|| {
            format!(
                "moved from {} to {}",
                place(before.place_id),
                place(self.place_id)
            )
        });
        self.differences_and(before, moved)
    }

    fn first_version(&self, name_of: &dyn Fn(i64) -> String) -> String {
        let state = match (self.is_alive, self.is_king) {
            (true, true) => "alive, king",
            (true, false) => "alive",
            (false, _) => "dead",
        };
        match self.place_id {
            Some(place) => format!("added as “{}”, {state}, in {}", self.name, name_of(place)),
            None => format!("added as “{}”, {state}", self.name),
        }
    }

    fn can_be_restored(&self) -> bool {
        self.name != ERASED
    }
}

/// A person for the tests of other pages.
#[cfg(test)]
pub(crate) fn with_state(
    id: i64,
    name: &str,
    place_id: Option<i64>,
    is_alive: bool,
    is_king: bool,
) -> PersonView {
    PersonView {
        id,
        name: name.to_owned(),
        is_alive,
        place_id,
        is_king,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::from_json::FromJson as _;
    use serde_json::Map;
    use tables::schema::PERSON_TABLE;
    use tables::table_spec::{Column, ColumnType};

    /// A person. The field `changed` has another value than usual.
    fn person(changed: &str) -> PersonView {
        let value = |column: &Column| match column.column_type {
            ColumnType::Integer => json!(1 + i64::from(column.json == changed)),
            ColumnType::Boolean => json!(column.json == changed),
            ColumnType::Text(_) => json!(if column.json == changed { "B" } else { "A" }),
        };
        let fields = PERSON_TABLE.visible();
        let fields: Map<String, Value> = fields
            .map(|column| (column.json.to_owned(), value(column)))
            .collect();
        PersonView::from_json(&fields.into()).unwrap()
    }

    /// The fields that a client may change.
    fn fields() -> impl Iterator<Item = &'static str> {
        let columns = PERSON_TABLE.visible().map(|column| column.json);
        columns.filter(|field| *field != "id")
    }

    #[test]
    fn an_erased_name_is_marked_and_a_missing_name_is_rejected() {
        let mut person = json!({
            "id": 1, "name": null, "isAlive": true, "placeId": 1, "isKing": false,
        });
        let parsed = PersonView::from_json(&person).unwrap();
        assert_eq!(parsed.name, "name erased");
        person.as_object_mut().unwrap().remove("name");
        assert_eq!(PersonView::from_json(&person), None);
    }

    #[test]
    fn the_form_shows_and_sends_every_field() {
        let mut form = Form::default();
        fill(&mut form, &person(""), "Uno".to_owned());
        let (sent, inputs) = (body(&form, Some(1)), inputs(&form, &[]).into_string());
        for field in fields() {
            let input = format!("name=\"{field}\"");
            assert!(inputs.contains(&input), "the form does not show {field}");
            let mut changed = form.clone();
            let place = if field == "placeId" { Some(2) } else { Some(1) };
            fill(&mut changed, &person(field), "Uno".to_owned());
            let is_sent = body(&changed, place).get(field) != sent.get(field);
            assert!(is_sent, "the form does not send {field}");
        }
    }

    #[test]
    fn the_page_shows_every_field_except_the_name() {
        let shown = |person: &PersonView| facts(person, &|id| format!("P{id}")).into_string();
        for field in fields().filter(|field| *field != "name") {
            let is_shown = shown(&person(field)) != shown(&person(""));
            assert!(is_shown, "the page does not show {field}");
        }
    }

    #[test]
    fn the_history_describes_a_change_of_every_field() {
        for field in fields() {
            let differences = person(field).differences(&person(""), &|id| format!("P{id}"));
            assert_eq!(
                differences.len(),
                1,
                "the history does not describe {field}"
            );
        }
    }
}
