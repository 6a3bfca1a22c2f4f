//! The file of an import: CSV, lines of JSON or a JSON array, cut into its records.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use domain::param::parse_positive_integer;
use http_semantics::json::Object;
use http_semantics::problem::FieldError;
use http_semantics::{Problem, csv};

use crate::table_spec::{Column, ColumnType, TableSpec};

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// CSV (RFC 4180), with a header.
    Csv,
    /// One JSON object a line.
    NdJson,
    /// One JSON array of objects.
    Array,
}

impl FileFormat {
    /// The media types, in the order in which a refusal names them.
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

/// The value of a cell. An invalid one stays a text, which the record rejects.
fn value(column: &Column, cell: &str) -> Value {
    let read = match column.column_type {
        ColumnType::Text(_) => return csv::unescape_formula(cell).into(),
        ColumnType::Integer => parse_positive_integer(cell).map(Value::from),
        // In capitals too, as spreadsheets write it.
        ColumnType::Boolean if cell.eq_ignore_ascii_case("true") => Some(true.into()),
        ColumnType::Boolean if cell.eq_ignore_ascii_case("false") => Some(false.into()),
        ColumnType::Boolean => None,
    };
    read.unwrap_or_else(|| cell.into())
}

/// Where in a file something is: how many bytes lie before it, and on which line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePosition {
    /// The bytes before.
    pub byte: usize,
    /// The line, from 1 on.
    pub line: usize,
}

/// A file that can be read to its end.
#[derive(Debug)]
pub struct ImportFile {
    text: String,
    format: FileFormat,
    /// The columns of a CSV file, in the file's order.
    columns: Vec<&'static Column>,
    start: FilePosition,
}

impl ImportFile {
    /// Looks a file through.
    ///
    /// # Errors
    /// One that is not what it says to be, with the line; a header with other columns.
    pub fn open(format: FileFormat, body: Vec<u8>, table: &TableSpec) -> Result<Self, Problem> {
        let text = String::from_utf8(body).map_err(|error| {
            let before = error.as_bytes().get(..error.utf8_error().valid_up_to());
            let lines = before.unwrap_or_default().split(|byte| *byte == b'\n');
            Problem::malformed_body("a text in UTF-8", lines.count(), 1)
        })?;
        let start = FilePosition { byte: 0, line: 1 };
        let mut file = Self {
            text,
            format,
            columns: Vec::new(),
            start,
        };
        match format {
            FileFormat::Csv => file.read_header(table)?,
            FileFormat::NdJson => {}
            FileFormat::Array => {
                let _: Vec<IgnoredAny> = serde_json::from_str(&file.text).map_err(|error| {
                    let (line, column) = (error.line(), error.column());
                    Problem::malformed_body("a JSON array of objects", line, column)
                })?;
                let open = file.text.find('[').unwrap_or_default();
                file.start = file.behind(start, open + 1);
            }
        }
        file.look_through()?;
        Ok(file)
    }

    /// The columns, in whatever order. Excel begins a file with a byte order mark.
    fn read_header(&mut self, table: &TableSpec) -> Result<(), Problem> {
        let bom = self.text.len() - self.text.trim_start_matches('\u{feff}').len();
        let malformed = |column| {
            let what = format!(
                "CSV with a header of the columns {}",
                table.fields.join(", ")
            );
            Problem::malformed_body(&what, 1, column)
        };
        let (cells, rest) = csv::parse_record(&self.text[bom..]).ok_or_else(|| malformed(1))?;
        let mut columns = Vec::with_capacity(cells.len());
        for (n, cell) in cells.iter().enumerate() {
            let column = table
                .declaration
                .visible()
                .find(|column| column.json == cell.trim());
            let column = column.filter(|column| !columns.contains(column));
            columns.push(column.ok_or_else(|| malformed(n + 1))?);
        }
        let end = self.text.len() - rest.len();
        self.columns = columns;
        self.start = self.behind(self.start, end);
        Ok(())
    }

