//! Runs the statements with SQLite, on the migrated schema.

use domain::PlaceId;
use domain::name::Normalize;
use http_semantics::{MediaType, Params, csv};
use tables::change_feed::{self, ChangeFormat, Since};
use tables::import::{Counts, Receipt};
use tables::record::Author;
use tables::schema::PLACE;
use tables::statement::Statement;
use tables::{ListQuery, Record, change_log, list, operations, record};
use testbed::{Plan, Row, Testbed, Value};

use crate::domain::PlacesAsOfQuery;
use crate::store;

fn seeded() -> Testbed {
    let testbed = Testbed::migrated("places").unwrap();
    let rows = "INSERT INTO place (id, name, name_key, search_key, words) VALUES
        (1, 'Beta', 'beta', NULL, NULL), (2, 'alpha \"q\"', 'alpha \"q\"', NULL, 'alpha q'),
        (5, 'Álamo', 'álamo', 'alamo', NULL)";
    testbed.execute(rows).unwrap();
    testbed
}

fn list(query: &str, format: MediaType) -> Statement {
    let params = Params::parse(query, &PLACE.list_parameters).unwrap();
    let query = ListQuery::from_params(&PLACE, &params, Normalize::NONE).unwrap();
    list::page(&PLACE, &query, format, None)
}

fn page(query: &str) -> Row {
    let statement = list(query, MediaType::Json);
    seeded().rows(&statement).unwrap().remove(0)
}

/// The text of a change sequence.
fn change_seq(testbed: &Testbed, number: i64) -> Value {
    Value::Text(testbed.validator(number).to_string())
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

#[test]
fn a_page_is_one_row_with_body_cursor_total_and_change_seq() {
    let testbed = seeded();
    let page = |query| {
        let rows = testbed.rows(&list(query, MediaType::Json));
        rows.unwrap().remove(0)
    };
    let change_seq = change_seq(&testbed, 3);
    assert_eq!(
        page("limit=2&count=exact").values()[..5],
        [
            text(
                r#"[{"id":1,"name":"Beta"},
{"id":2,"name":"alpha \"q\""}]"#
            ),
            text("6932"),
            Value::Integer(3),
            Value::Integer(0),
            change_seq.clone(),
        ]
    );
    assert_eq!(
        page("after=6932").values()[..5],
        [
            text(r#"[{"id":5,"name":"Álamo"}]"#),
            Value::Null,
            Value::Null,
            Value::Integer(0),
            change_seq.clone(),
        ]
    );
    assert_eq!(page("name=zzz")["body"], text("[]"));
}

/// The cells of a CSV text, with formulas unescaped.
fn cells(csv: &Value) -> Vec<Vec<String>> {
    let Value::Text(csv) = csv else { panic!() };
    let (mut lines, mut rest) = (Vec::new(), csv.as_str());
    while !rest.is_empty() {
        let (line, next) = csv::parse_record(rest, ',').unwrap();
        lines.push(
            line.iter()
                .map(|cell| csv::unescape_formula(cell).into_owned())
                .collect(),
        );
        rest = next;
    }
    lines
}

#[test]
fn csv_contains_the_same_names_as_json_and_no_formula() {
    let testbed = Testbed::migrated("places").unwrap();
    let names = [
        "=1+1", "''@x", "a,\"b\"", "＝ñ", "'plain", "-", "x;=1+1;y", "x; '\"-", ";;'n",
    ];
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
    let current = list("", MediaType::Csv);
    let params = Params::parse("", PlacesAsOfQuery::PARAMETERS).unwrap();
    let query = PlacesAsOfQuery::from_params(&params, 4_000_000_000_000, Normalize::NONE).unwrap();
    for statement in [current, store::as_of(&query, MediaType::Csv, None)] {
        let csv = &testbed.rows(&statement).unwrap()[0]["body"];
        assert_eq!(cells(csv), expected);
        let Value::Text(csv) = csv else { panic!() };
        let starts = [",\"=", ",\"-", ";=", ";-", "; \"", "; '\"\"-"];
        assert!(starts.iter().all(|start| !csv.contains(start)), "{csv}");
        assert!(!testbed.plan(&statement).unwrap().sorts());
    }
    let empty = list("name=zzz", MediaType::Csv);
    assert_eq!(cells(&testbed.rows(&empty).unwrap()[0]["body"]), [header]);
}

#[test]
fn names_are_sorted_ignoring_case_and_accents() {
    let descending = r#"[{"id":1,"name":"Beta"},
{"id":2,"name":"alpha \"q\""},
{"id":5,"name":"Álamo"}]"#;
    assert_eq!(page("sort=-name")["body"], text(descending));
}

