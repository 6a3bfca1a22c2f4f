//! The media types of lists and exports. The module also has the texts before, between and after
//! the records.

use crate::header_list;
use crate::negotiation::Negotiable;
use domain::Param;

/// The media type of a body in UTF-8, if it is an accepted one. `content_type` is the header
/// `Content-Type`. ASCII is a part of UTF-8. A body in another encoding would be misread.
#[must_use]
pub fn accepted_media_type(content_type: &str, accepted: &[&'static str]) -> Option<&'static str> {
    let mut parts = header_list::parameters(content_type);
    let essence = parts.next().unwrap_or_default();
    let is_utf_8 = |part: &str| match part.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            let value = header_list::unquote(value.trim()).unwrap_or_default();
            let known = ["utf-8", "utf8", "us-ascii", "ascii"];
            known.iter().any(|known| known.eq_ignore_ascii_case(value))
        }
        _ => true,
    };
    let mut accepted = accepted.iter().copied();
    let found = accepted.find(|media_type| media_type.eq_ignore_ascii_case(essence));
    found.filter(|_| parts.all(is_utf_8))
}

/// A media type that records can be rendered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaType {
    /// One JSON array, with one record per line.
    #[default]
    Json,
    /// Newline-delimited JSON: one object per line.
    NdJson,
    /// Comma-separated values (RFC 4180): a header with the names of the columns, then one record
    /// per line.
    Csv,
}

/// The media types of a list.
pub const LIST_MEDIA_TYPES: &[MediaType] = &[MediaType::Json, MediaType::NdJson];

/// The media types of a list whose records have no nested values, so that it can be a table.
pub const TABLE_MEDIA_TYPES: &[MediaType] = &[MediaType::Json, MediaType::NdJson, MediaType::Csv];

impl MediaType {
    /// The value of `Content-Type`.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json | Self::NdJson => self.essence(),
        }
    }

    /// The name in the query parameter `format`, and the extension of a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::NdJson => "ndjson",
            Self::Csv => "csv",
        }
    }

    /// The letter in the entity tags of lists.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Json => 'j',
            Self::NdJson => 'n',
            Self::Csv => 'c',
        }
    }

    /// The text around the records of a list.
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

    /// The text around the records of a list, with the header of a table if it is CSV.
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

/// The format of a feed of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedFormat {
    /// A page.
    Page(MediaType),
    /// A stream of events.
    EventStream,
}

/// The formats of a feed of changes.
pub const FEED_FORMATS: &[FeedFormat] = &[
    FeedFormat::Page(MediaType::Json),
    FeedFormat::Page(MediaType::NdJson),
    FeedFormat::EventStream,
];

impl Negotiable for FeedFormat {
    fn essence(self) -> &'static str {
        match self {
            Self::Page(format) => format.essence(),
            Self::EventStream => "text/event-stream",
        }
    }
}

impl Param for MediaType {
    const EXPECTED: &'static str = "json, ndjson or csv";

    fn parse(text: &str) -> Option<Self> {
        let mut known = TABLE_MEDIA_TYPES.iter().copied();
        known.find(|media_type| media_type.name() == text)
    }
}

/// The text around the records of a list. A list is streamed, or rendered by SQLite, so it is
/// put together from these parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListFraming {
    /// The beginning of the list.
    pub open: &'static str,
    /// The separator between two records.
    pub between: &'static str,
    /// The end of a list with records.
    pub close: &'static str,
    /// The end of an empty list.
    pub none: &'static str,
}

impl ListFraming {
    /// The framing of a single record: no text.
    pub const NONE: Self = Self {
        open: "",
        between: "",
        close: "",
        none: "",
    };

    /// The end of the list.
    #[must_use]
    pub fn end(self, is_empty: bool) -> &'static str {
        if is_empty { self.none } else { self.close }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::negotiation::choose;

    #[test]
    fn a_body_in_another_charset_than_utf_8_is_rejected() {
        let find = |header| accepted_media_type(header, &["text/csv", "application/json"]);
        for accepted in [
            "text/csv",
            "Text/CSV",
            "text/csv; charset=utf-8",
            "text/csv;header=present;Charset=\"UTF-8\"",
            "text/csv; charset=us-ascii",
        ] {
            assert_eq!(find(accepted), Some("text/csv"), "{accepted}");
        }
        for rejected in [
            "",
            "text/plain",
            "text/csv; charset=iso-8859-1",
            "application/json; charset=UTF-16",
            "text/csv; header=present; charset=\"windows-1252\"",
            "text/csv; charset=utf-8; charset=latin1",
            "text/csv; charset=",
        ] {
            assert_eq!(find(rejected), None, "{rejected}");
        }
    }

    #[test]
    fn a_content_type_is_the_essence_with_the_parameters() {
        for media_type in TABLE_MEDIA_TYPES {
            let parameters = media_type.parameters().iter();
            let parameters = parameters.map(|(name, value)| format!("; {name}={value}"));
            let expected = parameters.fold(media_type.essence().to_owned(), |all, one| all + &one);
            assert_eq!(media_type.content_type(), expected);
            assert_eq!(MediaType::parse(media_type.name()), Some(*media_type));
        }
    }

    #[test]
    fn a_feed_of_changes_has_the_format_that_the_client_accepts() {
        for (accept, format) in [
            ("application/json", FeedFormat::Page(MediaType::Json)),
            ("application/x-ndjson", FeedFormat::Page(MediaType::NdJson)),
            ("text/event-stream", FeedFormat::EventStream),
        ] {
            assert_eq!(choose(Some(accept), FEED_FORMATS), Some(format));
        }
        assert_eq!(choose(Some("text/csv"), FEED_FORMATS), None);
        assert!(FeedFormat::EventStream.parameters().is_empty());
    }

    #[test]
    fn every_record_of_a_list_has_its_line_and_a_list_may_be_empty() {
        for (format, list, empty) in [
            (MediaType::Json, "[1,\n2]", "[]"),
            (MediaType::NdJson, "1\n2\n", ""),
            (MediaType::Csv, "1\r\n2\r\n", ""),
        ] {
            let framing = format.framing();
            let full = [framing.open, "1", framing.between, "2", framing.end(false)];
            assert_eq!(full.concat(), list);
            assert_eq!([framing.open, framing.end(true)].concat(), empty);
        }
    }

    #[test]
    fn an_empty_table_has_a_header() {
        let framing = MediaType::Csv.framing_with_header("id,name\r\n");
        assert_eq!([framing.open, framing.end(true)].concat(), "id,name\r\n");
        assert_eq!(
            MediaType::Json.framing_with_header("id\r\n"),
            MediaType::Json.framing()
        );
    }
}
