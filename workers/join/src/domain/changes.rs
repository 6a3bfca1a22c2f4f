//! The change feed of both tables: merges the feeds of the two backends.
//!
//! Each backend sends its changes in the order of its change sequence. The two sequences are
//! independent, so the gateway merges the feeds by time. The cursor holds one position per feed, so
//! no change is skipped or repeated, even if the clocks of the two databases differ. With different
//! clocks, a change of a place and a change of a person may only be in the wrong order.

use std::iter::Peekable;

use domain::{PersonId, moment};
use http_semantics::media::ListFraming;
use http_semantics::{Params, Problem, Validator};
use tables::Cursor;
use tables::change_feed::Since;

use super::MalformedResponse;
use super::place_page::leading_number;

/// The query of `GET /v1/changes`. A position has the one in the feed of places, and that in the
/// feed of people.
pub type ChangesQuery = tables::ChangesQuery<Position>;

/// A position in both feeds. The feed of one person has no position in that of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The position in the feed of places.
    pub places: Option<Validator>,
    /// The position in the feed of people.
    pub people: Validator,
}

impl Position {
    /// The position of a cursor. The feed of one person accepts a cursor of both feeds, too.
    fn of_cursor(cursor: &Cursor, is_of_person: bool) -> Option<Self> {
        match *cursor {
            Cursor::Changes(places, people) => Some(Self {
                places: (!is_of_person).then_some(places),
                people,
            }),
            Cursor::Change(people) if is_of_person => Some(Self {
                places: None,
                people,
            }),
            _ => None,
        }
    }

    /// The position of a cursor in a stream, which keeps the position of places.
    #[must_use]
    pub fn in_stream(cursor: &Cursor, is_of_person: bool) -> Option<Self> {
        let of_person = || Self::of_cursor(cursor, true).filter(|_| is_of_person);
        Self::of_cursor(cursor, false).or_else(of_person)
    }

    /// The position in a stream. None if it has none in the feed of people.
    #[must_use]
    pub fn from_parts([places, people]: [Option<Validator>; 2]) -> Option<Self> {
        people.map(|people| Self { places, people })
    }

    /// The cursor of the position.
    #[must_use]
    pub fn cursor(self) -> Cursor {
        match self.places {
            Some(places) => Cursor::Changes(places, self.people),
            None => Cursor::Change(self.people),
        }
    }
}

impl From<Position> for [Option<Validator>; 2] {
    fn from(position: Position) -> Self {
        [position.places, Some(position.people)]
    }
}

/// Parses the query. `now` is in milliseconds since 1970.
///
/// # Errors
/// An invalid value.
pub fn parse_query(params: &Params, now: i64) -> Result<ChangesQuery, Problem> {
    let is_of_person = params.get::<PersonId>("personId")?.is_some();
    ChangesQuery::from_params(params, now, |cursor| {
        Position::of_cursor(cursor, is_of_person)
    })
}

/// The paths of the feeds of places and of people. Each may fill the page alone. A change of a place
/// is not one of a person, so the feed of one person needs none of places. A stream needs the
/// position of places all the same, because the streams of all clients share their polls.
#[must_use]
pub fn paths(query: &ChangesQuery, is_stream: bool) -> (Option<String>, String) {
    let path = |collection, position: fn(Position) -> Option<Validator>| {
        let since = match query.since {
            Since::Beginning => None,
            Since::Now => Some("now".to_owned()),
            Since::Time(time) => Some(moment::format(time)),
            Since::Position(since) => {
                position(since).map(|since| Cursor::Change(since).to_string())
            }
        };
        let after = query.after.and_then(position);
        let after = after.map(|after| Cursor::Change(after).to_string());
        let order = query.descending.then(|| "desc".to_owned());
        let place = query.place.map(|place| place.to_string());
        let path = if is_stream {
            "/internal/changes".to_owned()
        } else {
            format!("/v1/{collection}/changes")
        };
        let mut path = format!("{path}?limit={}", query.limit.get());
        for (name, value) in [
            ("since", since),
            ("order", order),
            ("after", after),
            ("placeId", place),
        ] {
            if let Some(value) = value {
                path += &["&", name, "=", &value].concat();
            }
        }
        path
    };
    let people = path("people", |position| Some(position.people));
    match query.person {
        Some(person) => {
            let places = "/internal/changes?limit=1&since=now".to_owned();
            (
                is_stream.then_some(places),
                format!("{people}&personId={person}"),
            )
        }
        None => (Some(path("places", |position| position.places)), people),
    }
}

