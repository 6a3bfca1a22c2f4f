//! Tests how a file is divided into batches, and which of their records are rejected.

use super::*;
use crate::import::FileFormat;
use crate::record::UniqueValue;
use crate::schema::PLACE;
use crate::table_spec::TableSpec;
use domain::name::Name;
use http_semantics::json::Object;

fn parsed(id: Option<i64>, record: &'static str) -> ParsedRecord<&'static str> {
    ParsedRecord {
        position: RecordPosition {
            line: 1,
            index: None,
        },
        id,
        record,
        version: None,
    }
}

fn records(batch: &Batch<&'static str>) -> [Vec<&'static str>; 2] {
    [&batch.parsed, &batch.already_added]
        .map(|records| records.iter().map(|parsed| parsed.record).collect())
}

/// A record with a unique name.
struct Unique(Name);

impl Record for Unique {
    fn table() -> &'static TableSpec {
        &PLACE
    }

    fn parse(mut fields: Fields, normalize: Normalize) -> Result<Self, Vec<FieldError>> {
        let name = fields.name(normalize);
        fields.finish(&PLACE.fields, name.map(Self))
    }

    fn to_object(&self) -> Object {
        Object::default()
    }

    fn name(&self) -> &Name {
        &self.0
    }

    fn unique_value(&self, normalize: Normalize) -> Option<UniqueValue> {
        Some(UniqueValue {
            value: self.0.case_key(normalize),
            field: "name",
            expected: "another one",
        })
    }
}

#[test]
fn a_repeated_value_is_rejected_wherever_the_records_begin() {
    let at = |line, index| RecordPosition { line, index };
    for (format, body, positions) in [
        (
            FileFormat::Array,
            r#"[{"name":"a"},{"name":"A"},{"id":1,"name":"b"},{"id":1,"name":"c"}]"#,
            [at(1, Some(1)), at(1, Some(3))],
        ),
        (
            FileFormat::Array,
            "[{\"name\":\"a\"},\n{\"name\":\"A\"},{\"id\":1,\"name\":\"b\"},\n{\"id\":1,\"name\":\"c\"}]",
            [at(2, Some(1)), at(3, Some(3))],
        ),
        (
            FileFormat::NdJson,
            "{\"name\":\"a\"}\n{\"name\":\"A\"}\n{\"id\":1,\"name\":\"b\"}\n{\"id\":1,\"name\":\"c\"}",
            [at(2, None), at(4, None)],
        ),
        (
            FileFormat::Csv,
            "id,name\n,a\n,A\n1,b\n1,c\n",
            [at(3, None), at(5, None)],
        ),
    ] {
        let file = ImportFile::open(format, body.into(), &PLACE).unwrap();
        let batch = Batches::<Unique>::new(file, String::new(), false, Normalize::NONE).next();
        let refused = batch.unwrap().refused;
        let found: Vec<RecordPosition> = refused.iter().map(|refusal| refusal.position).collect();
        assert_eq!(found, positions, "{body}");
        let detail = refused[0].problem.detail();
        let first = if format == FileFormat::Array {
            "the record at index 0"
        } else {
            "line"
        };
        assert!(detail.contains(first), "{detail}");
    }
}

#[test]
fn a_batch_ends_at_10000_records_or_before_it_has_more_than_a_megabyte() {
    let lines = |count: usize, record: &str| [record, "\n"].concat().repeat(count);
    let long = format!("{{\"name\":\"{}\"}}", "a".repeat(300_000));
    let full = format!(
        "{{\"name\":\"{}\"}}\n{{}}",
        "a".repeat(MAX_BATCH_BYTES - 14)
    );
    let huge = format!("{{\"name\":\"{}\"}}", "a".repeat(MAX_BATCH_BYTES));
    for (body, batches) in [
        (lines(10_001, "{}"), vec![(1, 10_000), (10_001, 10_001)]),
        (lines(5, &long), vec![(1, 3), (4, 5)]),
        (lines(2, &full), vec![(1, 2), (3, 4)]),
        (lines(2, &huge), vec![(1, 1), (2, 2)]),
    ] {
        let file = ImportFile::open(FileFormat::NdJson, body.into(), &PLACE).unwrap();
        let found = Batches::<Unique>::new(file, String::new(), false, Normalize::NONE);
        let lines = found.map(|batch| (batch.first_line, batch.last_line));
        assert_eq!(lines.collect::<Vec<_>>(), batches);
    }
}

#[test]
fn a_place_has_no_place() {
    let body = br#"{"name":"a","place":"b"}"#;
    let file = ImportFile::open(FileFormat::NdJson, body.into(), &PLACE).unwrap();
    let mut batches = Batches::<Unique>::new(file, String::new(), false, Normalize::NONE);
    assert_eq!(batches.next().unwrap().refused.len(), 1);
}

#[test]
fn an_empty_line_is_no_record() {
    for (format, body, lines) in [
        (FileFormat::Csv, "name\n\na\r\n\r\n\nb\n\n", [3, 6]),
        (
            FileFormat::NdJson,
            "\r\n{\"name\":\"a\"}\n \n{\"name\":\"b\"}\n\n",
            [2, 4],
        ),
    ] {
        let file = ImportFile::open(format, body.into(), &PLACE).unwrap();
        let mut batches = Batches::<Unique>::new(file, String::new(), false, Normalize::NONE);
        let batch = batches.next().unwrap();
        let found = batch.parsed.iter().map(|record| record.position.line);
        assert_eq!(found.collect::<Vec<_>>(), lines);
        assert!(batch.refused.is_empty() && batches.next().is_none());
    }
}

#[test]
fn an_element_of_an_array_may_contain_any_text() {
    let body = r#"[{"name":"a]}"},{"name":"b\",{[\\"},{"name":"c"}]"#;
    let file = ImportFile::open(FileFormat::Array, body.into(), &PLACE).unwrap();
    let batch = Batches::<Unique>::new(file, String::new(), false, Normalize::NONE)
        .next()
        .unwrap();
    let names: Vec<&str> = batch
        .parsed
        .iter()
        .map(|one| one.record.name().as_str())
        .collect();
    assert_eq!(names, ["a]}", r#"b",{[\"#, "c"]);
}

#[test]
fn records_without_an_id_are_marked_as_added_or_moved_to_the_end() {
    let mut batch = Batch::at_lines(1, 1);
    batch.parsed = vec![
        parsed(None, "a"),
        parsed(Some(2), "b"),
        parsed(None, "c"),
        parsed(Some(4), "d"),
    ];
    for _ in 0..2 {
        batch.set_new_already_added(true);
        assert_eq!(records(&batch), [vec!["b", "d"], vec!["a", "c"]]);
        assert_eq!((batch.len(), batch.has_new()), (4, true));
        batch.set_new_already_added(false);
        assert_eq!(records(&batch), [vec!["b", "d", "a", "c"], vec![]]);
    }
    batch.parsed.truncate(2);
    assert!(!batch.has_new());
}
