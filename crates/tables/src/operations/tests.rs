//! Tests how operations are parsed, and how their results are rendered.

use domain::Param;
use domain::name::{MAX_NAME_CHARACTERS, Name, Normalize};
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use http_semantics::{Epoch, Problem};
use serde_json::{Value, json};

use super::{MAX_OPERATIONS, MAX_OPERATIONS_BYTES, Operations, Results, Written};
use crate::TableSpec;
use crate::import::{RecordPosition, Refusal};
use crate::record::{Record, UniqueValue};
use crate::schema::PLACE;

#[derive(Debug, Clone, PartialEq)]
struct Named(Name);

impl Record for Named {
    fn table() -> &'static TableSpec {
        &PLACE
    }

    fn parse(mut fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>> {
        let name = fields.name(normalize);
        fields.finish(&PLACE.fields, name.map(Self))
    }

    fn to_object(&self) -> Object {
        Object::from_iter([("name", json!(self.0.as_str()))])
    }

    fn name(&self) -> &Name {
        &self.0
    }

    fn unique_value(&self, _normalize: Normalize) -> Option<UniqueValue> {
        None
    }
}

fn parse(operations: &Value) -> Operations<Named> {
    Operations::parse(operations.to_string().as_bytes(), Normalize::NONE).unwrap()
}

#[test]
fn an_operation_with_an_invalid_member_is_rejected_with_its_pointer() {
    for (operation, pointers) in [
        (json!({}), vec!["/0/op"]),
        (json!({"op": "create"}), vec!["/0/body"]),
        (
            json!({"op": "update", "id": 1, "body": null}),
            vec!["/0/body"],
        ),
        (json!({"op": "update", "body": {}}), vec!["/0/id"]),
        (
            json!({"op": "delete", "id": 1, "body": {}}),
            vec!["/0/body"],
        ),
        (json!({"op": "delete", "id": 0}), vec!["/0/id"]),
        (
            json!({"op": "create", "body": {"id": 3}}),
            vec!["/0/body/name", "/0/body/id"],
        ),
        (
            json!({"op": "create", "id": 4_503_599_627_370_497_i64, "body": {"name": "x"}}),
            vec!["/0/id"],
        ),
        (
            json!({"op": "update", "id": 1, "body": {}, "ifMatch": "7"}),
            vec!["/0/ifMatch"],
        ),
        (
            json!({"op": "delete", "id": 1, "ifMatch": null}),
            vec!["/0/ifMatch"],
        ),
        (
            json!({"op": "create", "ifMatch": null, "body": {"name": "x"}}),
            vec!["/0/ifMatch"],
        ),
    ] {
        let operations = parse(&json!([operation]));
        let problem = Results::refused(&operations.list, operations.batch.refused);
        let body: Value = serde_json::from_str(&problem.to_json()).unwrap();
        let errors = body["results"][0]["problem"]["errors"].as_array().unwrap();
        let mut found: Vec<&str> = errors
            .iter()
            .filter_map(|e| e["pointer"].as_str())
            .collect();
        let mut pointers = pointers;
        found.sort_unstable();
        pointers.sort_unstable();
        assert_eq!(found, pointers, "{operation}");
    }
}

#[test]
fn a_body_with_more_objects_than_its_operations_have_is_malformed() {
    let with_objects = |count: usize| {
        let text = format!(
            r#"[{{"op":"create","body":{{"x":[{}]}}}}]"#,
            vec!["{}"; count].join(",")
        );
        Operations::<Named>::parse(text.as_bytes(), Normalize::NONE)
            .map(|parsed| parsed.batch.refused.len())
    };
    assert_eq!(with_objects(3_000), Ok(1));
    assert_eq!(with_objects(4_000).unwrap_err().status(), 400);
}

#[test]
fn a_batch_of_any_number_of_operations_above_the_limit_has_too_many() {
    for count in [MAX_OPERATIONS + 1, 5 * MAX_OPERATIONS] {
        let operations = vec![json!({"op": "delete", "id": 1}); count];
        let body = json!(operations).to_string();
        let result = Operations::<Named>::parse(body.as_bytes(), Normalize::NONE);
        assert_eq!(result.unwrap_err().status(), 413, "{count}");
    }
}

