//! Tests how the fields of a record are parsed.

use super::*;
use serde_json::json;

#[test]
fn a_stored_name_is_accepted_even_if_it_could_no_longer_be_written() {
    let object = || Object::parse("{\"name\":\"\u{200b}x\"}".as_bytes()).unwrap();
    assert!(Fields::new(object()).name(Normalize::NONE).is_none());
    let stored = Fields::from_stored(object()).name(Normalize::NONE);
    assert_eq!(stored.unwrap().as_str(), "\u{200b}x");
}

#[test]
fn the_expected_ids_have_the_limits_of_the_domain() {
    for (expected, limit) in [
        (PersonId::EXPECTED, PersonId::MAX_ID),
        (EXPECTED_CHOICE, PersonId::MAX_CHOSEN_ID),
        (EXPECTED_IMPORTED_ID, PersonId::MAX_IMPORTED_ID),
    ] {
        assert!(expected.ends_with(&format!(" to {limit}")), "{expected}");
    }
}

#[test]
fn a_float_without_a_fraction_is_an_integer() {
    for (value, number) in [
        (json!(7), Some(7)),
        (json!(7.0), Some(7)),
        (json!(-7.0), Some(-7)),
        (
            json!(9_007_199_254_740_991_i64),
            Some(9_007_199_254_740_991),
        ),
        (json!(9_007_199_254_740_992.0), None),
        (json!(1e300), None),
        (json!(7.5), None),
        (json!("7"), None),
        (json!(true), None),
    ] {
        assert_eq!(integer(&value), number, "{value}");
    }
}

fn fields(json: &str) -> Fields {
    Fields::new(Object::parse(json.as_bytes()).unwrap())
}

