//! The formats of an export, and the last line that says whether an export is complete.

use crate::Problem;
use crate::media::MediaType;
use domain::Param;

/// The media types of an export. CSV is the default.
pub const EXPORT_MEDIA_TYPES: &[MediaType] = &[MediaType::Csv, MediaType::NdJson];

/// The values of the query parameter `format`, to end the sentence "it must be …".
pub const EXPECTED_FORMAT: &str = "csv or ndjson";

/// The media type in the query parameter `format`.
#[must_use]
pub fn parse_format(text: &str) -> Option<MediaType> {
    MediaType::parse(text).filter(|media_type| EXPORT_MEDIA_TYPES.contains(media_type))
}

/// The only cell of the last line of a complete export in CSV, and how that of an incomplete one begins.
const CSV_COMPLETE: &str = "#complete";
const CSV_INCOMPLETE: &str = "#incomplete: ";

/// The text with which the last line of an export in NDJSON begins. No record has this member.
const NDJSON_END: &str = "{\"complete\":";

/// The last line of an export. `next` is the address of the rest, if the export is not complete.
/// Imports skip this line, so that exports can be imported, also one after the other.
#[must_use]
pub fn end_line(media_type: MediaType, next: Option<&str>) -> String {
    match (media_type, next) {
        (MediaType::Csv, None) => format!("{CSV_COMPLETE}\r\n"),
        // The address is percent-encoded, so it contains no quote.
        (MediaType::Csv, Some(next)) => format!("\"{CSV_INCOMPLETE}{next}\"\r\n"),
        (_, None) => format!("{NDJSON_END}true}}\n"),
        (_, Some(next)) => format!("{NDJSON_END}false,\"next\":\"{next}\"}}\n"),
    }
}

/// Whether a cell of CSV is the one of the last line of an export.
#[must_use]
pub fn is_end_cell(cell: &str) -> bool {
    let cell = cell.trim();
    cell == CSV_COMPLETE || cell.starts_with(CSV_INCOMPLETE)
}

/// Whether a line is the last one of an export, as the export wrote it.
#[must_use]
pub fn is_end_line(is_csv: bool, line: &str) -> bool {
    if is_csv {
        is_end_cell(line.strip_prefix('"').unwrap_or(line))
    } else {
        // A record that has the member `complete` is no last line: it is rejected.
        let next = |rest: &str| {
            Some(
                rest.strip_prefix("false,\"next\":\"")?
                    .strip_suffix("\"}")?
                    .contains('"'),
            )
        };
        let rest = line.trim_end().strip_prefix(NDJSON_END);
        rest.is_some_and(|rest| rest == "true}" || next(rest) == Some(false))
    }
}

/// The end of an export that fails midway: a quoted cell or an object that is not closed. A
/// parser rejects the file, so an incomplete export cannot be mistaken for a complete one.
#[must_use]
pub fn abort_marker(media_type: MediaType, problem: &Problem) -> String {
    let problem = problem.to_json();
    match media_type {
        MediaType::Csv => format!("\"{}", problem.replace('"', "\"\"")),
        MediaType::Json | MediaType::NdJson => {
            problem.strip_suffix('}').unwrap_or_default().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_csv_or_ndjson() {
        assert_eq!(parse_format("csv"), Some(MediaType::Csv));
        assert_eq!(parse_format("ndjson"), Some(MediaType::NdJson));
        assert_eq!([parse_format("json"), parse_format("xlsx")], [None; 2]);
    }

    #[test]
    fn the_last_line_of_an_export_is_recognized_and_parsable() {
        for next in [None, Some("/v1/people/export?name=a%22b&after=6931")] {
            let csv = end_line(MediaType::Csv, next);
            let ndjson = end_line(MediaType::NdJson, next);
            assert!(is_end_line(true, &csv) && is_end_line(false, &ndjson));
            let (cells, rest) = crate::csv::parse_record(&csv, ',').unwrap();
            assert_eq!((cells.len(), rest), (1, ""), "{csv}");
            assert!(is_end_cell(&cells[0]), "{csv}");
            assert!(
                crate::json::Object::parse(ndjson.as_bytes()).is_ok(),
                "{ndjson}"
            );
        }
        assert!(!is_end_cell("#completely") && !is_end_cell("#incomplete"));
        assert!(!is_end_line(true, "#completely,true,1\r\n"));
        for record in [
            "{\"name\":\"complete\"}\n",
            "{\"complete\":true,\"name\":\"A\"}\n",
            "{\"complete\":false,\"next\":\"7\",\"name\":\"A\"}\n",
        ] {
            assert!(!is_end_line(false, record), "{record}");
        }
    }

    #[test]
    fn a_parser_rejects_an_export_with_an_abort_marker() {
        let end = abort_marker(MediaType::Csv, &Problem::internal());
        assert_eq!(crate::csv::parse_record(&end, ','), None);
        let end = abort_marker(MediaType::NdJson, &Problem::internal());
        assert!(crate::json::Object::parse(end.as_bytes()).is_err());
    }
}
