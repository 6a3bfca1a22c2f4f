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
mod tests;
