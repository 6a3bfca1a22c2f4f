//! The sort-merge join of places and their people.
//!
//! Both inputs are JSON arrays with one record per line, in order of place id: places
//! `{"id":3,"name":…}` and groups `{"placeId":3,"people":[…]}`. One pass over both writes each
//! place with the members of its group after the id, copied as they are: no person is parsed. A
//! place without a group gets an empty list. A group without a place is skipped.
//!
//! The places of a page are held in memory. The groups are streamed: at most one unfinished line
//! is held. An array must end with its bracket, so a truncated array is never taken for complete.

use http_semantics::media::ListFraming;

/// An input that its service should never send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The places.
    Places,
    /// The groups.
    Groups,
}

/// A join in progress.
pub struct MergeJoin {
    places: Vec<u8>,
    /// The start of the next place's record.
    at: usize,
    /// The start of the first place's record.
    start: usize,
    frame: ListFraming,
    /// Whether no place has been written yet.
    is_first: bool,
    /// The line that the last chunk ended in.
    unfinished: Vec<u8>,
    /// Whether the array of groups is complete.
    has_ended: bool,
    groups: usize,
    last_group: i64,
    last_written: i64,
}

impl MergeJoin {
    /// Joins a page of places. The records are written in a frame.
    ///
    /// # Errors
    /// Places that are no array.
    pub fn of_page(places: Vec<u8>, frame: ListFraming) -> Result<Self, Malformed> {
        match places.as_slice() {
            [b'[', .., b']'] => Ok(Self {
                at: 1,
                start: 1,
                ..Self::of_one(places, frame)
            }),
            _ => Err(Malformed::Places),
        }
    }

    /// Joins a single place.
    #[must_use]
    pub fn of_one(place: Vec<u8>, frame: ListFraming) -> Self {
        Self {
            places: place,
            at: 0,
            start: 0,
            frame,
            is_first: true,
            unfinished: Vec::new(),
            has_ended: false,
            groups: 0,
            last_group: 0,
            last_written: 0,
        }
    }

