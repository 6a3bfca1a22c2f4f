//! The change feed of both tables, merged from the feeds of both backends.
//!
//! Each backend sends its changes in the order of its change sequence. The two sequences are
//! independent, so the feeds are merged by time. The cursor holds the position in each feed, so
//! no change is skipped or repeated even if the clocks of the two databases differ. In that case only the order
//! between places and people may differ from the real order.

use std::iter::Peekable;

use domain::Param;
use http_semantics::media::ListFraming;
use http_semantics::{Params, Problem, Validator};
use tables::Cursor;
use tables::page::PageSize;

use super::MalformedResponse;
use super::place_page::leading_number;

/// The query of `GET /v1/changes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangesQuery {
    /// The position in the feed of places, and in that of people. Without positions the feeds begin
    /// with the first change.
    pub since: Option<[Validator; 2]>,
    /// The maximum number of changes.
    pub limit: PageSize,
}

impl ChangesQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["since", "limit"];

    /// Parses the query.
    ///
    /// # Errors
    /// An invalid value.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        let since = match params.get("since")? {
            None => None,
            Some(Cursor::Changes(places, people)) => Some([places, people]),
            Some(_) => return Err(Problem::invalid_parameter("since", Cursor::EXPECTED)),
        };
        let limit = params.get("limit")?.unwrap_or_default();
        Ok(Self { since, limit })
    }

    /// The paths of both feeds. One feed alone may fill the page.
    #[must_use]
    pub fn paths(&self) -> [String; 2] {
        let limit = self.limit.get();
        let path = |collection, since: Option<Validator>| {
            let since = since.map(|since| format!("&since={}", Cursor::Change(since)));
            let since = since.unwrap_or_default();
            format!("/v1/{collection}/changes?limit={limit}{since}")
        };
        [
            path("places", self.since.map(|[places, _]| places)),
            path("people", self.since.map(|[_, people]| people)),
        ]
    }

    /// Merges a page of each feed into one page. The result is its body, and the change sequence of
    /// its end in each feed.
    ///
    /// # Errors
    /// A malformed feed.
    pub fn merge(
        &self,
        places: &[u8],
        people: &[u8],
        framing: ListFraming,
    ) -> Result<(Vec<u8>, [i64; 2]), MalformedResponse> {
        let places = parse_feed(places, br#"","collection":"places","seq":"#);
        let people = parse_feed(people, br#"","collection":"people","seq":"#);
        let mut places = places
            .ok_or(MalformedResponse::Places)?
            .into_iter()
            .peekable();
        let mut people = people
            .ok_or(MalformedResponse::People)?
            .into_iter()
            .peekable();
        let mut body = Vec::new();
        let since = self
            .since
            .map(|since| since.map(|position| position.number));
        let [mut places_seq, mut people_seq] = since.unwrap_or_default();
        let mut before = framing.open;
        for _ in 0..self.limit.get() {
            let (feed, seq) = if is_first_earlier(&mut places, &mut people) {
                (&mut places, &mut places_seq)
            } else {
                (&mut people, &mut people_seq)
            };
            let Some(change) = feed.next() else { break };
            body.extend_from_slice(before.as_bytes());
            body.extend_from_slice(change.record);
            *seq = change.seq;
            before = framing.between;
        }
        let is_empty = body.is_empty();
        if is_empty {
            body.extend_from_slice(framing.open.as_bytes());
        }
        body.extend_from_slice(framing.end(is_empty).as_bytes());
        Ok((body, [places_seq, people_seq]))
    }
}

/// A change. The merge parses its time and sequence, and copies the record.
struct Change<'a> {
    /// A text of fixed length, which sorts by time.
    at: &'a [u8],
    seq: i64,
    record: &'a [u8],
}

type Feed<'a> = Peekable<std::vec::IntoIter<Change<'a>>>;

/// Whether the next change of the first feed comes before that of the second.
fn is_first_earlier(first: &mut Feed, second: &mut Feed) -> bool {
    match (first.peek(), second.peek()) {
        (Some(first), Some(second)) => first.at <= second.at,
        (first, _) => first.is_some(),
    }
}

