//! Reads the records of an import file (CSV, NDJSON or a JSON array), and the position of each
//! record.

use std::borrow::Cow;

use serde::de::IgnoredAny;

use http_semantics::json::{self, Object};
use http_semantics::problem::FieldError;
use http_semantics::{Problem, csv, export_format};

use super::MAX_FILE_RECORDS;
use super::cell::parse_cell;
use super::position::{FilePosition, RecordPosition};
use crate::schema::{EXPORTED_PLACE_NAME, PLACE_NAME};
use crate::table_spec::{Column, TableSpec};

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// CSV (RFC 4180) with a header.
    Csv,
    /// One JSON object per line.
    NdJson,
    /// One JSON array of objects.
    Array,
}

impl FileFormat {
    /// The accepted media types, in the order of the problem that lists them.
    pub const MEDIA_TYPES: [&'static str; 3] =
        ["text/csv", "application/x-ndjson", "application/json"];

    /// The format of a media type.
    #[must_use]
    pub fn from_media_type(media_type: &str) -> Self {
        match media_type {
            "text/csv" => Self::Csv,
            "application/x-ndjson" => Self::NdJson,
            _ => Self::Array,
        }
    }
}

/// The encoding of a file that is not in UTF-8, and not in UTF-16 either.
const LATIN_1: &str = "Latin-1 (ISO 8859-1 or Windows-1252)";

/// The rules of which a record breaks one if it cannot be parsed.
const MALFORMED_RECORD: &str = "a quotation mark is in the wrong place. Put a cell that has one into \
     quotation marks, and double those inside it (RFC 4180). A record has at most 16,384 cells";

/// The maximum length of a JSON record. A parsed record takes many times its length.
const MAX_RECORD_BYTES: usize = 64 * 1024;

/// The number of characters of an unknown column that the problem shows.
const MAX_SHOWN_CHARACTERS: usize = 40;

/// Whether a file is in UTF-16: it begins with a byte order mark, or every other byte of its ASCII
/// characters is null.
fn is_utf_16(body: &[u8]) -> bool {
    const SAMPLE: usize = 200;
    let sample = body.iter().take(SAMPLE);
    let nulls = sample.clone().filter(|byte| **byte == 0).count();
    let has_mark = body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]);
    has_mark || nulls * 4 > sample.len()
}

/// A file with valid syntax.
#[derive(Debug)]
pub struct ImportFile {
    text: String,
    format: FileFormat,
    /// The columns of a CSV file, in the order of its header.
    columns: Vec<&'static Column>,
    /// The number of columns without a name after the others, whose cells are empty.
    empty_columns: usize,
    /// The separator of the cells of a CSV file.
    separator: char,
    start: FilePosition,
}

impl ImportFile {
    /// Checks the syntax of a file.
    ///
    /// # Errors
    /// A malformed file, with the line of the error, or a CSV header with unknown columns.
    pub fn open(format: FileFormat, body: Vec<u8>, table: &TableSpec) -> Result<Self, Problem> {
        if is_utf_16(&body) {
            return Err(Problem::wrong_encoding("UTF-16", 1));
        }
        let text = String::from_utf8(body).map_err(|error| {
            let before = error.as_bytes().get(..error.utf8_error().valid_up_to());
            let lines = before.unwrap_or_default().split(|byte| *byte == b'\n');
            Problem::wrong_encoding(LATIN_1, lines.count())
        })?;
        let start = FilePosition {
            byte: 0,
            line: 1,
            records: 0,
        };
        let mut file = Self {
            text,
            format,
            columns: Vec::new(),
            empty_columns: 0,
            separator: ',',
            start,
        };
        match format {
            FileFormat::Csv => file.read_header(table)?,
            FileFormat::NdJson => {}
            FileFormat::Array => {
                let _: Vec<IgnoredAny> =
                    json::parse(file.text.as_bytes(), "a JSON array of objects")?;
                let open = file.text.find('[').unwrap_or_default();
                file.start = file.advance(start, open + 1);
            }
        }
        file.check_records()?;
        Ok(file)
    }

