//! Parses one line of the groups that the people service sends. A group is the people of one place.

use super::place_page::{has_no_controls, is_balanced, is_object_end, leading_number};

/// The end of the record of a place without people.
pub(super) const EMPTY_PEOPLE: &[u8] = br#","people":[]}"#;

/// The cells of a place without people, in CSV.
pub(super) const EMPTY_CELLS: &[u8] = b",,,,";

/// The last line of the groups for CSV.
const END_OF_LINES: &[u8] = b".";

/// A line.
pub(super) struct Line<'a> {
    /// None on the line of an empty list.
    pub group: Option<Group<'a>>,
    /// Whether the groups end here.
    pub is_last: bool,
}

/// People of a place.
pub(super) struct Group<'a> {
    pub place_id: i64,
    /// The people, which follow the text of the place.
    pub people: &'a [u8],
    /// Whether nobody matches the filter.
    pub is_empty: bool,
}

/// Parses a line of a JSON array: `[`, at most one group, and `,` or `]`.
pub(super) fn parse_json(line: &[u8], is_first: bool) -> Option<Line<'_>> {
    let line = if is_first {
        line.strip_prefix(b"[")?
    } else {
        line
    };
    let [group @ .., end @ (b',' | b']')] = line else {
        return None;
    };
    let is_last = *end == b']';
    // A truncated array may end with the bracket of the people in its last group.
    if is_last && !is_balanced(group) {
        return None;
    }
    if is_first && group.is_empty() && is_last {
        return Some(Line {
            group: None,
            is_last,
        });
    }
    let (place_id, people) = leading_number(group, br#"{"placeId":"#)?;
    let is_group = people.starts_with(br#","people":["#) && is_object_end(people);
    let group = is_group.then_some(Group {
        place_id,
        people,
        is_empty: people.starts_with(EMPTY_PEOPLE),
    })?;
    Some(Line {
        group: Some(group),
        is_last,
    })
}

/// Parses a line of CSV, of which one group can have several, or the end of the lines.
pub(super) fn parse_csv(line: &[u8]) -> Option<Line<'_>> {
    if line == END_OF_LINES {
        return Some(Line {
            group: None,
            is_last: true,
        });
    }
    let (place_id, people) = leading_number(line, b"")?;
    let is_line = people.starts_with(b",") && has_no_controls(people);
    let group = is_line.then_some(Group {
        place_id,
        people,
        is_empty: people == EMPTY_CELLS,
    })?;
    Some(Line {
        group: Some(group),
        is_last: false,
    })
}
