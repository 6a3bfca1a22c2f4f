//! What an export is written as.

use crate::Problem;
use crate::media::Format;
use domain::Param;

/// The forms of a file: CSV where nothing else is asked for.
pub const FILE: &[Format] = &[Format::Csv, Format::NdJson];

/// The form that a query names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named(pub Format);

impl Param for Named {
    const EXPECTED: &'static str = "csv or ndjson";

    fn parse(text: &str) -> Option<Self> {
        let found = FILE.iter().find(|format| format.name() == text);
        found.copied().map(Self)
    }
}

/// What ends an export that broke off: a quoted cell, or an object, that is not closed, so
/// that no reader takes the file for whole.
#[must_use]
pub fn unfinished(format: Format, problem: &Problem) -> String {
    let problem = problem.to_json();
    match format {
        Format::Csv => format!("\"{}", problem.replace('"', "\"\"")),
        Format::Json | Format::NdJson => problem.strip_suffix('}').unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_table_or_lines() {
        assert_eq!(Named::parse("csv"), Some(Named(Format::Csv)));
        assert_eq!(Named::parse("ndjson"), Some(Named(Format::NdJson)));
        assert_eq!((Named::parse("json"), Named::parse("xlsx")), (None, None));
    }

    #[test]
    fn what_broke_off_is_not_taken_for_whole() {
        let end = unfinished(Format::Csv, &Problem::internal());
        assert_eq!(crate::csv::record(&end), None);
        let end = unfinished(Format::NdJson, &Problem::internal());
        assert!(crate::json::Object::read(end.as_bytes()).is_err());
    }
}
