//! The forms a list can be asked for in.

use crate::negotiation::Negotiable;
use domain::Param;

/// How the records of a list are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaType {
    /// One JSON array, a record a line.
    #[default]
    Json,
    /// One JSON object a line.
    NdJson,
    /// Comma-separated values (RFC 4180), a record a line, behind one with the columns' names.
    Csv,
}

/// The forms of a list.
pub const LIST_MEDIA_TYPES: &[MediaType] = &[MediaType::Json, MediaType::NdJson];

/// The forms of a list whose records are flat, so that it can be a table, too.
pub const TABLE_MEDIA_TYPES: &[MediaType] = &[MediaType::Json, MediaType::NdJson, MediaType::Csv];

impl MediaType {
    /// The media type as an answer names it, with the parameters that it has.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json | Self::NdJson => self.essence(),
        }
    }

    /// The name in a query, and what a file's name ends with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::NdJson => "ndjson",
            Self::Csv => "csv",
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
    pub fn framing(self) -> ListFraming {
        match self {
            Self::Json => ListFraming {
                open: "[",
                between: ",\n",
                close: "]",
                none: "]",
            },
            Self::NdJson => ListFraming {
                open: "",
                between: "\n",
                close: "\n",
                none: "",
            },
            Self::Csv => ListFraming {
                open: "",
                between: "\r\n",
                close: "\r\n",
                none: "",
            },
        }
    }

    /// The same, where a table begins with this line.
    #[must_use]
    pub fn framing_with_header(self, header: &'static str) -> ListFraming {
        match self {
            Self::Csv => ListFraming {
                open: header,
                ..self.framing()
            },
            Self::Json | Self::NdJson => self.framing(),
        }
    }
}

impl Negotiable for MediaType {
    fn essence(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
            Self::Csv => "text/csv",
        }
    }

    fn parameters(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Json | Self::NdJson => &[],
            Self::Csv => &[("charset", "utf-8"), ("header", "present")],
        }
    }
}

impl Param for MediaType {
    const EXPECTED: &'static str = "json, ndjson or csv";

    fn parse(text: &str) -> Option<Self> {
        TABLE_MEDIA_TYPES
            .iter()
            .copied()
            .find(|format| format.name() == text)
    }
}

/// The text around the records of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListFraming {
    /// Before the first record, or before what stands for none.
    pub open: &'static str,
    /// Between two records.
    pub between: &'static str,
    /// Behind the last record.
    pub close: &'static str,
    /// Where there is no record.
    pub none: &'static str,
}

impl ListFraming {
    /// Nothing around a single record.
    pub const NONE: Self = Self {
        open: "",
        between: "",
        close: "",
        none: "",
    };

    /// What stands behind the last record, or for none.
    #[must_use]
    pub fn end(self, is_empty: bool) -> &'static str {
        if is_empty { self.none } else { self.close }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_its_essence_and_its_parameters() {
        for format in TABLE_MEDIA_TYPES {
            let parameters = format.parameters().iter();
            let parameters = parameters.map(|(name, value)| format!("; {name}={value}"));
            let whole = parameters.fold(format.essence().to_owned(), |all, one| all + &one);
            assert_eq!(format.content_type(), whole);
            assert_eq!(MediaType::parse(format.name()), Some(*format));
        }
    }

    #[test]
    fn a_table_of_nothing_has_its_header_still() {
        let frame = MediaType::Csv.framing_with_header("id,name\r\n");
        assert_eq!([frame.open, frame.end(true)].concat(), "id,name\r\n");
        assert_eq!(
            MediaType::Json.framing_with_header("id\r\n"),
            MediaType::Json.framing()
        );
    }
}
