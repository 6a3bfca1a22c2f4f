//! Batches: so many records as one transaction writes.

use std::collections::HashMap;
use std::marker::PhantomData;

use super::file::{FilePosition, ImportFile};
use super::report::Refusal;
use crate::record::Record;
use domain::name::Normalize;
use http_semantics::fields::Fields;
use http_semantics::idempotency::fingerprint;
use http_semantics::problem::{FieldError, Problem};

/// The most records of a batch. Many, because each transaction writes every page of an index
/// anew that it has touched, and the names of a batch touch most of them.
const MAX_RECORDS: usize = 10_000;

/// The most bytes of a file's text in a batch.
const MAX_BATCH_BYTES: usize = 1024 * 1024;

/// A record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedRecord<T> {
    /// The line on which it begins.
    pub line: usize,
    /// The id, if it was given one.
    pub id: Option<i64>,
    /// The record.
    pub record: T,
}

/// Records that are written together or not at all.
#[derive(Debug)]
pub struct Batch<T> {
    /// The line on which the first one begins.
    pub first_line: usize,
    /// The line on which the last one begins.
    pub last_line: usize,
    /// Those that can be read.
    pub parsed: Vec<ParsedRecord<T>>,
    /// Those that an import before this one has added; see [`Self::set_new_aside`].
    pub aside: Vec<ParsedRecord<T>>,
    /// The others.
    pub refused: Vec<Refusal>,
    /// What the batch is known by when it is sent again.
    pub fingerprint: String,
}

/// The batches of a file.
pub struct Batches<T> {
    file: ImportFile,
    at: FilePosition,
    /// What tells the import from another one of the same records.
    scope: String,
    normalize: Normalize,
    /// The lines on which ids were given.
    ids: HashMap<i64, usize>,
    claims: HashMap<String, usize>,
    record: PhantomData<T>,
}

impl<T: Record> Batches<T> {
    /// The batches of a file that is imported within a scope.
    #[must_use]
    pub fn new(file: ImportFile, scope: String, normalize: Normalize) -> Self {
        Self {
            at: file.start(),
            file,
            scope,
            normalize,
            ids: HashMap::new(),
            claims: HashMap::new(),
            record: PhantomData,
        }
    }

    fn read(
        &mut self,
        begin: FilePosition,
        end: FilePosition,
    ) -> Result<ParsedRecord<T>, Vec<FieldError>> {
        let object = self.file.object(begin, end).map_err(|wrong| vec![wrong])?;
        let mut fields = Fields::new(object);
        let id = fields.chosen_id();
        if let Some(id) = id {
            let line = *self.ids.entry(id).or_insert(begin.line);
            if line != begin.line {
                fields.add_error("id", &format!("another one: line {line} has it"));
            }
        }
        let record = T::parse(fields, self.normalize)?;
        if let Some(claim) = record.unique_value() {
            let line = *self.claims.entry(claim.value).or_insert(begin.line);
            if line != begin.line {
                return Err(vec![FieldError {
                    pointer: format!("/{}", claim.field),
                    detail: format!("{}: line {line} has it", claim.expected),
                }]);
            }
        }
        let line = begin.line;
        Ok(ParsedRecord { line, id, record })
    }
}

impl<T: Record> Iterator for Batches<T> {
    type Item = Batch<T>;

    fn next(&mut self) -> Option<Batch<T>> {
        let first = self.file.begin(self.at)?;
        let mut batch = Batch {
            first_line: first.line,
            last_line: first.line,
            parsed: Vec::new(),
            aside: Vec::new(),
            refused: Vec::new(),
            fingerprint: String::new(),
        };
        let mut records = 0;
        while let Some(begin) = self.file.begin(self.at) {
            let end = self.file.end(begin)?;
            let is_full = records == MAX_RECORDS || end.byte - first.byte > MAX_BATCH_BYTES;
            if is_full && records > 0 {
                break;
            }
            records += 1;
            batch.last_line = begin.line;
            self.at = end;
            match self.read(begin, end) {
                Ok(given) => batch.parsed.push(given),
                Err(errors) => batch.refused.push(Refusal {
                    line: begin.line,
                    problem: Problem::invalid_record(&errors),
                }),
            }
        }
        // A browser sends what stands in a form with line breaks of its own.
        let text = |text: &str| text.trim_end().replace('\r', "");
        let content = self.file.slice(first, self.at);
        let parts = [&self.scope, &text(self.file.header()), &text(content)];
        batch.fingerprint = fingerprint(&parts.map(String::as_bytes));
        Some(batch)
    }
}

impl<T> Batch<T> {
    /// How many records it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parsed.len() + self.aside.len() + self.refused.len()
    }

    /// Whether any record has no id: sent again, it would be added again.
    #[must_use]
    pub fn has_new(&self) -> bool {
        let mut all = self.parsed.iter().chain(&self.aside);
        all.any(|given| given.id.is_none())
    }

    /// Puts the records without an id aside, because an import before this one has added them;
    /// or after the others, so that their changes are the last ones of the batch.
    pub fn set_new_aside(&mut self, is_aside: bool) {
        self.parsed.append(&mut self.aside);
        let given = std::mem::take(&mut self.parsed).into_iter();
        let (known, mut new) = given.partition(|given| given.id.is_some());
        self.parsed = known;
        if is_aside {
            self.aside = new;
        } else {
            self.parsed.append(&mut new);
        }
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(id: Option<i64>, record: &'static str) -> ParsedRecord<&'static str> {
        ParsedRecord {
            line: 1,
            id,
            record,
        }
    }

    fn records(batch: &Batch<&'static str>) -> [Vec<&'static str>; 2] {
        [&batch.parsed, &batch.aside].map(|all| all.iter().map(|one| one.record).collect())
    }

    #[test]
    fn records_without_an_id_are_put_aside_or_last() {
        let mut batch = Batch {
            first_line: 1,
            last_line: 1,
            parsed: vec![
                given(None, "a"),
                given(Some(2), "b"),
                given(None, "c"),
                given(Some(4), "d"),
            ],
            aside: Vec::new(),
            refused: Vec::new(),
            fingerprint: String::new(),
        };
        for _ in 0..2 {
            batch.set_new_aside(true);
            assert_eq!(records(&batch), [vec!["b", "d"], vec!["a", "c"]]);
            assert_eq!((batch.len(), batch.has_new()), (4, true));
            batch.set_new_aside(false);
            assert_eq!(records(&batch), [vec!["b", "d", "a", "c"], vec![]]);
        }
        batch.parsed.truncate(2);
        assert!(!batch.has_new());
    }
}
