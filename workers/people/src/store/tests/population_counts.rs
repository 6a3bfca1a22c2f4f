//! Tests the triggers that maintain the population of each place, and its history.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tables::statement::Statement;
use testbed::{Testbed, Value};

use super::{filled, move_or_remove, people};
use crate::store;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn populations_equal_a_count_after_any_writes(
        people in people(),
        moves in prop::collection::vec((1..40i64, prop::option::of(1..6i64)), 0..20),
    ) {
        let testbed = filled(&people);
        for (id, place) in moves {
            move_or_remove(&testbed, id, place);
        }
        assert_counts(&testbed)?;
    }

    #[test]
    fn populations_equal_a_count_after_a_bulk_insert(people in people(), batch in people()) {
        let testbed = filled(&people);
        let rows = batch.iter().map(|person| {
            // Half of the records get the next id. Kings get a place without a king.
            let id = (person.id % 2 == 0).then_some(100 + person.id);
            let place = person.place.map(|place| place + if person.is_king { 10 } else { 0 });
            json!({
                "id": id, "name": person.name, "key": person.name, "isAlive": person.is_alive,
                "isKing": person.is_king, "placeId": place,
            })
        });
        let rows: Vec<Json> = rows.collect();
        for statement in store::insert_batch(&rows) {
            testbed.rows(&statement).unwrap();
        }
        assert_counts(&testbed)?;
        let count = |table: &str| {
            let sql = format!("SELECT count(*) FROM {table}");
            testbed.rows(&Statement::new(&sql, Vec::new())).unwrap()
        };
        let all = i64::try_from(people.len() + rows.len()).unwrap();
        prop_assert_eq!(count("person_change"), vec![vec![Value::Integer(all)]]);
        prop_assert_eq!(count("bulk_insert"), vec![vec![Value::Integer(0)]]);
        // The triggers count each later write again.
        let insert = "INSERT INTO person (name, name_key, is_alive, place_id) VALUES ('x', 'x', 1, 3)";
        testbed.execute(insert).unwrap();
        assert_counts(&testbed)?;
    }
}

/// The populations, and the last rows of their history, equal a count of the people. The search
/// index has the terms of the people.
fn assert_counts(testbed: &Testbed) -> Result<(), TestCaseError> {
    let check = "INSERT INTO person_search (person_search, rank) VALUES ('integrity-check', 1)";
    testbed.execute(check).unwrap();
    let rows = |sql| testbed.rows(&Statement::new(sql, Vec::new())).unwrap();
    let population = "SELECT place_id, living, dead FROM population ORDER BY place_id";
    let counted = "SELECT coalesce(place_id, 0), sum(is_alive), sum(1 - is_alive)
        FROM person GROUP BY 1 ORDER BY 1";
    prop_assert_eq!(rows(population), rows(counted));
    let history = "SELECT place_id, living, dead, king_id FROM population_history AS h
        WHERE at = (SELECT max(at) FROM population_history WHERE place_id = h.place_id)
          AND (living > 0 OR dead > 0) AND place_id >= 0
        ORDER BY place_id";
    let counted_with_kings = "SELECT coalesce(place_id, 0), sum(is_alive), sum(1 - is_alive),
          max(iif(is_king, id, NULL))
        FROM person GROUP BY 1 ORDER BY 1";
    prop_assert_eq!(rows(history), rows(counted_with_kings));
    let total =
        "SELECT living, dead FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1";
    let counted_total =
        "SELECT coalesce(sum(is_alive), 0), coalesce(sum(1 - is_alive), 0) FROM person";
    prop_assert_eq!(rows(total), rows(counted_total));
    Ok(())
}
