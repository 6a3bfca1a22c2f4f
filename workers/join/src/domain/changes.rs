//! The feed of both registers' changes.
//!
//! Each owner's feed is in the order in which its changes were made, and each record begins
//! with its time and its place in that feed. Two feeds have no order of their own between them:
//! they are merged by time, and the cursor holds how far each one was shown. So whatever
//! arrives meanwhile stands behind both, and nothing is skipped or shown twice, even where the
//! two databases' clocks differ; then only the order between the registers is not that of
//! their times.

use domain::Param;
use http_semantics::media::Frame;
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::Limit;

use super::Malformed;
use super::merge::leading_id;

/// Which changes, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// How far each feed has been shown: that of places, and that of people.
    pub since: [i64; 2],
    /// The most changes.
    pub limit: Limit,
}

impl Changes {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["since", "limit"];

    /// Reads the query.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        let since = match params.get("since")? {
            None => [0, 0],
            Some(Cursor::Pair(places, people)) => [places, people],
            Some(_) => return Err(Problem::invalid_parameter("since", Cursor::EXPECTED)),
        };
        let limit = params.get("limit")?.unwrap_or_default();
        Ok(Self { since, limit })
    }

    /// The paths of both feeds. Either may be the whole page.
    #[must_use]
    pub fn paths(&self) -> [String; 2] {
        let [places, people] = self.since.map(Cursor::Id);
        let limit = self.limit.get();
        [
            format!("/v1/places/changes?limit={limit}&since={places}"),
            format!("/v1/people/changes?limit={limit}&since={people}"),
        ]
    }

    /// The page that both feeds make, and how far it shows each.
    ///
    /// # Errors
    /// What is no feed.
    pub fn merged(
        &self,
        places: &[u8],
        people: &[u8],
        frame: Frame,
    ) -> Result<(Vec<u8>, [i64; 2]), Malformed> {
        let places = changes(places, br#"","register":"places","seq":"#);
        let people = changes(people, br#"","register":"people","seq":"#);
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

/// A change, as far as the merge looks into it.
struct Change<'a> {
    /// A text of one length, so that its order is that of time.
    at: &'a [u8],
    seq: i64,
    record: &'a [u8],
}

/// The changes of a feed, an array with one a line. `key` is what stands between the time of a
/// change and its `seq`.
fn changes<'a>(feed: &'a [u8], key: &[u8]) -> Option<Vec<Change<'a>>> {
    let lines = feed.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let lines = lines.split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let record = line.strip_suffix(b",").unwrap_or(line);
            let behind = record.strip_prefix(br#"{"at":""#)?;
            let (at, rest) = behind.split_at_checked(b"2026-01-31T12:00:00.000Z".len())?;
            let (seq, _) = leading_id(rest, key)?;
            Some(Change { at, seq, record })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_semantics::Format;
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

    /// What an owner answers, of those changes that have been made.
    fn feed(log: &[String], made: usize, since: i64, limit: Limit) -> Vec<u8> {
        let made = log.get(..made.min(log.len())).unwrap_or_default();
        let behind = made.iter().skip(usize::try_from(since).unwrap());
        let shown: Vec<&str> = behind
            .take(limit.get().into())
            .map(String::as_str)
            .collect();
        format!("[{}]", shown.join(",\n")).into_bytes()
    }

    proptest! {
        #[test]
        fn the_pages_are_both_logs_whatever_arrives_meanwhile(
            places in prop::collection::vec(0..9u32, 0..30),
            people in prop::collection::vec(0..9u32, 0..30),
            arrivals in prop::collection::vec((0..5usize, 0..5usize), 0..40),
            limit in 1..7i64,
        ) {
            let (places, people) = (log("places", &places), log("people", &people));
            let limit = Limit::new(limit).unwrap();
            let mut ask = Changes { since: [0, 0], limit };
            let mut made = [0, 0];
            let mut shown: Vec<Value> = Vec::new();
            // Behind the last arrival everything has been made, and is walked to its end.
            let rest = std::iter::repeat_n((60, 60), 60);
            for (more_places, more_people) in arrivals.into_iter().chain(rest) {
                made = [made[0] + more_places, made[1] + more_people];
                let (body, next) = ask.merged(
                    &feed(&places, made[0], ask.since[0], limit),
                    &feed(&people, made[1], ask.since[1], limit),
                    Format::Json.frame(),
                ).unwrap();
                let page: Vec<Value> = serde_json::from_slice(&body).unwrap();
                prop_assert!(page.len() <= limit.get().into());
                prop_assert!(page.iter().map(|one| one["at"].as_str()).is_sorted());
                shown.extend(page);
                let cursor = Cursor::Pair(next[0], next[1]);
                let query = format!("limit={}&since={cursor}", limit.get());
                ask = Changes::read(&Params::read(&query, Changes::PARAMETERS).unwrap()).unwrap();
            }
            for (register, log) in [("places", places), ("people", people)] {
                let of_one = shown.iter().filter(|one| one["register"] == register);
                let expected: Vec<Value> =
                    log.iter().map(|one| serde_json::from_str(one).unwrap()).collect();
                prop_assert_eq!(of_one.cloned().collect::<Vec<_>>(), expected);
            }
        }
    }

    #[test]
    fn at_one_time_places_come_first() {
        let ask = Changes {
            since: [0, 0],
            limit: Limit::default(),
        };
        let (places, people) = (log("places", &[5, 5]), log("people", &[4, 6]));
        let feed = |log: &[String]| feed(log, 9, 0, ask.limit);
        let (body, next) = ask
            .merged(&feed(&places), &feed(&people), Format::NdJson.frame())
            .unwrap();
        let body = String::from_utf8(body).unwrap();
        let expected = [&people[0], &places[0], &places[1], &people[1]];
        assert_eq!(body.lines().collect::<Vec<_>>(), expected);
        assert_eq!(next, [2, 2]);
    }

    #[test]
    fn what_is_no_feed_is_refused() {
        let ask = Changes {
            since: [3, 4],
            limit: Limit::default(),
        };
        let merged = |places: &[u8], people: &[u8]| {
            let merged = ask.merged(places, people, Format::Json.frame());
            merged.map(|(body, next)| (String::from_utf8(body).unwrap(), next))
        };
        assert_eq!(merged(b"[]", b"[]"), Ok(("[]".to_owned(), [3, 4])));
        let other = log("people", &[1]).concat();
        let unnumbered = json!([{"at": "2026-01-31T12:00:00.000Z", "register": "places"}]);
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