    /// That each record can be told from the next; what is in them is read later.
    fn look_through(&self) -> Result<(), Problem> {
        let mut at = self.start;
        while let Some(begin) = self.begin(at) {
            let malformed = |what, line, column| Err(Problem::malformed_body(what, line, column));
            at = match self.end(begin) {
                Some(end) => end,
                None => return malformed("CSV (RFC 4180)", begin.line, 1),
            };
            if self.format == FileFormat::NdJson
                && let Err(error) = serde_json::from_str::<IgnoredAny>(self.slice(begin, at))
            {
                return malformed("a JSON object a line", begin.line, error.column());
            }
        }
        Ok(())
    }

    /// Where the first record begins.
    #[must_use]
    pub fn start(&self) -> FilePosition {
        self.start
    }

    /// What tells how the records are to be read: the header.
    #[must_use]
    pub fn header(&self) -> &str {
        match self.format {
            FileFormat::Csv => &self.text[..self.start.byte],
            FileFormat::NdJson | FileFormat::Array => "",
        }
    }

    /// What lies between two positions.
    #[must_use]
    pub fn slice(&self, from: FilePosition, to: FilePosition) -> &str {
        &self.text[from.byte..to.byte]
    }

    /// Where the record at or behind a position begins, if there is one.
    #[must_use]
    pub fn begin(&self, at: FilePosition) -> Option<FilePosition> {
        let rest = &self.text[at.byte..];
        let found = match self.format {
            FileFormat::Csv => rest.find(|c| c != '\r' && c != '\n')?,
            FileFormat::NdJson => rest.find(|c: char| !c.is_ascii_whitespace())?,
            FileFormat::Array => {
                let between = |c: char| c == ',' || c.is_ascii_whitespace();
                let found = rest.find(|c| !between(c))?;
                if rest[found..].starts_with(']') {
                    return None;
                }
                found
            }
        };
        Some(self.behind(at, at.byte + found))
    }

    /// Where a record ends that begins here; none where it has no end.
    #[must_use]
    pub fn end(&self, begin: FilePosition) -> Option<FilePosition> {
        let rest = &self.text[begin.byte..];
        let length = match self.format {
            FileFormat::Csv => rest.len() - csv::parse_record(rest)?.1.len(),
            FileFormat::NdJson => rest.find('\n').map_or(rest.len(), |end| end + 1),
            FileFormat::Array => element(rest),
        };
        Some(self.behind(begin, begin.byte + length))
    }

    /// What a record holds.
    ///
    /// # Errors
    /// What is no record.
    pub fn object(&self, from: FilePosition, to: FilePosition) -> Result<Object, FieldError> {
        let slice = self.slice(from, to);
        let wrong = |expected: &str| FieldError {
            pointer: String::new(),
            detail: expected.to_owned(),
        };
        if self.format != FileFormat::Csv {
            let object = serde_json::from_str(slice);
            return object.map_err(|_| wrong("a JSON object with each name once"));
        }
        let (cells, _) = csv::parse_record(slice).unwrap_or_default();
        if cells.len() != self.columns.len() {
            return Err(wrong("a record of as many cells as the header has"));
        }
        let filled = cells.iter().zip(&self.columns);
        let filled = filled.filter(|(cell, _)| !cell.is_empty());
        let member = |(cell, column): (&Cow<'_, str>, &&'static Column)| {
            (column.json.to_owned(), value(column, cell))
        };
        Ok(Object(filled.map(member).collect::<Map<_, _>>()))
    }

    /// The position of a byte behind another position.
    fn behind(&self, at: FilePosition, byte: usize) -> FilePosition {
        let passed = self.text.get(at.byte..byte).unwrap_or_default();
        let lines = passed.matches('\n').count();
        FilePosition {
            byte,
            line: at.line + lines,
        }
    }
}

/// The bytes of the element that an array's rest begins with. The array has been read already,
/// so that brackets and quotes are known to match.
fn element(rest: &str) -> usize {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for (n, byte) in rest.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b',' | b']' if depth == 0 => return n,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}