    /// Adds the next bytes of the groups, and writes the places that they complete.
    ///
    /// # Errors
    /// A line that is no group, or that is out of order.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut lines = chunk.split(|byte| *byte == b'\n');
        let broken_off = lines.next_back().unwrap_or_default();
        for line in lines {
            if self.unfinished.is_empty() {
                self.line(line, out)?;
            } else {
                let mut whole = std::mem::take(&mut self.unfinished);
                whole.extend_from_slice(line);
                self.line(&whole, out)?;
            }
        }
        self.unfinished.extend_from_slice(broken_off);
        Ok(())
    }

    /// Ends the groups, of which at most `limit` were requested. The result is the place after
    /// which more groups are needed. None are, if all references are valid: then the groups of a
    /// page belong to its places.
    ///
    /// # Errors
    /// Groups without their end, or a malformed record.
    pub fn end_groups(
        &mut self,
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<i64>, Malformed> {
        let last = std::mem::take(&mut self.unfinished);
        self.line(&last, out)?;
        if !std::mem::take(&mut self.has_ended) {
            return Err(Malformed::Groups);
        }
        let all_came = std::mem::take(&mut self.groups) < limit;
        let place_is_left = self.next_place()?.is_some();
        Ok((place_is_left && !all_came).then_some(self.last_group))
    }

    /// Writes the remaining places, which are empty, and the end of the frame.
    ///
    /// # Errors
    /// Malformed places.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        self.write_rest(EMPTY_PEOPLE, out)
    }

    fn write_rest(&mut self, people: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        while let Some(place) = self.next_place()? {
            self.write(&place, people, out);
        }
        if self.is_first && self.start == 0 {
            // A single place must not be empty.
            return Err(Malformed::Places);
        }
        if self.is_first {
            out.extend_from_slice(self.frame.open.as_bytes());
        }
        out.extend_from_slice(self.frame.end(self.is_first).as_bytes());
        Ok(())
    }

    /// All places with `"people":null`, from the first place on.
    ///
    /// # Errors
    /// Malformed places.
    pub fn places_only(self) -> Result<Vec<u8>, Malformed> {
        let mut restarted = Self {
            at: self.start,
            start: self.start,
            ..Self::of_one(self.places, self.frame)
        };
        let mut out = Vec::with_capacity(2 * restarted.places.len());
        restarted.write_rest(NULL_PEOPLE, &mut out)?;
        Ok(out)
    }

    /// The id of the last place of the page.
    #[must_use]
    pub fn last_place(&self) -> Option<i64> {
        let last = self.places.rsplit(|byte| *byte == b'\n').next()?;
        let last = last.strip_prefix(b"[").unwrap_or(last);
        leading_id(last, br#"{"id":"#).map(|(id, _)| id)
    }

    /// One line of groups: `[`, at most one record, and `,` or `]`.
    fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let is_opening = self.groups == 0;
        let line = if is_opening {
            line.strip_prefix(b"[")
        } else {
            Some(line)
        };
        let (record, end) = match line {
            Some([record @ .., end @ (b',' | b']')]) if !self.has_ended => (record, *end),
            _ => return Err(Malformed::Groups),
        };
        self.has_ended = end == b']';
        // The array may have been truncated after the bracket of a record.
        if self.has_ended && !is_complete(record) {
            return Err(Malformed::Groups);
        }
        if is_opening && record.is_empty() && self.has_ended {
            return Ok(());
        }
        self.group(record, out)
    }

    fn group(&mut self, record: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let (place_id, rest) = leading_id(record, br#"{"placeId":"#).ok_or(Malformed::Groups)?;
        let is_group = rest.starts_with(br#","people":["#) && rest.ends_with(b"}") && is_text(rest);
        if place_id <= self.last_group || !is_group {
            return Err(Malformed::Groups);
        }
        self.groups += 1;
        self.last_group = place_id;
        while let Some(place) = self.next_place()? {
            if place.id > place_id {
                break;
            }
            let people = if place.id == place_id {
                rest
            } else {
                EMPTY_PEOPLE
            };
            self.write(&place, people, out);
        }
        Ok(())
    }

    /// The next place that has not been written.
    fn next_place(&self) -> Result<Option<Place>, Malformed> {
        let left = self.places.get(self.at..).unwrap_or_default();
        let length = left
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(left.len());
        let line = left.get(..length).unwrap_or_default();
        if line.is_empty() || line == b"]" {
            return Ok(None);
        }
        let record = line
            .strip_suffix(b",")
            .or(line.strip_suffix(b"]"))
            .unwrap_or(line);
        let (id, _) = leading_id(record, br#"{"id":"#).ok_or(Malformed::Places)?;
        let is_last = length == left.len();
        let is_place = record.ends_with(b"}") && is_text(record);
        if id <= self.last_written || !is_place || (is_last && !is_complete(record)) {
            return Err(Malformed::Places);
        }
        Ok(Some(Place {
            id,
            record: record.len(),
            line: length,
        }))
    }

    fn write(&mut self, place: &Place, people: &[u8], out: &mut Vec<u8>) {
        let before = if self.is_first {
            self.frame.open
        } else {
            self.frame.between
        };
        self.is_first = false;
        out.extend_from_slice(before.as_bytes());
        // Without its closing brace, which the people replace.
        let open = self
            .places
            .get(self.at..self.at + place.record.saturating_sub(1));
        out.extend_from_slice(open.unwrap_or_default());
        out.extend_from_slice(people);
        self.at += place.line + 1;
        self.last_written = place.id;
    }
}

/// The end of the record of an empty place.
const EMPTY_PEOPLE: &[u8] = br#","people":[]}"#;

/// The end of the record of a place whose people are unknown.
const NULL_PEOPLE: &[u8] = br#","people":null}"#;

/// A place that has not been written.
struct Place {
    id: i64,
    /// The length of its record.
    record: usize,
    /// The length of its line, with the comma or the bracket.
    line: usize,
}

/// Whether a line has no control characters, which valid JSON never has within a line.
fn is_text(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte >= b' ')
}

/// Whether a record is complete: each opened bracket is closed.
fn is_complete(record: &[u8]) -> bool {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_u32, false, false);
    for byte in record {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b'{' | b'[' if !is_quoted => depth += 1,
            b'}' | b']' if !is_quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth == 0 && !is_quoted
}

/// The number after `key` at the start of a record, and the rest of the record.
pub fn leading_id<'a>(record: &'a [u8], key: &[u8]) -> Option<(i64, &'a [u8])> {
    let after_key = record.strip_prefix(key)?;
    let digits = after_key
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = after_key.split_at_checked(digits)?;
    let id = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((id, rest))
}

#[cfg(test)]
mod tests;
