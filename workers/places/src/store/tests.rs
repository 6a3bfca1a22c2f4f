//! The statements on the migrated schema, run by SQLite itself.

use domain::PlaceId;
use http_semantics::{MediaType, Params, csv};
use tables::import::{Counts, Receipt};
use tables::schema::PLACE;
use tables::statement::Statement;
use tables::{ListQuery, Record, change_log, list_statement, record_statement};
use testbed::{Plan, Row, Testbed, Value};

use crate::domain::PlacesAsOf;
use crate::store;

fn seeded() -> Testbed {
    let testbed = Testbed::migrated("places").unwrap();
    let rows = "INSERT INTO place (id, name, name_key) VALUES
        (1, 'Beta', 'beta'), (2, 'alpha \"q\"', 'alpha \"q\"'), (5, 'Álamo', 'álamo')";
    testbed.execute(rows).unwrap();
    testbed
}

fn list(query: &str, format: MediaType) -> Statement {
    let params = Params::parse(query, &PLACE.list_parameters).unwrap();
    let query = ListQuery::from_params(&PLACE, &params, str::to_owned).unwrap();
    list_statement::page(&PLACE, &query, format, None)
}

fn page(query: &str) -> Row {
    let statement = list(query, MediaType::Json);
    seeded().rows(&statement).unwrap().remove(0)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[test]
fn a_page_is_one_row_of_body_cursor_count_and_counter() {
    assert_eq!(
        page("limit=2&count=exact"),
        [
            text(
                r#"[{"id":1,"name":"Beta"},
{"id":2,"name":"alpha \"q\""}]"#
            ),
            text("6932"),
            Value::Integer(3),
            Value::Integer(3),
        ]
    );
    assert_eq!(
        page("after=6932"),
        [
            text(r#"[{"id":5,"name":"Álamo"}]"#),
            Value::Null,
            Value::Null,
            Value::Integer(3),
        ]
    );
    assert_eq!(page("name=zzz")["body"], text("[]"));
}

/// A table as its reader has it: cells, and names without what guards them.
fn cells(table: &Value) -> Vec<Vec<String>> {
    let Value::Text(table) = table else { panic!() };
    let (mut lines, mut rest) = (Vec::new(), table.as_str());
    while !rest.is_empty() {
        let (line, behind) = csv::parse_record(rest).unwrap();
        lines.push(
            line.iter()
                .map(|cell| csv::unescape_formula(cell).to_owned())
                .collect(),
        );
        rest = behind;
    }
    lines
}

#[test]
fn a_table_holds_what_the_array_does_and_no_formula() {
    let testbed = Testbed::migrated("places").unwrap();
    let names = ["=1+1", "''@x", "a,\"b\"", "＝ñ", "'plain", "-"];
    for name in names {
        let quoted = name.replace('\'', "''");
        let row = format!("INSERT INTO place (name, name_key) VALUES ('{quoted}', '{quoted}')");
        testbed.execute(&row).unwrap();
    }
    let expected = names
        .iter()
        .zip(1..)
        .map(|(name, id)| vec![id.to_string(), (*name).to_owned()]);
    let header = vec!["id".to_owned(), "name".to_owned()];
    let expected: Vec<_> = std::iter::once(header.clone()).chain(expected).collect();
    let now = list("", MediaType::Csv);
    let params = Params::parse("", PlacesAsOf::PARAMETERS).unwrap();
    let ask = PlacesAsOf::read(&params, 4_000_000_000_000).unwrap();
    for statement in [now, store::as_of(&ask, MediaType::Csv, None)] {
        let table = &testbed.rows(&statement).unwrap()[0]["body"];
        assert_eq!(cells(table), expected);
        let Value::Text(table) = table else { panic!() };
        assert!(
            !table.contains(",\"=") && !table.contains(",\"-"),
            "{table}"
        );
        assert!(!testbed.plan(&statement).unwrap().sorts());
    }
    let none = list("name=zzz", MediaType::Csv);
    assert_eq!(cells(&testbed.rows(&none).unwrap()[0]["body"]), [header]);
}

#[test]
fn names_sort_and_match_whatever_their_case() {
    let last_first = r#"[{"id":5,"name":"Álamo"},
{"id":1,"name":"Beta"},
{"id":2,"name":"alpha \"q\""}]"#;
    assert_eq!(page("sort=-name")["body"], text(last_first));
    assert_eq!(
        page("name=%C3%81LA")["body"],
        text(r#"[{"id":5,"name":"Álamo"}]"#)
    );
}

#[test]
fn one_place_is_one_row() {
    let one = |id| seeded().rows(&record_statement::read(&PLACE, id)).unwrap();
    assert_eq!(
        one(1),
        [[
            text(r#"{"id":1,"name":"Beta"}"#),
            Value::Integer(1),
            Value::Integer(3),
        ]]
    );
    assert!(one(3).is_empty());
}

#[test]
fn a_batch_of_ids_gives_those_that_exist() {
    let both = r#"[{"id":1,"name":"Beta"},
{"id":5,"name":"Álamo"}]"#;
    assert_eq!(page("ids=5,3,1,5")["body"], text(both));
}

fn as_of(query: &str) -> Statement {
    let params = Params::parse(query, PlacesAsOf::PARAMETERS).unwrap();
    let ask = PlacesAsOf::read(&params, 4_000_000_000_000).unwrap();
    store::as_of(&ask, MediaType::Json, None)
}

/// Three states of a register, a second each from the beginning of 1970 on.
fn lived() -> Testbed {
    let testbed = seeded();
    let set_back = |second: i64| {
        let update = "UPDATE place_change SET at = {} WHERE at > 1000000";
        let update = update.replace("{}", &(second * 1000).to_string());
        testbed.execute(&update).unwrap();
    };
    testbed
        .execute("DROP TRIGGER place_change_is_never_updated")
        .unwrap();
    set_back(1);
    testbed
        .execute(
            "DELETE FROM place WHERE id = 1;
            UPDATE place SET name = 'Omega', name_key = 'omega', version = 2 WHERE id = 2;",
        )
        .unwrap();
    set_back(2);
    testbed
        .execute("INSERT INTO place (id, name, name_key, version) VALUES (1, 'Again', 'again', 3)")
        .unwrap();
    set_back(3);
    testbed
}

#[test]
fn the_past_is_as_it_was() {
    let testbed = lived();
    let then = |second: i64, more: &str| {
        let query = format!("asOf=1970-01-01T00:00:0{second}Z{more}");
        testbed.rows(&as_of(&query)).unwrap().remove(0)
    };
    assert_eq!(then(0, "")["body"], text("[]"));
    let first = seeded().rows(&list("limit=2", MediaType::Json));
    assert_eq!(
        then(1, "&limit=2").values()[..2],
        first.unwrap()[0].values()[..2]
    );
    let without = r#"[{"id":2,"name":"Omega"},
{"id":5,"name":"Álamo"}]"#;
    assert_eq!(then(2, "")["body"], text(without));
    assert_eq!(then(2, "&ids=5,1,2")["body"], text(without));
    assert_eq!(then(2, "&limit=1")["cursor"], text("6932"));
    assert_eq!(
        then(2, "&after=6932")["body"],
        text(r#"[{"id":5,"name":"Álamo"}]"#)
    );
    assert_eq!(
        then(3, "&ids=1")["body"],
        text(r#"[{"id":1,"name":"Again"}]"#)
    );
    for query in ["", "&after=6932", "&ids=1,2"] {
        let plan = testbed.plan(&as_of(&format!("asOf=2026-01-01T00:00:00Z{query}")));
        let plan = plan.unwrap();
        assert!(!plan.walks("place_change"), "{query}: {plan:?}");
    }
}

#[test]
fn every_query_has_its_index() {
    let testbed = seeded();
    let one = testbed.plan(&record_statement::read(&PLACE, 1)).unwrap();
    assert!(!one.walks("place"));
    let by_name = ["name", "-name"].map(|sort| (sort, "6e313a61"));
    let by_id = ["id", "-id"].map(|sort| (sort, "6932"));
    for (sort, cursor) in [by_name, by_id].concat() {
        for query in [
            format!("sort={sort}"),
            format!("sort={sort}&after={cursor}"),
        ] {
            let plan = plan_of(&testbed, &query);
            // Without a condition a page is a walk in the order asked for.
            assert!(!plan.sorts(), "{query}: {plan:?}");
            let plan = plan_of(&testbed, &format!("{query}&name=a"));
            // A prefix in the order of ids sorts what it matches: nothing can help it.
            assert!(!plan.walks("place"), "{query}: {plan:?}");
            assert!(!plan.sorts() || sort.ends_with("id"), "{query}: {plan:?}");
        }
    }
}

fn plan_of(testbed: &Testbed, query: &str) -> Plan {
    testbed.plan(&list(query, MediaType::Json)).unwrap()
}

#[test]
fn every_write_has_its_index() {
    let testbed = seeded();
    let (place, other) = (PlaceId::new(1).unwrap(), PlaceId::new(2).unwrap());
    let name = domain::name::Name::new("x", str::to_owned).unwrap();
    let rows = [crate::domain::Place { name: name.clone() }.to_row(Some(1), Some(1))];
    let limit = tables::page::PageSize::default();
    let mut statements = vec![
        store::insert(&rows[0]),
        store::update(&rows[0]),
        store::update_all(&rows),
        store::named(&name),
        store::statuses("[1,2]"),
        store::mark(place, Some(other), 1),
        store::unmark(place, 1),
        store::take_over(place, 1),
        store::remove_tombstone(place, 1),
        store::ids(0, 10),
        store::present(&rows),
        change_log::since(&PLACE, 0, limit, MediaType::Json.framing()),
        change_log::versions(&PLACE, 1, 0, limit, MediaType::Json.framing()),
    ];
    statements.extend(store::delete(place, 1));
    let receipt = Receipt::new("f", false);
    statements.push(receipt.find(&PLACE));
    statements.extend(receipt.delete_invalid(&PLACE));
    statements.push(receipt.save(&PLACE, Counts::default(), 1));
    for statement in statements {
        let plan = testbed.plan(&statement).unwrap();
        for table in [
            "place",
            "named",
            "place_change",
            "tombstone",
            "idempotency",
            "receipt",
            "written",
            "later",
        ] {
            assert!(!plan.walks(table), "{}: {plan:?}", statement.sql);
        }
    }
}

#[test]
fn every_declared_column_is_stored_logged_and_shown() {
    let testbed = Testbed::migrated("places").unwrap();
    let writes = testbed::Writes {
        insert: store::insert,
        update: store::update,
    };
    let missing = testbed.undeclared(&PLACE, &writes).unwrap();
    assert_eq!(missing, Vec::<String>::new());
}
