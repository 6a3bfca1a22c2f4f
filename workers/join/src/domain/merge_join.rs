//! The sort-merge join of places with their people.
//!
//! Both inputs are sorted by place id, so one pass over both is enough. Each is a JSON array with
//! one record per line:
//!
//! ```text
//! GET /v1/places            {"id":3,"name":"…"}
//! GET /v1/people/by-place   {"placeId":3,"people":[…],"next":"…"}
//! the join of both          {"id":3,"name":"…","people":[…],"next":"…"}
//! ```
//!
//! The join reads the id at the start of each record and copies the rest. No person is parsed. A
//! place without a group gets an empty list. A group without a place is skipped.
//!
//! The places of a page are in memory. The groups arrive in chunks. The line that a chunk ends in
//! is buffered until the rest of it arrives.
//!
//! An input is malformed if it is not such an array, if its ids do not increase, or if its end is
//! missing. A truncated input is therefore never taken for a complete one. If the groups are
//! malformed or the people service is down, [`MergeJoin::places_only`] returns the places with
//! `"people":null`: their people are unknown.

use std::ops::Range;

use http_semantics::media::ListFraming;

/// The backend whose response is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MalformedResponse {
    /// The places service.
    Places,
    /// The people service.
    People,
}

/// A join in progress.
pub struct MergeJoin {
    /// The places, as the places service sent them.
    places: Vec<u8>,
    /// The record of each place, in order of id.
    records: Vec<PlaceRecord>,
    /// The number of records that have been written.
    written: usize,
    framing: ListFraming,
    /// The start of the line that the last chunk ended in.
    unfinished_line: Vec<u8>,
    /// The number of groups in the current array.
    group_count: usize,
    last_group_id: i64,
    /// Whether the current array of groups is complete.
    has_ended: bool,
}

/// The record of a place.
struct PlaceRecord {
    id: i64,
    /// Its bytes without the closing brace: the people follow there.
    bytes: Range<usize>,
}

/// The end of the record of a place without people.
const EMPTY_PEOPLE: &[u8] = br#","people":[]}"#;

/// The end of the record of a place whose people are unknown.
const NULL_PEOPLE: &[u8] = br#","people":null}"#;

impl MergeJoin {
    /// Joins a page of places. `framing` is the text around the records of the result.
    ///
    /// # Errors
    /// A malformed array of places.
    pub fn from_page(places: Vec<u8>, framing: ListFraming) -> Result<Self, MalformedResponse> {
        let records = match places.as_slice() {
            b"[]" => Some(Vec::new()),
            [b'[', lines @ .., b']'] => page_records(lines),
            _ => None,
        };
        Self::new(places, records, framing)
    }

    /// Joins a single place.
    ///
    /// # Errors
    /// A malformed place.
    pub fn from_place(place: Vec<u8>) -> Result<Self, MalformedResponse> {
        let record = place_record(&place, 0).filter(|_| is_balanced(&place));
        Self::new(place, record.map(|record| vec![record]), ListFraming::NONE)
    }

    fn new(
        places: Vec<u8>,
        records: Option<Vec<PlaceRecord>>,
        framing: ListFraming,
    ) -> Result<Self, MalformedResponse> {
        Ok(Self {
            places,
            records: records.ok_or(MalformedResponse::Places)?,
            written: 0,
            framing,
            unfinished_line: Vec::new(),
            group_count: 0,
            last_group_id: 0,
            has_ended: false,
        })
    }

