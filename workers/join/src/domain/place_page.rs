//! Parses a page of places from the places service: a JSON array with one record per line.
//!
//! A page in another format is malformed, and so is a page without an end. So a truncated page is
//! never taken for a complete one.

use std::ops::Range;

use http_semantics::{csv, from_json};

use super::MalformedResponse;
use super::statistics::NamedPlace;

/// A page of places.
#[derive(Debug, Default)]
pub struct PlacePage {
    /// The places, as the places service sent them.
    bytes: Vec<u8>,
    /// The record of each place, in the order of the page.
    records: Vec<PlaceRecord>,
}

/// The record of a place.
#[derive(Debug, Clone)]
struct PlaceRecord {
    id: i64,
    /// Its bytes without the closing brace: the people follow there.
    bytes: Range<usize>,
}

impl PlacePage {
    /// Parses an array of places.
    ///
    /// # Errors
    /// A malformed array.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, MalformedResponse> {
        let records = match bytes.as_slice() {
            b"[]" => Some(Vec::new()),
            [b'[', lines @ .., b']'] => page_records(lines),
            _ => None,
        };
        let records = records.ok_or(MalformedResponse::Places)?;
        Ok(Self { bytes, records })
    }

    /// A page with a single place.
    ///
    /// # Errors
    /// A malformed place.
    pub fn from_place(bytes: Vec<u8>) -> Result<Self, MalformedResponse> {
        let record = place_record(&bytes, 0).filter(|_| is_balanced(&bytes));
        let records = vec![record.ok_or(MalformedResponse::Places)?];
        Ok(Self { bytes, records })
    }

    /// The ids of the places.
    pub fn ids(&self) -> impl Iterator<Item = i64> {
        self.records.iter().map(|record| record.id)
    }

    /// The ids of the places from a position on.
    pub fn ids_from(&self, position: usize) -> impl Iterator<Item = i64> {
        let rest = self.records.get(position..).unwrap_or_default();
        rest.iter().map(|record| record.id)
    }

    /// The number of places.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no places.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The number of bytes of all places.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// The text of a place, which the people follow.
    #[must_use]
    pub fn text(&self, position: usize) -> Option<&[u8]> {
        self.bytes.get(self.records.get(position)?.bytes.clone())
    }

    /// Removes the places after the first ones.
    pub fn truncate(&mut self, places: usize) {
        self.records.truncate(places);
    }

    /// Removes the places whose id does not match.
    pub fn retain(&mut self, matches: impl Fn(i64) -> bool) {
        self.records.retain(|record| matches(record.id));
    }

    /// Adds the places of a later page.
    pub fn append(&mut self, later: Self) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&later.bytes);
        let moved = later.records.into_iter().map(|PlaceRecord { id, bytes }| {
            let bytes = start + bytes.start..start + bytes.end;
            PlaceRecord { id, bytes }
        });
        self.records.extend(moved);
    }

    /// The same places as the first two cells of a line of CSV.
    ///
    /// # Errors
    /// A record of another shape.
    pub fn into_csv(self) -> Result<Self, MalformedResponse> {
        let mut csv = Self::default();
        for position in 0..self.len() {
            let record = [self.text(position).unwrap_or_default(), b"}"].concat();
            let NamedPlace { id, name } =
                from_json::parse(&record).ok_or(MalformedResponse::Places)?;
            let name = csv::escape_formula(&name).replace('"', "\"\"");
            let start = csv.bytes.len();
            csv.bytes
                .extend_from_slice(format!("{id},\"{name}\"").as_bytes());
            let bytes = start..csv.bytes.len();
            csv.records.push(PlaceRecord { id, bytes });
        }
        Ok(csv)
    }
}

/// The records of a page of places, of which `lines` is the text between the brackets.
fn page_records(lines: &[u8]) -> Option<Vec<PlaceRecord>> {
    let mut records = Vec::new();
    let mut start = 1;
    let mut lines = lines.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let record = match lines.peek() {
            Some(_) => line.strip_suffix(b",")?,
            // A truncated page may end with a bracket inside its last record.
            None => Some(line).filter(|line| is_balanced(line))?,
        };
        records.push(place_record(record, start)?);
        start += line.len() + 1;
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
pub(super) fn is_object_end(text: &[u8]) -> bool {
    text.ends_with(b"}") && has_no_controls(text)
}

/// Whether a text has no control characters.
pub(super) fn has_no_controls(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte >= b' ')
}

/// Whether each bracket that a record opens is closed.
pub(super) fn is_balanced(record: &[u8]) -> bool {
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
mod tests {
    use super::*;

    fn page(text: &str) -> PlacePage {
        PlacePage::parse(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_page_has_the_places_of_all_appended_pages() {
        let mut places = page("[]");
        assert!(places.is_empty());
        for later in [
            "[]",
            "[{\"id\":7},\n{\"id\":30}]",
            r#"[{"id":4,"name":"x"}]"#,
        ] {
            places.append(page(later));
        }
        let texts: Vec<_> = (0..places.len()).filter_map(|at| places.text(at)).collect();
        let last: &[u8] = br#"{"id":4,"name":"x""#;
        assert_eq!(texts, [&br#"{"id":7"#[..], br#"{"id":30"#, last]);
        assert!(!places.is_empty());
        assert!(places.size() > texts.concat().len());
    }
}
