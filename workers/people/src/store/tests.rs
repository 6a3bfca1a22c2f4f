//! The statements on the migrated schema, run by SQLite itself and held against a model.

use domain::PersonId;
use http_semantics::{MediaType, Params};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tables::import::{Counts, Receipt};
use testbed::{Testbed, Value};

use tables::page::MAX_PAGE_SIZE;
use tables::schema::PERSON;
use tables::statement::Statement;
use tables::{ListQuery, change_log, list_statement, record_statement};

use crate::domain::ByPlace;
use crate::store;

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub id: i64,
    pub name: String,
    pub is_alive: bool,
    pub is_king: bool,
    pub place: Option<i64>,
}

impl Person {
    /// The person as JSON. The declared fields that these tests do not set are null, so that a
    /// new nullable column needs no change here.
    fn json(&self) -> Json {
        let fields = PERSON.fields.iter();
        let mut person: Json = fields
            .map(|field| ((*field).to_owned(), Json::Null))
            .collect();
        person["id"] = self.id.into();
        person["name"] = self.name.as_str().into();
        person["isAlive"] = self.is_alive.into();
        person["placeId"] = self.place.into();
        person["isKing"] = self.is_king.into();
        person
    }

    /// The person as a group of a place shows it.
    fn resident_json(&self) -> Json {
        let mut person = self.json();
        person.as_object_mut().unwrap().remove("placeId");
        person
    }
}

/// Some people; the first living one of each place is its king.
pub(super) fn people() -> impl Strategy<Value = Vec<Person>> {
    let person = (
        "[ab][a-c\"\\\\é]{0,2}",
        any::<bool>(),
        prop::option::of(1..6i64),
    );
    prop::collection::vec(person, 0..40).prop_map(|people| {
        let mut crowned = Vec::new();
        let person = |(id, (name, is_alive, place)): (i64, (String, bool, Option<i64>))| {
            let is_alive = is_alive && place.is_some();
            let is_king = is_alive && !crowned.contains(&place);
            if is_king {
                crowned.push(place);
            }
            Person {
                id,
                name,
                is_alive,
                is_king,
                place,
            }
        };
        (1..).zip(people).map(person).collect()
    })
}

pub(super) fn filled(people: &[Person]) -> Testbed {
    let testbed = Testbed::migrated("people").unwrap();
    for Person {
        id,
        name,
        is_alive,
        is_king,
        place,
    } in people
    {
        let place = place.map_or("NULL".to_owned(), |place| place.to_string());
        let row = format!("({id}, '{name}', '{name}', {is_alive}, {is_king}, {place})");
        let insert = "INSERT INTO person (id, name, name_key, is_alive, is_king, place_id) VALUES";
        testbed.execute(&format!("{insert} {row}")).unwrap();
    }
    testbed
}

fn list(query: &str, seen: Option<i64>) -> Statement {
    let params = Params::parse(query, &PERSON.list_parameters).unwrap();
    let query = ListQuery::from_params(&PERSON, &params, str::to_owned).unwrap();
    list_statement::page(&PERSON, &query, MediaType::Json, seen)
}