#[test]
fn an_id_may_not_be_repeated() {
    let operations = parse(&json!([
        {"op": "delete", "id": 1},
        {"op": "update", "id": 1, "body": {}},
        {"op": "create", "id": 2, "body": {"name": "x"}},
        {"op": "create", "body": {"name": "y"}},
    ]));
    let refused = operations.batch.refused.iter();
    let refused: Vec<_> = refused.map(|refusal| refusal.position.index).collect();
    assert_eq!(refused, [Some(1)]);
}

#[test]
fn assigned_ids_belong_to_the_creations_in_their_order() {
    let operations = parse(&json!([
        {"op": "create", "body": {"name": "a"}},
        {"op": "create", "id": 90, "body": {"name": "b"}},
        {"op": "update", "id": 3, "body": {}},
        {"op": "create", "body": {"name": "c"}},
        {"op": "delete", "id": 4},
        {"op": "update", "id": 5, "body": {"name": "d"}},
    ]));
    let written = r#"{"unchanged":[[3,7]],"changes":[
        [92,1,"created"],[91,1,"created"],[90,2,"created"],[5,4,"updated"],[5,3,"updated"],[4,2,"deleted"]
    ]}"#;
    let written: Written = serde_json::from_str(written).unwrap();
    let results = Results::done(
        &operations.list,
        &written,
        Epoch::parse("1f09ab34").unwrap(),
    );
    let etag = |version| format!("\"{version}.1f09ab34\"");
    let expected = json!([
        {"status": 201, "id": 91, "version": 1, "etag": etag(1)},
        {"status": 201, "id": 90, "version": 2, "etag": etag(2)},
        {"status": 200, "id": 3, "version": 7, "etag": etag(7)},
        {"status": 201, "id": 92, "version": 1, "etag": etag(1)},
        {"status": 204, "id": 4, "version": 2},
        {"status": 200, "id": 5, "version": 4, "etag": etag(4)},
    ]);
    let results: Value = serde_json::from_str(&results.to_json()).unwrap();
    assert_eq!(results, expected);
}

#[test]
fn a_body_has_room_for_as_many_operations_as_it_may_have() {
    let name = "𝔸".repeat(MAX_NAME_CHARACTERS);
    let create = json!({"op": "create", "body": {"name": name}}).to_string();
    let body = |count| format!("[{}]", vec![create.as_str(); count].join(","));
    let parse = |body: &str| Operations::<Named>::parse(body.as_bytes(), Normalize::NONE);
    let most = body(MAX_OPERATIONS);
    assert!(most.len() <= MAX_OPERATIONS_BYTES);
    assert_eq!(parse(&most).unwrap().list.len(), MAX_OPERATIONS);
    assert!(parse(&body(MAX_OPERATIONS + 1)).is_err());
}

#[test]
fn a_refused_operation_points_to_the_member_that_causes_the_problem() {
    let operations = parse(&json!([{"op": "delete", "id": 1}])).list;
    for (problem, pointer) in [
        (Problem::no_such_place(7), "/0/body/placeId"),
        (Problem::place_has_king(7, 3, "Ana"), "/0/body/isKing"),
        (Problem::name_taken(2), "/0/body/name"),
        (Problem::precondition_failed(None), "/0/ifMatch"),
        (Problem::not_found("place", 1), "/0/id"),
        (Problem::id_taken("place", 1), "/0/id"),
        (Problem::id_retired(1), "/0/id"),
        (Problem::place_has_people(1, 2), "/0/id"),
        (Problem::being_written(), "/0"),
    ] {
        let position = RecordPosition {
            line: 1,
            index: Some(0),
        };
        let refused = Results::refused(&operations, vec![Refusal { position, problem }]);
        let refused = serde_json::to_value(&refused).unwrap();
        assert_eq!(refused["results"][0]["problem"]["pointer"], pointer);
    }
}
