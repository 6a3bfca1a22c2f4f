//! The sort-merge join of places and their people.
//!
//! Both inputs are JSON arrays, one record a line, in order of place id: places
//! `{"id":3,"name":…}`, groups `{"placeId":3,"people":[…]}`. One pass over both writes each
//! place with what stands in its group behind the id, spliced as it is: no person is ever
//! parsed. A place without a group has nobody; a group without a place (an orphan) is
//! passed over.
//!
//! The places of a page are held whole, the groups flow through: what is held of them is at
//! most one unfinished line. An array ends with its bracket, so that one that broke off is
//! never taken for whole, and nobody for missing.

use http_semantics::media::Frame;

/// An input that is not what its service promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The places.
    Places,
    /// The groups.
    Groups,
}

/// A merge on its way.
pub struct Merge {
    places: Vec<u8>,
    /// Where the next place's record begins.
    at: usize,
    /// Where the first one does.
    start: usize,
    frame: Frame,
    /// Whether nothing has been written yet.
    is_first: bool,
    /// The line that the last chunk broke off.
    unfinished: Vec<u8>,
    /// Whether the array of groups has come to its end.
    has_ended: bool,
    groups: usize,
    last_group: i64,
    last_written: i64,
}

impl Merge {
    /// A merge of a page of places, whose records are written in a frame.
    ///
    /// # Errors
    /// What is no array.
    pub fn of_page(places: Vec<u8>, frame: Frame) -> Result<Self, Malformed> {
        match places.as_slice() {
            [b'[', .., b']'] => Ok(Self {
                at: 1,
                start: 1,
                ..Self::of_one(places, frame)
            }),
            _ => Err(Malformed::Places),
        }
    }

    /// A merge of a single place.
    #[must_use]
    pub fn of_one(place: Vec<u8>, frame: Frame) -> Self {
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

    /// Takes the next bytes of the groups, and writes every place that they settle.
    ///
    /// # Errors
    /// A line that is no group, or one out of order.
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

    /// Takes the end of the groups, of which `asked` were asked for at most. Gives the place
    /// to ask on behind, if places are left that further groups may belong to: with sound
    /// references there are none, because the groups of a page are groups of its places.
    ///
    /// # Errors
    /// Groups without their end, or anything that cannot be read.
    pub fn groups_end(
        &mut self,
        asked: usize,
        out: &mut Vec<u8>,
    ) -> Result<Option<i64>, Malformed> {
        let last = std::mem::take(&mut self.unfinished);
        self.line(&last, out)?;
        if !std::mem::take(&mut self.has_ended) {
            return Err(Malformed::Groups);
        }
        let all_came = std::mem::take(&mut self.groups) < asked;
        let place_is_left = self.next_place()?.is_some();
        Ok((place_is_left && !all_came).then_some(self.last_group))
    }

    /// Writes the places that are left, which have nobody, and the frame's end.
    ///
    /// # Errors
    /// Places that cannot be read.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        self.rest(NOBODY, out)
    }

    fn rest(&mut self, people: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        while let Some(place) = self.next_place()? {
            self.write(&place, people, out);
        }
        if self.is_first && self.start == 0 {
            // A single place is there, or it is none.
            return Err(Malformed::Places);
        }
        if self.is_first {
            out.extend_from_slice(self.frame.open.as_bytes());
        }
        out.extend_from_slice(self.frame.end(self.is_first).as_bytes());
        Ok(())
    }

    /// The places alone, whatever of them has been written: who lives there is not known.
    ///
    /// # Errors
    /// Places that cannot be read.
    pub fn without_people(self) -> Result<Vec<u8>, Malformed> {
        let mut anew = Self {
            at: self.start,
            start: self.start,
            ..Self::of_one(self.places, self.frame)
        };
        let mut out = Vec::with_capacity(2 * anew.places.len());
        anew.rest(UNKNOWN, &mut out)?;
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
        // The bracket may be another one, at which the array broke off.
        if self.has_ended && !is_whole(record) {
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
            let people = if place.id == place_id { rest } else { NOBODY };
            self.write(&place, people, out);
        }
        Ok(())
    }

    /// The next place that is not written yet.
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
        if id <= self.last_written || !is_place || (is_last && !is_whole(record)) {
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
        // Without its closing brace: the people go on where it stood.
        let open = self
            .places
            .get(self.at..self.at + place.record.saturating_sub(1));
        out.extend_from_slice(open.unwrap_or_default());
        out.extend_from_slice(people);
        self.at += place.line + 1;
        self.last_written = place.id;
    }
}

/// What stands behind the name of a place without people.
const NOBODY: &[u8] = br#","people":[]}"#;

/// What stands behind the name of a place of which nobody knows who lives there.
const UNKNOWN: &[u8] = br#","people":null}"#;

/// A place that is not written yet.
struct Place {
    id: i64,
    /// The length of its record.
    record: usize,
    /// The length of its line, with what divides it from the next record.
    line: usize,
}

/// Whether a line has none of the characters that JSON has nowhere within one: what is spliced as
/// it is was never written by a service otherwise.
pub fn is_text(line: &[u8]) -> bool {
    line.iter().all(|byte| *byte >= b' ')
}

/// Whether a record ends where it ends, and not within: each bracket that is opened is closed.
pub fn is_whole(record: &[u8]) -> bool {
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

/// The number that a record begins with behind `key`, and what stands behind it.
pub fn leading_id<'a>(record: &'a [u8], key: &[u8]) -> Option<(i64, &'a [u8])> {
    let behind = record.strip_prefix(key)?;
    let digits = behind
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (digits, rest) = behind.split_at_checked(digits)?;
    let id = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((id, rest))
}

#[cfg(test)]
mod tests;