#[test]
fn names_are_filtered_ignoring_case() {
    assert_eq!(page("name=alamo")["body"], text("[]"));
    assert_eq!(
        page("name=%C3%81LA")["body"],
        text(r#"[{"id":5,"name":"Álamo"}]"#)
    );
}

#[test]
fn the_total_is_the_number_of_places_after_any_writes() {
    let testbed = seeded();
    let writes = "DELETE FROM place WHERE id = 1;
        UPDATE place SET name = 'Omega', name_key = 'omega', words = NULL, version = 2
        WHERE id = 2;
        INSERT INTO place (id, name, name_key) VALUES (9, 'N', 'n'), (10, 'O', 'o');";
    testbed.execute(writes).unwrap();
    let row = testbed.rows(&list("limit=1&count=exact", MediaType::Json));
    let row = row.unwrap().remove(0);
    assert_eq!(
        (row.integer("total"), row.integer("total_is_minimum")),
        (4, 0)
    );
    testbed.execute("DELETE FROM place").unwrap();
    let empty = testbed.rows(&list("count=exact", MediaType::Json));
    assert_eq!(empty.unwrap().remove(0).integer("total"), 0);
}

#[test]
fn the_search_index_follows_every_write() {
    let testbed = seeded();
    let found = |query: &str| {
        let row = testbed
            .rows(&list(query, MediaType::NdJson))
            .unwrap()
            .remove(0);
        row.text("body").lines().count()
    };
    assert_eq!((found("q=Q"), found("q=alp"), found("q=ala")), (1, 1, 1));
    let rename = "UPDATE place SET name = 'O''Hara', name_key = 'o''hara', words = 'o hara',
        version = 2 WHERE id = 2;
        DELETE FROM place WHERE id = 5;";
    testbed.execute(rename).unwrap();
    let counts = ["q=Q", "q=alp", "q=ala", "q=hara", "q=o'h", "name=o'"].map(found);
    assert_eq!(counts, [0, 0, 0, 1, 1, 1]);
    let check = "INSERT INTO place_search (place_search, rank) VALUES ('integrity-check', 1)";
    testbed.execute(check).unwrap();
}

#[test]
fn a_place_is_read_as_one_row_without_a_body_if_missing_and_as_none_if_unchanged() {
    let testbed = seeded();
    let read = |id, seen| testbed.rows(&record::read(&PLACE, id, seen)).unwrap();
    let rows = read(1, None);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        rows[0].values()[..3],
        [
            text(r#"{"id":1,"name":"Beta"}"#),
            Value::Integer(1),
            Value::Integer(3),
        ]
    );
    assert_eq!(
        read(1, Some(testbed.validator(2)))[0]["body"],
        rows[0]["body"]
    );
    let [missing] = read(3, None).try_into().unwrap();
    assert_eq!(
        (&missing["body"], &missing["change_seq"]),
        (&Value::Null, &Value::Integer(3))
    );
    assert!(read(1, Some(testbed.validator(3))).is_empty());
}

#[test]
fn the_ids_filter_returns_the_places_that_exist_once_each() {
    let both = r#"[{"id":1,"name":"Beta"},
{"id":5,"name":"Álamo"}]"#;
    assert_eq!(page("ids=5,3,1,5")["body"], text(both));
}

fn as_of(query: &str) -> Statement {
    let params = Params::parse(query, PlacesAsOfQuery::PARAMETERS).unwrap();
    let query = PlacesAsOfQuery::from_params(&params, 4_000_000_000_000, Normalize::NONE).unwrap();
    store::as_of(&query, MediaType::Json, None)
}

