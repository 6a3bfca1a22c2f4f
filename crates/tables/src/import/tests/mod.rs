//! The rules of batches, tested with records that have a place.

mod file;
mod resolve;

use std::collections::HashSet;

use domain::PlaceId;
use domain::name::{Name, Normalize};
use http_semantics::Preconditions;
use http_semantics::fields::Fields;
use http_semantics::json::Object;
use http_semantics::problem::{FieldError, Problem};
use serde_json::{Value, json};

use super::*;
use crate::record::{Record, UniqueValue};
use crate::schema::PERSON;
use crate::table_spec::TableSpec;

/// A record with a place.
#[derive(Debug, Clone, PartialEq)]
struct Resident {
    name: Name,
    place: Option<PlaceId>,
}

impl Record for Resident {
    fn table() -> &'static TableSpec {
        &PERSON
    }

    fn parse(mut fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>> {
        let name = fields.name(normalize);
        let place = fields.place_id("placeId");
        fields.finish(&PERSON.fields, name.map(|name| Self { name, place }))
    }

    fn to_object(&self) -> Object {
        let place = self.place.map(PlaceId::get);
        Object::from_iter([
            ("name", json!(self.name.as_str())),
            ("placeId", json!(place)),
        ])
    }

    fn name(&self) -> &Name {
        &self.name
    }

    fn unique_value(&self, _normalize: Normalize) -> Option<UniqueValue> {
        None
    }
}

fn open(format: FileFormat, body: &str) -> ImportFile {
    ImportFile::open(format, body.into(), &PERSON).unwrap()
}

/// The first batch of a file.
fn batch(format: FileFormat, body: &str, scope: &str, is_patch: bool) -> Batch<Resident> {
    let file = open(format, body);
    let mut batches = Batches::new(file, scope.to_owned(), is_patch, Normalize::NONE);
    batches.next().unwrap()
}

fn position(line: usize) -> RecordPosition {
    RecordPosition { line, index: None }
}

fn refusal(line: usize) -> Refusal {
    Refusal {
        position: position(line),
        problem: Problem::being_written(),
    }
}

fn parsed(id: Option<i64>, version: Option<i64>) -> ParsedRecord<Resident> {
    ParsedRecord {
        position: position(1),
        id,
        record: Resident {
            name: Name::from_stored("a"),
            place: None,
        },
        version,
    }
}

fn removal(id: i64) -> Removal {
    Removal {
        position: position(9),
        id,
        preconditions: Preconditions::default(),
        version: 0,
    }
}

/// The place of the only record: its name, and `placeId`. None if the record is rejected.
fn place(batch: &Batch<Resident>) -> Option<(Option<&str>, Option<Value>)> {
    match (&batch.parsed[..], &batch.unresolved[..]) {
        ([parsed], []) => {
            let id = parsed.record.place.map(PlaceId::get);
            Some((None, id.map(Value::from)))
        }
        ([], [unresolved]) => Some((
            unresolved.place.as_ref().map(|place| place.name.as_str()),
            unresolved.fields.0.get("placeId").cloned(),
        )),
        _ => None,
    }
}