/// Parses a feed, an array with one change per line. `key` is the text between the time and the
/// sequence of a change.
fn parse_feed<'a>(feed: &'a [u8], key: &[u8]) -> Option<Vec<Change<'a>>> {
    let lines = feed.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let lines = lines.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let record = line.strip_suffix(b",").unwrap_or(line);
            let after_key = record.strip_prefix(br#"{"at":""#)?;
            let (at, rest) = after_key.split_at_checked(b"2026-01-31T12:00:00.000Z".len())?;
            let (seq, _) = leading_number(rest, key)?;
            Some(Change { at, seq, record })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::MediaType;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn validator(number: i64) -> Validator {
        Validator::parse(&format!("{number}.1f09ab34")).unwrap()
    }

    /// A log of changes, each given by the milliseconds since the one before.
    fn log(collection: &str, gaps: &[u32]) -> Vec<String> {
        let mut at = 0;
        let line = |(seq, gap): (usize, &u32)| {
            at += gap;
            format!(
                "{{\"at\":\"2026-01-31T12:00:00.{at:03}Z\",\"collection\":\"{collection}\",\"seq\":{},\"kind\":\"\\n],\"}}",
                seq + 1
            )
        };
        gaps.iter().enumerate().map(line).collect()
    }

    /// A page of a backend's feed, when the first `made` changes of the log have been made.
    fn feed(log: &[String], made: usize, since: i64, limit: PageSize) -> Vec<u8> {
        let made = log.get(..made.min(log.len())).unwrap_or_default();
        let rest = made.iter().skip(usize::try_from(since).unwrap());
        let shown: Vec<&str> = rest.take(limit.get().into()).map(String::as_str).collect();
        format!("[{}]", shown.join(",\n")).into_bytes()
    }

    proptest! {
        #[test]
        fn merged_pages_contain_each_change_once_even_if_changes_arrive_meanwhile(
            places in prop::collection::vec(0..9u32, 0..30),
            people in prop::collection::vec(0..9u32, 0..30),
            arrivals in prop::collection::vec((0..5usize, 0..5usize), 0..40),
            limit in 1..7i64,
        ) {
            let (places, people) = (log("places", &places), log("people", &people));
            let limit = PageSize::new(limit).unwrap();
            let mut query = ChangesQuery { since: None, limit };
            let mut made = [0, 0];
            let mut shown: Vec<Value> = Vec::new();
            // After the last arrival the walk continues until it has reached the end of both logs.
            let rest = std::iter::repeat_n((60, 60), 60);
            for (more_places, more_people) in arrivals.into_iter().chain(rest) {
                made = [made[0] + more_places, made[1] + more_people];
                let since = query.since.map_or([0, 0], |since| since.map(|position| position.number));
                let (body, next) = query.merge(
                    &feed(&places, made[0], since[0], limit),
                    &feed(&people, made[1], since[1], limit),
                    MediaType::Json.framing(),
                ).unwrap();
                let page: Vec<Value> = serde_json::from_slice(&body).unwrap();
                prop_assert!(page.len() <= limit.get().into());
                prop_assert!(page.iter().map(|change| change["at"].as_str()).is_sorted());
                shown.extend(page);
                let [next_place, next_person] = next.map(validator);
                let cursor = Cursor::Changes(next_place, next_person);
                let text = format!("limit={}&since={cursor}", limit.get());
                query = ChangesQuery::read(&Params::parse(&text, ChangesQuery::PARAMETERS).unwrap()).unwrap();
            }
            for (collection, log) in [("places", places), ("people", people)] {
                let found = shown.iter().filter(|change| change["collection"] == collection);
                let expected: Vec<Value> =
                    log.iter().map(|change| serde_json::from_str(change).unwrap()).collect();
                prop_assert_eq!(found.cloned().collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn at_equal_times_places_come_first() {
        let query = ChangesQuery {
            since: None,
            limit: PageSize::default(),
        };
        let (places, people) = (log("places", &[5, 5]), log("people", &[4, 6]));
        let feed = |log: &[String]| feed(log, 9, 0, query.limit);
        let (body, next) = query
            .merge(&feed(&places), &feed(&people), MediaType::NdJson.framing())
            .unwrap();
        let body = String::from_utf8(body).unwrap();
        let expected = [&people[0], &places[0], &places[1], &people[1]];
        assert_eq!(body.lines().collect::<Vec<_>>(), expected);
        assert_eq!(next, [2, 2]);
    }

    #[test]
    fn a_malformed_feed_is_rejected() {
        let query = ChangesQuery {
            since: Some([3, 4].map(validator)),
            limit: PageSize::default(),
        };
        let merge = |places: &[u8], people: &[u8]| {
            let merged = query.merge(places, people, MediaType::Json.framing());
            merged.map(|(body, next)| (String::from_utf8(body).unwrap(), next))
        };
        assert_eq!(merge(b"[]", b"[]"), Ok(("[]".to_owned(), [3, 4])));
        let other = log("people", &[1]).concat();
        let without_seq = json!([{"at": "2026-01-31T12:00:00.000Z", "collection": "places"}]);
        let bodies = [
            "",
            "[",
            "{}",
            "[{}]",
            &format!("[{other}]"),
            &without_seq.to_string(),
        ];
        for body in bodies {
            assert_eq!(
                merge(body.as_bytes(), b"[]"),
                Err(MalformedResponse::Places),
                "{body}"
            );
        }
        assert_eq!(merge(b"[]", b"[oops]"), Err(MalformedResponse::People));
    }
}
