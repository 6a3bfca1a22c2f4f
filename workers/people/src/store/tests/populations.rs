//! Tests pages of populations in every order, now and as of a time: compares them with a count of
//! the people.

use http_semantics::{MediaType, Params};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tables::Cursor;
use tables::population::{Measure, Order, PopulationQuery};
use tables::statement::Statement;
use testbed::{Testbed, Value};

use super::{PersonRow, as_text, filled, people};
use crate::store::{self, ListedPlaces};

const NOW: i64 = 4_000_000_000_000;

fn population(query: &str, format: MediaType) -> Statement {
    let params = Params::parse(query, PopulationQuery::PARAMETERS).unwrap();
    let query = PopulationQuery::from_params(&params, NOW).unwrap();
    let listed = query.ids.as_ref().map(|ids| ListedPlaces {
        ids: ids.to_json(),
        includes_empty: false,
    });
    store::population(&query, listed, format, None)
}

/// The numbers of the living, of the dead without a place, and of all dead.
type Totals = [Value; 3];

/// All pages of a query: their populations, and the totals.
fn all_pages(testbed: &Testbed, query: &str) -> (Vec<Json>, Totals) {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let statement = population(&format!("{query}{after}"), MediaType::Json);
        let row = testbed.rows(&statement).unwrap().remove(0);
        let page: Vec<Json> = serde_json::from_str(row.text("body")).unwrap();
        found.extend(page);
        let Some(cursor) = as_text(&row["cursor"]) else {
            let totals = ["living", "dead_without_place", "dead"];
            return (found, totals.map(|column| row[column].clone()));
        };
        after = format!("&after={cursor}");
    }
}

/// The populations, counted in Rust.
fn count_populations(people: &[PersonRow], order: &str, min_living: i64) -> Vec<Json> {
    let mut populations = Vec::new();
    for place in 1..9 {
        let residents = || people.iter().filter(|p| p.place == Some(place));
        let total = i64::try_from(residents().count()).unwrap();
        let living = i64::try_from(residents().filter(|p| p.is_alive).count()).unwrap();
        let king = residents().find(|p| p.is_king);
        let king = king.map(|king| json!({"id": king.id, "name": king.name}));
        if total > 0 && living >= min_living {
            populations.push(json!({
                "placeId": place, "total": total, "living": living, "dead": total - living,
                "king": king,
            }));
        }
    }
    let number = |population: &Json, name: &str| population[name].as_i64().unwrap();
    let (key, is_descending) = match order.strip_prefix('-') {
        Some(key) => (key, true),
        None => (order, false),
    };
    if key != "id" {
        populations.sort_by_key(|row| number(row, key));
    }
    if is_descending {
        populations.reverse();
    }
    populations
}

/// The totals, counted in Rust.
fn count_totals(people: &[PersonRow]) -> Totals {
    let count = |test: fn(&&PersonRow) -> bool| {
        Value::Integer(i64::try_from(people.iter().filter(test).count()).unwrap())
    };
    [
        count(|p| p.is_alive),
        count(|p| p.place.is_none()),
        count(|p| !p.is_alive),
    ]
}