    /// Reads the header of a CSV file. The columns can be in any order and any case. Excel puts a byte
    /// order mark before them.
    fn read_header(&mut self, table: &TableSpec) -> Result<(), Problem> {
        let bom = self.text.len() - self.text.trim_start_matches('\u{feff}').len();
        self.separator = csv::detect_separator(&self.text[bom..]);
        let header = csv::parse_record(&self.text[bom..], self.separator);
        let (cells, rest) = header.ok_or_else(|| Problem::malformed_csv(MALFORMED_RECORD, 1, 1))?;
        let is_empty = |cell: &&Cow<'_, str>| cell.trim().is_empty();
        self.empty_columns = cells.iter().rev().take_while(is_empty).count();
        let named = cells.len() - self.empty_columns;
        if named == 0 {
            return Err(Problem::malformed_csv("the header is missing", 1, 1));
        }
        let mut columns = Vec::with_capacity(named);
        for (n, cell) in cells.iter().take(named).enumerate() {
            let mut name = cell.trim();
            if name.eq_ignore_ascii_case(EXPORTED_PLACE_NAME) {
                name = PLACE_NAME.json;
            }
            let column = table
                .declaration
                .importable()
                .find(|column| column.json.eq_ignore_ascii_case(name));
            let reason = match column {
                Some(column) if !columns.contains(&column) => {
                    columns.push(column);
                    continue;
                }
                Some(_) => format!("the column `{name}` is there twice"),
                None if name.is_empty() => format!("the column {} has no name", n + 1),
                None => {
                    let known: Vec<&str> = table.declaration.importable().map(|c| c.json).collect();
                    let known = known.join("`, `");
                    let shown: String = name.chars().take(MAX_SHOWN_CHARACTERS).collect();
                    let dots = if shown.len() < name.len() { "…" } else { "" };
                    format!("the column `{shown}{dots}` is unknown. The columns are `{known}`")
                }
            };
            return Err(Problem::malformed_csv(&reason, 1, n + 1));
        }
        let end = self.text.len() - rest.len();
        self.columns = columns;
        self.start = self.advance(self.start, end);
        Ok(())
    }

    /// Checks that the file can be split into records, and their number. Their fields are checked
    /// later.
    fn check_records(&self) -> Result<(), Problem> {
        let mut position = self.start;
        while let Some(begin) = self.begin(position) {
            if begin.records == MAX_FILE_RECORDS {
                return Err(Problem::too_many_records(MAX_FILE_RECORDS));
            }
            position = match self.end(begin) {
                Some(end) => end,
                None => return Err(Problem::malformed_csv(MALFORMED_RECORD, begin.line, 1)),
            };
            if self.format == FileFormat::NdJson
                && let Err(error) = serde_json::from_str::<IgnoredAny>(self.slice(begin, position))
            {
                let (line, column) = (begin.line, error.column());
                return Err(Problem::malformed_body(
                    "a JSON object a line",
                    line,
                    column,
                ));
            }
        }
        Ok(())
    }

    /// The position before the first record.
    #[must_use]
    pub fn start(&self) -> FilePosition {
        self.start
    }

    /// The text before the first record that affects how records are parsed: the header of CSV.
    #[must_use]
    pub fn header(&self) -> &str {
        match self.format {
            FileFormat::Csv => &self.text[..self.start.byte],
            FileFormat::NdJson | FileFormat::Array => "",
        }
    }

    /// The text between two positions.
    #[must_use]
    pub fn slice(&self, from: FilePosition, to: FilePosition) -> &str {
        &self.text[from.byte..to.byte]
    }

    /// The start of the next record at or after a position, if there is one. The last line of an
    /// export is no record.
    #[must_use]
    pub fn begin(&self, position: FilePosition) -> Option<FilePosition> {
        let mut begin = self.begin_of_line(position)?;
        while let Some(length) = self.end_line_length(begin) {
            begin = self.begin_of_line(self.advance(begin, begin.byte + length))?;
        }
        Some(begin)
    }

    /// The length of the last line of an export, if there is one at a position.
    fn end_line_length(&self, position: FilePosition) -> Option<usize> {
        let rest = &self.text[position.byte..];
        // Not for an array: it may be one long line, and each of its records would look for the end.
        let line = || rest.find('\n').map_or(rest, |end| &rest[..end]);
        match self.format {
            // No export has only one column. There the line is a record.
            FileFormat::Csv if self.columns.len() > 1 && line().contains('#') => {
                let (cells, after) = csv::parse_record(rest, self.separator)?;
                self.is_end(&cells).then_some(rest.len() - after.len())
            }
            FileFormat::NdJson => {
                let line = line();
                export_format::is_end_line(false, line).then_some(line.len())
            }
            FileFormat::Csv | FileFormat::Array => None,
        }
    }

