//! The merged change feed of both tables.
//!
//! The feed of each backend is in the order of its changes, and each record starts with its time
//! and its change sequence. There is no order between two feeds, so they are merged by time. The
//! cursor holds the position in each feed. Nothing is skipped or repeated, even if the clocks of
//! the two databases differ: then only the order between the feeds is not that of the times.

use domain::Param;
use http_semantics::media::ListFraming;
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::PageSize;

use super::Malformed;
use super::merge_join::leading_id;

/// The query of `GET /v1/changes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// The position in the feed of places, and in that of people.
    pub since: [i64; 2],
    /// The most changes.
    pub limit: PageSize,
}

impl Changes {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["since", "limit"];

    /// Parses the query.
    ///
    /// # Errors
    /// An invalid value.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        let since = match params.get("since")? {
            None => [0, 0],
            Some(Cursor::Pair(places, people)) => [places, people],
            Some(_) => return Err(Problem::invalid_parameter("since", Cursor::EXPECTED)),
        };
        let limit = params.get("limit")?.unwrap_or_default();
        Ok(Self { since, limit })
    }

    /// The paths of both feeds. Either feed may fill the page.
    #[must_use]
    pub fn paths(&self) -> [String; 2] {
        let [places, people] = self.since.map(Cursor::Id);
        let limit = self.limit.get();
        [
            format!("/v1/places/changes?limit={limit}&since={places}"),
            format!("/v1/people/changes?limit={limit}&since={people}"),
        ]
    }

    /// The merged page, and its end in each feed.
    ///
    /// # Errors
    /// A malformed feed.
    pub fn merged(
        &self,
        places: &[u8],
        people: &[u8],
        frame: ListFraming,
    ) -> Result<(Vec<u8>, [i64; 2]), Malformed> {
        let places = changes(places, br#"","collection":"places","seq":"#);
        let people = changes(people, br#"","collection":"people","seq":"#);
        let mut places = places.ok_or(Malformed::Places)?.into_iter().peekable();
        let mut people = people.ok_or(Malformed::Groups)?.into_iter().peekable();
        let mut out = Vec::new();
        let [mut place_seq, mut person_seq] = self.since;
        let mut before = frame.open;
        let mut shown = 0;
        while shown < self.limit.get() {
            let is_place = match (places.peek(), people.peek()) {
                (Some(place), Some(person)) => place.at <= person.at,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (None, None) => break,
            };
            let (feed, seq) = if is_place {
                (&mut places, &mut place_seq)
            } else {
                (&mut people, &mut person_seq)
            };
            if let Some(change) = feed.next() {
                out.extend_from_slice(before.as_bytes());
                out.extend_from_slice(change.record);
                *seq = change.seq;
            }
            before = frame.between;
            shown += 1;
        }
        if shown == 0 {
            out.extend_from_slice(frame.open.as_bytes());
        }
        out.extend_from_slice(frame.end(shown == 0).as_bytes());
        Ok((out, [place_seq, person_seq]))
    }
}

/// A change, as far as the merge parses it.
struct Change<'a> {
    /// A text of fixed length, whose order is that of time.
    at: &'a [u8],
    seq: i64,
    record: &'a [u8],
}

