//! Snapshots: responses in the gateway's database, which the gateway sends while a backend is down
//! (stale-if-error). This module has their format and all their limits.

use http_semantics::{MediaType, negotiation};
use tables::ChangeSeqs;

/// The maximum age in seconds at which a snapshot is served. `None` is no maximum: the response
/// states its age, and a client that prefers an error sends `Prefer: handling=strict`.
pub const SNAPSHOT_MAX_AGE_S: Option<i64> = None;

/// The maximum number of snapshots. The least recently requested ones are evicted.
pub const SNAPSHOT_MAX_COUNT: i64 = 200;

/// The maximum size of all snapshots. The least recently requested ones are evicted.
pub const SNAPSHOT_MAX_TOTAL_BYTES: i64 = 64_000_000;

/// The maximum size of one snapshot. A longer response is not saved.
pub const SNAPSHOT_MAX_BYTES: usize = 4_000_000;

/// The maximum size of a chunk of a body: D1 allows 2,000,000 bytes per value.
pub const SNAPSHOT_CHUNK_BYTES: usize = 1_000_000;

/// The maximum size of a key. A response with a longer key is not saved.
pub const SNAPSHOT_MAX_KEY_BYTES: usize = 500;

/// The minimum time between two writes of an isolate.
pub const SNAPSHOT_WRITE_INTERVAL_MS: i64 = 1_000;

/// The timeout for reading a snapshot.
pub const SNAPSHOT_READ_TIMEOUT_MS: u32 = 1_500;

/// The number of snapshots that one scheduled run refreshes because clients requested them last. It
/// refreshes the first pages in any case; these may be among them.
pub const SNAPSHOT_REFRESH_COUNT: i64 = 8;

/// Whether a snapshot of this age is served.
#[must_use]
pub fn may_be_served(age_s: i64) -> bool {
    is_within(age_s, SNAPSHOT_MAX_AGE_S)
}

fn is_within(age_s: i64, max_age_s: Option<i64>) -> bool {
    max_age_s.is_none_or(|max| age_s <= max)
}

/// The headers of a response that a snapshot preserves. `None`: the response had no such header.
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
    /// `X-Total-Count-Relation`.
    pub total_count_relation: Option<String>,
}

impl Headers {
    /// The headers as a text with one line per header. No value contains a line break.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.content_type.clone();
        let relation = &self.total_count_relation;
        for header in [&self.etag, &self.link, &self.total_count, relation] {
            text.push('\n');
            text.push_str(header.as_deref().unwrap_or_default());
        }
        text
    }

    /// Parses the text of [`Self::to_text`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut lines = text.split('\n').map(ToOwned::to_owned);
        let content_type = lines.next().unwrap_or_default();
        let mut line = || lines.next().filter(|line| !line.is_empty());
        Self {
            content_type,
            etag: line(),
            link: line(),
            total_count: line(),
            total_count_relation: line(),
        }
    }
}

/// A snapshot to save.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The key of its request ([`key`]).
    pub key: String,
    /// The change sequences at which the response was made.
    pub change_seqs: ChangeSeqs,
    /// When the response was made, in milliseconds since 1970.
    pub made_at: i64,
    /// When a client requested it. `None` for a scheduled refresh.
    pub requested_at: Option<i64>,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub body: String,
}

/// The key of a snapshot: format, path and query. None if it is too long.
#[must_use]
pub fn key(path: &str, query: &str, format: MediaType) -> Option<String> {
    let key = format!("{} {path}?{query}", format.name());
    (key.len() <= SNAPSHOT_MAX_KEY_BYTES).then_some(key)
}

/// The format, path and query of a key.
#[must_use]
pub fn parse_key(key: &str) -> Option<(MediaType, &str, &str)> {
    let (format, address) = key.split_once(' ')?;
    let (path, query) = address.split_once('?')?;
    Some((domain::Param::parse(format)?, path, query))
}

/// The format of a response, chosen as the routes do: by the query, or else by `Accept`.
#[must_use]
pub fn format(query: &str, accept: Option<&str>, offered: &[MediaType]) -> Option<MediaType> {
    if let [format] = offered {
        return Some(*format);
    }
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    match parameters.find(|(name, _)| name == "format") {
        Some((_, format)) => domain::Param::parse(&format),
        None => negotiation::choose(accept, offered),
    }
}

/// Splits a body into chunks of at most `max` bytes. No character is split.
#[must_use]
pub fn chunks(mut body: &str, max: usize) -> Vec<&str> {
    let mut chunks = Vec::new();
    while !body.is_empty() {
        // A chunk has room for the longest character, so the loop makes progress.
        let mut end = max.max(4).min(body.len());
        while !body.is_char_boundary(end) {
            end -= 1;
        }
        let (chunk, rest) = body.split_at(end);
        chunks.push(chunk);
        body = rest;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::media::{LIST_MEDIA_TYPES, TABLE_MEDIA_TYPES};
    use proptest::prelude::*;

    #[test]
    fn headers_survive_the_round_trip_through_text() {
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
            assert_eq!(Headers::parse(&headers.to_text()), headers);
        }
    }

    #[test]
    fn a_key_is_parsed_into_its_parts() {
        let text = key("/people-per-place", "limit=2&after=6931", MediaType::NdJson).unwrap();
        let parts = (MediaType::NdJson, "/people-per-place", "limit=2&after=6931");
        assert_eq!(parse_key(&text), Some(parts));
        assert_eq!(key("/", &"x".repeat(500), MediaType::Json), None);
        assert_eq!(parse_key("nonsense"), None);
    }

    #[test]
    fn the_query_overrides_accept_in_the_choice_of_a_format() {
        for (query, accept, offered, expected) in [
            ("", None, LIST_MEDIA_TYPES, Some(MediaType::Json)),
            (
                "",
                Some("application/x-ndjson"),
                LIST_MEDIA_TYPES,
                Some(MediaType::NdJson),
            ),
            ("", Some("text/csv"), LIST_MEDIA_TYPES, None),
            (
                "",
                Some("text/csv"),
                &[MediaType::Json][..],
                Some(MediaType::Json),
            ),
            (
                "limit=2&format=csv",
                Some("application/json"),
                TABLE_MEDIA_TYPES,
                Some(MediaType::Csv),
            ),
            ("format=xml", None, TABLE_MEDIA_TYPES, None),
        ] {
            assert_eq!(
                format(query, accept, offered),
                expected,
                "{query} {accept:?}"
            );
        }
    }

    #[test]
    fn a_snapshot_is_served_up_to_the_maximum_age() {
        assert!(may_be_served(0) && may_be_served(SNAPSHOT_MAX_AGE_S.unwrap_or(i64::MAX)));
        assert!(is_within(i64::MAX, None));
        assert!(is_within(60, Some(60)));
        assert!(!is_within(61, Some(60)));
    }

    proptest! {
        #[test]
        fn chunks_concatenate_to_the_body_and_none_is_too_long(body in "[a-zñ🐉\n]{0,60}", max in 1..20usize) {
            let chunks = chunks(&body, max);
            prop_assert_eq!(&chunks.concat(), &body);
            prop_assert!(chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= max.max(4)));
        }
    }
}
