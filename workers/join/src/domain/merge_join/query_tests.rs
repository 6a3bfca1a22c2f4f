//! Tests the merge join with every order and filter of a page. The backends are simulated, and a
//! nested loop over the same records gives the expected page.

use http_semantics::{MediaType, Params};
use proptest::prelude::*;
use serde_json::{Value, json};
use tables::by_place::{ByPlaceQuery, PeopleFilter, PlaceSelection};

use super::*;
use crate::domain::ListQuery;

/// A place: its id and name.
type Place = (i64, String);

#[derive(Debug, Clone)]
struct Person {
    id: i64,
    place: i64,
    is_alive: bool,
    is_king: bool,
}

impl Person {
    fn matches(&self, filter: PeopleFilter) -> bool {
        let Self {
            is_alive, is_king, ..
        } = self;
        filter.is_alive.is_none_or(|alive| alive == *is_alive)
            && filter.is_king.is_none_or(|king| king == *is_king)
    }

    fn json(&self) -> Value {
        json!({"id": self.id, "name": "{\"],\n", "isAlive": self.is_alive, "isKing": self.is_king})
    }

    fn cells(&self) -> String {
        format!(
            "{},\"x, \"\"y\"\"\",{},{}",
            self.id, self.is_alive, self.is_king
        )
    }
}

/// Whether a place matches a filter.
type Matches = fn(&Place) -> bool;

/// The filters of places.
const PLACE_FILTERS: [(&str, Matches); 4] = [
    ("", |_| true),
    ("&name=a", |(_, name)| name.starts_with('a')),
    ("&q=b", |(_, name)| name.contains(" b")),
    ("&ids=1,2,3,5,8,13", |(id, _)| {
        [1, 2, 3, 5, 8, 13].contains(id)
    }),
];

const SORTS: [&str; 4] = ["id", "-id", "name", "-name"];

/// The places of a page in their order, as the places service selects them.
fn selected(places: &[Place], sort: &str, matches: Matches) -> Vec<Place> {
    let mut page: Vec<Place> = places
        .iter()
        .filter(|place| matches(place))
        .cloned()
        .collect();
    let is_by_name = sort.ends_with("name");
    page.sort_by_key(|(id, name)| (is_by_name.then(|| name.clone()), *id));
    if sort.starts_with('-') {
        page.reverse();
    }
    page
}

/// The groups that the people service sends for a query. Only places with people have one.
fn groups(people: &[Person], query: &ByPlaceQuery) -> Vec<(i64, Vec<Person>)> {
    let mut inhabited: Vec<i64> = people.iter().map(|person| person.place).collect();
    inhabited.sort_unstable();
    inhabited.dedup();
    let ids: Vec<i64> = match &query.places {
        PlaceSelection::Listed(ids) => ids.clone(),
        PlaceSelection::After { place, descending } => {
            let is_after = |id: &i64| match place {
                None => true,
                Some(place) if *descending => id < place,
                Some(place) => id > place,
            };
            let mut ids: Vec<i64> = inhabited.iter().copied().filter(is_after).collect();
            if *descending {
                ids.reverse();
            }
            ids
        }
    };
    let group = |place: i64| {
        let people = people.iter().filter(|person| person.place == place);
        let people = people.filter(|person| person.matches(query.filter));
        (place, people.cloned().collect())
    };
    let ids = ids.into_iter().filter(|id| inhabited.contains(id));
    ids.take(query.limit.get().into()).map(group).collect()
}

/// The text of groups, as the people service renders it.
fn render(groups: &[(i64, Vec<Person>)], format: MediaType) -> String {
    if format == MediaType::Csv {
        let lines = groups.iter().flat_map(|(place, people)| {
            let empty = people.is_empty().then(|| format!("{place},,,,\n"));
            let lines = people
                .iter()
                .map(move |person| format!("{place},{}\n", person.cells()));
            lines.chain(empty).collect::<Vec<_>>()
        });
        return lines.collect::<String>() + ".";
    }
    let record = |(place, people): &(i64, Vec<Person>)| {
        let people: Vec<Value> = people.iter().map(Person::json).collect();
        format!("{{\"placeId\":{place},\"people\":{}}}", json!(people))
    };
    let records: Vec<String> = groups.iter().map(record).collect();
    format!("[{}]", records.join(",\n"))
}