#[test]
fn a_record_has_the_id_of_its_place_or_its_name_or_both() {
    for (members, expected) in [
        ("", Some((None, None))),
        (r#","place":null"#, Some((None, None))),
        (r#","placeId":3"#, Some((None, Some(3)))),
        (r#","place":"X""#, Some((Some("X"), None))),
        (r#","placeId":3,"place":"X""#, Some((Some("X"), Some(3)))),
        (
            r#","place":{"id":3,"name":"X"}"#,
            Some((Some("X"), Some(3))),
        ),
        (
            r#","placeId":3,"place":{"id":3,"name":"X"}"#,
            Some((Some("X"), Some(3))),
        ),
        (r#","placeId":4,"place":{"id":3,"name":"X"}"#, None),
        (r#","place":{"id":3,"name":"X","isBig":true}"#, None),
        (r#","place":{"id":3}"#, None),
        (r#","place":7"#, None),
    ] {
        let body = format!("{{\"name\":\"a\"{members}}}");
        let batch = batch(FileFormat::NdJson, &body, "", false);
        let expected = expected.map(|(name, id)| (name, id.map(Value::from)));
        assert_eq!(place(&batch), expected, "{body}");
        assert_eq!(batch.refused.is_empty(), expected.is_some());
    }
}

#[test]
fn a_patch_removes_the_place_by_a_null_name() {
    for (members, expected) in [
        (r#""name":"b""#, (None, None)),
        (r#""place":null"#, (None, Some(Value::Null))),
        (r#""place":"X""#, (Some("X"), None)),
        (r#""place":null,"placeId":3"#, (None, Some(3.into()))),
    ] {
        let body = format!("{{\"id\":1,{members}}}");
        let batch = batch(FileFormat::NdJson, &body, "", true);
        assert_eq!(place(&batch), Some(expected), "{body}");
        assert_eq!(batch.unresolved.len(), 1);
    }
}

#[test]
fn a_patch_needs_the_id_of_a_record() {
    let batch = batch(FileFormat::NdJson, "{\"id\":1}\n{\"name\":\"a\"}", "", true);
    let refused: Vec<_> = batch.refused.iter().map(|one| one.position).collect();
    assert_eq!((batch.unresolved.len(), refused), (1, vec![position(2)]));
}

#[test]
fn a_fingerprint_depends_on_the_scope_the_header_and_the_records_but_not_on_line_breaks() {
    let fingerprint = |scope, body: &str| batch(FileFormat::Csv, body, scope, false).fingerprint;
    let original = fingerprint("a", "name,placeId\nb,1\nc,2\n");
    assert_eq!(fingerprint("a", "name,placeId\r\nb,1\r\nc,2"), original);
    for (scope, other) in [
        ("b", "name,placeId\nb,1\nc,2\n"),
        ("a", "name,id\nb,1\nc,2\n"),
        ("a", "name,placeId\nb,1\nd,2\n"),
        ("a", "name,placeId\nb,1\n"),
    ] {
        assert_ne!(fingerprint(scope, other), original, "{other}");
    }
}

#[test]
fn the_number_of_records_includes_all_kinds() {
    let mut batch = Batch::at_lines(1, 1);
    assert_eq!(batch.len(), 0);
    batch.parsed.push(parsed(None, None));
    batch.already_added.push(parsed(None, None));
    batch.refused.push(refusal(1));
    batch.removals.push(removal(1));
    let patch = tests::batch(FileFormat::NdJson, "{\"id\":1}", "", true);
    batch.unresolved.extend(patch.unresolved);
    assert_eq!(batch.len(), 5);
}

#[test]
fn a_batch_changes_the_records_with_a_version_the_replaced_and_the_removed_ones() {
    let mut batch = Batch::at_lines(1, 1);
    batch.parsed = vec![
        parsed(None, None),
        parsed(Some(1), Some(7)),
        parsed(Some(2), None),
    ];
    batch.removals = vec![removal(9)];
    for (mode, skip_invalid, expected) in [
        (ImportMode::Insert, false, vec![1, 9]),
        (ImportMode::Patch, false, vec![1, 9]),
        (ImportMode::Upsert, false, vec![1, 2, 9]),
        (ImportMode::Upsert, true, vec![]),
    ] {
        let options = ImportOptions {
            mode,
            skip_invalid,
            ..ImportOptions::default()
        };
        assert_eq!(batch.changed_ids(options), HashSet::from_iter(expected));
    }
}

#[test]
fn a_mode_is_parsed_from_its_name() {
    for mode in ImportMode::ALL {
        assert_eq!(ImportMode::parse(mode.name()), Some(mode));
    }
    assert_eq!(ImportMode::parse("replace"), None);
}

#[test]
fn a_batch_with_rejected_lines_is_written_only_if_they_may_be_left_out() {
    for (skip_invalid, rejected_lines, is_written) in [
        (false, 0, true),
        (false, 1, false),
        (true, 0, true),
        (true, 1, true),
    ] {
        let options = ImportOptions {
            skip_invalid,
            ..ImportOptions::default()
        };
        assert_eq!(options.allows(rejected_lines), is_written);
    }
}
