//! The formats of an export.

use crate::Problem;
use crate::media::MediaType;
use domain::Param;

/// The media types of an export. CSV is the default.
pub const EXPORT_MEDIA_TYPES: &[MediaType] = &[MediaType::Csv, MediaType::NdJson];

/// The media type in the query parameter `format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportFormat(pub MediaType);

impl Param for ExportFormat {
    const EXPECTED: &'static str = "csv or ndjson";

    fn parse(text: &str) -> Option<Self> {
        let mut known = EXPORT_MEDIA_TYPES.iter().copied();
        known.find(|media_type| media_type.name() == text).map(Self)
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
    fn a_parser_rejects_an_export_with_an_abort_marker() {
        let end = abort_marker(MediaType::Csv, &Problem::internal());
        assert_eq!(crate::csv::parse_record(&end), None);
        let end = abort_marker(MediaType::NdJson, &Problem::internal());
        assert!(crate::json::Object::parse(end.as_bytes()).is_err());
    }
}
