//! The parsers of the bodies of writes.

use domain::name::Normalize;
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use people::domain::Person;
use places::domain::Place;
use proptest::{prop_assert, prop_assert_eq};
use serde_json::Value;
use tables::Record;

use super::{bytes, rejected};
use crate::Verdict::{Accepted, Rejected};
use crate::{Checked, Target};

pub const TARGETS: &[Target] = &[
    bytes(
        "JSON body",
        &[
            r#"{"id":1,"name":"Sensei Lamister","isAlive":true,"placeId":1,"isKing":false}"#,
            r#"{"a":{"b":[1,2.5e3,null,"\u00e9"]}}"#,
            r#"{"a":1,"a":2}"#,
            "[]",
            "",
        ],
        object,
    ),
    bytes(
        "merge patch",
        &[
            "{\"name\":\"a\",\"isAlive\":true}\n{\"name\":\"b\",\"placeId\":null}",
            "{}\n{\"a\":{\"b\":1}}",
            "{\"a\":1}\n[]",
        ],
        patch,
    ),
    bytes(
        "person",
        &[
            r#"{"name":" Aiba Stack ","isAlive":true,"placeId":3,"isKing":true}"#,
            r#"{"name":"Dedo Gordo"}"#,
            r#"{"name":"","isAlive":1,"placeId":"3","other":0}"#,
            r#"{"name":"e\u0301","isAlive":true,"placeId":3.0}"#,
        ],
        person,
    ),
    bytes(
        "place",
        &[
            r#"{"name":"Más allá del Zumo"}"#,
            r#"{"name":"\u0000"}"#,
            r#"{"id":1}"#,
        ],
        place,
    ),
];

/// An accepted object is the one that `serde_json` reads.
fn object(input: &[u8]) -> Checked {
    let object = match Object::parse(input) {
        Ok(object) => Value::Object(object.0),
        Err(problem) => return rejected(&problem),
    };
    let expected: Option<Value> = serde_json::from_slice(input).ok();
    prop_assert_eq!(expected.as_ref(), Some(&object));
    // Fractions lose precision. No field has any.
    if !has_fraction(&object) {
        let again = Object::parse(object.to_string().as_bytes());
        prop_assert_eq!(again.map(|object| Value::Object(object.0)), Ok(object));
    }
    Ok(Accepted)
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(elements) => elements.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

/// A record and a patch, one per line, give the result of RFC 7386. Nested patches are left out,
/// because no field takes an object.
fn patch(input: &[u8]) -> Checked {
    let mut lines = input.splitn(2, |byte| *byte == b'\n');
    let mut read = || Object::parse(lines.next().unwrap_or_default());
    let (target, patch) = match (read(), read()) {
        (Ok(target), Ok(patch)) => (target, patch),
        (Err(problem), _) | (_, Err(problem)) => return rejected(&problem),
    };
    if patch.0.values().any(Value::is_object) {
        return Ok(Rejected);
    }
    let mut expected = Value::Object(target.0.clone());
    json_patch::merge(&mut expected, &Value::Object(patch.0.clone()));
    // A null stays in the patched object, where a record's parser treats it as an absent field.
    let without_nulls = |object: &Value| {
        let members = object.as_object().into_iter().flatten();
        let present = members.filter(|(_, value)| !value.is_null());
        let present = present.map(|(name, value)| (name.clone(), value.clone()));
        present.collect::<Vec<_>>()
    };
    let patched = Value::Object(target.merge_patched(patch).0);
    prop_assert_eq!(without_nulls(&patched), without_nulls(&expected));
    Ok(Accepted)
}

fn person(input: &[u8]) -> Checked {
    record(input, |person: &Person| {
        let residence = person.residence;
        prop_assert!(residence.is_alive() || !residence.is_king(), "a dead king");
        prop_assert!(
            !residence.is_alive() || residence.place().is_some(),
            "a living person without a place"
        );
        Ok(Accepted)
    })
}

fn place(input: &[u8]) -> Checked {
    record(input, |_: &Place| Ok(Accepted))
}

/// An accepted record has a valid name and equals itself after rendering and parsing. A rejection
/// has a reason.
fn record<R: Record + PartialEq + std::fmt::Debug>(
    input: &[u8],
    check: fn(&R) -> Checked,
) -> Checked {
    let object = match Object::parse(input) {
        Ok(object) => object,
        Err(problem) => return rejected(&problem),
    };
    let parse = |object| {
        let mut fields = Fields::new(object);
        fields.ignore("id");
        R::parse(fields, Normalize::NONE)
    };
    match parse(object) {
        Err(errors) => {
            prop_assert!(!errors.is_empty(), "rejected without a reason");
            Ok(Rejected)
        }
        Ok(record) => {
            let name = record.name().as_str();
            let is_valid = name.trim() == name && (1..=200).contains(&name.chars().count());
            prop_assert!(is_valid, "{name:?}");
            check(&record)?;
            prop_assert_eq!(parse(record.to_object()).ok(), Some(record));
            Ok(Accepted)
        }
    }
}
