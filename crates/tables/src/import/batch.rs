//! A batch of an import: the records that one transaction writes.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;

use super::file::ImportFile;
use super::position::{FilePosition, RecordPosition};
use super::report::MAX_LISTED_LINES;
use super::report::Refusal;
use super::resolve::{PLACE_ID, PlaceName, Removal, UnresolvedRecord, check_unique};
use super::{ImportMode, ImportOptions};
use crate::record::Record;
use crate::schema::PLACE_NAME;
use domain::name::Normalize;
use http_semantics::Preconditions;
use http_semantics::fields::Fields;
use http_semantics::idempotency::fingerprint;
use http_semantics::json::Object;
use http_semantics::problem::{FieldError, Problem};
use serde_json::Value;

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
    /// The version of the stored record that it was made from, if it was.
    pub version: Option<i64>,
}

/// Records that one transaction writes: all of them or none.
#[derive(Debug)]
pub struct Batch<T> {
    /// The line on which the first record begins.
    pub first_line: usize,
    /// The line on which the last record begins.
    pub last_line: usize,
    /// The pointer to the fields of a record: `/body` in an operation.
    pub pointer: &'static str,
    /// The valid records.
    pub parsed: Vec<ParsedRecord<T>>,
    /// Valid records that an earlier import has added: see [`Self::set_new_already_added`].
    pub already_added: Vec<ParsedRecord<T>>,
    /// The records that depend on stored data: see [`Self::resolve`].
    pub unresolved: Vec<UnresolvedRecord>,
    /// The records to remove.
    pub removals: Vec<Removal>,
    /// The invalid records.
    pub refused: Vec<Refusal>,
    /// Ids that stand for places which are created before the batch is written.
    pub future_places: Vec<i64>,
    /// The hash of the batch, by which a retry finds its receipt.
    pub fingerprint: String,
}

/// An iterator over the batches of a file.
pub struct Batches<T> {
    file: ImportFile,
    position: FilePosition,
    /// A batch ends after this number of records.
    boundary: usize,
    /// Part of each fingerprint: distinguishes imports of the same records.
    scope: String,
    /// Whether the records change stored ones.
    is_patch: bool,
    normalize: Normalize,
    /// The number of invalid records so far. A report lists the errors of the first ones.
    rejected: usize,
    /// The first record with each id so far. The id is a text, so that one type of map is compiled.
    ids: HashMap<String, RecordPosition>,
    /// The first record with each unique value so far.
    unique_values: HashMap<String, RecordPosition>,
    /// The number of batches so far with each content.
    contents: HashMap<String, u32>,
    record: PhantomData<T>,
}

impl<T: Record> Batches<T> {
    /// The batches of a file. Imports with a different scope have different fingerprints.
    #[must_use]
    pub fn new(file: ImportFile, scope: String, is_patch: bool, normalize: Normalize) -> Self {
        Self {
            position: file.start(),
            file,
            boundary: 0,
            scope,
            is_patch,
            normalize,
            rejected: 0,
            ids: HashMap::new(),
            unique_values: HashMap::new(),
            contents: HashMap::new(),
            record: PhantomData,
        }
    }

    /// Ends a batch after this number of records, so that an import can begin with the next one.
    #[must_use]
    pub fn with_boundary(self, records: usize) -> Self {
        Self {
            boundary: records,
            ..self
        }
    }

    /// Parses a record and adds it to the batch.
    fn add(
        &mut self,
        batch: &mut Batch<T>,
        begin: FilePosition,
        end: FilePosition,
    ) -> Result<(), Vec<FieldError>> {
        let position = self.file.record_position(begin);
        let mut object = self.file.object(begin, end).map_err(|error| vec![error])?;
        let has_place = object.0.contains_key(PLACE_NAME.json)
            && !T::table().declaration.import_columns.is_empty();
        if has_place {
            flatten_place(&mut object);
        }
        let mut fields = Fields::new(object);
        if self.is_patch && !fields.has("id") {
            fields.add_error("id", "an id, because `mode=patch` changes existing records");
        }
        let id = fields.imported_id();
        if let Some(id) = id {
            let first = *self.ids.entry(id.to_string()).or_insert(position);
            if first != position {
                fields.add_error("id", &format!("another one: {first} has it"));
            }
        }
        let is_unresolved = self.is_patch || (has_place && fields.has(PLACE_NAME.json));
        let place = if has_place {
            fields.place_name(PLACE_NAME.json, self.normalize)
        } else {
            None
        };
        if !is_unresolved {
            let record = T::parse(fields, self.normalize)?;
            check_unique(&mut self.unique_values, &record, position, self.normalize)?;
            batch.parsed.push(ParsedRecord {
                position,
                id,
                record,
                version: None,
            });
            return Ok(());
        }
        let mut fields = fields.into_rest()?;
        if has_place && place.is_none() && !fields.0.contains_key(PLACE_ID) {
            fields.0.insert(PLACE_ID.to_owned(), Value::Null);
        }
        let normalize = self.normalize;
        batch.unresolved.push(UnresolvedRecord {
            position,
            id,
            fields,
            place: place.map(|name| PlaceName {
                key: name.case_key(normalize),
                name,
            }),
            is_patch: self.is_patch,
            preconditions: Preconditions::default(),
        });
        Ok(())
    }
}

