//! What an export is written as.

use crate::Problem;
use crate::media::MediaType;
use domain::Param;

/// The forms of a file: CSV where nothing else is asked for.
pub const EXPORT_MEDIA_TYPES: &[MediaType] = &[MediaType::Csv, MediaType::NdJson];

/// The form that a query names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportFormat(pub MediaType);

impl Param for ExportFormat {
    const EXPECTED: &'static str = "csv or ndjson";

    fn parse(text: &str) -> Option<Self> {
        let found = EXPORT_MEDIA_TYPES
            .iter()
            .find(|format| format.name() == text);
        found.copied().map(Self)
    }
}

/// What ends an export that broke off: a quoted cell, or an object, that is not closed, so
/// that no reader takes the file for whole.
#[must_use]
pub fn abort_marker(format: MediaType, problem: &Problem) -> String {
    let problem = problem.to_json();
    match format {
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
    fn a_file_is_a_table_or_lines() {
        assert_eq!(
            ExportFormat::parse("csv"),
            Some(ExportFormat(MediaType::Csv))
        );
        assert_eq!(
            ExportFormat::parse("ndjson"),
            Some(ExportFormat(MediaType::NdJson))
        );
        assert_eq!(
            (ExportFormat::parse("json"), ExportFormat::parse("xlsx")),
            (None, None)
        );
    }

    #[test]
    fn what_broke_off_is_not_taken_for_whole() {
        let end = abort_marker(MediaType::Csv, &Problem::internal());
        assert_eq!(crate::csv::parse_record(&end), None);
        let end = abort_marker(MediaType::NdJson, &Problem::internal());
        assert!(crate::json::Object::parse(end.as_bytes()).is_err());
    }
}
