//! A snapshot: the last good answer to a request, written down, to be given again while a
//! service is down.

use http_semantics::{Format, negotiation};

use super::saving::Marks;

/// The most bytes of one snapshot; an answer that is longer is not kept.
pub const MOST_BYTES: usize = 4_000_000;

/// The most bytes of a part of one: a value of D1 has at most two million.
pub const PART_BYTES: usize = 1_000_000;

/// The most snapshots, and the most bytes of all of them.
pub const MOST: i64 = 200;

/// The most bytes of all snapshots together.
pub const MOST_BYTES_OF_ALL: i64 = 64_000_000;

/// The longest key.
const MOST_KEY: usize = 500;

/// What an answer needs beside its body. A name that is not there was not there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    /// `Content-Type`.
    pub content_type: String,
    /// `ETag`.
    pub etag: Option<String>,
    /// `Link`.
    pub link: Option<String>,
    /// `X-Total-Count`.
    pub total_count: Option<String>,
}

impl Headers {
    /// The headers as one text, a line each: none has a line's end in it.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines = [&self.etag, &self.link, &self.total_count];
        lines
            .into_iter()
            .fold(self.content_type.clone(), |text, line| {
                text + "\n" + line.as_deref().unwrap_or_default()
            })
    }

    /// The headers of such a text.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let mut lines = text.split('\n').map(ToOwned::to_owned);
        let content_type = lines.next().unwrap_or_default();
        let mut line = || lines.next().filter(|line| !line.is_empty());
        Self {
            content_type,
            etag: line(),
            link: line(),
            total_count: line(),
        }
    }
}

/// An answer on its way into the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What it answers.
    pub key: String,
    /// The registers' change counters that it is made from.
    pub marks: Marks,
    /// When it was made, in milliseconds since 1970.
    pub made_at: i64,
    /// When a reader asked for it; none where only the schedule did.
    pub asked_at: Option<i64>,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: String,
}

/// What a snapshot answers: an address, its query, and one of the forms that it has.
#[must_use]
pub fn key(path: &str, query: &str, format: Format) -> Option<String> {
    let key = format!("{} {path}?{query}", format.name());
    (key.len() <= MOST_KEY).then_some(key)
}

/// The path and the query of a key, and its form.
#[must_use]
pub fn of_key(key: &str) -> Option<(Format, &str, &str)> {
    let (format, address) = key.split_once(' ')?;
    let (path, query) = address.split_once('?')?;
    Some((domain::Param::parse(format)?, path, query))
}

/// The form of an answer, as the routes choose it: by the query, or else by `Accept`.
#[must_use]
pub fn form(query: &str, accepted: Option<&str>, offered: &[Format]) -> Option<Format> {
    if let [alone] = offered {
        return Some(*alone);
    }
    let mut named = form_urlencoded::parse(query.as_bytes());
    match named.find(|(name, _)| name == "format") {
        Some((_, format)) => domain::Param::parse(&format),
        None => negotiation::chosen(accepted, offered),
    }
}

/// A body in parts of at most so many bytes, none of which cuts a character.
#[must_use]
pub fn parts(mut body: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    while !body.is_empty() {
        // A character has four bytes at most, and is taken whole however few may be.
        let mut end = most.max(4).min(body.len());
        while !body.is_char_boundary(end) {
            end -= 1;
        }
        let (part, rest) = body.split_at(end);
        parts.push(part);
        body = rest;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::media::{LIST, TABLE};
    use proptest::prelude::*;

    #[test]
    fn headers_are_read_as_they_are_written() {
        let none = Headers {
            content_type: "application/json".to_owned(),
            ..Headers::default()
        };
        let all = Headers {
            etag: Some("W/\"1j7.9\"".to_owned()),
            link: Some("</v1/x>; rel=\"next\"".to_owned()),
            total_count: Some("7".to_owned()),
            ..none.clone()
        };
        let some = Headers {
            link: None,
            ..all.clone()
        };
        for headers in [none, all, some] {
            assert_eq!(Headers::of_text(&headers.to_text()), headers);
        }
    }

    #[test]
    fn a_key_is_an_address_in_a_form() {
        let known = key("/people-per-place", "limit=2&after=6931", Format::NdJson).unwrap();
        let read = (Format::NdJson, "/people-per-place", "limit=2&after=6931");
        assert_eq!(of_key(&known), Some(read));
        assert_eq!(key("/", &"x".repeat(500), Format::Json), None);
        assert_eq!(of_key("nonsense"), None);
    }

    #[test]
    fn the_form_is_the_one_that_the_route_chooses() {
        for (query, accept, offered, expected) in [
            ("", None, LIST, Some(Format::Json)),
            ("", Some("application/x-ndjson"), LIST, Some(Format::NdJson)),
            ("", Some("text/csv"), LIST, None),
            (
                "",
                Some("text/csv"),
                &[Format::Json][..],
                Some(Format::Json),
            ),
            (
                "limit=2&format=csv",
                Some("application/json"),
                TABLE,
                Some(Format::Csv),
            ),
            ("format=xml", None, TABLE, None),
        ] {
            assert_eq!(form(query, accept, offered), expected, "{query} {accept:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_make_the_whole_and_none_is_too_long(body in "[a-zñ🐉\n]{0,60}", most in 1..20usize) {
            let parts = parts(&body, most);
            prop_assert_eq!(&parts.concat(), &body);
            prop_assert!(parts.iter().all(|part| !part.is_empty() && part.len() <= most.max(4)));
        }
    }
}