/// The changes of a feed, an array with one per line. `key` is the text between the time and the
/// `seq` of a change.
fn changes<'a>(feed: &'a [u8], key: &[u8]) -> Option<Vec<Change<'a>>> {
    let lines = feed.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let lines = lines.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let record = line.strip_suffix(b",").unwrap_or(line);
            let after_key = record.strip_prefix(br#"{"at":""#)?;
            let (at, rest) = after_key.split_at_checked(b"2026-01-31T12:00:00.000Z".len())?;
            let (seq, _) = leading_id(rest, key)?;
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

    /// A log of changes, each given by the milliseconds since the one before.
    fn log(register: &str, gaps: &[u32]) -> Vec<String> {
        let mut at = 0;
        let line = |(seq, gap): (usize, &u32)| {
            at += gap;
            format!(
                "{{\"at\":\"2026-01-31T12:00:00.{at:03}Z\",\"register\":\"{register}\",\"seq\":{},\"kind\":\"\\n],\"}}",
                seq + 1
            )
        };
        gaps.iter().enumerate().map(line).collect()
    }

    /// The feed of a backend, after `made` changes.
    fn feed(log: &[String], made: usize, since: i64, limit: PageSize) -> Vec<u8> {
        let made = log.get(..made.min(log.len())).unwrap_or_default();
        let rest = made.iter().skip(usize::try_from(since).unwrap());
        let shown: Vec<&str> = rest.take(limit.get().into()).map(String::as_str).collect();
        format!("[{}]", shown.join(",\n")).into_bytes()
    }

    proptest! {
        #[test]
        fn the_pages_contain_both_logs_whatever_arrives_meanwhile(
            places in prop::collection::vec(0..9u32, 0..30),
            people in prop::collection::vec(0..9u32, 0..30),
            arrivals in prop::collection::vec((0..5usize, 0..5usize), 0..40),
            limit in 1..7i64,
        ) {
            let (places, people) = (log("places", &places), log("people", &people));
            let limit = PageSize::new(limit).unwrap();
            let mut query = Changes { since: [0, 0], limit };
            let mut made = [0, 0];
            let mut shown: Vec<Value> = Vec::new();
            // After the last arrival all changes have been made, and the walk reaches their end.
            let rest = std::iter::repeat_n((60, 60), 60);
            for (more_places, more_people) in arrivals.into_iter().chain(rest) {
                made = [made[0] + more_places, made[1] + more_people];
                let (body, next) = query.merged(
                    &feed(&places, made[0], query.since[0], limit),
                    &feed(&people, made[1], query.since[1], limit),
                    MediaType::Json.framing(),
                ).unwrap();
                let page: Vec<Value> = serde_json::from_slice(&body).unwrap();
                prop_assert!(page.len() <= limit.get().into());
                prop_assert!(page.iter().map(|one| one["at"].as_str()).is_sorted());
                shown.extend(page);
                let cursor = Cursor::Pair(next[0], next[1]);
                let text = format!("limit={}&since={cursor}", limit.get());
                query = Changes::read(&Params::parse(&text, Changes::PARAMETERS).unwrap()).unwrap();
            }
            for (register, log) in [("places", places), ("people", people)] {
                let of_one = shown.iter().filter(|one| one["collection"] == register);
                let expected: Vec<Value> =
                    log.iter().map(|one| serde_json::from_str(one).unwrap()).collect();
                prop_assert_eq!(of_one.cloned().collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn at_equal_times_places_come_first() {
        let query = Changes {
            since: [0, 0],
            limit: PageSize::default(),
        };
        let (places, people) = (log("places", &[5, 5]), log("people", &[4, 6]));
        let feed = |log: &[String]| feed(log, 9, 0, query.limit);
        let (body, next) = query
            .merged(&feed(&places), &feed(&people), MediaType::NdJson.framing())
            .unwrap();
        let body = String::from_utf8(body).unwrap();
        let expected = [&people[0], &places[0], &places[1], &people[1]];
        assert_eq!(body.lines().collect::<Vec<_>>(), expected);
        assert_eq!(next, [2, 2]);
    }

    #[test]
    fn a_malformed_feed_is_rejected() {
        let query = Changes {
            since: [3, 4],
            limit: PageSize::default(),
        };
        let merged = |places: &[u8], people: &[u8]| {
            let merged = query.merged(places, people, MediaType::Json.framing());
            merged.map(|(body, next)| (String::from_utf8(body).unwrap(), next))
        };
        assert_eq!(merged(b"[]", b"[]"), Ok(("[]".to_owned(), [3, 4])));
        let other = log("people", &[1]).concat();
        let unnumbered = json!([{"at": "2026-01-31T12:00:00.000Z", "collection": "places"}]);
        let bodies = [
            "",
            "[",
            "{}",
            "[{}]",
            &format!("[{other}]"),
            &unnumbered.to_string(),
        ];
        for body in bodies {
            assert_eq!(
                merged(body.as_bytes(), b"[]"),
                Err(Malformed::Places),
                "{body}"
            );
        }
        assert_eq!(merged(b"[]", b"[oops]"), Err(Malformed::Groups));
    }
}
