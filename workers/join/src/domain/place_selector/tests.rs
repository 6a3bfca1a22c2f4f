//! Tests the selection of places: fills pages from two simulated backends, and compares them with a
//! filter over all places.

use std::collections::BTreeMap;

use domain::Param;
use http_semantics::Params;
use proptest::prelude::*;
use tables::population::Measure;

use super::super::statistics::King;
use super::*;

/// The living, the dead and whether there is a king, per place.
type Populations = BTreeMap<i64, (i64, i64, bool)>;

/// The places service: a window of places, and the cursor after it.
fn window(places: &[i64], limit: usize, after: Option<&str>) -> (PlacePage, Option<String>) {
    // The cursor of the simulation is a position.
    let start: usize = after.map_or(0, |after| match Param::parse(after) {
        Some(Cursor::Id(id)) => places.iter().position(|place| *place == id).unwrap() + 1,
        Some(Cursor::Population(_, position, _)) => usize::try_from(position).unwrap(),
        other => panic!("{other:?}"),
    });
    let end = places.len().min(start + limit);
    let records: Vec<String> = places[start..end]
        .iter()
        .map(|id| format!("{{\"id\":{id},\"name\":\"n\"}}"))
        .collect();
    let page = PlacePage::parse(format!("[{}]", records.join(",\n")).into_bytes()).unwrap();
    let cursor = Cursor::Population(Measure::Total, i64::try_from(end).unwrap(), 0).to_string();
    (page, (end < places.len()).then_some(cursor))
}

fn populations(ids: &[i64], all: &Populations) -> Vec<Population> {
    let population = |id: &i64| {
        let (living, dead, has_king) = *all.get(id)?;
        let king = has_king.then(|| King {
            id: 1,
            name: Some("k".to_owned()),
        });
        Some(Population {
            place_id: *id,
            living,
            dead,
            king,
        })
    };
    ids.iter().filter_map(population).collect()
}

fn parse(query: &str) -> ListQuery {
    let params = Params::parse(query, ListQuery::PARAMETERS).unwrap();
    ListQuery::read(&params).unwrap()
}

/// A page of at most `steps` steps, and the cursor of the next one.
fn fill(
    query: &ListQuery,
    places: &[i64],
    all: &Populations,
    steps: usize,
    after: Option<String>,
) -> (Vec<i64>, Option<String>) {
    let mut selector = PlaceSelector::new(query, query.has_people.unwrap());
    selector.after = after;
    for _ in 0..steps {
        let Some((limit, after)) = selector.next_window() else {
            break;
        };
        let (page, next) = window(places, limit.get().into(), after);
        let unknown = selector.unknown_places(&page);
        selector.add_populations(&unknown, &populations(&unknown, all));
        selector.add_window(page, next);
    }
    let (page, next) = selector.into_page();
    (page.ids().collect(), next)
}

proptest! {
    #[test]
    fn the_pages_of_every_filter_and_order_are_the_places_that_match(
        places in Just((1..40i64).collect::<Vec<_>>()).prop_shuffle(),
        count in 0..40usize,
        all in prop::collection::btree_map(1..40i64, (0..3i64, 0..2i64, any::<bool>()), 0..30),
        limit in 1..9usize,
        steps in 1..6usize,
    ) {
        let places = &places[..count];
        let all: Populations = all
            .into_iter()
            .map(|(id, (living, dead, king))| (id, (living, dead, king && living > 0)))
            .collect();
        for sort in ["id", "name"] {
            for has_people in [true, false] {
                for filter in ["", "&isAlive=true", "&isAlive=false", "&isKing=true", "&isKing=false"] {
                    let query = format!("limit={limit}&sort={sort}&hasPeople={has_people}{filter}");
                    let query = parse(&query);
                    let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
                    loop {
                        let (page, next) = fill(&query, places, &all, steps, after);
                        prop_assert!(page.len() <= limit);
                        found.extend(page);
                        pages += 1;
                        prop_assert!(pages <= 41, "a page makes progress");
                        after = next;
                        if after.is_none() {
                            break;
                        }
                    }
                    let matches = |id: &&i64| {
                        let (living, dead, king) = all.get(*id).copied().unwrap_or_default();
                        let count = query.people.filter.count(living, dead, king);
                        (count > 0) == has_people
                    };
                    let expected: Vec<i64> = places.iter().filter(matches).copied().collect();
                    prop_assert_eq!(found, expected, "{:?}", query);
                }
            }
        }
    }
}

#[test]
fn a_page_is_full_unless_the_steps_are_used_up() {
    let query = parse("limit=10&hasPeople=true&sort=name");
    let places: Vec<i64> = (1..=2000).collect();
    let every = |n: i64| {
        (1..=2000)
            .filter(|id| id % n == 0)
            .map(|id| (id, (1, 0, false)))
            .collect()
    };
    let fill = |n, steps| fill(&query, &places, &every(n), steps, None).0.len();
    assert_eq!(fill(1, 1), 10);
    assert_eq!(fill(2, 3), 10);
    assert_eq!(fill(150, 4), 10);
    assert_eq!(fill(1000, 2), 1);
}

#[test]
fn a_window_has_a_quarter_more_places_than_needed_and_at_least_doubles() {
    let query = parse("limit=100&hasPeople=true&sort=name");
    let places: Vec<i64> = (1..=2000).collect();
    let windows = |every: i64| {
        let lives_in = places.iter().filter(|id| *id % every == 0);
        let all = lives_in.map(|id| (*id, (1, 0, false))).collect();
        let mut selector = PlaceSelector::new(&query, true);
        let mut sizes = Vec::new();
        while let Some((limit, after)) = selector.next_window() {
            sizes.push(limit.get());
            assert!(sizes.len() < 9, "a window makes progress");
            let (page, next) = window(&places, limit.get().into(), after);
            let unknown = selector.unknown_places(&page);
            selector.add_populations(&unknown, &populations(&unknown, &all));
            selector.add_window(page, next);
        }
        sizes
    };
    // One in five matches: 80 are missing, which 400 places have. The last window ends at the last one.
    assert_eq!(windows(5), [100, 501, 400]);
    assert_eq!(windows(2), [100, 200, 100]);
    assert_eq!(windows(1000), [100, 1000, 1000]);
}
