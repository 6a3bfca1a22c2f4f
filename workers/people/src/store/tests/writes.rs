//! Tests the statements that write, and checks the query plans of all statements that are not
//! lists.

use domain::name::{Name, Normalize};
use domain::{PersonId, PlaceId};
use http_semantics::MediaType;
use serde_json::json;
use tables::change_log;
use tables::import::{Counts, Receipt};
use tables::page::PageSize;
use tables::record::Author;
use tables::schema::PERSON;
use testbed::Testbed;

use super::filled;
use crate::store;

#[test]
fn every_write_has_its_index() {
    let testbed = filled(&[]);
    let (place, other) = (PlaceId::new(1).unwrap(), PlaceId::new(2).unwrap());
    let limit = PageSize::default();
    let framing = MediaType::Json.framing();
    let id = PersonId::new(1).unwrap();
    let rows = [json!({
        "id": 1, "version": 1, "name": "x", "key": "x",
        "isAlive": true, "isKing": false, "placeId": 1,
    })];
    let name = Name::new("x", Normalize::NONE).unwrap();
    let author = Author::default();
    let mut statements = vec![
        store::insert(&rows[0]),
        store::update(&rows[0]),
        store::rename(id, &name, &author, Normalize::NONE),
        store::update_all(&rows),
        store::add_pending_for("t", id, store::PlaceChange::default()),
        store::depose(place, id, Some(1), &author),
        store::delete(id, 1, &author),
        store::delete_all(&rows, &author),
        tables::record::read_all(&PERSON, &[1, 2]),
        tables::record::check_versions(&PERSON, &[[1, 1], [2, 1]]),
        store::king(place),
        store::latest_erasure(),
        store::existing_people(&rows),
        store::resident_counts(0, 10),
        change_log::change_seq(&PERSON),
        change_log::versions(&PERSON, 1, 0, limit, framing),
    ];
    for has_client_key in [false, true] {
        let receipt = Receipt::new("f", has_client_key, false);
        statements.push(receipt.find(&PERSON));
        statements.extend(receipt.delete_invalid(&PERSON, false));
        statements.push(receipt.save(&PERSON, false, Counts::default(), 1));
    }
    statements.extend(store::erase(id, Some(1), &author));
    statements.extend(store::insert_batch(&rows));
    statements.extend(store::commit_pending("t", &[7]));
    statements.extend(store::close(place));
    statements.extend(store::close_all("[1,2]"));
    statements.extend(store::reassign(place, other, &author));
    statements.extend(store::detach_dead(place, &author));
    for statement in statements {
        let plan = testbed.plan(&statement).unwrap();
        // The tables, and the aliases of the statements and triggers.
        for table in [
            "person",
            "person_change",
            "population",
            "idempotency",
            "written",
            "later",
            "receipt",
            "king",
            "heir",
        ] {
            assert!(!plan.walks(table), "{}: {plan:?}", statement.sql);
        }
    }
}

#[test]
fn each_database_gets_its_own_epoch() {
    let epochs = ["places", "people", "people"].map(|service| {
        let testbed = Testbed::migrated(service).unwrap();
        testbed.validator(0).epoch.to_string()
    });
    let [first, second, third] = &epochs;
    assert!(
        first != second && second != third && third != first,
        "{epochs:?}"
    );
}

/// Also while the row of the epoch changes, as after a restore.
#[test]
fn a_write_returns_the_epoch_of_its_database() {
    let testbed = filled(&[]);
    let row = json!({
        "id": 1, "version": 1, "name": "x", "key": "x",
        "isAlive": false, "isKing": false, "placeId": null,
    });
    let epoch = || testbed.validator(0).epoch.to_string();
    let first = epoch();
    let inserted = testbed.rows(&store::insert(&row)).unwrap();
    assert_eq!(inserted[0].text("epoch"), first);
    let restart = "UPDATE schema SET epoch = lower(hex(randomblob(4)))";
    testbed.execute(restart).unwrap();
    let updated = testbed.rows(&store::update(&row)).unwrap();
    assert_eq!(
        (updated[0].text("epoch"), updated[0].integer("version")),
        (epoch().as_str(), 2)
    );
    assert_ne!(epoch(), first);
}

#[test]
fn every_declared_column_is_stored_logged_and_shown() {
    let testbed = Testbed::migrated("people").unwrap();
    let writes = testbed::Writes {
        insert: store::insert,
        update: store::update,
    };
    let missing = testbed.undeclared(&PERSON, &writes).unwrap();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn a_check_of_versions_fails_if_a_record_was_changed_or_deleted() {
    let row = |id: i64| json!({"id": id, "name": "x", "key": "x", "isAlive": false, "isKing": false, "placeId": null});
    let testbed = filled(&[]);
    testbed
        .rows(&store::write::insert_all(&[row(7), row(8)], None))
        .unwrap();
    for (versions, holds) in [
        (vec![], true),
        (vec![[7, 1], [8, 1]], true),
        (vec![[7, 1], [8, 2]], false),
        (vec![[7, 1], [9, 1]], false),
    ] {
        let check = tables::record::check_versions(&PERSON, &versions);
        assert_eq!(testbed.rows(&check).is_ok(), holds, "{versions:?}");
    }
}

#[test]
fn a_batch_reads_and_saves_the_changes_that_it_has_made() {
    use tables::operations::{read_written, save_written};
    let row = |id: i64| json!({"id": id, "name": "x", "key": "x", "isAlive": false, "isKing": false, "placeId": null});
    let testbed = filled(&[]);
    testbed
        .rows(&store::write::insert_all(&[row(7), row(8)], None))
        .unwrap();
    testbed
        .rows(&store::delete_all(
            &[json!({"id": 7, "version": 1})],
            &Author::default(),
        ))
        .unwrap();
    let expected = r#"{"unchanged":[[9,4]],"changes":[[7,2,"deleted"],[8,1,"created"]]}"#;
    let read = testbed.rows(&read_written(&PERSON, 2, &[[9, 4]])).unwrap();
    assert_eq!(read[0].text("body"), expected);
    let saved = save_written(&PERSON, 2, &[[9, 4]], "key", "f");
    assert_eq!(testbed.rows(&saved).unwrap()[0].text("body"), expected);
    assert!(testbed.rows(&saved).is_err(), "the key is used");
}
