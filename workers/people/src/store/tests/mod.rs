//! Runs the statements with SQLite, on the migrated schema. The tests compare the results with a
//! model in Rust that has the same people.

mod by_place;
mod changes;
mod erasure;
mod import;
mod list;
mod pending;
mod population_changes;
mod population_counts;
mod populations;
mod series;
mod writes;

use domain::name::{Name, Normalize};
use http_semantics::{MediaType, Params, Validator};
use proptest::prelude::*;
use serde_json::Value as Json;
use tables::ListQuery;
use tables::schema::PERSON;
use tables::statement::Statement;
use testbed::{Testbed, Value};

/// A person as a row of the table.
#[derive(Debug, Clone)]
struct PersonRow {
    id: i64,
    name: String,
    is_alive: bool,
    is_king: bool,
    place: Option<i64>,
}

impl PersonRow {
    /// The person as JSON. The declared fields that these tests do not set are null, so that a
    /// new nullable column needs no change here.
    fn json(&self) -> Json {
        let fields = PERSON.fields.iter();
        let mut person: Json = fields
            .map(|field| ((*field).to_owned(), Json::Null))
            .collect();
        person["id"] = self.id.into();
        person["name"] = self.name.as_str().into();
        person["isAlive"] = self.is_alive.into();
        person["placeId"] = self.place.into();
        person["isKing"] = self.is_king.into();
        person
    }

    /// The person as a member of a group.
    fn resident_json(&self) -> Json {
        let mut person = self.json();
        person.as_object_mut().unwrap().remove("placeId");
        person
    }
}

/// Up to 40 people. The first living person of each place is its king.
fn people() -> impl Strategy<Value = Vec<PersonRow>> {
    let person = (
        "[ab][a-c\"\\\\é' -]{0,2}[a-c]?",
        any::<bool>(),
        prop::option::of(1..6i64),
    );
    prop::collection::vec(person, 0..40).prop_map(|people| {
        let mut places_with_king = Vec::new();
        let person = |(id, (name, is_alive, place)): (i64, (String, bool, Option<i64>))| {
            let name = name.trim().to_owned();
            let is_alive = is_alive && place.is_some();
            let is_king = is_alive && !places_with_king.contains(&place);
            if is_king {
                places_with_king.push(place);
            }
            PersonRow {
                id,
                name,
                is_alive,
                is_king,
                place,
            }
        };
        (1..).zip(people).map(person).collect()
    })
}

/// A database with these people.
fn filled(people: &[PersonRow]) -> Testbed {
    let testbed = Testbed::migrated("people").unwrap();
    for PersonRow {
        id,
        name,
        is_alive,
        is_king,
        place,
    } in people
    {
        let place = place.map_or("NULL".to_owned(), |place| place.to_string());
        let keys = Name::from_stored(name).keys(Normalize::NONE);
        let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let or_null = |text: Option<String>| text.map_or("NULL".to_owned(), |text| quote(&text));
        let texts = [
            quote(name),
            quote(&keys.case),
            or_null(keys.search),
            or_null(keys.words),
        ];
        let row = format!(
            "({id}, {}, {is_alive}, {is_king}, {place})",
            texts.join(", ")
        );
        let columns = "id, name, name_key, search_key, words, is_alive, is_king, place_id";
        testbed
            .execute(&format!("INSERT INTO person ({columns}) VALUES {row}"))
            .unwrap();
    }
    testbed
}

/// A database that this SQL has filled.
fn filled_by(sql: &str) -> Testbed {
    let testbed = Testbed::migrated("people").unwrap();
    testbed.execute(sql).unwrap();
    testbed
}

fn list(query: &str, known_change_seq: Option<Validator>) -> Statement {
    let params = Params::parse(query, &PERSON.list_parameters).unwrap();
    let query = ListQuery::from_params(&PERSON, &params, Normalize::NONE).unwrap();
    tables::list::page(&PERSON, &query, MediaType::Json, known_change_seq)
}

fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Moves a person to a place. Without a place, removes a person with an even id, and records the death
/// of another one.
fn move_or_remove(testbed: &Testbed, id: i64, place: Option<i64>) {
    let set = match place {
        Some(place) => format!("place_id = {place}, is_king = 0"),
        None => "is_alive = 0, is_king = 0, place_id = NULL".to_owned(),
    };
    let is_deletion = place.is_none() && id % 2 == 0;
    let sql = if is_deletion {
        format!("DELETE FROM person WHERE id = {id}")
    } else {
        format!("UPDATE person SET {set}, version = version + 1 WHERE id = {id}")
    };
    testbed.execute(&sql).unwrap();
}
