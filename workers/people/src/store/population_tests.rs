//! Populations in every order, now and as of a time, held against a count of the people.

use http_semantics::{MediaType, Params};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tables::population::{Order, PopulationQuery};
use testbed::{Testbed, Value};

use super::tests::{Person, as_text, filled, people};
use crate::store;

const NOW: i64 = 4_000_000_000_000;

fn ask(query: &str) -> PopulationQuery {
    PopulationQuery::from_params(
        &Params::parse(query, PopulationQuery::PARAMETERS).unwrap(),
        NOW,
    )
    .unwrap()
}

/// All groups of a query, page by page, and the numbers of the living, of no place and of the
/// dead.
fn walk(testbed: &Testbed, query: &str) -> (Vec<Json>, [Value; 3]) {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let statement = store::population(&ask(&format!("{query}{after}")), MediaType::Json, None);
        let row = testbed.rows(&statement).unwrap().remove(0);
        let page: Vec<Json> = serde_json::from_str(row.text("body")).unwrap();
        found.extend(page);
        let Some(cursor) = as_text(&row["cursor"]) else {
            return (
                found,
                ["living", "dead_without_place", "dead"].map(|column| row[column].clone()),
            );
        };
        after = format!("&after={cursor}");
    }
}

/// The same by looking at everyone.
fn counted(people: &[Person], order: &str, least: i64) -> Vec<Json> {
    let mut groups = Vec::new();
    for place in 1..9 {
        let of_place = || people.iter().filter(|p| p.place == Some(place));
        let total = i64::try_from(of_place().count()).unwrap();
        let living = i64::try_from(of_place().filter(|p| p.is_alive).count()).unwrap();
        let king = of_place().find(|p| p.is_king);
        let king = king.map(|king| json!({"id": king.id, "name": king.name}));
        if total > 0 && living >= least {
            groups.push(json!({
                "placeId": place, "total": total, "living": living, "dead": total - living,
                "king": king,
            }));
        }
    }
    let number = |group: &Json, name: &str| group[name].as_i64().unwrap();
    match order {
        "id" => {}
        "living" | "total" => groups.sort_by_key(|group| number(group, order)),
        _ => groups.sort_by_key(|group| -number(group, &order[1..])),
    }
    groups
}

fn numbers(people: &[Person]) -> [Value; 3] {
    let count = |test: fn(&&Person) -> bool| {
        Value::Integer(i64::try_from(people.iter().filter(test).count()).unwrap())
    };
    [
        count(|p| p.is_alive),
        count(|p| p.place.is_none()),
        count(|p| !p.is_alive),
    ]
}

/// Gives what has been written down until now another time: one moment for it all.
fn set_back(testbed: &Testbed, milliseconds: i64) {
    let triggers = "DROP TRIGGER person_change_is_never_updated;
        DELETE FROM population_history AS h
        WHERE at < (SELECT max(at) FROM population_history WHERE place_id = h.place_id);";
    let update = |table| format!("UPDATE {table} SET at = {milliseconds} WHERE at > 1000000;");
    let updates = ["person_change", "population_history"].map(update).concat();
    testbed.execute(&format!("{triggers}{updates}")).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_order_walks_the_populations_that_a_count_says(
        people in people(), limit in 1..5usize, least in 0..4i64,
    ) {
        let testbed = filled(&people);
        for (sort, _) in Order::ALL {
            let filter = if least > 0 { format!("&least={least}") } else { String::new() };
            let query = format!("limit={limit}&sort={sort}{filter}");
            let expected = (counted(&people, sort, least), numbers(&people));
            prop_assert_eq!(walk(&testbed, &query), expected, "{}", query);
        }
        let mut some = counted(&people, "id", 0);
        some.retain(|group| [2, 5].contains(&group["placeId"].as_i64().unwrap()));
        for query in ["ids=5,2,99", "ids=5,2,99&asOf=2096-01-01T00:00:00Z"] {
            prop_assert_eq!(walk(&testbed, query).0, some.clone());
        }
    }

    #[test]
    fn the_past_is_as_it_was(
        people in people(),
        writes in prop::collection::vec((1..40i64, prop::option::of(1..9i64)), 0..20),
        limit in 1..5usize,
    ) {
        let testbed = filled(&people);
        set_back(&testbed, 500_000);
        for (id, place) in writes {
            testbed.execute(&match place {
                Some(place) => format!("UPDATE person SET place_id = {place}, is_king = 0, name = 'other', version = version + 1 WHERE id = {id}"),
                None => format!("DELETE FROM person WHERE id = {id}"),
            }).unwrap();
        }
        for (sort, _) in Order::ALL {
            let query = format!("limit={limit}&sort={sort}");
            let then = walk(&testbed, &format!("{query}&asOf=1970-01-01T00:08:20.5Z"));
            prop_assert_eq!(then, (counted(&people, sort, 0), numbers(&people)), "{}", query);
            let now = walk(&testbed, &format!("{query}&asOf=2096-01-01T00:00:00Z"));
            prop_assert_eq!(now, walk(&testbed, &query), "{}", query);
            let before = walk(&testbed, &format!("{query}&asOf=1970-01-01T00:08:19.999Z"));
            prop_assert_eq!(before, (Vec::new(), [0, 0, 0].map(Value::Integer)));
        }
    }
}

#[test]
fn populations_never_look_at_the_people() {
    let testbed = filled(&[]);
    for (sort, order) in Order::ALL {
        let cursor = if order == Order::Id {
            "6933"
        } else {
            "70332e33"
        };
        for more in ["", "&least=2", "&ids=1,2"] {
            if more.contains("ids") && order != Order::Id {
                continue;
            }
            for after in [String::new(), format!("&after={cursor}")] {
                let query = format!("sort={sort}{more}{after}");
                let table = store::population(&ask(&query), MediaType::Csv, None);
                let plan = testbed.plan(&table).unwrap();
                assert!(!plan.walks("person") && !plan.sorts(), "{query}: {plan:?}");
                let now = store::population(&ask(&query), MediaType::Json, None);
                let plan = testbed.plan(&now).unwrap();
                assert!(
                    !plan.walks("person") && !plan.walks("population"),
                    "{query}: {plan:?}"
                );
                assert!(
                    !plan.walks("person_change") && !plan.sorts(),
                    "{query}: {plan:?}"
                );
                let query = format!("{query}&asOf=2026-01-31T12:00:00Z");
                let then = store::population(&ask(&query), MediaType::Json, None);
                let plan = testbed.plan(&then).unwrap();
                assert!(!plan.walks("person_change"), "{query}: {plan:?}");
                assert!(!plan.walks("population_history"), "{query}: {plan:?}");
                // By id the places come one by one; any other order has them all to sort.
                assert_eq!(plan.sorts(), order != Order::Id, "{query}: {plan:?}");
            }
        }
    }
}
