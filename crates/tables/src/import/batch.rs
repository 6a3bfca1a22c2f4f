//! Batches: the records of an import that one transaction writes.

use std::collections::HashMap;
use std::marker::PhantomData;

use super::file::{FilePosition, ImportFile, RecordPosition};
use super::report::Refusal;
use crate::record::Record;
use domain::name::Normalize;
use http_semantics::fields::Fields;
use http_semantics::idempotency::fingerprint;
use http_semantics::problem::{FieldError, Problem};

/// The maximum number of records in a batch. Large batches are faster: a transaction rewrites each
/// page of an index that it touches, and the names of a batch touch most pages.
pub const MAX_BATCH_RECORDS: usize = 10_000;

/// The maximum size of the text of a batch.
const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// A valid record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedRecord<T> {
    /// The position in the file.
    pub position: RecordPosition,
    /// The id, if the file has one.
    pub id: Option<i64>,
    /// The record.
    pub record: T,
}

/// Records that one transaction writes: all of them or none.
#[derive(Debug)]
pub struct Batch<T> {
    /// The line on which the first record begins.
    pub first_line: usize,
    /// The line on which the last record begins.
    pub last_line: usize,
    /// The valid records.
    pub parsed: Vec<ParsedRecord<T>>,
    /// Valid records that an earlier import has added: see [`Self::set_new_already_added`].
    pub already_added: Vec<ParsedRecord<T>>,
    /// The invalid records.
    pub refused: Vec<Refusal>,
    /// The hash of the batch, by which a retry finds its receipt.
    pub fingerprint: String,
}

/// An iterator over the batches of a file.
pub struct Batches<T> {
    file: ImportFile,
    position: FilePosition,
    /// Part of each fingerprint: distinguishes imports of the same records.
    scope: String,
    normalize: Normalize,
    /// The first record with each id so far. The id is a text, so that one type of map is compiled.
    ids: HashMap<String, RecordPosition>,
    /// The first record with each unique value so far.
    unique_values: HashMap<String, RecordPosition>,
    record: PhantomData<T>,
}

impl<T: Record> Batches<T> {
    /// The batches of a file. Imports with a different scope have different fingerprints.
    #[must_use]
    pub fn new(file: ImportFile, scope: String, normalize: Normalize) -> Self {
        Self {
            position: file.start(),
            file,
            scope,
            normalize,
            ids: HashMap::new(),
            unique_values: HashMap::new(),
            record: PhantomData,
        }
    }

    fn parse(
        &mut self,
        begin: FilePosition,
        end: FilePosition,
    ) -> Result<ParsedRecord<T>, Vec<FieldError>> {
        let position = self.file.record_position(begin);
        let object = self.file.object(begin, end).map_err(|error| vec![error])?;
        let mut fields = Fields::new(object);
        let id = fields.imported_id();
        if let Some(id) = id {
            let first = *self.ids.entry(id.to_string()).or_insert(position);
            if first != position {
                fields.add_error("id", &format!("another one: {first} has it"));
            }
        }
        let record = T::parse(fields, self.normalize)?;
        if let Some(unique) = record.unique_value(self.normalize) {
            let values = &mut self.unique_values;
            let first = *values.entry(unique.value).or_insert(position);
            if first != position {
                return Err(vec![FieldError {
                    pointer: format!("/{}", unique.field),
                    detail: format!("{}: {first} has it", unique.expected),
                }]);
            }
        }
        Ok(ParsedRecord {
            position,
            id,
            record,
        })
    }
}

impl<T: Record> Iterator for Batches<T> {
    type Item = Batch<T>;

    fn next(&mut self) -> Option<Batch<T>> {
        let first = self.file.begin(self.position)?;
        let mut batch = Batch {
            first_line: first.line,
            last_line: first.line,
            parsed: Vec::new(),
            already_added: Vec::new(),
            refused: Vec::new(),
            fingerprint: String::new(),
        };
        let mut records = 0;
        while let Some(begin) = self.file.begin(self.position) {
            let end = self.file.end(begin)?;
            let is_full = records == MAX_BATCH_RECORDS || end.byte - first.byte > MAX_BATCH_BYTES;
            if is_full && records > 0 {
                break;
            }
            records += 1;
            batch.last_line = begin.line;
            self.position = end;
            match self.parse(begin, end) {
                Ok(record) => batch.parsed.push(record),
                Err(errors) => batch.refused.push(Refusal {
                    position: self.file.record_position(begin),
                    problem: Problem::invalid_record(&errors),
                }),
            }
        }
        // A browser changes the line breaks of a text that is sent in a form. The fingerprint does
        // not depend on them.
        let text = |text: &str| text.trim_end().replace('\r', "");
        let content = self.file.slice(first, self.position);
        let parts = [&self.scope, &text(self.file.header()), &text(content)];
        batch.fingerprint = fingerprint(&parts.map(String::as_bytes));
        Some(batch)
    }
}

impl<T> Batch<T> {
    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parsed.len() + self.already_added.len() + self.refused.len()
    }

    /// Whether a record has no id. Without a receipt a retry would add it again.
    #[must_use]
    pub fn has_new(&self) -> bool {
        let mut valid = self.parsed.iter().chain(&self.already_added);
        valid.any(|record| record.id.is_none())
    }

    /// Marks the records without an id as already added, if an earlier import has done so.
    /// Otherwise moves them after the other records, so that their changes are the last ones of the
    /// batch: the receipt refers to them.
    pub fn set_new_already_added(&mut self, is_already_added: bool) {
        self.parsed.append(&mut self.already_added);
        let valid = std::mem::take(&mut self.parsed).into_iter();
        let (with_id, mut new) = valid.partition(|record| record.id.is_some());
        self.parsed = with_id;
        if is_already_added {
            self.already_added = new;
        } else {
            self.parsed.append(&mut new);
        }
    }

    /// Whether the batch has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
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
            let batch = Batches::<Unique>::new(file, String::new(), Normalize::NONE).next();
            let refused = batch.unwrap().refused;
            let found: Vec<RecordPosition> =
                refused.iter().map(|refusal| refusal.position).collect();
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
    fn an_element_of_an_array_may_contain_any_text() {
        let body = r#"[{"name":"a]}"},{"name":"b\",{[\\"},{"name":"c"}]"#;
        let file = ImportFile::open(FileFormat::Array, body.into(), &PLACE).unwrap();
        let batch = Batches::<Unique>::new(file, String::new(), Normalize::NONE)
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
        let mut batch = Batch {
            first_line: 1,
            last_line: 1,
            parsed: vec![
                parsed(None, "a"),
                parsed(Some(2), "b"),
                parsed(None, "c"),
                parsed(Some(4), "d"),
            ],
            already_added: Vec::new(),
            refused: Vec::new(),
            fingerprint: String::new(),
        };
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
}