/// Replaces the place in a line of an expanded export, `{"id":3,"name":"…"}`, by its name and
/// `placeId`. Any other object stays, and is rejected.
fn flatten_place(fields: &mut Object) {
    let Some(Value::Object(place)) = fields.0.get(PLACE_NAME.json) else {
        return;
    };
    let (Some(id), Some(name)) = (place.get("id"), place.get("name")) else {
        return;
    };
    let is_same = |given: &Value| given == id;
    if place.len() == 2 && fields.0.get(PLACE_ID).is_none_or(is_same) {
        let (id, name) = (id.clone(), name.clone());
        fields.0.insert(PLACE_ID.to_owned(), id);
        fields.0.insert(PLACE_NAME.json.to_owned(), name);
    }
}

impl<T: Record> Iterator for Batches<T> {
    type Item = Batch<T>;

    fn next(&mut self) -> Option<Batch<T>> {
        let first = self.file.begin(self.position)?;
        let mut batch = Batch::at_lines(first.line, first.line);
        let mut records = 0;
        while let Some(begin) = self.file.begin(self.position) {
            let end = self.file.end(begin)?;
            let is_full = begin.records == self.boundary
                || records == MAX_BATCH_RECORDS
                || end.byte - first.byte > MAX_BATCH_BYTES;
            if is_full && records > 0 {
                break;
            }
            records += 1;
            batch.last_line = begin.line;
            self.position = end;
            if let Err(mut errors) = self.add(&mut batch, begin, end) {
                self.rejected += 1;
                if self.rejected > MAX_LISTED_LINES {
                    errors.truncate(1);
                }
                batch.refused.push(Refusal {
                    position: self.file.record_position(begin),
                    problem: Problem::invalid_record(&errors),
                });
            }
        }
        // A browser changes the line breaks of a text that is sent in a form. The fingerprint does
        // not depend on them.
        let text = |text: &str| text.trim_end().replace('\r', "");
        let content = self.file.slice(first, self.position);
        let parts = [&self.scope, &text(self.file.header()), &text(content)];
        batch.fingerprint = fingerprint(&parts.map(String::as_bytes));
        // Another batch of the file may have the same records. Both are written.
        let count = self.contents.entry(batch.fingerprint.clone()).or_default();
        if *count > 0 {
            let parts = [batch.fingerprint.as_bytes(), &count.to_be_bytes()];
            batch.fingerprint = fingerprint(&parts);
        }
        *count += 1;
        Some(batch)
    }
}

impl<T> Batch<T> {
    /// A batch without records.
    #[must_use]
    pub fn at_lines(first_line: usize, last_line: usize) -> Self {
        Self {
            first_line,
            last_line,
            pointer: "",
            parsed: Vec::new(),
            already_added: Vec::new(),
            unresolved: Vec::new(),
            removals: Vec::new(),
            refused: Vec::new(),
            future_places: Vec::new(),
            fingerprint: String::new(),
        }
    }

    /// The number of records.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no caller needs it")]
    pub fn len(&self) -> usize {
        let complete = self.parsed.len() + self.already_added.len() + self.refused.len();
        complete + self.unresolved.len() + self.removals.len()
    }

    /// The ids of the stored records that the batch changes or removes. They may give up their unique
    /// values to others. But if lines can be left out, they may stay unchanged.
    #[must_use]
    pub fn changed_ids(&self, options: ImportOptions) -> HashSet<i64> {
        if options.skip_invalid {
            return HashSet::new();
        }
        let is_change = |record: &&ParsedRecord<T>| {
            record.version.is_some() || options.mode == ImportMode::Upsert
        };
        let changed = self.parsed.iter().filter(is_change);
        let removed = self.removals.iter().map(|removal| removal.id);
        changed
            .filter_map(|record| record.id)
            .chain(removed)
            .collect()
    }

    /// Whether a record has no id. Without a receipt a retry would add it again.
    #[must_use]
    pub fn has_new(&self) -> bool {
        let mut valid = self.parsed.iter().chain(&self.already_added);
        valid.any(|record| record.id.is_none())
            || self.unresolved.iter().any(|record| record.id.is_none())
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
}

#[cfg(test)]
mod tests;
