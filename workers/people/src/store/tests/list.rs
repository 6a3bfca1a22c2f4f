//! Tests lists of people with every combination of filters and orders.

use domain::name::{Name, Normalize};
use proptest::prelude::*;
use serde_json::Value as Json;
use tables::record;
use tables::schema::PERSON;
use testbed::Testbed;

use super::{PersonRow, as_text, filled, filled_by, list, people};

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

/// Whether a word of the name begins with a text.
fn has_word(person: &PersonRow, start: &str) -> bool {
    let keys = Name::from_stored(&person.name).keys(Normalize::NONE);
    let words = keys.words.or(keys.search).unwrap_or(keys.case);
    words.split(' ').any(|word| word.starts_with(start))
}

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
    let places: [Choice; 4] = [
        ANY,
        ("&placeId=3", |p| p.place == Some(3)),
        ("&placeId=none", |p| p.place.is_none()),
        ("&placeId=9,1,3", |p| [Some(1), Some(3)].contains(&p.place)),
    ];
    let words: [Choice; 2] = [ANY, ("&q=b", |p| has_word(p, "b"))];
    let names: [Choice; 2] = [ANY, ("&name=A", |p| p.name.starts_with('a'))];
    let ids: [Choice; 2] = [ANY, ("&ids=9,2,3,99", |p| [2, 3, 9].contains(&p.id))];
    let mut all: Vec<Filter> = Vec::new();
    for life in lives {
        for king in kings {
            for place in places {
                for name in names {
                    for words in words {
                        for ids in ids {
                            let chosen = [life, king, place, name, words, ids];
                            let query = chosen.map(|(query, _)| query).concat();
                            let matches =
                                move |p: &PersonRow| chosen.iter().all(|(_, test)| test(p));
                            all.push((query, Box::new(matches)));
                        }
                    }
                }
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

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
                    expected.sort_by_cached_key(|p| {
                        let keys = Name::from_stored(&p.name).keys(Normalize::NONE);
                        (keys.search.unwrap_or(keys.case), p.name.clone(), p.id)
                    });
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
fn the_beginning_of_a_name_may_be_followed_by_any_character() {
    let testbed = filled_by(
        "INSERT INTO person (id, name, name_key, is_alive) VALUES (1, 'ab\u{10FFFF}c', 'ab\u{10FFFF}c', 0)",
    );
    for sort in ["id", "name", "-name"] {
        let (found, _) = all_pages(&testbed, &format!("name=ab&sort={sort}&count=exact"));
        assert_eq!(found.len(), 1, "{sort}");
    }
}

#[test]
fn a_list_in_order_of_name_reads_the_search_index_or_one_or_two_ranges_of_an_index() {
    for (filter, has_search, has_two_ranges) in [
        ("", false, true),
        ("&name=a", false, true),
        ("&isAlive=true", false, false),
        ("&isKing=false", false, true),
        ("&isKing=true", false, false),
        ("&placeId=3", false, true),
        ("&placeId=none", false, true),
        ("&placeId=3&isAlive=false", false, false),
        ("&placeId=3&isKing=true", true, false),
        ("&placeId=3,4", true, false),
        ("&q=a", true, false),
        ("&ids=3", false, false),
    ] {
        let sql = list(&format!("sort=name{filter}"), None).sql;
        let found = ["person_search MATCH", "UNION ALL"].map(|part| sql.contains(part));
        assert_eq!(found, [has_search, has_two_ranges], "{filter}");
        // The beginning of a name is the beginning of a range.
        assert_eq!(sql.contains("AND sort_key < ?"), filter.contains("name="));
    }
}

#[test]
fn the_populations_have_the_total_of_places_and_of_the_living_and_all_others_are_counted() {
    for (filter, is_counted) in [
        ("", false),
        ("&isAlive=true", false),
        ("&placeId=3,4&isAlive=false", false),
        ("&isKing=true", true),
        ("&q=a", true),
        ("&name=a", true),
        ("&ids=3", true),
    ] {
        let sql = list(&format!("count=exact{filter}"), None).sql;
        assert_eq!(sql.contains("counted"), is_counted, "{filter}");
    }
}

#[test]
fn every_query_has_its_index() {
    let testbed = filled(&[]);
    let read = testbed.plan(&record::read(&PERSON, 1, None)).unwrap();
    assert!(!read.walks("person"));
    let by_name = ["name", "-name"].map(|sort| (sort, "6e313a610161"));
    let by_id = ["id", "-id"].map(|sort| (sort, "6932"));
    for (filter, _) in filters() {
        for (sort, cursor) in [by_name, by_id].concat() {
            for query in [
                format!("sort={sort}{filter}"),
                format!("sort={sort}{filter}&after={cursor}"),
            ] {
                let plan = testbed.plan(&list(&query, None)).unwrap();
                let is_walk = filter.is_empty() && sort.ends_with("id");
                assert!(is_walk || !plan.walks("person"), "{query}: {plan:?}");
                // In order of name, a search and several places are sorted, and the king of a
                // place, and ids. Their number is limited.
                let is_limited = filter.contains("ids")
                    || filter.contains("q=")
                    || filter.contains("9,1,3")
                    || (filter.contains("isKing=true") && filter.contains("placeId"));
                let may_sort = sort.ends_with("name") && is_limited;
                assert!(may_sort || !plan.sorts(), "{query}: {plan:?}");
            }
        }
    }
}