    /// Reads the next chunk of the groups, and writes the places that it completes.
    ///
    /// # Errors
    /// A line that is no group, or that is out of order.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), MalformedResponse> {
        let mut lines = chunk.split(|byte| *byte == b'\n');
        let unfinished = lines.next_back().unwrap_or_default();
        for line in lines {
            if self.unfinished_line.is_empty() {
                self.push_line(line, out)?;
            } else {
                let mut whole = std::mem::take(&mut self.unfinished_line);
                whole.extend_from_slice(line);
                self.push_line(&whole, out)?;
            }
        }
        self.unfinished_line.extend_from_slice(unfinished);
        Ok(())
    }

    /// Ends an array of groups, of which at most `limit` were requested. The result is the place
    /// after which more groups are needed. Usually none are: the people service sends the groups
    /// of as many places as the page has. Groups without a place take up some of them.
    ///
    /// # Errors
    /// A malformed last line, or an array without its end.
    pub fn end_groups(
        &mut self,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<i64>, MalformedResponse> {
        let last_line = std::mem::take(&mut self.unfinished_line);
        self.push_line(&last_line, out)?;
        if !std::mem::take(&mut self.has_ended) {
            return Err(MalformedResponse::People);
        }
        let is_full = std::mem::take(&mut self.group_count) >= limit;
        let needs_more = is_full && self.next_id().is_some();
        Ok(needs_more.then_some(self.last_group_id))
    }

    /// Writes the remaining places, which have no people, and the end of the list.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.write_rest(EMPTY_PEOPLE, out);
    }

    /// All places with `"people":null`, from the first place on.
    #[must_use]
    pub fn places_only(mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 * self.places.len());
        self.written = 0;
        self.write_rest(NULL_PEOPLE, &mut out);
        out
    }

    /// The id of the last place of the page.
    #[must_use]
    pub fn last_id(&self) -> Option<i64> {
        self.records.last().map(|record| record.id)
    }

    /// A line of the groups: `[`, at most one group, and `,` or `]`.
    fn push_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), MalformedResponse> {
        let is_first = self.group_count == 0;
        let line = if is_first {
            line.strip_prefix(b"[")
        } else {
            Some(line)
        };
        let (group, end) = match line {
            Some([group @ .., end @ (b',' | b']')]) if !self.has_ended => (group, *end),
            _ => return Err(MalformedResponse::People),
        };
        self.has_ended = end == b']';
        // A truncated array may end with the bracket of the people in its last group.
        if self.has_ended && !is_balanced(group) {
            return Err(MalformedResponse::People);
        }
        if is_first && group.is_empty() && self.has_ended {
            return Ok(());
        }
        self.push_group(group, out)
    }

    /// Writes the places up to that of a group.
    fn push_group(&mut self, group: &[u8], out: &mut Vec<u8>) -> Result<(), MalformedResponse> {
        let (place_id, people) =
            leading_number(group, br#"{"placeId":"#).ok_or(MalformedResponse::People)?;
        let is_group = people.starts_with(br#","people":["#) && is_object_end(people);
        if place_id <= self.last_group_id || !is_group {
            return Err(MalformedResponse::People);
        }
        self.group_count += 1;
        self.last_group_id = place_id;
        while let Some(id) = self.next_id().filter(|id| *id <= place_id) {
            let people = if id == place_id { people } else { EMPTY_PEOPLE };
            self.write_next(people, out);
        }
        Ok(())
    }

    /// The id of the next place to write.
    fn next_id(&self) -> Option<i64> {
        self.records.get(self.written).map(|record| record.id)
    }

    /// Writes the next place. `people` is the end of its record.
    fn write_next(&mut self, people: &[u8], out: &mut Vec<u8>) {
        let record = self.records.get(self.written);
        let place = record.and_then(|record| self.places.get(record.bytes.clone()));
        let before = match self.written {
            0 => self.framing.open,
            _ => self.framing.between,
        };
        for part in [before.as_bytes(), place.unwrap_or_default(), people] {
            out.extend_from_slice(part);
        }
        self.written += 1;
    }

    fn write_rest(&mut self, people: &[u8], out: &mut Vec<u8>) {
        while self.next_id().is_some() {
            self.write_next(people, out);
        }
        let is_empty = self.records.is_empty();
        if is_empty {
            out.extend_from_slice(self.framing.open.as_bytes());
        }
        out.extend_from_slice(self.framing.end(is_empty).as_bytes());
    }
}

/// The records of a page of places, of which `lines` is the text between the brackets.
fn page_records(lines: &[u8]) -> Option<Vec<PlaceRecord>> {
    let mut records = Vec::new();
    let (mut start, mut last_id) = (1, 0);
    let mut lines = lines.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let record = match lines.peek() {
            Some(_) => line.strip_suffix(b",")?,
            // A truncated page may end with a bracket inside its last record.
            None => Some(line).filter(|line| is_balanced(line))?,
        };
        let record = place_record(record, start).filter(|record| record.id > last_id)?;
        start += line.len() + 1;
        last_id = record.id;
        records.push(record);
    }
    Some(records)
}

/// The record of a place that starts at a position.
fn place_record(record: &[u8], start: usize) -> Option<PlaceRecord> {
    let (id, rest) = leading_number(record, br#"{"id":"#)?;
    let bytes = start..start + record.len().checked_sub(1)?;
    (id > 0 && is_object_end(rest)).then_some(PlaceRecord { id, bytes })
}

/// Whether a text may be the end of an object. In valid JSON a line has no control characters.
fn is_object_end(text: &[u8]) -> bool {
    text.ends_with(b"}") && text.iter().all(|byte| *byte >= b' ')
}

/// Whether each bracket that a record opens is closed.
fn is_balanced(record: &[u8]) -> bool {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_u32, false, false);
    for byte in record {
        match byte {
            _ if is_escaped => is_escaped = false,
            // In JSON, only a string has backslashes.
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'{' | b'[' if !is_quoted => depth += 1,
            b'}' | b']' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth == 0 && !is_quoted
}

/// The number after `key` at the start of a record, and the rest of the record.
pub(super) fn leading_number<'a>(record: &'a [u8], key: &[u8]) -> Option<(i64, &'a [u8])> {
    let after_key = record.strip_prefix(key)?;
    let digits = after_key
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = after_key.split_at_checked(digits)?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((number, rest))
}

#[cfg(test)]
mod tests;