pub(super) fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// All that a query matches, page by page.
fn walk(testbed: &Testbed, query: &str) -> (Vec<Json>, usize) {
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

/// A query, and what a person must be to match it.
type Filter = (String, Box<dyn Fn(&Person) -> bool>);

/// Every combination of filters.
fn filters() -> Vec<Filter> {
    type Choice = (&'static str, fn(&Person) -> bool);
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
                        let matches = move |p: &Person| chosen.iter().all(|(_, test)| test(p));
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
    fn every_filter_and_order_walks_all_that_match_and_nothing_else(
        people in people(), limit in 1..9usize,
    ) {
        let testbed = filled(&people);
        for (query, matches) in filters() {
            for sort in ["id", "-id", "name", "-name"] {
                let mut expected: Vec<&Person> = people.iter().filter(|p| matches(p)).collect();
                if sort.ends_with("name") {
                    expected.sort_by_key(|p| (&p.name, p.id));
                }
                if sort.starts_with('-') {
                    expected.reverse();
                }
                let expected: Vec<Json> = expected.into_iter().map(Person::json).collect();
                let count = expected.len();
                let query = format!("limit={limit}&sort={sort}&count=exact{query}");
                prop_assert_eq!(walk(&testbed, &query), (expected, count), "{}", query);
            }
        }
    }

    #[test]
    fn groups_are_the_people_of_each_place_up_to_a_limit(
        people in people(), limit in 1..7usize, most in 1..6usize, after in 0..4i64,
    ) {
        let testbed = filled(&people);
        let cursor = if after == 0 { String::new() } else { format!("&after={}", tables::Cursor::Id(after)) };
        let groups = groups(&testbed, &format!("limit={limit}&peopleLimit={most}{cursor}"));
        let mut expected = Vec::new();
        for place in after + 1..6 {
            let of_place: Vec<&Person> = people.iter().filter(|p| p.place == Some(place)).collect();
            let shown: Vec<Json> = of_place.iter().take(most).map(|p| p.resident_json()).collect();
            let mut group = json!({"placeId": place, "people": shown});
            if of_place.len() > most {
                let cursor = tables::Cursor::Id(of_place[most - 1].id);
                let next = format!("/v1/people?placeId={place}&limit={MAX_PAGE_SIZE}&after={cursor}");
                group["next"] = next.into();
            }
            if !of_place.is_empty() {
                expected.push(group);
            }
        }
        expected.truncate(limit);
        prop_assert_eq!(groups, expected);
    }

    #[test]
    fn the_population_is_what_a_count_says(people in people(), moves in prop::collection::vec((1..40i64, prop::option::of(1..6i64)), 0..20)) {
        let testbed = filled(&people);
        for (id, place) in moves {
            testbed.execute(&match place {
                Some(place) => format!("UPDATE person SET place_id = {place}, is_king = 0, version = version + 1 WHERE id = {id}"),
                None if id % 2 == 0 => format!("DELETE FROM person WHERE id = {id}"),
                None => format!("UPDATE person SET is_alive = 0, is_king = 0, place_id = NULL, version = version + 1 WHERE id = {id}"),
            }).unwrap();
        }
        adds_up(&testbed)?;
    }

    #[test]
    fn a_batch_is_counted_as_one_by_one(people in people(), batch in people()) {
        let testbed = filled(&people);
        let shifted = batch.iter().map(|person| {
            // Half of them get the next id; no king where there may be one.
            let id = (person.id % 2 == 0).then_some(100 + person.id);
            let place = person.place.map(|place| place + if person.is_king { 10 } else { 0 });
            json!({
                "id": id, "name": person.name, "key": person.name, "isAlive": person.is_alive,
                "isKing": person.is_king, "placeId": place,
            })
        });
        let rows: Vec<Json> = shifted.collect();
        for statement in store::insert_batch(&rows) {
            testbed.rows(&statement).unwrap();
        }
        adds_up(&testbed)?;
        let count = |sql: &str| testbed.rows(&Statement::new(sql, Vec::new())).unwrap();
        let all = i64::try_from(people.len() + rows.len()).unwrap();
        prop_assert_eq!(count("SELECT count(*) FROM person_change"), vec![vec![Value::Integer(all)]]);
        prop_assert_eq!(count("SELECT count(*) FROM bulk_insert"), vec![vec![Value::Integer(0)]]);
        // After it, each write counts for itself again.
        testbed.execute("INSERT INTO person (name, name_key, is_alive, place_id) VALUES ('x', 'x', 1, 3)").unwrap();
        adds_up(&testbed)?;
    }
}

/// The populations, now and as the last ones of their history, are what a count says.
fn adds_up(testbed: &Testbed) -> Result<(), TestCaseError> {
    let kept = "SELECT place_id, living, dead FROM population ORDER BY place_id";
    let counted = "SELECT coalesce(place_id, 0), sum(is_alive), sum(1 - is_alive) FROM person GROUP BY 1 ORDER BY 1";
    let rows = |sql| testbed.rows(&Statement::new(sql, Vec::new())).unwrap();
    prop_assert_eq!(rows(kept), rows(counted));
    let now = "SELECT place_id, living, dead, king_id FROM population_history AS h
        WHERE at = (SELECT max(at) FROM population_history WHERE place_id = h.place_id)
          AND (living > 0 OR dead > 0) AND place_id >= 0
        ORDER BY place_id";
    let with_kings = "SELECT coalesce(place_id, 0), sum(is_alive), sum(1 - is_alive), max(iif(is_king, id, NULL))
        FROM person GROUP BY 1 ORDER BY 1";
    prop_assert_eq!(rows(now), rows(with_kings));
    let total =
        "SELECT living, dead FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1";
    let all = "SELECT coalesce(sum(is_alive), 0), coalesce(sum(1 - is_alive), 0) FROM person";
    prop_assert_eq!(rows(total), rows(all));
    Ok(())
}

#[test]
fn an_import_is_told_who_is_there_and_who_wears_the_crown() {
    let testbed = Testbed::migrated("people").unwrap();
    let fill = "INSERT INTO person (id, name, name_key, is_alive, is_king, place_id)
        VALUES (1, 'A', 'a', 1, 1, 7), (2, 'B', 'b', 1, 0, 7)";
    testbed.execute(fill).unwrap();
    let batch = [
        json!({"n": 0, "id": 2, "placeId": 7, "isKing": true}),
        json!({"n": 1, "id": 3, "placeId": 7, "isKing": false}),
    ];
    let rows = testbed.rows(&store::present(&batch)).unwrap();
    let [row] = &rows[..] else {
        panic!("{rows:?}");
    };
    let before = Person {
        id: 2,
        name: "B".to_owned(),
        is_alive: true,
        is_king: false,
        place: Some(7),
    };
    let body: Json = serde_json::from_str(row.text("body")).unwrap();
    assert_eq!(body, before.json());
    let numbers = ["n", "version", "king_id"].map(|column| row.integer(column));
    assert_eq!((numbers, row.text("king_name")), ([0, 1, 1], "A"));
}

/// All groups of a query, statement after statement.
fn groups(testbed: &Testbed, query: &str) -> Vec<Json> {
    let params = Params::parse(query, ByPlace::PARAMETERS).unwrap();
    let statement = store::by_place(
        &ByPlace::read(&params).unwrap(),
        MediaType::NdJson.framing(),
        None,
    );
    let rows = testbed.rows(&statement).unwrap();
    let text: String = rows
        .iter()
        .filter_map(|row| as_text(&row["text"]))
        .collect();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_long_group_comes_in_runs_that_make_one() {
    let testbed = Testbed::migrated("people").unwrap();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
        INSERT INTO person (id, name, name_key, is_alive, place_id)
        SELECT 3 * i, 'x', 'x', 1, 7 FROM n";
    testbed.execute(fill).unwrap();
    for (most, shown) in [
        (999, 999),
        (1000, 1000),
        (1001, 1001),
        (2000, 2000),
        (2500, 2500),
        (10_000, 2500),
    ] {
        let groups = groups(&testbed, &format!("peopleLimit={most}"));
        assert_eq!(groups.len(), 1);
        let people = groups[0]["people"].as_array().unwrap();
        let ids: Vec<i64> = people
            .iter()
            .filter_map(|person| person["id"].as_i64())
            .collect();
        assert_eq!(
            ids,
            (1..=shown).map(|i| 3 * i).collect::<Vec<_>>(),
            "{most}"
        );
        assert_eq!(groups[0].get("next").is_some(), most < 2500, "{most}");
    }
}

#[test]
fn a_statement_ends_when_it_has_people_enough() {
    let testbed = Testbed::migrated("people").unwrap();
    let fill = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 44999)
        INSERT INTO person (name, name_key, is_alive, place_id)
        SELECT 'x', 'x', 1, 1 + i / 9000 FROM n";
    testbed.execute(fill).unwrap();
    let params = Params::parse("peopleLimit=10000", ByPlace::PARAMETERS).unwrap();
    let ask = ByPlace::read(&params).unwrap();
    let rows = testbed
        .rows(&store::by_place(&ask, MediaType::NdJson.framing(), None))
        .unwrap();
    let last = rows.last().unwrap();
    // 9,000 and 18,000 are below 20,000, so a third group is begun; two are left.
    assert_eq!(
        (last.integer("place_id"), last.integer("remaining")),
        (3, 2)
    );
}

#[test]
fn every_query_has_its_index() {
    let testbed = filled(&[]);
    assert!(
        !testbed
            .plan(&record_statement::read(&PERSON, 1))
            .unwrap()
            .walks("person")
    );
    for query in ["", "placeId=3", "after=6933&limit=9"] {
        let params = Params::parse(query, ByPlace::PARAMETERS).unwrap();
        let ask = ByPlace::read(&params).unwrap();
        let plan = testbed
            .plan(&store::by_place(&ask, MediaType::Json.framing(), None))
            .unwrap();
        assert!(
            !plan.walks("person") && !plan.walks("population"),
            "{query}: {plan:?}"
        );
    }
    let by_name = ["name", "-name"].map(|sort| (sort, "6e313a61"));
    let by_id = ["id", "-id"].map(|sort| (sort, "6932"));
    for (filter, _) in filters() {
        for (sort, cursor) in [by_name, by_id].concat() {
            for query in [
                format!("sort={sort}{filter}"),
                format!("sort={sort}{filter}&after={cursor}"),
            ] {
                let statement = list(&query, None);
                let plan = testbed.plan(&statement).unwrap();
                // Those who are no king are nearly all: they are walked like all.
                let is_walk = filter.is_empty() || filter == "&isKing=false";
                assert!(is_walk || !plan.walks("person"), "{query}: {plan:?}");
                // A batch of ids and a place's one king are few, and a name's prefix in
                // the order of ids can have no index: these sort what they match.
                let is_few = filter.contains("ids")
                    || (filter.contains("isKing=true") && filter.contains("placeId"));
                let is_crossed = filter.contains("name") && sort.ends_with("id");
                assert!(is_few || is_crossed || !plan.sorts(), "{query}: {plan:?}");
            }
        }
    }
}

/// What has been seen already costs the same however many there are.
#[test]
fn what_has_not_changed_costs_one_look_at_the_changes() {
    let steps = |count: i64| {
        let testbed = Testbed::migrated("people").unwrap();
        let fill = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
            INSERT INTO person (name, name_key, is_alive, place_id) SELECT 'x', 'x', 1, i FROM n"
        );
        testbed.execute(&fill).unwrap();
        let params = Params::parse("", ByPlace::PARAMETERS).unwrap();
        let frame = MediaType::Json.framing();
        let groups = ByPlace::read(&params).unwrap();
        [
            list("count=exact&sort=name", Some(count)),
            store::by_place(&groups, frame, Some(count)),
        ]
        .map(|statement| testbed.steps(&statement).unwrap())
    };
    let (few, many) = (steps(10), steps(3000));
    assert_eq!(few, many);
    assert!(many.iter().all(|steps| *steps < 250), "{many:?}");
}

#[test]
fn every_write_has_its_index() {
    let testbed = filled(&[]);
    let (place, other) = (
        domain::PlaceId::new(1).unwrap(),
        domain::PlaceId::new(2).unwrap(),
    );
    let limit = tables::page::PageSize::default();
    let id = PersonId::new(1).unwrap();
    let rows = [
        json!({"id": 1, "version": 1, "name": "x", "key": "x", "isAlive": true, "isKing": false, "placeId": 1}),
    ];
    let name = domain::name::Name::new("x", str::to_owned).unwrap();
    let mut statements = vec![
        store::insert(&rows[0]),
        store::update(&rows[0]),
        store::rename(&[(id, name)]),
        store::update_all(&rows),
        store::add_pending_for("t", id, store::PlaceChange::default()),
        store::depose(place, id, 1),
        store::delete(id, 1),
        store::king(place),
        store::present(&rows),
        store::residents(0, 10),
        change_log::change_seq(&PERSON),
        change_log::since(&PERSON, 0, limit, MediaType::Json.framing()),
        change_log::versions(&PERSON, 1, 0, limit, MediaType::Json.framing()),
    ];
    for has_client_key in [false, true] {
        let receipt = Receipt::new("f", has_client_key);
        statements.push(receipt.find(&PERSON));
        statements.extend(receipt.delete_invalid(&PERSON));
        statements.push(receipt.save(&PERSON, Counts::default(), 1));
    }
    statements.extend(store::insert_batch(&rows));
    statements.extend(store::commit_pending("t", &[7]));
    statements.extend(store::close(place));
    statements.extend(store::reassign(place, other));
    statements.extend(store::detach_dead(place));
    for statement in statements {
        let plan = testbed.plan(&statement).unwrap();
        for table in [
            "person",
            "person_change",
            "population",
            "idempotency",
            "kept",
            "h",
            "behind",
            "written",
            "later",
            "receipt",
            "king",
        ] {
            assert!(!plan.walks(table), "{}: {plan:?}", statement.sql);
        }
    }
}

/// A pending write is recorded only for a new reference.
#[test]
fn a_pending_write_is_recorded_for_a_new_reference_only() {
    let testbed = Testbed::migrated("people").unwrap();
    let fill = "INSERT INTO person (id, name, name_key, is_alive, place_id)
        VALUES (1, 'A', 'a', 1, 7), (2, 'B', 'b', 0, 7), (3, 'C', 'c', 0, NULL)";
    testbed.execute(fill).unwrap();
    let place = |id| store::NewPlace::Set(domain::PlaceId::new(id));
    let (unchanged, nowhere) = (store::NewPlace::Unchanged, store::NewPlace::Set(None));
    let change = |place, is_alive| store::PlaceChange { place, is_alive };
    for (id, change, recorded) in [
        (1, change(place(7), Some(true)), None),
        (1, change(place(7), Some(false)), None),
        (1, change(place(8), None), Some(8)),
        (1, change(nowhere, Some(false)), None),
        (2, change(unchanged, Some(true)), Some(7)),
        (2, change(place(7), Some(false)), None),
        (2, change(place(8), Some(false)), Some(8)),
        (3, change(unchanged, Some(true)), None),
        (3, change(place(8), Some(true)), Some(8)),
        // Nobody has this id yet.
        (4, change(place(8), Some(true)), None),
    ] {
        let id = PersonId::new(id).unwrap();
        let token = format!("{id} {change:?}");
        testbed
            .rows(&store::add_pending_for(&token, id, change))
            .unwrap();
        let begun = testbed.rows(&store::read_begun(id)).unwrap();
        let count = begun.first().map(|row| row["pending_writes"].clone());
        let expected = i64::from(recorded.is_some());
        assert!(count.is_none_or(|count| count == Value::Integer(expected)));
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
fn a_revoked_write_fails_on_its_constraint() {
    let testbed = Testbed::migrated("people").unwrap();
    let place = domain::PlaceId::new(7).unwrap();
    let run = |statement: &Statement| testbed.rows(statement);
    for token in ["committed", "revoked"] {
        run(&store::add_pending(token, &[7, 8])).unwrap();
        if token == "revoked" {
            for statement in store::close(place) {
                run(&statement).unwrap();
            }
        }
        let [remove, expect] = store::commit_pending(token, &[7, 8]);
        run(&remove).unwrap();
        let committed = run(&expect);
        assert_eq!(committed.is_ok(), token == "committed", "{committed:?}");
        if let Err(error) = committed {
            assert!(error.to_string().contains(store::REVOKED), "{error}");
        }
    }
}

#[test]
fn a_place_with_residents_revokes_nothing() {
    let testbed = Testbed::migrated("people").unwrap();
    let fill = "INSERT INTO person (name, name_key, is_alive, place_id) VALUES ('A', 'a', 1, 7)";
    testbed.execute(fill).unwrap();
    testbed.rows(&store::add_pending("t", &[7])).unwrap();
    let [revoke, count] = store::close(domain::PlaceId::new(7).unwrap());
    testbed.rows(&revoke).unwrap();
    let counts = testbed.rows(&count).unwrap();
    assert_eq!(counts, [[Value::Integer(1), Value::Integer(0)]]);
    let [remove, expect] = store::commit_pending("t", &[7]);
    testbed.rows(&remove).unwrap();
    testbed.rows(&expect).unwrap();
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
fn a_resident_is_a_person_without_the_place() {
    let testbed = filled(&[Person {
        id: 1,
        name: "\"é\"".to_owned(),
        is_alive: true,
        is_king: true,
        place: Some(7),
    }]);
    let sql = format!(
        "SELECT resident, {} AS declared FROM person",
        PERSON.json_without("place_id")
    );
    let row = testbed
        .rows(&Statement::new(&sql, Vec::new()))
        .unwrap()
        .remove(0);
    assert_eq!(row.text("resident"), row.text("declared"));
}
