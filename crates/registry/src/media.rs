//! The forms a list can be asked for in, chosen by `Accept` (RFC 9110, 12.5.1).

use crate::params::Param;

/// How the records of a list are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One JSON array, a record a line.
    #[default]
    Json,
    /// One JSON object a line.
    NdJson,
    /// Comma-separated values (RFC 4180), where a route says that it has them.
    Csv,
}

impl Format {
    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    /// What tells the forms apart in an entity tag.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Json => 'j',
            Self::NdJson => 'n',
            Self::Csv => 'c',
        }
    }

    /// What stands before the first record, between two, and behind the last.
    #[must_use]
    pub fn frame(self) -> Frame {
        match self {
            Self::Json => Frame {
                open: "[",
                between: ",\n",
                close: "]",
            },
            Self::NdJson => Frame {
                open: "",
                between: "\n",
                close: "\n",
            },
            Self::Csv => Frame {
                open: "",
                between: "\r\n",
                close: "\r\n",
            },
        }
    }

    /// The form that an `Accept` header prefers; JSON where it names neither, because
    /// an answer in another form is of more use than none (RFC 9110 allows it).
    #[must_use]
    pub fn preferred(accept: Option<&str>) -> Self {
        Self::preferred_among(&[Self::NdJson], accept)
    }

    /// The same where a table can be had, too.
    #[must_use]
    pub fn preferred_of_table(accept: Option<&str>) -> Self {
        Self::preferred_among(&[Self::NdJson, Self::Csv], accept)
    }

    fn preferred_among(others: &[Self], accept: Option<&str>) -> Self {
        let weight = |format: Self| {
            accept
                .unwrap_or_default()
                .split(',')
                .find_map(|range| weight_for(range, format.media_type()))
                .unwrap_or(0.0)
        };
        let heavier = |best: Self, other: &Self| {
            if weight(*other) > weight(best) {
                *other
            } else {
                best
            }
        };
        others.iter().fold(Self::Json, heavier)
    }
}

impl Param for Format {
    const EXPECTED: &'static str = "json, ndjson or csv";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "json" => Some(Self::Json),
            "ndjson" => Some(Self::NdJson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// The text around the records of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Before the first record.
    pub open: &'static str,
    /// Between two records.
    pub between: &'static str,
    /// Behind the last record.
    pub close: &'static str,
}

impl Frame {
    /// Nothing around a single record.
    pub const NONE: Self = Self {
        open: "",
        between: "",
        close: "",
    };

    /// What stands behind the last record, or behind none: without a record an array
    /// still has both its ends, and lines have nothing.
    #[must_use]
    pub fn end(self, is_empty: bool) -> &'static str {
        if is_empty && self.open.is_empty() {
            ""
        } else {
            self.close
        }
    }
}

/// The weight that one media range gives a media type, if it names it.
fn weight_for(range: &str, media_type: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(media_type) {
        return None;
    }
    let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
    Some(weight.unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heavier_form_wins_and_json_is_the_default() {
        for (accept, format) in [
            (None, Format::Json),
            (Some("*/*"), Format::Json),
            (Some("text/html"), Format::Json),
            (Some("application/x-ndjson"), Format::NdJson),
            (Some("application/json, application/x-ndjson"), Format::Json),
            (
                Some("application/json;q=0.5, Application/X-NDJSON"),
                Format::NdJson,
            ),
            (Some("application/x-ndjson;q=0"), Format::Json),
        ] {
            assert_eq!(Format::preferred(accept), format, "{accept:?}");
        }
    }

    #[test]
    fn a_table_is_given_where_there_is_one_and_it_is_asked_for() {
        for (accept, format) in [
            (None, Format::Json),
            (Some("text/csv"), Format::Csv),
            (Some("application/json;q=0.9, text/csv"), Format::Csv),
            (Some("application/x-ndjson, text/csv;q=0.5"), Format::NdJson),
        ] {
            assert_eq!(Format::preferred_of_table(accept), format, "{accept:?}");
        }
        assert_eq!(Format::preferred(Some("text/csv")), Format::Json);
    }
}
