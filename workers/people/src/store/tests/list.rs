//! Lists: every combination of filters and orders.

use proptest::prelude::*;
use serde_json::Value as Json;
use tables::record;
use tables::schema::PERSON;
use testbed::Testbed;

use super::{PersonRow, as_text, filled, list, people};

/// All pages of a query: their records, and the total.
fn all_pages(testbed: &Testbed, query: &str) -> (Vec<Json>, usize) {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let statement = list(&format!("{query}{after}"), None);
        let row = testbed.rows(&statement).unwrap().remove(0);
        let page: Vec<Json> = serde_json::from_str(row.text("body")).unwrap();
        found.extend(page);
        let Some(cursor) = as_text(&row["cursor"]) else {
            return (found, usize::try_from(row.integer("total")).unwrap());
        };
        after = format!("&after={cursor}");
    }
}

/// The parameters of a filter, and whether a person matches it.
type Filter = (String, Box<dyn Fn(&PersonRow) -> bool>);

/// Every combination of filters.
fn filters() -> Vec<Filter> {
    type Choice = (&'static str, fn(&PersonRow) -> bool);
    const ANY: Choice = ("", |_| true);
    let lives: [Choice; 3] = [
        ANY,
        ("&isAlive=true", |p| p.is_alive),
        ("&isAlive=false", |p| !p.is_alive),
    ];
    let kings: [Choice; 3] = [
        ANY,
        ("&isKing=true", |p| p.is_king),
        ("&isKing=false", |p| !p.is_king),
    ];
    let places: [Choice; 2] = [ANY, ("&placeId=3", |p| p.place == Some(3))];
    let names: [Choice; 2] = [ANY, ("&name=A", |p| p.name.starts_with('a'))];
    let ids: [Choice; 2] = [ANY, ("&ids=9,2,3,99", |p| [2, 3, 9].contains(&p.id))];
    let mut all: Vec<Filter> = Vec::new();
    for life in lives {
        for king in kings {
            for place in places {
                for name in names {
                    for ids in ids {
                        let chosen = [life, king, place, name, ids];
                        let query = chosen.map(|(query, _)| query).concat();
                        let matches = move |p: &PersonRow| chosen.iter().all(|(_, test)| test(p));
                        all.push((query, Box::new(matches)));
                    }
                }
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_pages_of_every_filter_and_order_are_the_people_who_match(
        people in people(), limit in 1..9usize,
    ) {
        let testbed = filled(&people);
        for (query, matches) in filters() {
            for sort in ["id", "-id", "name", "-name"] {
                let mut expected: Vec<&PersonRow> =
                    people.iter().filter(|p| matches(p)).collect();
                if sort.ends_with("name") {
                    expected.sort_by_key(|p| (&p.name, p.id));
                }
                if sort.starts_with('-') {
                    expected.reverse();
                }
                let expected: Vec<Json> = expected.into_iter().map(PersonRow::json).collect();
                let count = expected.len();
                let query = format!("limit={limit}&sort={sort}&count=exact{query}");
                prop_assert_eq!(all_pages(&testbed, &query), (expected, count), "{}", query);
            }
        }
    }
}

#[test]
fn every_query_has_its_index() {
    let testbed = filled(&[]);
    let read = testbed.plan(&record::read(&PERSON, 1)).unwrap();
    assert!(!read.walks("person"));
    let by_name = ["name", "-name"].map(|sort| (sort, "6e313a61"));
    let by_id = ["id", "-id"].map(|sort| (sort, "6932"));
    for (filter, _) in filters() {
        for (sort, cursor) in [by_name, by_id].concat() {
            for query in [
                format!("sort={sort}{filter}"),
                format!("sort={sort}{filter}&after={cursor}"),
            ] {
                let plan = testbed.plan(&list(&query, None)).unwrap();
                // Almost everyone matches `isKing=false`, so it walks the table as without a
                // filter.
                let may_walk = filter.is_empty() || filter == "&isKing=false";
                assert!(may_walk || !plan.walks("person"), "{query}: {plan:?}");
                // Sorting is cheap for a list of ids and for the one king of a place. No index
                // serves a name prefix sorted by id.
                let is_small = filter.contains("ids")
                    || (filter.contains("isKing=true") && filter.contains("placeId"));
                let has_no_index = filter.contains("name") && sort.ends_with("id");
                assert!(
                    is_small || has_no_index || !plan.sorts(),
                    "{query}: {plan:?}"
                );
            }
        }
    }
}
