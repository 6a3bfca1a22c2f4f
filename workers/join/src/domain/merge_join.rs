//! The sort-merge join of places with their people.
//!
//! Both inputs are in the same order of places, so the join reads each of them once. Each input is
//! a JSON array with one record per line:
//!
//! ```text
//! GET /v1/places            {"id":3,"name":"…"}
//! GET /v1/people/by-place   {"placeId":3,"people":[…],"next":"…"}
//! the join of both          {"id":3,"name":"…","people":[…],"next":"…"}
//! ```
//!
//! For CSV, the people service sends one line per person. The join replaces the place id at the
//! start of the line by the cells of the place:
//!
//! ```text
//! GET /v1/places             {"id":3,"name":"…"}
//! GET /internal/people-lines 3,2,"Aiba Stack",true,false
//! the join of both           3,"…",2,"Aiba Stack",true,false
//! ```
//!
//! The join reads the id at the start of each record and copies the rest. It parses no person. A
//! place without a group gets an empty list. In an order by id, the join skips a group whose place
//! is not on the page.
//!
//! The places of a page are in memory. The groups arrive in chunks. If a chunk ends within a line,
//! the join buffers this line until the rest of it arrives.
//!
//! The join rejects groups that are not in this format, that are in another order than the places,
//! or whose end is missing. So it never takes truncated groups for complete ones. If the groups are
//! malformed or the people service is down, [`MergeJoin::places_only`] returns the places with
//! `"people":null`, because their people are unknown.

use http_semantics::MediaType;
use http_semantics::media::ListFraming;

use super::PlacePage;
use super::group_line::{self, EMPTY_CELLS, EMPTY_PEOPLE, Line};

/// The header of the CSV.
pub const CSV_HEADER: &str = "placeId,placeName,id,name,isAlive,isKing\r\n";

/// The backend whose response is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MalformedResponse {
    /// The places service.
    Places,
    /// The people service.
    People,
}

/// The order of the places and of the groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlaceOrder {
    /// By id. There may be groups of places that are not on the page.
    Ascending,
    /// By id, the greatest first. There may be groups of places that are not on the page.
    Descending,
    /// The order of the page. The groups are those of its places.
    AsListed,
}

/// A join in progress.
pub struct MergeJoin {
    places: PlacePage,
    order: PlaceOrder,
    format: MediaType,
    framing: ListFraming,
    /// Whether a place without people is left out.
    needs_people: bool,
    /// The number of places that have been read.
    position: usize,
    /// Whether a record has been written.
    has_written: bool,
    /// The start of the line that the last chunk ended in.
    unfinished_line: Vec<u8>,
    /// The number of groups in the current array.
    group_count: usize,
    /// The place of the last group.
    last_group_id: Option<i64>,
    /// The position of this place, if it is on the page.
    group_position: Option<usize>,
    /// Whether the current array of groups is complete.
    has_ended: bool,
}

/// The end of the record of a place whose people are unknown.
const NULL_PEOPLE: &[u8] = br#","people":null}"#;

impl MergeJoin {
    /// Joins a page of places, which are in this order.
    ///
    /// # Errors
    /// Places in another order, or of another shape than CSV needs.
    pub fn new(
        places: PlacePage,
        order: PlaceOrder,
        format: MediaType,
    ) -> Result<Self, MalformedResponse> {
        let is_sorted = match order {
            PlaceOrder::Ascending => places.ids().is_sorted_by(|a, b| a < b),
            PlaceOrder::Descending => places.ids().is_sorted_by(|a, b| a > b),
            PlaceOrder::AsListed => true,
        };
        if !is_sorted {
            return Err(MalformedResponse::Places);
        }
        let places = match format {
            MediaType::Csv => places.into_csv()?,
            MediaType::Json | MediaType::NdJson => places,
        };
        Ok(Self::with_framing(
            places,
            order,
            format,
            format.framing_with_header(CSV_HEADER),
        ))
    }

    /// Joins a single place, as JSON.
    ///
    /// # Errors
    /// A malformed place.
    pub fn from_place(place: Vec<u8>) -> Result<Self, MalformedResponse> {
        let place = PlacePage::from_place(place)?;
        let (order, format) = (PlaceOrder::Ascending, MediaType::Json);
        Ok(Self::with_framing(place, order, format, ListFraming::NONE))
    }

