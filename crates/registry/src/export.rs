//! What an export is written as.

use crate::Problem;
use crate::media::{Format, Frame};
use crate::params::Param;

/// How the records of an export are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// CSV (RFC 4180), with a header.
    Csv,
    /// One JSON object a line.
    NdJson,
}

impl Form {
    /// The form that `?format=` names, or else that `Accept` prefers: CSV where it names
    /// neither.
    #[must_use]
    pub fn chosen(format: Option<Self>, accept: Option<&str>) -> Self {
        format.unwrap_or(match Format::preferred(accept) {
            Format::NdJson => Self::NdJson,
            Format::Json | Format::Csv => Self::Csv,
        })
    }

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::NdJson => Format::NdJson.media_type(),
        }
    }

    /// What a file's name ends with.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::NdJson => "ndjson",
        }
    }

    /// What stands before, between and behind the records of one page; the header stands
    /// before the first page.
    #[must_use]
    pub fn frame(self) -> Frame {
        match self {
            Self::Csv => Frame {
                open: "",
                between: "\r\n",
                close: "\r\n",
            },
            Self::NdJson => Format::NdJson.frame(),
        }
    }

    /// What ends an export that broke off: a quoted cell, or an object, that is not closed, so
    /// that no reader takes the file for whole.
    #[must_use]
    pub fn unfinished(self, problem: &Problem) -> String {
        let problem = problem.to_json();
        match self {
            Self::Csv => format!("\"{}", problem.replace('"', "\"\"")),
            Self::NdJson => problem.strip_suffix('}').unwrap_or_default().to_owned(),
        }
    }
}

impl Param for Form {
    const EXPECTED: &'static str = "csv or ndjson";

    fn parse(text: &str) -> Option<Self> {
        [Self::Csv, Self::NdJson]
            .into_iter()
            .find(|form| form.extension() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_wins_over_accept_and_csv_is_the_default() {
        let lines = Some("application/x-ndjson");
        assert_eq!(Form::chosen(None, None), Form::Csv);
        assert_eq!(Form::chosen(None, lines), Form::NdJson);
        assert_eq!(Form::chosen(Form::parse("csv"), lines), Form::Csv);
        assert_eq!(Form::parse("xlsx"), None);
    }

    #[test]
    fn what_broke_off_is_not_taken_for_whole() {
        let end = Form::Csv.unfinished(&Problem::internal());
        assert_eq!(crate::csv::record(&end), None);
        let end = Form::NdJson.unfinished(&Problem::internal());
        assert!(crate::json::Object::read(end.as_bytes()).is_err());
    }
}
