//! The sort-merge join of places and their people.
//!
//! Both inputs are lines of JSON in order of place id: places `{"id":3,"name":…}`, groups
//! `{"placeId":3,"people":[…]}`. One pass over both writes each place with what stands in
//! its group behind the id, spliced as it is: no person is ever parsed. A place without a
//! group has nobody; a group without a place (an orphan) is passed over.
//!
//! The places of a page are held whole, the groups flow through: what is held of them is
//! at most one unfinished line.

use registry::media::Frame;

/// An input that is not what its service promises.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// A merge on its way.
pub struct Merge {
    places: Vec<u8>,
    /// Where the next place's line begins.
    at: usize,
    frame: Frame,
    /// Whether nothing has been written yet.
    is_first: bool,
    /// The line that the last chunk broke off.
    unfinished: Vec<u8>,
    groups: usize,
    last_group: i64,
}

impl Merge {
    /// A merge of a page of places, whose records are written in a frame.
    #[must_use]
    pub fn new(places: Vec<u8>, frame: Frame) -> Self {
        Self {
            places,
            at: 0,
            frame,
            is_first: true,
            unfinished: Vec::new(),
            groups: 0,
            last_group: 0,
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
                self.group(line, out)?;
            } else {
                let mut whole = std::mem::take(&mut self.unfinished);
                whole.extend_from_slice(line);
                self.group(&whole, out)?;
            }
        }
        self.unfinished.extend_from_slice(broken_off);
        Ok(())
    }

    /// Whether places are left that groups behind the last one may belong to, when `asked`
    /// groups were asked for: the place to ask on behind. With sound references it never
    /// is, because the groups of a page are groups of its places.
    ///
    /// # Errors
    /// A page of places that cannot be read.
    pub fn unsettled(&mut self, asked: usize) -> Result<Option<i64>, Malformed> {
        let all_came = self.groups < asked;
        self.groups = 0;
        Ok(match self.next_place()? {
            Some(_) if !all_came => Some(self.last_group),
            _ => None,
        })
    }

    /// Writes the places that are left, which have nobody, and the frame's end.
    ///
    /// # Errors
    /// Groups that broke off within a line, or a page of places that cannot be read.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        if !self.unfinished.is_empty() {
            return Err(Malformed("the groups break off"));
        }
        while let Some(place) = self.next_place()? {
            self.write(&place, br#","people":[]}"#, out);
        }
        if self.is_first {
            out.extend_from_slice(self.frame.open.as_bytes());
        }
        out.extend_from_slice(self.frame.end(self.is_first).as_bytes());
        Ok(())
    }

    /// The id of the last place of the page.
    #[must_use]
    pub fn last_place(&self) -> Option<i64> {
        let lines = self.places.strip_suffix(b"\n").unwrap_or(&self.places);
        let last = lines.rsplit(|byte| *byte == b'\n').next()?;
        leading_id(last, br#"{"id":"#).map(|(id, _)| id)
    }

    fn group(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
        let malformed = Malformed("a group cannot be read");
        let (place_id, rest) = leading_id(line, br#"{"placeId":"#).ok_or(malformed)?;
        if place_id <= self.last_group || !rest.starts_with(b",") {
            return Err(Malformed("the groups are out of order"));
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
                br#","people":[]}"#
            };
            self.write(&place, people, out);
        }
        Ok(())
    }

    /// The next place that is not written yet.
    fn next_place(&self) -> Result<Option<Place>, Malformed> {
        let left = self.places.get(self.at..).unwrap_or_default();
        if left.is_empty() {
            return Ok(None);
        }
        let length = left
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(left.len());
        let line = left.get(..length).unwrap_or_default();
        let id = leading_id(line, br#"{"id":"#).filter(|_| line.ends_with(b"}"));
        let (id, _) = id.ok_or(Malformed("a place cannot be read"))?;
        Ok(Some(Place { id, length }))
    }

    fn write(&mut self, place: &Place, people: &[u8], out: &mut Vec<u8>) {
        let frame = self.frame;
        let before = if self.is_first {
            frame.open
        } else {
            frame.between
        };
        self.is_first = false;
        out.extend_from_slice(before.as_bytes());
        // Without its closing brace: the people go on where it stood.
        let open = self
            .places
            .get(self.at..self.at + place.length.saturating_sub(1));
        out.extend_from_slice(open.unwrap_or_default());
        out.extend_from_slice(people);
        self.at += place.length + 1;
    }
}

struct Place {
    id: i64,
    /// Of its line, without the line's end.
    length: usize,
}

/// The id that a line begins with behind `key`, and what stands behind it.
fn leading_id<'a>(line: &'a [u8], key: &[u8]) -> Option<(i64, &'a [u8])> {
    let behind = line.strip_prefix(key)?;
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
