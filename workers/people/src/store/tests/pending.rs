//! Tests pending writes, and the deletions that revoke them.

use domain::{PersonId, PlaceId};
use tables::statement::Statement;
use testbed::{Testbed, Value};

use super::filled_by;
use crate::store::{self, NewPlace, PlaceChange};

#[test]
fn a_pending_write_is_recorded_only_for_a_new_reference() {
    let testbed = filled_by(
        "INSERT INTO person (id, name, name_key, is_alive, place_id)
        VALUES (1, 'A', 'a', 1, 7), (2, 'B', 'b', 0, 7), (3, 'C', 'c', 0, NULL)",
    );
    let place = |id| NewPlace::Set(PlaceId::new(id));
    let (unchanged, no_place) = (NewPlace::Unchanged, NewPlace::Set(None));
    let change = |place, is_alive| PlaceChange { place, is_alive };
    for (id, change, recorded) in [
        (1, change(place(7), Some(true)), None),
        (1, change(place(7), Some(false)), None),
        (1, change(place(8), None), Some(8)),
        (1, change(no_place, Some(false)), None),
        (2, change(unchanged, Some(true)), Some(7)),
        (2, change(place(7), Some(false)), None),
        (2, change(place(8), Some(false)), Some(8)),
        (3, change(unchanged, Some(true)), None),
        (3, change(place(8), Some(true)), Some(8)),
        // No person has this id.
        (4, change(place(8), Some(true)), None),
    ] {
        let id = PersonId::new(id).unwrap();
        let token = format!("{id} {change:?}");
        testbed
            .rows(&store::add_pending_for(&token, id, change))
            .unwrap();
        let person = testbed.rows(&store::read_with_pending(id)).unwrap();
        if let Some(row) = person.first() {
            let count = i64::from(recorded.is_some());
            assert_eq!(row.integer("pending_writes"), count, "{token}");
        }
        let find = "SELECT place_id FROM pending_write WHERE token = ?1";
        let find = Statement::new(find, vec![token.as_str().into()]);
        let expected: Vec<_> = recorded
            .map(|id| vec![Value::Integer(id)])
            .into_iter()
            .collect();
        assert_eq!(testbed.rows(&find).unwrap(), expected, "{token}");
    }
}

#[test]
fn the_commit_of_a_revoked_write_violates_its_constraint() {
    let testbed = Testbed::migrated("people").unwrap();
    let place = PlaceId::new(7).unwrap();
    let run = |statement: &Statement| testbed.rows(statement);
    for token in ["valid", "revoked"] {
        run(&store::add_pending(token, &[7, 8])).unwrap();
        if token == "revoked" {
            for statement in store::close(place) {
                run(&statement).unwrap();
            }
        }
        let [remove, check] = store::commit_pending(token, &[7, 8]);
        run(&remove).unwrap();
        let committed = run(&check);
        assert_eq!(committed.is_ok(), token == "valid", "{committed:?}");
        if let Err(error) = committed {
            assert!(error.to_string().contains(store::REVOKED), "{error}");
        }
    }
}

#[test]
fn closing_a_place_with_residents_revokes_no_pending_write() {
    let testbed = filled_by(
        "INSERT INTO person (name, name_key, is_alive, place_id) VALUES ('A', 'a', 1, 7)",
    );
    testbed.rows(&store::add_pending("t", &[7])).unwrap();
    let [revoke, count] = store::close(PlaceId::new(7).unwrap());
    testbed.rows(&revoke).unwrap();
    let counts = testbed.rows(&count).unwrap();
    assert_eq!(counts, [[1, 0, 0].map(Value::Integer)]);
    let [remove, check] = store::commit_pending("t", &[7]);
    testbed.rows(&remove).unwrap();
    testbed.rows(&check).unwrap();
}
