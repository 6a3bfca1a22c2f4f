//! What stands in the bodies of writes.

use http_semantics::fields::Fields;
use http_semantics::json::Object;
use people::domain::Person;
use places::domain::Place;
use serde_json::Value;
use tables::Record;

use super::queries::refused;
use super::same;
use crate::{Target, Verdict};

pub const TARGETS: &[Target] = &[
    Target {
        name: "JSON body",
        seeds: &[
            r#"{"id":1,"name":"Sensei Lamister","isAlive":true,"placeId":1,"isKing":false}"#,
            r#"{"a":{"b":[1,2.5e3,null,"\u00e9"]}}"#,
            r#"{"a":1,"a":2}"#,
            "[]",
            "",
        ],
        check: object,
    },
    Target {
        name: "merge patch",
        seeds: &[
            "{\"name\":\"a\",\"isAlive\":true}\n{\"name\":\"b\",\"placeId\":null}",
            "{}\n{\"a\":{\"b\":1}}",
            "{\"a\":1}\n[]",
        ],
        check: patch,
    },
    Target {
        name: "person",
        seeds: &[
            r#"{"name":" Aiba Stack ","isAlive":true,"placeId":3,"isKing":true}"#,
            r#"{"name":"Dedo Gordo"}"#,
            r#"{"name":"","isAlive":1,"placeId":"3","other":0}"#,
            r#"{"name":"e\u0301","isAlive":true,"placeId":3.0}"#,
        ],
        check: person,
    },
    Target {
        name: "place",
        seeds: &[
            r#"{"name":"Más allá del Zumo"}"#,
            r#"{"name":"\u0000"}"#,
            r#"{"id":1}"#,
        ],
        check: place,
    },
];

fn object(input: &[u8]) -> Result<Verdict, String> {
    let other: Result<Value, _> = serde_json::from_slice(input);
    match Object::parse(input) {
        Err(problem) => refused(&problem),
        Ok(read) => {
            let read = Value::Object(read.0);
            same("by another reader", &other.ok().as_ref(), &Some(&read))?;
            // Fractions are read as nearly as they need to be; no field has any.
            if !has_fraction(&read) {
                let written = serde_json::to_vec(&read).unwrap_or_default();
                let again = Object::parse(&written).map(|object| Value::Object(object.0));
                same("read again", &again, &Ok(read))?;
            }
            Ok(Verdict::Taken(String::from_utf8_lossy(input).into_owned()))
        }
    }
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(elements) => elements.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

/// A record and a patch of it, one line each. Members of a record are flat, and only flat
/// patches get past the fields' reading.
fn patch(input: &[u8]) -> Result<Verdict, String> {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let mut read = || Object::parse(lines.next().unwrap_or_default());
    let (target, patch) = match (read(), read()) {
        (Ok(target), Ok(patch)) => (target, patch),
        (Err(problem), _) | (_, Err(problem)) => return refused(&problem),
    };
    if patch.0.values().any(Value::is_object) {
        return Ok(Verdict::Refused("a patch that is not flat".to_owned()));
    }
    let mut expected = Value::Object(target.0.clone());
    json_patch::merge(&mut expected, &Value::Object(patch.0.clone()));
    same(
        "by RFC 7386",
        &Value::Object(target.merge_patched(patch).0),
        &expected,
    )?;
    Ok(Verdict::Taken(expected.to_string()))
}

fn person(input: &[u8]) -> Result<Verdict, String> {
    let object = match Object::parse(input) {
        Ok(object) => object,
        Err(problem) => return refused(&problem),
    };
    let read = |object| {
        let mut fields = Fields::new(object);
        fields.ignore("id");
        Person::parse(fields, str::to_owned)
    };
    match read(object) {
        Err(errors) if errors.is_empty() => Err("refused without a reason".to_owned()),
        Err(errors) => Ok(Verdict::Refused(format!("{errors:?}"))),
        Ok(person) => {
            let name = person.name.as_str();
            if name.is_empty() || name.trim() != name || name.chars().count() > 200 {
                return Err("a name that is none".to_owned());
            }
            if person.residence.is_king() && !person.residence.is_alive() {
                return Err("a dead king".to_owned());
            }
            if person.residence.is_alive() && person.residence.place().is_none() {
                return Err("alive and nowhere".to_owned());
            }
            let object = person.to_object();
            same("read again", &read(object).ok(), &Some(person))?;
            Ok(Verdict::Taken(String::from_utf8_lossy(input).into_owned()))
        }
    }
}

fn place(input: &[u8]) -> Result<Verdict, String> {
    let object = match Object::parse(input) {
        Ok(object) => object,
        Err(problem) => return refused(&problem),
    };
    match Place::parse(Fields::new(object), str::to_owned) {
        Err(errors) if errors.is_empty() => Err("refused without a reason".to_owned()),
        Err(errors) => Ok(Verdict::Refused(format!("{errors:?}"))),
        Ok(place) => {
            let again = Place::parse(Fields::new(place.to_object()), str::to_owned);
            same("read again", &again.ok(), &Some(place))?;
            Ok(Verdict::Taken(String::from_utf8_lossy(input).into_owned()))
        }
    }
}
