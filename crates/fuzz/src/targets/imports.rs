//! The parsers of imported files.

use http_semantics::csv;
use proptest::{prop_assert, prop_assert_eq};
use tables::import::{FileFormat, ImportFile};
use tables::schema::PERSON;

use super::{bytes, rejected, text};
use crate::Verdict::{Accepted, Rejected};
use crate::{Checked, Target};

pub const TARGETS: &[Target] = &[
    text(
        "CSV record",
        &[
            "1,\"a \"\"b\"\", c\",true\r\n2,x,",
            "\"a\nb\",'=1\n",
            "a\"b",
            ",\n",
            "\"\"",
        ],
        record,
    ),
    bytes(
        "CSV file",
        &[
            "id,name,isAlive\r\n1,a,true\r\n2,\"b\n\",false\r\n",
            "\u{feff}name\nx\n\ny",
            "name,name\n",
        ],
        |input| file(input, FileFormat::Csv),
    ),
    bytes(
        "NDJSON file",
        &["{\"name\":\"a\"}\n\n{\"name\":\"b\",\"id\":2}", "{}\n[]\n1"],
        |input| file(input, FileFormat::NdJson),
    ),
    bytes(
        "JSON array file",
        &[
            "[{\"name\":\"a\"},\n {\"name\":\"b]\"}]",
            "[]",
            "[1,\"\\\"\",[{}]]",
        ],
        |input| file(input, FileFormat::Array),
    ),
];

/// An accepted record equals the one of the crate `csv`, which accepts more, ends a line at a
/// bare CR, and skips empty lines. An escaped formula can be unescaped.
fn record(text: &str) -> Checked {
    let separator = csv::detect_separator(text);
    let Some((cells, rest)) = csv::parse_record(text, separator) else {
        return Ok(Rejected);
    };
    let consumed = text.strip_suffix(rest).unwrap_or_default();
    let is_comparable = !consumed.replace("\r\n", "").contains('\r')
        && !consumed.trim_end_matches(['\r', '\n']).is_empty()
        && !consumed.starts_with('\u{feff}');
    if is_comparable {
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .delimiter(u8::try_from(separator)?)
            .from_reader(consumed.as_bytes());
        let mut expected = ::csv::StringRecord::new();
        let read = reader.read_record(&mut expected);
        prop_assert!(matches!(read, Ok(true)), "{read:?}");
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        prop_assert_eq!(cells, expected.iter().collect::<Vec<_>>());
    }
    for cell in &cells {
        let escaped = csv::escape_formula(cell);
        prop_assert_eq!(csv::unescape_formula(&escaped), cell.as_ref());
    }
    Ok(Accepted)
}

/// Each record of an accepted file ends after it begins, and an array has as many records as
/// elements.
fn file(input: &[u8], format: FileFormat) -> Checked {
    let file = match ImportFile::open(format, input.to_vec(), &PERSON) {
        Ok(file) => file,
        Err(problem) => return rejected(&problem),
    };
    let (mut position, mut records) = (file.start(), 0);
    while let Some(begin) = file.begin(position) {
        let end = file.end(begin);
        prop_assert!(
            end.is_some(),
            "the record at byte {} has no end",
            begin.byte
        );
        let end = end.unwrap_or(begin);
        prop_assert!(position.byte <= begin.byte && begin.byte < end.byte);
        prop_assert!(begin.line <= end.line);
        let _ = file.object(begin, end);
        records += 1;
        position = end;
    }
    // An error within an element rejects its record, not the file.
    let elements: Result<Vec<serde_json::Value>, _> = serde_json::from_slice(input);
    if let (FileFormat::Array, Ok(elements)) = (format, elements) {
        prop_assert_eq!(records, elements.len());
    }
    Ok(Accepted)
}