    fn with_framing(
        places: PlacePage,
        order: PlaceOrder,
        format: MediaType,
        framing: ListFraming,
    ) -> Self {
        Self {
            places,
            order,
            format,
            framing,
            needs_people: false,
            position: 0,
            has_written: false,
            unfinished_line: Vec::new(),
            group_count: 0,
            last_group_id: None,
            group_position: None,
            has_ended: false,
        }
    }

    /// Leaves out places without people.
    #[must_use]
    pub fn without_empty_places(self) -> Self {
        Self {
            needs_people: true,
            ..self
        }
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
        let needs_more = is_full && self.position < self.places.len();
        Ok(self.last_group_id.filter(|_| needs_more))
    }

    /// Writes the remaining places, which have no people, and the end of the list.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.skip_places(self.places.len(), out);
        if !self.has_written {
            out.extend_from_slice(self.framing.open.as_bytes());
        }
        out.extend_from_slice(self.framing.end(!self.has_written).as_bytes());
    }

    /// All places with `"people":null`, from the first place on. CSV cannot show that the people are
    /// unknown.
    #[must_use]
    pub fn places_only(mut self) -> Option<Vec<u8>> {
        if self.format == MediaType::Csv {
            return None;
        }
        let mut out = Vec::with_capacity(2 * self.places.size());
        self.has_written = false;
        for position in 0..self.places.len() {
            self.write(position, NULL_PEOPLE, &mut out);
        }
        self.position = self.places.len();
        self.finish(&mut out);
        Some(out)
    }

    /// A line of the groups.
    fn push_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), MalformedResponse> {
        let is_csv = self.format == MediaType::Csv;
        let line = if self.has_ended {
            None
        } else if is_csv {
            group_line::parse_csv(line)
        } else {
            group_line::parse_json(line, self.group_count == 0)
        };
        let Line { group, is_last } = line.ok_or(MalformedResponse::People)?;
        self.has_ended = is_last;
        let Some(group) = group else {
            return Ok(());
        };
        let is_same_place = self.group_count > 0 && self.last_group_id == Some(group.place_id);
        if !(is_csv && is_same_place && !group.is_empty) {
            self.begin_group(group.place_id, out)?;
        }
        if let Some(position) = self.group_position
            && !(group.is_empty && self.needs_people)
        {
            self.write(position, group.people, out);
        }
        Ok(())
    }

    /// Reads the places up to that of a group. Those before it have no people.
    fn begin_group(&mut self, place_id: i64, out: &mut Vec<u8>) -> Result<(), MalformedResponse> {
        let skipped = self.places_before(place_id);
        let skipped = skipped.ok_or(MalformedResponse::People)?;
        self.skip_places(self.position + skipped, out);
        self.group_count += 1;
        self.last_group_id = Some(place_id);
        let is_on_page = self.places.ids_from(self.position).next() == Some(place_id);
        self.group_position = is_on_page.then_some(self.position);
        self.position += usize::from(is_on_page);
        Ok(())
    }

    /// The number of places to read before that of a group. None if the group is out of order.
    fn places_before(&self, place_id: i64) -> Option<usize> {
        let last = self.last_group_id;
        let mut rest = self.places.ids_from(self.position);
        match self.order {
            PlaceOrder::Ascending if last.is_none_or(|last| place_id > last) => {
                Some(rest.take_while(|id| *id < place_id).count())
            }
            PlaceOrder::Descending if last.is_none_or(|last| place_id < last) => {
                Some(rest.take_while(|id| *id > place_id).count())
            }
            PlaceOrder::Ascending | PlaceOrder::Descending => None,
            PlaceOrder::AsListed => rest.position(|id| id == place_id),
        }
    }

    /// Reads the places before a position, which have no people.
    fn skip_places(&mut self, position: usize, out: &mut Vec<u8>) {
        let people = match self.format {
            MediaType::Csv => EMPTY_CELLS,
            MediaType::Json | MediaType::NdJson => EMPTY_PEOPLE,
        };
        while self.position < position {
            if !self.needs_people {
                self.write(self.position, people, out);
            }
            self.position += 1;
        }
    }

    /// Writes a record. `people` is its end.
    fn write(&mut self, position: usize, people: &[u8], out: &mut Vec<u8>) {
        let place = self.places.text(position).unwrap_or_default();
        let before = if self.has_written {
            self.framing.between
        } else {
            self.framing.open
        };
        for part in [before.as_bytes(), place, people] {
            out.extend_from_slice(part);
        }
        self.has_written = true;
    }
}

#[cfg(test)]
mod query_tests;
#[cfg(test)]
mod tests;