/// A database with three states, made 1, 2 and 3 seconds after the start of 1970.
fn with_history() -> Testbed {
    let testbed = seeded();
    // Sets the time of all changes since the last call.
    let backdate = |second: i64| {
        let update = "UPDATE place_change SET at = {} WHERE at > 1000000";
        let update = update.replace("{}", &(second * 1000).to_string());
        testbed.execute(&update).unwrap();
    };
    testbed
        .execute("DROP TRIGGER place_change_is_never_updated")
        .unwrap();
    backdate(1);
    testbed
        .execute(
            "DELETE FROM place WHERE id = 1;
            UPDATE place SET name = 'Omega', name_key = 'omega', words = NULL, version = 2
            WHERE id = 2;",
        )
        .unwrap();
    backdate(2);
    testbed
        .execute("INSERT INTO place (id, name, name_key, version) VALUES (1, 'Again', 'again', 3)")
        .unwrap();
    backdate(3);
    testbed
}

#[test]
fn places_as_of_a_time_equal_the_places_at_that_time() {
    let testbed = with_history();
    let at = |second: i64, filter: &str| {
        let query = format!("asOf=1970-01-01T00:00:0{second}Z{filter}");
        testbed.rows(&as_of(&query)).unwrap().remove(0)
    };
    assert_eq!(at(0, "")["body"], text("[]"));
    let first = seeded().rows(&list("limit=2", MediaType::Json));
    assert_eq!(
        at(1, "&limit=2").values()[..2],
        first.unwrap()[0].values()[..2]
    );
    let after_deletion = r#"[{"id":2,"name":"Omega"},
{"id":5,"name":"Álamo"}]"#;
    assert_eq!(at(2, "")["body"], text(after_deletion));
    assert_eq!(at(2, "&ids=5,1,2")["body"], text(after_deletion));
    assert_eq!(at(2, "&limit=1")["cursor"], text("6932"));
    assert_eq!(
        at(2, "&after=6932")["body"],
        text(r#"[{"id":5,"name":"Álamo"}]"#)
    );
    assert_eq!(
        at(3, "&ids=1")["body"],
        text(r#"[{"id":1,"name":"Again"}]"#)
    );
    let omega = r#"[{"id":2,"name":"Omega"}]"#;
    for (second, search, expected) in [
        (1, "q=alp+q", r#"[{"id":2,"name":"alpha \"q\""}]"#),
        (2, "q=alp", "[]"),
        (2, "q=ome", omega),
        (2, "q=ome&ids=1,2", omega),
        (2, "q=ala", r#"[{"id":5,"name":"Álamo"}]"#),
        (2, "q=beta", "[]"),
    ] {
        for sort in ["id", "-id", "name", "-name"] {
            let row = at(second, &format!("&sort={sort}&{search}"));
            assert_eq!(row["body"], text(expected), "{second} {search} {sort}");
        }
    }
    let by_name = r#"[{"id":5,"name":"Álamo"},
{"id":2,"name":"alpha \"q\""},
{"id":1,"name":"Beta"}]"#;
    assert_eq!(at(1, "&sort=name")["body"], text(by_name));
    let last = at(1, "&sort=-name&limit=2");
    let Value::Text(cursor) = &last["cursor"] else {
        panic!("no cursor")
    };
    let rest = at(1, &format!("&sort=-name&after={cursor}"));
    assert_eq!(rest["body"], text(r#"[{"id":5,"name":"Álamo"}]"#));
    for query in [
        "",
        "&after=6932",
        "&ids=1,2",
        "&q=a",
        "&sort=name",
        "&q=a&sort=-name&ids=1",
    ] {
        let plan = testbed.plan(&as_of(&format!("asOf=2026-01-01T00:00:00Z{query}")));
        let plan = plan.unwrap();
        assert!(!plan.walks("place_change"), "{query}: {plan:?}");
    }
}

#[test]
fn the_ids_of_all_matches_are_those_of_the_pages() {
    let testbed = with_history();
    for (query, expected) in [
        ("q=a", "[1,5]"),
        ("q=ome&asOf=1970-01-01T00:00:02Z", "[2]"),
        ("asOf=1970-01-01T00:00:01Z", "[1,2,5]"),
    ] {
        let params = Params::parse(query, PlacesAsOfQuery::PARAMETERS).unwrap();
        let as_of = PlacesAsOfQuery::from_params(&params, 4_000_000_000_000, Normalize::NONE);
        let as_of = as_of.unwrap();
        let statement = if as_of.as_of.is_some() {
            store::ids_as_of(&as_of)
        } else {
            let query = ListQuery::from_params(&PLACE, &params, Normalize::NONE).unwrap();
            list::ids(&PLACE, &query)
        };
        let row = testbed.rows(&statement).unwrap().remove(0);
        assert_eq!(row["body"], text(expected), "{query}");
        let plan = testbed.plan(&statement).unwrap();
        assert!(!plan.walks("place_change"), "{query}: {plan:?}");
    }
}

#[test]
fn every_query_has_its_index() {
    let testbed = seeded();
    let read = testbed.plan(&record::read(&PLACE, 1, None)).unwrap();
    assert!(!read.walks("place"));
    let by_name = ["name", "-name"].map(|sort| (sort, "6e313a610161"));
    let by_id = ["id", "-id"].map(|sort| (sort, "6932"));
    for (sort, cursor) in [by_name, by_id].concat() {
        for query in [
            format!("sort={sort}"),
            format!("sort={sort}&after={cursor}"),
        ] {
            let plan = plan_of(&testbed, &query);
            // Without a filter, a page is a walk along the index of its order.
            assert!(!plan.sorts(), "{query}: {plan:?}");
            let plan = plan_of(&testbed, &format!("{query}&name=a"));
            assert!(!plan.walks("place") && !plan.sorts(), "{query}: {plan:?}");
            // Only the matches of a search are sorted.
            let plan = plan_of(&testbed, &format!("{query}&q=a"));
            assert!(!plan.walks("place"), "{query}: {plan:?}");
            assert_eq!(plan.sorts(), sort.ends_with("name"), "{query}: {plan:?}");
        }
    }
}

fn plan_of(testbed: &Testbed, query: &str) -> Plan {
    testbed.plan(&list(query, MediaType::Json)).unwrap()
}

#[test]
fn a_line_of_a_stream_begins_with_the_place_three_times_and_the_seq() {
    let query = tables::ChangesQuery {
        since: Since::Beginning,
        descending: false,
        after: None,
        limit: tables::page::PageSize::default(),
        place: None,
        person: None,
    };
    let framing = MediaType::NdJson.framing();
    let statement = change_feed::page(&PLACE, &query, framing, ChangeFormat::StreamLine);
    let row = seeded().rows(&statement).unwrap().remove(0);
    let starts = row.text("body").lines().map(|line| line.split_once(' '));
    let starts: Vec<&str> = starts.flatten().map(|(start, _)| start).collect();
    assert_eq!(starts, ["1,1,1,1", "2,2,2,2", "5,5,5,3"]);
}

#[test]
fn the_latest_changes_have_the_record_before_them() {
    let testbed = seeded();
    let rename = "UPDATE place SET name = 'C', name_key = 'c', version = 2 WHERE id = 1";
    testbed.execute(rename).unwrap();
    let limit = tables::page::PageSize::new(2).unwrap();
    let statement = change_log::latest(&PLACE, limit);
    assert!(!testbed.plan(&statement).unwrap().sorts());
    let row = testbed.rows(&statement).unwrap();
    let (row, body) = (&row[0], row[0].text("body"));
    let starts: Vec<&str> = body.split("\"at\"").collect();
    assert_eq!(starts[0], r#"[{"before":{"id":1,"name":"Beta"},"#, "{body}");
    assert!(
        starts[1].ends_with(r#""record":{"id":1,"name":"C"}},{"before":null,"#),
        "{body}"
    );
    assert!(
        starts[2].ends_with(r#""record":{"id":5,"name":"Álamo"}}]"#),
        "{body}"
    );
    assert_eq!(row.values()[1], change_seq(&testbed, 4));
}

#[test]
fn the_results_of_a_batch_are_its_unchanged_records_and_the_last_changes() {
    let testbed = seeded();
    let expected = r#"{"unchanged":[[1,1]],"changes":[[5,1,"created"],[2,1,"created"]]}"#;
    for statement in [
        operations::read_written(&PLACE, 2, &[[1, 1]]),
        operations::save_written(&PLACE, 2, &[[1, 1]], "key", "fingerprint"),
    ] {
        let row = testbed.rows(&statement).unwrap().remove(0);
        assert_eq!(row.text("body"), expected);
    }
}

#[test]
fn a_total_is_that_of_the_change_log_or_with_a_filter_that_of_the_matches() {
    for (filter, total) in [("", 3), ("&name=b", 1), ("&q=q", 1), ("&ids=1,2,9", 2)] {
        let statement = list(&format!("count=exact{filter}"), MediaType::Json);
        let row = seeded().rows(&statement).unwrap().remove(0);
        assert_eq!(row.integer("total"), total, "{filter}");
        assert_eq!(statement.sql.contains("counted"), !filter.is_empty());
    }
}

#[test]
fn every_write_has_its_index() {
    let testbed = seeded();
    let (place, other) = (PlaceId::new(1).unwrap(), PlaceId::new(2).unwrap());
    let name = domain::name::Name::new("x", Normalize::NONE).unwrap();
    let author = Author::default();
    let place_1 = crate::domain::Place { name: name.clone() };
    let rows = [place_1.to_row(Some(1), Some(1), &author, Normalize::NONE)];
    let limit = tables::page::PageSize::default();
    let feed = |place: Option<PlaceId>| tables::ChangesQuery {
        since: Since::Time(5),
        descending: place.is_some(),
        after: None,
        limit,
        place,
        person: None,
    };
    let mut statements = vec![
        store::insert(&rows[0]),
        store::update(&rows[0]),
        store::update_all(&rows),
        store::place_with_name("x"),
        store::places_with_names(&["x".to_owned()]),
        record::check_versions(&PLACE, &[[1, 1], [2, 1]]),
        store::reservation_conflicts(&rows),
        store::delete_reserved(&rows, &Author::default()),
        store::cancel_reservation(&rows),
        store::statuses("[1,2]"),
        store::begin_deletion(place, Some(other), None, None),
        store::cancel_deletion(place, 1),
        store::take_over_deletion(place, 1),
        store::remove_tombstone(place, 1),
        store::record_progress(place, 1, 5, 7),
        store::release_deletion(place, 1),
        store::make_operation(place, 1, "a"),
        store::save_operation(place, 1, store::OperationStatus::Done, 5),
        store::operation("a"),
        store::ids(0, 10),
        store::existing_places(&rows),
        change_feed::page(
            &PLACE,
            &feed(None),
            MediaType::Json.framing(),
            ChangeFormat::Json,
        ),
        change_feed::page(
            &PLACE,
            &feed(Some(place)),
            MediaType::Json.framing(),
            ChangeFormat::StreamLine,
        ),
        change_log::versions(&PLACE, 1, 0, limit, MediaType::Json.framing()),
    ];
    statements.extend(store::delete(place, 1, None));
    statements.extend(store::reserve(&rows, None));
    statements.extend(store::end_reservation(&rows));
    let receipt = Receipt::new("f", false, false);
    statements.push(receipt.find(&PLACE));
    statements.extend(receipt.delete_invalid(&PLACE, false));
    statements.push(receipt.save(&PLACE, false, Counts::default(), 1));
    for statement in statements {
        let plan = testbed.plan(&statement).unwrap();
        for table in [
            "place",
            "same_name",
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
fn an_operation_has_a_status_while_it_runs_and_after_it_has_ended() {
    use store::OperationStatus::{Done, Failed};
    for (status, text) in [
        (Done, r#""done","done":12,"remaining":0"#),
        (Failed, r#""failed","done":12,"remaining":7"#),
    ] {
        let testbed = seeded();
        let place = PlaceId::new(1).unwrap();
        let token = testbed
            .rows(&store::begin_deletion(place, None, None, None))
            .unwrap()[0]
            .integer("token");
        let body = |operation: &str| {
            let rows = testbed.rows(&store::operation(operation)).unwrap();
            rows.first().map(|row| row.text("body").to_owned())
        };
        testbed
            .rows(&store::make_operation(place, token, "a"))
            .unwrap();
        testbed
            .rows(&store::record_progress(place, token, 10, 7))
            .unwrap();
        assert!(
            testbed
                .rows(&store::record_progress(place, token + 1, 10, 7))
                .unwrap()
                .is_empty()
        );
        let running = r#"{"status":"running","done":10,"remaining":7}"#;
        assert_eq!(body("a").as_deref(), Some(running));
        let token = testbed
            .rows(&store::take_over_deletion(place, token))
            .unwrap()[0]
            .integer("token");
        assert_eq!(
            body("a").as_deref(),
            Some(running),
            "it survives its process"
        );
        testbed
            .rows(&store::save_operation(place, token, status, 2))
            .unwrap();
        testbed.rows(&store::cancel_deletion(place, token)).unwrap();
        assert_eq!(body("a"), Some(format!(r#"{{"status":{text}}}"#)));
        assert_eq!(body("b"), None);
    }
}

#[test]
fn a_released_deletion_is_abandoned_at_once_and_the_one_that_waits_longest_is_first() {
    let testbed = seeded();
    let begin = |id| {
        let place = PlaceId::new(id).unwrap();
        let rows = testbed
            .rows(&store::begin_deletion(place, None, None, None))
            .unwrap();
        (place, rows[0].integer("token"))
    };
    let abandoned = || {
        let rows = testbed
            .rows(&store::abandoned_deletions(60_000, 9))
            .unwrap();
        rows.iter()
            .map(|row| row.integer("place_id"))
            .collect::<Vec<_>>()
    };
    let [one, two] = [begin(1), begin(2)];
    assert_eq!(abandoned(), Vec::<i64>::new());
    for (place, token) in [two, one] {
        testbed
            .rows(&store::release_deletion(place, token))
            .unwrap();
    }
    assert_eq!(abandoned(), [1, 2]);
    testbed
        .rows(&store::take_over_deletion(one.0, one.1))
        .unwrap();
    assert_eq!(abandoned(), [2], "the other one is in progress again");
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

#[test]
fn a_reservation_has_all_places_or_none_and_ends_by_its_token() {
    let testbed = seeded();
    let rows: Vec<serde_json::Value> = [1, 2]
        .map(|id| serde_json::json!({"id": id, "version": 1}))
        .into();
    let count = |sql| testbed.rows(&Statement::new(sql, Vec::new())).unwrap()[0].integer("n");
    let tombstones = || count("SELECT count(*) AS n FROM tombstone");
    let reserve = || {
        let [reserve, check] = store::reserve(&rows, None);
        let reserved = testbed.rows(&reserve).unwrap();
        let is_complete = testbed.rows(&check).is_ok();
        let ids = reserved.iter();
        let ids = ids.map(|row| (row.integer("place_id"), row.integer("token")));
        is_complete.then(|| ids.collect::<Vec<_>>())
    };
    let reserved = reserve().unwrap();
    assert_eq!(reserved.len(), 2);
    assert_eq!(reserve(), None, "both are reserved");
    let conflicts = testbed.rows(&store::reservation_conflicts(&rows)).unwrap();
    assert_eq!(conflicts.len(), 2);
    let tokens: Vec<serde_json::Value> = reserved
        .iter()
        .map(|(id, token)| serde_json::json!({"id": id, "token": token, "hasDead": *id == 1}))
        .collect();
    // The repair neither takes a reservation over, nor is its token that of another owner.
    let (place, token) = (PlaceId::new(1).unwrap(), reserved[0].1);
    let taken_over = testbed
        .rows(&store::take_over_deletion(place, token))
        .unwrap();
    assert!(taken_over.is_empty());
    testbed
        .rows(&store::delete_reserved(&tokens, &Author::default()))
        .unwrap();
    for statement in store::end_reservation(&tokens) {
        testbed.rows(&statement).unwrap();
    }
    assert_eq!(
        count("SELECT count(*) AS n FROM place WHERE id IN (1, 2)"),
        0
    );
    assert_eq!(
        count("SELECT place_id AS n FROM tombstone WHERE phase = 'deleted'"),
        1
    );
    assert_eq!(tombstones(), 1);
    // Each deletion has the number of places after it.
    let left =
        count("SELECT group_concat(places) = '2,1' AS n FROM place_change WHERE kind = 'deleted'");
    assert_eq!(left, 1);
}