#[test]
fn a_field_without_a_value_is_absent() {
    for (json, has) in [
        ("{}", false),
        (r#"{"x":null}"#, false),
        (r#"{"x":0}"#, true),
    ] {
        assert_eq!(fields(json).has("x"), has, "{json}");
    }
}

#[test]
fn a_name_is_required() {
    for json in ["{}", r#"{"name":null}"#, r#"{"name":7}"#] {
        let mut fields = fields(json);
        let name = fields.name(Normalize::NONE);
        let errors = fields.finish(&["name"], name).unwrap_err();
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/name"], "{json}");
    }
}

#[test]
fn the_name_of_a_place_is_valid_or_absent() {
    let place = |json| {
        let mut fields = fields(json);
        let name = fields.place_name("place", Normalize::NONE);
        let name = name.map(|name| name.as_str().to_owned());
        fields.finish(&["place"], Some(name)).ok()
    };
    assert_eq!(place(r#"{"place":" Ur "}"#), Some(Some("Ur".to_owned())));
    assert_eq!(place("{}"), Some(None));
    assert_eq!(place(r#"{"place":""}"#), None);
}

#[test]
fn a_boolean_is_false_if_it_is_absent() {
    for (json, expected) in [
        ("{}", Some(false)),
        (r#"{"isKing":null}"#, Some(false)),
        (r#"{"isKing":false}"#, Some(false)),
        (r#"{"isKing":true}"#, Some(true)),
        (r#"{"isKing":"true"}"#, None),
    ] {
        let mut fields = fields(json);
        let value = fields.boolean("isKing");
        assert_eq!(
            fields.finish(&["isKing"], Some(value)).ok(),
            expected,
            "{json}"
        );
    }
}

#[test]
fn the_id_of_a_record_is_that_of_its_path_or_absent() {
    for (json, path_id, is_valid) in [
        ("{}", None, true),
        ("{}", Some(7), true),
        (r#"{"id":7}"#, Some(7), true),
        (r#"{"id":8}"#, Some(7), false),
        (r#"{"id":"7"}"#, Some(7), false),
        (r#"{"id":7}"#, None, false),
        (r#"{"id":null}"#, None, false),
    ] {
        let mut fields = fields(json);
        fields.own_id(path_id);
        let result = fields.finish(&["id"], Some(()));
        assert_eq!(result.is_ok(), is_valid, "{json} {path_id:?}");
    }
}

#[test]
fn the_fields_that_were_not_taken_are_left() {
    let mut valid = fields(r#"{"id":7,"x":1,"y":2}"#);
    valid.ignore("x");
    assert_eq!(valid.imported_id(), Some(7));
    let rest = Object::from_iter([("y", json!(2))]);
    assert_eq!(valid.into_rest(), Ok(rest));
    let mut invalid = fields(r#"{"id":0,"y":2}"#);
    assert_eq!(invalid.imported_id(), None);
    assert_eq!(invalid.into_rest().unwrap_err().len(), 1);
}

#[test]
fn an_unknown_field_is_named_if_its_name_is_plain() {
    let errors = fields(r#"{"age":7,"a/b~c":8}"#).finish(&["id", "name"], Some(()));
    let expected = "left out: the fields are id, name";
    let errors = errors.unwrap_err().into_iter();
    let mut errors: Vec<_> = errors.map(|error| (error.pointer, error.detail)).collect();
    errors.sort();
    let of = |pointer: &str| (pointer.to_owned(), expected.to_owned());
    assert_eq!(errors, [of("/"), of("/age")]);
    let mut named = fields("{}");
    named.add_error("a/b~c", "left out");
    assert_eq!(named.into_rest().unwrap_err()[0].pointer, "/a~1b~0c");
}

#[test]
fn a_problem_lists_ten_unknown_fields_and_that_there_are_others() {
    let members = (0..1000).map(|n| format!("\"f{n}\":{n}"));
    let json = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
    let errors = fields(&json).finish(&["name"], Some(())).unwrap_err();
    let details = errors.iter().map(|error| error.detail.as_str());
    let (listed, others) = details.partition::<Vec<_>, _>(|detail| detail.starts_with("left"));
    assert_eq!(listed.len(), 10);
    assert_eq!(others, ["without its other unknown fields"]);
}

#[test]
fn the_id_of_a_place_is_a_whole_number_from_1() {
    let place = |json: &str| {
        let mut fields = fields(json);
        let place = fields.place_id("placeId");
        fields.finish(&["placeId"], Some(place.map(PlaceId::get)))
    };
    assert_eq!(place(r#"{"placeId":7}"#), Ok(Some(7)));
    assert_eq!(place(r#"{"placeId":null}"#), Ok(None));
    for invalid in [r#"{"placeId":0}"#, r#"{"placeId":"7"}"#] {
        assert!(place(invalid).is_err(), "{invalid}");
    }
}

#[test]
fn the_id_of_another_record_needs_its_condition() {
    let record = |json: &str| {
        let mut fields = fields(json);
        let is_even = |id: PersonId| id.get() % 2 == 0;
        let record = fields.record_id("parent", "even", is_even);
        fields.finish(&["parent"], Some(record))
    };
    assert_eq!(record(r#"{"parent":8}"#), Ok(Some(8)));
    assert_eq!(record("{}"), Ok(None));
    for invalid in [r#"{"parent":7}"#, r#"{"parent":0}"#] {
        assert!(record(invalid).is_err(), "{invalid}");
    }
}

#[test]
fn a_version_is_a_whole_number_from_1() {
    let version = |json: &str| {
        let mut fields = fields(json);
        let version = fields.version("version");
        fields.finish(&["version"], version)
    };
    assert_eq!(version(r#"{"version":3}"#), Ok(3));
    for invalid in [
        r#"{"version":0}"#,
        r#"{"version":"3"}"#,
        r#"{"version":1.5}"#,
    ] {
        assert!(version(invalid).is_err(), "{invalid}");
    }
}

#[test]
fn an_imported_id_has_a_limit_and_may_be_absent() {
    let id = |json: &str| {
        let mut fields = fields(json);
        let id = fields.imported_id();
        fields.finish(&["id"], Some(id))
    };
    let limit = PersonId::MAX_IMPORTED_ID;
    assert_eq!(id("{}"), Ok(None));
    assert_eq!(id(&format!(r#"{{"id":{limit}}}"#)), Ok(Some(limit)));
    for invalid in ["0".to_owned(), (limit + 1).to_string()] {
        assert!(id(&format!(r#"{{"id":{invalid}}}"#)).is_err(), "{invalid}");
    }
}
