//! What is imported.

use http_semantics::csv;
use tables::import::{FileFormat, ImportFile};
use tables::schema::PERSON;

use super::queries::refused;
use super::{same, text};
use crate::{Target, Verdict};

pub const TARGETS: &[Target] = &[
    Target {
        name: "CSV record",
        seeds: &[
            "1,\"a \"\"b\"\", c\",true\r\n2,x,",
            "\"a\nb\",'=1\n",
            "a\"b",
            ",\n",
            "\"\"",
        ],
        check: record,
    },
    Target {
        name: "CSV file",
        seeds: &[
            "id,name,isAlive\r\n1,a,true\r\n2,\"b\n\",false\r\n",
            "\u{feff}name\nx\n\ny",
            "name,name\n",
        ],
        check: |input| file(input, FileFormat::Csv),
    },
    Target {
        name: "NDJSON file",
        seeds: &["{\"name\":\"a\"}\n\n{\"name\":\"b\",\"id\":2}", "{}\n[]\n1"],
        check: |input| file(input, FileFormat::NdJson),
    },
    Target {
        name: "JSON array file",
        seeds: &[
            "[{\"name\":\"a\"},\n {\"name\":\"b]\"}]",
            "[]",
            "[1,\"\\\"\",[{}]]",
        ],
        check: |input| file(input, FileFormat::Array),
    },
];

/// What is accepted is what the crate `csv` reads, too: it accepts more, ends a line at a bare
/// CR, and passes over empty ones.
fn record(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some((cells, rest)) = csv::parse_record(&text) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    let consumed = text.strip_suffix(rest).unwrap_or_default();
    let is_comparable = !consumed.replace("\r\n", "").contains('\r')
        && !consumed.trim_end_matches(['\r', '\n']).is_empty()
        && !consumed.starts_with('\u{feff}');
    if is_comparable {
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(consumed.as_bytes());
        let mut other = ::csv::StringRecord::new();
        let read = reader.read_record(&mut other);
        let read = read.map_err(|error| error.to_string())?;
        same("a record", &read, &true)?;
        let other: Vec<&str> = other.iter().collect();
        same(
            "by another reader",
            &cells.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
            &other,
        )?;
    }
    for cell in &cells {
        same(
            "armoured and back",
            &csv::unescape_formula(&csv::escape_formula(cell)),
            &cell.as_ref(),
        )?;
    }
    Ok(Verdict::Taken(text.into_owned()))
}

fn file(input: &[u8], format: FileFormat) -> Result<Verdict, String> {
    let file = match ImportFile::open(format, input.to_vec(), &PERSON) {
        Ok(file) => file,
        Err(problem) => return refused(&problem),
    };
    let (mut at, mut records) = (file.start(), 0);
    while let Some(begin) = file.begin(at) {
        let end = file
            .end(begin)
            .ok_or("a record without an end in a file that was accepted")?;
        if end.byte <= begin.byte || begin.byte < at.byte || end.line < begin.line {
            return Err(format!("it does not go on behind byte {}", at.byte));
        }
        let _ = file.object(begin, end);
        records += 1;
        at = end;
    }
    // What is wrong within an element is its record's fault, not the file's.
    let other: Result<Vec<serde_json::Value>, _> = serde_json::from_slice(input);
    if let (FileFormat::Array, Ok(other)) = (format, other) {
        same("elements", &records, &other.len())?;
    }
    Ok(Verdict::Taken(format!(
        "{records} {}",
        String::from_utf8_lossy(input)
    )))
}