    /// Whether these are the cells of the last line of an export. A spreadsheet adds empty cells to
    /// the only one. Then it is in the column `id`, where no record has such a text.
    fn is_end(&self, cells: &[Cow<'_, str>]) -> bool {
        if let [cell] = cells {
            return export_format::is_end_cell(cell);
        }
        let id = self.columns.iter().position(|column| column.json == "id");
        let is_expected = |(n, cell): (usize, &Cow<'_, str>)| {
            if Some(n) == id {
                export_format::is_end_cell(cell)
            } else {
                cell.trim().is_empty()
            }
        };
        id.is_some() && cells.iter().enumerate().all(is_expected)
    }

    /// The start of the next record or line at or after a position.
    fn begin_of_line(&self, position: FilePosition) -> Option<FilePosition> {
        let rest = &self.text[position.byte..];
        let offset = match self.format {
            FileFormat::Csv => rest.find(|c| c != '\r' && c != '\n')?,
            FileFormat::NdJson => rest.find(|c: char| !c.is_ascii_whitespace())?,
            FileFormat::Array => {
                let is_separator = |c: char| c == ',' || c.is_ascii_whitespace();
                let offset = rest.find(|c| !is_separator(c))?;
                if rest[offset..].starts_with(']') {
                    return None;
                }
                offset
            }
        };
        Some(self.advance(position, position.byte + offset))
    }

    /// The end of the record that starts at a position, or none if it has no end.
    #[must_use]
    pub fn end(&self, begin: FilePosition) -> Option<FilePosition> {
        let rest = &self.text[begin.byte..];
        let length = match self.format {
            FileFormat::Csv => rest.len() - csv::parse_record(rest, self.separator)?.1.len(),
            FileFormat::NdJson => rest.find('\n').unwrap_or(rest.len()),
            FileFormat::Array => element_length(rest),
        };
        let end = self.advance(begin, begin.byte + length);
        let records = begin.records + 1;
        Some(FilePosition { records, ..end })
    }

    /// The position of the record that starts at a position.
    #[must_use]
    pub fn record_position(&self, begin: FilePosition) -> RecordPosition {
        RecordPosition {
            line: begin.line,
            index: (self.format == FileFormat::Array).then_some(begin.records),
        }
    }

    /// The record between two positions, as an object.
    ///
    /// # Errors
    /// A text that is not an object, or a line of CSV with a wrong number of cells.
    pub fn object(&self, from: FilePosition, to: FilePosition) -> Result<Object, FieldError> {
        let slice = self.slice(from, to);
        let error = |expected: &str| FieldError {
            pointer: String::new(),
            detail: expected.to_owned(),
        };
        if self.format != FileFormat::Csv {
            if slice.len() > MAX_RECORD_BYTES {
                return Err(error("a record of at most 64 KiB"));
            }
            if json::find_lost_fraction(slice.as_bytes()).is_some() {
                return Err(error(json::EXACT_NUMBERS));
            }
            let object = serde_json::from_slice(slice.as_bytes());
            return object.map_err(|_| error("a JSON object with each name once"));
        }
        let (cells, _) = csv::parse_record(slice, self.separator).unwrap_or_default();
        if cells.len() != self.columns.len() + self.empty_columns {
            return Err(error("a record of as many cells as the header has"));
        }
        let mut surplus = cells.iter().skip(self.columns.len());
        if !surplus.all(|cell| cell.trim().is_empty()) {
            return Err(error("a record whose cells all have a column with a name"));
        }
        let members = cells
            .iter()
            .zip(&self.columns)
            .map(|(cell, column)| (column.json, parse_cell(column, cell)));
        Ok(members.collect())
    }

    /// The position of a byte after another position.
    fn advance(&self, from: FilePosition, byte: usize) -> FilePosition {
        let passed = self.text.get(from.byte..byte).unwrap_or_default();
        let lines = passed.matches('\n').count();
        FilePosition {
            byte,
            line: from.line + lines,
            ..from
        }
    }
}

/// The length of the array element at the start of a text, in bytes. The array has been checked, so
/// its brackets match.
fn element_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in json::outside_of_strings(rest.as_bytes()) {
        match byte {
            b',' | b']' if depth == 0 => return index,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}
