//! One change in a stream of live changes.

use domain::{PersonId, PlaceId};
use tables::ChangesQuery;

use super::Position;

/// A change.
pub struct Event {
    /// 0 for places, 1 for people.
    pub collection: usize,
    /// The position of the change in the feed of its collection.
    pub seq: i64,
    /// The JSON.
    pub json: String,
    /// The place before the change, and after it. 0 for none.
    places: [i64; 2],
    /// The id of the record.
    id: i64,
}

impl Event {
    /// Parses a line of a stream ([`tables::change_feed::ChangeFormat::StreamLine`]).
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        const PLACES: &str = ",\"collection\":\"places\",";
        let (start, json) = line.split_once(' ')?;
        let mut numbers = start.split(',').map(|number| number.parse::<i64>().ok());
        let mut number = || numbers.next().flatten();
        let (before, after, id, seq) = (number()?, number()?, number()?, number()?);
        let (_, rest) = json.split_at_checked("{\"at\":\"2026-01-31T12:00:00.000Z\"".len())?;
        Some(Self {
            collection: usize::from(!rest.starts_with(PLACES)),
            seq,
            json: json.to_owned(),
            places: [before, after],
            id,
        })
    }

    /// Whether a filter selects the change. A change of a place is not one of a person.
    pub(super) fn is_selected_by(&self, filter: &ChangesQuery<Position>) -> bool {
        let place = filter.place.map(PlaceId::get);
        let person = filter.person.map(PersonId::get);
        let has_person = |person| self.collection == 1 && self.id == person;
        place.is_none_or(|place| self.places.contains(&place)) && person.is_none_or(has_person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tables::change_feed::Since;
    use tables::page::PageSize;

    fn filter(place: Option<i64>, person: Option<i64>) -> ChangesQuery<Position> {
        ChangesQuery {
            since: Since::Now,
            descending: false,
            after: None,
            limit: PageSize::MAX,
            place: place.and_then(PlaceId::new),
            person: person.and_then(PersonId::new),
        }
    }

    #[test]
    fn an_event_is_selected_by_its_places_and_its_person() {
        let at = "{\"at\":\"2026-01-31T12:00:00.000Z\",\"collection\":";
        let person = Event::parse(&format!("3,0,7,12 {at}\"people\",\"seq\":12}}")).unwrap();
        assert_eq!((person.collection, person.seq), (1, 12));
        let place = Event::parse(&format!("7,7,7,4 {at}\"places\",\"seq\":4}}")).unwrap();
        assert_eq!((place.collection, place.seq), (0, 4));
        for (by_place, by_person, expected) in [
            (None, None, [true, true]),
            (Some(3), None, [true, false]),
            (Some(7), None, [false, true]),
            (None, Some(7), [true, false]),
            (Some(3), Some(7), [true, false]),
            (Some(7), Some(7), [false, false]),
            (None, Some(8), [false, false]),
        ] {
            let filter = filter(by_place, by_person);
            let found = [&person, &place].map(|event| event.is_selected_by(&filter));
            assert_eq!(found, expected, "{by_place:?} {by_person:?}");
        }
        for malformed in ["", "1,2,3 {}", "1,2,3,4 {}", "a,b,c,d {\"at\":"] {
            assert!(Event::parse(malformed).is_none(), "{malformed}");
        }
    }
}