/// Gives all changes so far the same time, and keeps only the last population of each place.
fn backdate(testbed: &Testbed, milliseconds: i64) {
    let merge = "DROP TRIGGER person_change_is_never_updated;
        DELETE FROM population_history AS h
        WHERE at < (SELECT max(at) FROM population_history WHERE place_id = h.place_id);";
    let update = |table| format!("UPDATE {table} SET at = {milliseconds} WHERE at > 1000000;");
    let updates = ["person_change", "population_history"].map(update).concat();
    testbed.execute(&format!("{merge}{updates}")).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_pages_of_every_order_equal_a_count(
        people in people(), limit in 1..5usize, least in 0..4i64,
    ) {
        let testbed = filled(&people);
        let all = count_populations(&people, "total", 0);
        let largest = all.last().map_or(Value::Null, |row| Value::Integer(row["total"].as_i64().unwrap()));
        for (sort, _) in Order::ALL {
            let query = format!("limit={limit}&sort={sort}&least=3");
            let row = testbed.rows(&population(&query, MediaType::Json)).unwrap().remove(0);
            prop_assert_eq!(&row["largest"], &largest, "{}", query);
            let filter = if least > 0 { format!("&least={least}") } else { String::new() };
            let query = format!("limit={limit}&sort={sort}{filter}");
            let expected = (count_populations(&people, sort, least), count_totals(&people));
            prop_assert_eq!(all_pages(&testbed, &query), expected, "{}", query);
        }
        for (sort, _) in Order::ALL {
            let mut selected = count_populations(&people, sort, least.max(1));
            selected.retain(|row| [1, 2, 5].contains(&row["placeId"].as_i64().unwrap()));
            for time in ["", "&asOf=2096-01-01T00:00:00Z"] {
                let least = least.max(1);
                let query = format!("ids=5,2,99,1,5&limit={limit}&sort={sort}&least={least}{time}");
                prop_assert_eq!(all_pages(&testbed, &query).0, selected.clone(), "{}", query);
            }
        }
    }

    #[test]
    fn populations_as_of_a_time_equal_the_populations_at_that_time(
        people in people(),
        writes in prop::collection::vec((1..40i64, prop::option::of(1..9i64)), 0..20),
        limit in 1..5usize,
    ) {
        let testbed = filled(&people);
        backdate(&testbed, 500_000);
        for (id, place) in writes {
            testbed.execute(&match place {
                Some(place) => format!(
                    "UPDATE person
                    SET place_id = {place}, is_king = 0, name = 'other', version = version + 1
                    WHERE id = {id}"
                ),
                None => format!("DELETE FROM person WHERE id = {id}"),
            }).unwrap();
        }
        for (sort, _) in Order::ALL {
            let query = format!("limit={limit}&sort={sort}");
            let pages = |as_of: &str| all_pages(&testbed, &format!("{query}&asOf={as_of}"));
            let expected = (count_populations(&people, sort, 0), count_totals(&people));
            prop_assert_eq!(pages("1970-01-01T00:08:20.5Z"), expected, "{}", query);
            let present = all_pages(&testbed, &query);
            prop_assert_eq!(pages("2096-01-01T00:00:00Z"), present, "{}", query);
            let empty = (Vec::new(), [0, 0, 0].map(Value::Integer));
            prop_assert_eq!(pages("1970-01-01T00:08:19.999Z"), empty);
        }
    }
}

#[test]
fn populations_are_read_without_a_scan_of_the_people_or_their_history() {
    let testbed = filled(&[]);
    let plan = |query: &str, format| testbed.plan(&population(query, format)).unwrap();
    for (sort, order) in Order::ALL {
        let cursor = match order.measure() {
            None => Cursor::Id(3),
            Some(measure) => Cursor::Population(measure, 3, 3),
        };
        for filter in ["", "&least=2", "&ids=1,2"] {
            for after in [String::new(), format!("&after={cursor}")] {
                let query = format!("sort={sort}{filter}{after}");
                let is_listed = filter.contains("ids");
                // No index has the dead, and no index has the places of a list.
                let is_sorted = is_listed || order.measure() == Some(Measure::Dead);
                for format in [MediaType::Csv, MediaType::Json] {
                    let plan = plan(&query, format);
                    for table in ["person", "person_change", "population"] {
                        assert!(!plan.walks(table), "{query}: {plan:?}");
                    }
                    assert_eq!(plan.sorts(), is_sorted, "{query}: {plan:?}");
                }
                let query = format!("{query}&asOf=2026-01-31T12:00:00Z");
                let past = plan(&query, MediaType::Json);
                for table in ["person_change", "population_history"] {
                    assert!(!past.walks(table), "{query}: {past:?}");
                }
                // Only the order by id has no sort.
                let is_sorted = is_listed || order.measure().is_some();
                assert_eq!(past.sorts(), is_sorted, "{query}: {past:?}");
            }
        }
    }
}