/// A page of the feed of a backend.
#[derive(Debug, Clone, Copy)]
pub struct FeedPage<'a> {
    /// The changes as a JSON array.
    pub body: &'a [u8],
    /// The position of the next page.
    pub next: i64,
    /// Whether there are more changes.
    pub has_more: bool,
}

/// A page of the feed of no changes.
pub const EMPTY_FEED: FeedPage<'static> = FeedPage {
    body: b"[]",
    next: 0,
    has_more: false,
};

/// A merged page.
#[derive(Debug, PartialEq, Eq)]
pub struct MergedPage {
    /// The body.
    pub body: Vec<u8>,
    /// The position of the next page in the feed of places, and in that of people.
    pub next: [i64; 2],
    /// Whether there are more changes.
    pub has_more: bool,
}

/// Merges a page of each feed into one page, by time. If a feed has more changes after its page, the
/// merged page ends there: later changes of the other feed may come after those.
///
/// # Errors
/// A malformed feed.
pub fn merge(
    query: &ChangesQuery,
    places: FeedPage<'_>,
    people: FeedPage<'_>,
    framing: ListFraming,
) -> Result<MergedPage, MalformedResponse> {
    let places = Feed::parse(places, br#"","collection":"places","seq":"#);
    let people = Feed::parse(people, br#"","collection":"people","seq":"#);
    let mut places = places.ok_or(MalformedResponse::Places)?;
    let mut people = people.ok_or(MalformedResponse::People)?;
    let descending = query.descending;
    let mut body = Vec::new();
    let mut before = framing.open;
    for _ in 0..query.limit.get() {
        let feed = match (places.changes.peek(), people.changes.peek()) {
            // At equal times places come first, and in descending order last.
            (Some(place), Some(person)) => {
                let is_place = if descending {
                    place.at > person.at
                } else {
                    place.at <= person.at
                };
                if is_place { &mut places } else { &mut people }
            }
            (Some(_), None) if !people.page.has_more => &mut places,
            (None, Some(_)) if !places.page.has_more => &mut people,
            _ => break,
        };
        let Some(change) = feed.changes.next() else {
            break;
        };
        body.extend_from_slice(before.as_bytes());
        body.extend_from_slice(change.record);
        feed.last = Some(change.seq);
        before = framing.between;
    }
    let is_empty = body.is_empty();
    if is_empty {
        body.extend_from_slice(framing.open.as_bytes());
    }
    body.extend_from_slice(framing.end(is_empty).as_bytes());
    let has_more = places.has_more() || people.has_more();
    Ok(MergedPage {
        body,
        next: [places, people].map(|feed| feed.next(descending)),
        has_more,
    })
}

/// A feed that is being merged.
struct Feed<'a> {
    page: FeedPage<'a>,
    changes: Peekable<std::vec::IntoIter<Change<'a>>>,
    /// The last change that the merged page has.
    last: Option<i64>,
}

impl<'a> Feed<'a> {
    fn parse(page: FeedPage<'a>, key: &[u8]) -> Option<Self> {
        Some(Self {
            page,
            changes: parse_feed(page.body, key)?.into_iter().peekable(),
            last: None,
        })
    }

    fn has_more(&mut self) -> bool {
        self.page.has_more || self.changes.peek().is_some()
    }

    /// The position of the next page.
    fn next(mut self, descending: bool) -> i64 {
        match (self.changes.peek(), self.last) {
            (None, _) => self.page.next,
            (Some(_), Some(last)) => last,
            (Some(first), None) if descending => first.seq + 1,
            (Some(first), None) => first.seq - 1,
        }
    }
}

/// A change. The merge parses its time and sequence, and copies the record.
struct Change<'a> {
    /// A text of fixed length, which sorts by time.
    at: &'a [u8],
    seq: i64,
    record: &'a [u8],
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
            // A line of a stream has the text that it filters by before the JSON.
            let json = record.iter().position(|byte| *byte == b'{')?;
            let after_key = record.get(json..)?.strip_prefix(br#"{"at":""#)?;
            let (at, rest) = after_key.split_at_checked(b"2026-01-31T12:00:00.000Z".len())?;
            let (seq, _) = leading_number(rest, key)?;
            Some(Change { at, seq, record })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Param;
    use http_semantics::MediaType;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use tables::change_feed::PARAMETERS;

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

    /// The body of a page of a backend's feed, the position of the next page, and whether there are
    /// more changes. The first `made` changes of the log have been made.
    fn feed(
        log: &[String],
        made: usize,
        position: i64,
        query: &ChangesQuery,
    ) -> (Vec<u8>, i64, bool) {
        let limit = usize::from(query.limit.get());
        let made = log.get(..made.min(log.len())).unwrap_or_default();
        let position = usize::try_from(position).unwrap();
        let (shown, next, has_more): (Vec<&str>, _, _) = if query.descending {
            let rest = made.get(..position.min(made.len() + 1).saturating_sub(1));
            let rest = rest.unwrap_or_default();
            let shown: Vec<&str> = rest.iter().rev().take(limit).map(String::as_str).collect();
            let left = rest.len() - shown.len();
            (shown, left + 1, left > 0)
        } else {
            let rest = made.get(position..).unwrap_or_default();
            let shown: Vec<&str> = rest.iter().take(limit).map(String::as_str).collect();
            let next = position + shown.len();
            let has_more = next < made.len();
            (shown, next, has_more)
        };
        let body = format!("[{}]", shown.join(",\n")).into_bytes();
        (body, i64::try_from(next).unwrap(), has_more)
    }

    fn page((body, next, has_more): &(Vec<u8>, i64, bool)) -> FeedPage<'_> {
        FeedPage {
            body,
            next: *next,
            has_more: *has_more,
        }
    }

    fn query(text: &str) -> ChangesQuery {
        parse_query(&Params::parse(text, PARAMETERS).unwrap(), 0).unwrap()
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
            let mut text = format!("limit={limit}");
            let mut made = [0, 0];
            let mut position = [0, 0];
            let mut shown: Vec<Value> = Vec::new();
            // After the last arrival the walk continues until it has reached the end of both logs.
            let rest = std::iter::repeat_n((60, 60), 60);
            for (more_places, more_people) in arrivals.into_iter().chain(rest) {
                made = [made[0] + more_places, made[1] + more_people];
                let query = query(&text);
                let merged = merge(
                    &query,
                    page(&feed(&places, made[0], position[0], &query)),
                    page(&feed(&people, made[1], position[1], &query)),
                    MediaType::Json.framing(),
                ).unwrap();
                let page: Vec<Value> = serde_json::from_slice(&merged.body).unwrap();
                prop_assert!(page.len() <= usize::try_from(limit).unwrap());
                prop_assert!(page.iter().map(|change| change["at"].as_str()).is_sorted());
                shown.extend(page);
                position = merged.next;
                let [places, people] = merged.next.map(validator);
                let cursor = Position { places: Some(places), people }.cursor();
                text = format!("limit={limit}&since={cursor}");
            }
            for (collection, log) in [("places", places), ("people", people)] {
                let found = shown.iter().filter(|change| change["collection"] == collection);
                let expected: Vec<Value> =
                    log.iter().map(|change| serde_json::from_str(change).unwrap()).collect();
                prop_assert_eq!(found.cloned().collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn descending_pages_are_the_ascending_ones_reversed(
            places in prop::collection::vec(0..9u32, 0..20),
            people in prop::collection::vec(0..9u32, 0..20),
            limit in 1..7i64,
        ) {
            let (places, people) = (log("places", &places), log("people", &people));
            let all = |text: &str, mut position: [i64; 2]| {
                let query = query(text);
                let mut shown: Vec<Value> = Vec::new();
                // Each page but the last has a change.
                for _ in 0..=places.len() + people.len() {
                    let merged = merge(
                        &query,
                        page(&feed(&places, 99, position[0], &query)),
                        page(&feed(&people, 99, position[1], &query)),
                        MediaType::Json.framing(),
                    ).unwrap();
                    shown.extend(serde_json::from_slice::<Vec<Value>>(&merged.body).unwrap());
                    position = merged.next;
                    if !merged.has_more {
                        break;
                    }
                }
                shown
            };
            let mut ascending = all(&format!("limit={limit}"), [0, 0]);
            ascending.reverse();
            let descending = all(&format!("limit={limit}&order=desc"), [99, 99]);
            prop_assert_eq!(ascending, descending);
        }
    }

    #[test]
    fn at_equal_times_places_come_first() {
        let query = query("");
        let (places, people) = (log("places", &[5, 5]), log("people", &[4, 6]));
        let feed = |log: &[String]| feed(log, 9, 0, &query);
        let framing = MediaType::NdJson.framing();
        let merged = merge(&query, page(&feed(&places)), page(&feed(&people)), framing).unwrap();
        let body = String::from_utf8(merged.body).unwrap();
        let expected = [&people[0], &places[0], &places[1], &people[1]];
        assert_eq!(body.lines().collect::<Vec<_>>(), expected);
        assert_eq!((merged.next, merged.has_more), ([2, 2], false));
    }

    #[test]
    fn a_page_ends_where_a_feed_has_more_changes() {
        let query = query("placeId=1");
        let places = feed(&log("places", &[5, 5]), 9, 0, &query);
        // The people service has looked through many changes, and found none of the place.
        let people = (b"[]".to_vec(), 20_000, true);
        let framing = MediaType::Json.framing();
        let merged = merge(&query, page(&places), page(&people), framing).unwrap();
        assert_eq!(merged.body, b"[]");
        assert_eq!((merged.next, merged.has_more), ([0, 20_000], true));
        let people = feed(&log("people", &[5, 5]), 9, 0, &query);
        let places = (b"[]".to_vec(), 20_000, true);
        let merged = merge(&query, page(&places), page(&people), framing).unwrap();
        assert_eq!(merged.body, b"[]");
        assert_eq!((merged.next, merged.has_more), ([20_000, 0], true));
    }

    #[test]
    fn the_cursor_of_one_feed_is_only_valid_for_the_feed_of_a_person() {
        let is_valid = |text: &str| {
            let params = Params::parse(text, PARAMETERS).unwrap();
            parse_query(&params, 0).is_ok()
        };
        let of_people = Cursor::Change(validator(4));
        assert!(is_valid(&format!("since={of_people}&personId=9")));
        assert!(!is_valid(&format!("since={of_people}")));
    }

    #[test]
    fn the_feeds_get_the_filters_and_their_part_of_the_cursor() {
        let cursor = Cursor::Changes(validator(3), validator(4));
        let [of_places, of_people] = [3, 4].map(|number| Cursor::Change(validator(number)));
        let (places, people) = paths(&query(&format!("since={cursor}&placeId=7&limit=5")), false);
        let places = places.unwrap();
        assert_eq!(
            places,
            format!("/v1/places/changes?limit=5&since={of_places}&placeId=7")
        );
        assert_eq!(
            people,
            format!("/v1/people/changes?limit=5&since={of_people}&placeId=7")
        );
        let text = format!("since=1970-01-01T00:00:00Z&order=desc&after={cursor}&personId=9");
        let (places, people) = paths(&query(&text), false);
        assert_eq!(places, None);
        let expected = format!(
            "/v1/people/changes?limit=100&since=1970-01-01T00:00:00.000Z&order=desc&after={of_people}&personId=9"
        );
        assert_eq!(people, expected);
        let (places, people) = paths(&query("since=now&personId=9"), true);
        assert_eq!(
            places.as_deref(),
            Some("/internal/changes?limit=1&since=now")
        );
        assert_eq!(people, "/internal/changes?limit=100&since=now&personId=9");
        let (places, _) = paths(&query("since=now"), false);
        assert_eq!(
            places.as_deref(),
            Some("/v1/places/changes?limit=100&since=now")
        );
    }

    #[test]
    fn a_stream_continues_at_the_position_of_its_last_cursor() {
        for places in [Some(validator(3)), None] {
            let position = Position {
                places,
                people: validator(4),
            };
            assert_eq!(
                Position::in_stream(&position.cursor(), true),
                Some(position)
            );
            assert_eq!(Position::from_parts(position.into()), Some(position));
            let of_both = Position::in_stream(&position.cursor(), false);
            assert_eq!(of_both, places.map(|_| position));
        }
        assert_eq!(Position::from_parts([Some(validator(3)), None]), None);
    }

    #[test]
    fn a_malformed_feed_is_rejected() {
        fn feed(body: &[u8]) -> FeedPage<'_> {
            FeedPage {
                body,
                next: 3,
                has_more: false,
            }
        }
        let query = query("");
        let merge = |places: &[u8], people: &[u8]| {
            merge(
                &query,
                feed(places),
                feed(people),
                MediaType::Json.framing(),
            )
        };
        assert_eq!(merge(b"[]", b"[]").unwrap().next, [3, 3]);
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