/// Joins a page as the service does: by ranges of ids if both services select by them, and otherwise
/// by lists of ids.
fn join(
    page: &[Place],
    people: &[Person],
    query: &ListQuery,
    format: MediaType,
    chunk: usize,
) -> String {
    let records = page
        .iter()
        .map(|(id, name)| json!({"id": id, "name": name}).to_string());
    let text = format!("[{}]", records.collect::<Vec<_>>().join(",\n"));
    let places = PlacePage::parse(text.into_bytes()).unwrap();
    let ids: Vec<i64> = places.ids().collect();
    let order = query.order_by_id();
    let mut join = MergeJoin::new(places, order.unwrap_or(PlaceOrder::AsListed), format).unwrap();
    if query.has_people == Some(true) {
        join = join.without_empty_places();
    }
    let mut lists = ids.chunks(2);
    let mut out = Vec::new();
    let mut next = match order {
        Some(_) => Some(query.groups_after(None)),
        None => lists.next().map(|ids| query.groups_of(ids.to_vec())),
    };
    while let Some(request) = next {
        let text = render(&groups(people, &request), format);
        for chunk in text.as_bytes().chunks(chunk) {
            join.push(chunk, &mut out).unwrap();
        }
        let after = join
            .end_groups(request.limit.get().into(), &mut out)
            .unwrap();
        next = match order {
            Some(_) => after.map(|after| query.groups_after(Some(after))),
            None => lists.next().map(|ids| query.groups_of(ids.to_vec())),
        };
    }
    join.finish(&mut out);
    String::from_utf8(out).unwrap()
}

/// A nested loop join.
fn nested_loops(page: &[Place], people: &[Person], query: &ListQuery, format: MediaType) -> String {
    let residents = |place: i64| -> Vec<&Person> {
        let people = people.iter().filter(|person| person.place == place);
        people
            .filter(|person| person.matches(query.people.filter))
            .collect()
    };
    let is_shown = |(id, _): &&Place| query.has_people != Some(true) || !residents(*id).is_empty();
    let shown = page.iter().filter(is_shown);
    if format == MediaType::Csv {
        let rows = shown.flat_map(|(id, name)| {
            let empty = residents(*id)
                .is_empty()
                .then(|| format!("{id},\"{name}\",,,,\r\n"));
            let rows = residents(*id).into_iter();
            let rows = rows.map(|person| format!("{id},\"{name}\",{}\r\n", person.cells()));
            rows.chain(empty).collect::<Vec<_>>()
        });
        return CSV_HEADER.to_owned() + &rows.collect::<String>();
    }
    let records = shown.map(|(id, name)| {
        let people: Vec<Value> = residents(*id).into_iter().map(Person::json).collect();
        format!(
            "{{\"id\":{id},\"name\":\"{name}\",\"people\":{}}}",
            json!(people)
        )
    });
    format!("[{}]", records.collect::<Vec<_>>().join(",\n"))
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    // A place of someone may be missing. 0, 1 and 2: dead, alive, king.
    let person = (1..18i64, 0..3u8);
    prop::collection::vec(person, 0..24).prop_map(|people| {
        let person = |(n, (place, state)): (usize, (i64, u8))| Person {
            id: i64::try_from(n).unwrap() + 1,
            place,
            is_alive: state > 0,
            is_king: state == 2,
        };
        people.into_iter().enumerate().map(person).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_merge_of_every_order_and_filter_equals_a_nested_loop_join(
        ids in prop::collection::btree_set(1..15i64, 0..12),
        names in Just(vec!["a b", "a c", "b", "c b", "a", "d b"]).prop_shuffle(),
        people in people(),
        chunk in 1..90usize,
    ) {
        // Names repeat, and their order is not that of the ids.
        let name = |id: &i64| names[usize::try_from(*id * 7 % 6).unwrap()].to_owned();
        let places: Vec<Place> = ids.iter().map(|id| (*id, name(id))).collect();
        for (place_filter, matches) in PLACE_FILTERS {
            for sort in SORTS {
                for flags in [
                    "", "&isAlive=true", "&isAlive=false", "&isKing=true", "&isKing=false",
                    "&isAlive=true&isKing=false", "&hasPeople=true", "&hasPeople=true&isKing=true",
                ] {
                    let text = format!("limit=12&sort={sort}{place_filter}{flags}");
                    let params = Params::parse(&text, ListQuery::PARAMETERS).unwrap();
                    let query = ListQuery::read(&params).unwrap();
                    let page = selected(&places, sort, matches);
                    for format in [MediaType::Json, MediaType::Csv] {
                        let joined = join(&page, &people, &query, format, chunk);
                        let expected = nested_loops(&page, &people, &query, format);
                        prop_assert_eq!(joined, expected, "{}", &text);
                    }
                }
            }
        }
    }
}
