//! Tests the statistics: builds pages from two simulated backends, and compares them with a full
//! scan.

use std::collections::BTreeMap;

use domain::id::Ids;
use http_semantics::{MediaType, Params};
use proptest::prelude::*;
use serde_json::Value;
use tables::Cursor;
use tables::page::{PageSize, Sort};
use tables::population::{Measure, Order, PopulationQuery, Position};

use super::*;

/// The orders whose pages are merged from ranges: no index has the numbers of the dead.
fn range_orders() -> impl Iterator<Item = (&'static str, Order)> {
    let orders = Order::ALL.into_iter();
    orders.filter(|(_, order)| order.measure() != Some(Measure::Dead))
}

/// The living and the dead per place, including places that do not exist.
type Counts = BTreeMap<i64, (i64, i64)>;

fn place(id: i64) -> NamedPlace {
    NamedPlace {
        id,
        name: format!("n{id}"),
    }
}

fn population(place_id: i64, (living, dead): (i64, i64)) -> Population {
    let king = (living > 1).then(|| King {
        id: 100 + place_id,
        name: Some(format!("k{place_id}")),
    });
    Population {
        place_id,
        living,
        dead,
        king,
    }
}

/// The places service. A page without ids has at most `few` records, as if there were more places.
fn places_at(path: &str, places: &[i64], few: usize) -> Part<NamedPlace> {
    let (_, query) = path.split_once('?').unwrap();
    let params = Params::parse(query, &["limit", "after", "sort", "ids"]).unwrap();
    let limit: PageSize = params.get("limit").unwrap().unwrap();
    let after = params.get::<Cursor>("after").unwrap();
    let after = after.map(|cursor| cursor.id());
    let sort: Option<Sort> = params.get("sort").unwrap();
    let is_down = sort.is_some_and(|sort| sort.descending);
    let ids: Option<Ids> = params.get("ids").unwrap();
    let ids: Option<Vec<i64>> = ids.map(|ids| serde_json::from_str(&ids.to_json()).unwrap());
    let mut ordered = places.to_vec();
    if is_down {
        ordered.reverse();
    }
    let is_after =
        |id: i64| after.is_none_or(|after| if is_down { id < after } else { id > after });
    let mut matching = ordered
        .into_iter()
        .filter(|id| is_after(*id) && ids.as_ref().is_none_or(|ids| ids.contains(id)));
    let limit = usize::from(limit.get());
    let limit = if ids.is_none() { limit.min(few) } else { limit };
    let records: Vec<NamedPlace> = matching.by_ref().take(limit).map(place).collect();
    let last = records.last().map(|place| Cursor::Id(place.id));
    Part {
        next: last.filter(|_| matching.next().is_some()),
        records,
    }
}

/// The number that an order sorts by.
fn number(order: Order, (living, dead): (i64, i64)) -> i64 {
    match order.measure() {
        None => 0,
        Some(measure) => measure.of(living, dead),
    }
}

/// The people service.
fn people_at(path: &str, counts: &Counts) -> Part<Population> {
    let (_, query) = path.split_once('?').unwrap();
    let params = Params::parse(query, PopulationQuery::PARAMETERS).unwrap();
    let query = PopulationQuery::from_params(&params, 0).unwrap();
    let mut found: Vec<(i64, i64)> = counts
        .iter()
        .map(|(place, count)| (number(query.order, *count), *place))
        .collect();
    found.sort_unstable();
    let is_down = query.order.is_descending();
    if is_down {
        found.reverse();
    }
    let after = query.after.map(|after| (after.number, after.place));
    found.retain(|key| after.is_none_or(|after| if is_down { *key < after } else { *key > after }));
    // The service skips a limited number of places with fewer people, unless it sorts by them.
    let limit: usize = query.limit.get().into();
    let max_candidates = limit + 2;
    let min_living = query.least.unwrap_or(0);
    if query.order.measure() == Some(Measure::Living) {
        found.retain(|(living, _)| *living >= min_living);
    }
    let last_candidate = found.get(max_candidates - 1).copied();
    let candidates = found.into_iter().take(max_candidates);
    let mut rest = candidates.filter(|(_, place)| counts[place].0 >= min_living);
    let page: Vec<(i64, i64)> = rest.by_ref().take(limit).collect();
    let last = match rest.next() {
        Some(_) => page.last().copied(),
        None => last_candidate,
    };
    let next = last.map(|(number, place)| query.cursor(Position { number, place }));
    let page = page.into_iter();
    Part {
        records: page
            .map(|(_, place)| population(place, counts[&place]))
            .collect(),
        next,
    }
}

/// Every page, each of at most `steps` steps.
fn walk(places: &[i64], few: usize, counts: &Counts, query: &str, steps: usize) -> Vec<Vec<Row>> {
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let query = format!("{query}{after}");
        let params = Params::parse(&query, PopulationQuery::PARAMETERS).unwrap();
        let mut page =
            StatisticsPageBuilder::new(PopulationQuery::from_params(&params, 0).unwrap());
        // Every second page reads only one place ahead.
        let ahead = PageSize::new(if pages.len() % 2 == 0 { 100 } else { 1 }).unwrap();
        for _ in 0..steps {
            let Some([places_path, people_path]) = page.paths(ahead) else {
                break;
            };
            let people = people_at(&people_path, counts);
            let mut named = places_at(&places_path, places, few);
            for path in page.names_paths(&named, &people.records) {
                named.records.extend(places_at(&path, places, few).records);
            }
            page.add_step(named, people);
        }
        let (rows, next) = page.into_page();
        pages.push(rows);
        assert!(pages.len() < 500, "a page makes progress");
        let Some(next) = next else { return pages };
        after = format!("&after={next}");
    }
}

/// All rows by a full scan.
fn full_scan(places: &[i64], counts: &Counts, order: Order, least: i64) -> Vec<Row> {
    let count = |id: &i64| counts.get(id).copied().unwrap_or_default();
    let mut ids: Vec<i64> = places.to_vec();
    ids.retain(|id| count(id).0 >= least);
    ids.sort_by_key(|id| (number(order, count(id)), *id));
    if order.is_descending() {
        ids.reverse();
    }
    let row = |id: i64| Row {
        place: place(id),
        population: counts.get(&id).map(|count| population(id, *count)),
    };
    ids.into_iter().map(row).collect()
}

/// The first step of an order by population.
fn first_step(places: &[i64], counts: &Counts, order: Order) -> StatisticsPageBuilder {
    let query = PopulationQuery {
        order,
        ..PopulationQuery::default()
    };
    let mut page = StatisticsPageBuilder::new(query);
    let [places_path, people_path] = page.paths(PageSize::default()).unwrap();
    let people = people_at(&people_path, counts);
    let named = places_at(&places_path, places, usize::MAX);
    assert!(page.names_paths(&named, &people.records).is_empty());
    page.add_step(named, people);
    page
}

#[test]
fn a_page_of_few_places_is_complete_after_one_step() {
    let counts: Counts = [(1, (2, 0)), (3, (0, 4)), (4, (2, 5)), (9, (1, 1))].into();
    let places = [1, 2, 3, 4, 5];
    for (sort, order) in range_orders().filter(|(_, order)| order.measure().is_some()) {
        let page = first_step(&places, &counts, order);
        assert_eq!(page.paths(PageSize::default()), None, "{sort}");
        let (rows, next) = page.into_page();
        assert_eq!(rows, full_scan(&places, &counts, order, 0), "{sort}");
        assert_eq!(next, None, "{sort}");
    }
}

proptest! {
    #[test]
    fn the_pages_of_every_order_equal_a_full_scan(
        places in prop::collection::btree_set(1..40i64, 0..25),
        counts in prop::collection::btree_map(1..40i64, (0..4i64, 0..3i64), 0..25),
        least in 0..4i64,
        limit in 1..9usize,
        steps in 1..5usize,
        few in 1..30usize,
    ) {
        let places: Vec<i64> = places.into_iter().collect();
        let counts: Counts = counts.into_iter().filter(|(_, (l, d))| l + d > 0).collect();
        for (sort, order) in range_orders() {
            let filter = if least > 0 { format!("&least={least}") } else { String::new() };
            let query = format!("limit={limit}&sort={sort}{filter}");
            let pages = walk(&places, few, &counts, &query, steps);
            prop_assert!(pages.iter().all(|page| page.len() <= limit), "{}", query);
            prop_assert_eq!(pages.concat(), full_scan(&places, &counts, order, least), "{}", query);
        }
    }

    #[test]
    fn the_pages_of_all_places_equal_a_full_scan(
        places in prop::collection::btree_set(1..40i64, 0..25),
        counts in prop::collection::btree_map(1..40i64, (0..4i64, 0..3i64), 0..25),
        least in 0..4i64,
        limit in 1..9i64,
    ) {
        let places: Vec<i64> = places.into_iter().collect();
        let all = || {
            let places = places.iter().copied().map(place).collect();
            let counts = counts.iter();
            let populations = counts.map(|(place, count)| population(*place, *count)).collect();
            with_populations(places, populations, least)
        };
        for (sort, order) in Order::ALL {
            let limit = PageSize::new(limit).unwrap();
            let mut query = PopulationQuery { limit, order, ..PopulationQuery::default() };
            let mut found = Vec::new();
            for _ in 0..=places.len() {
                let (rows, next) = in_order(all(), &query);
                prop_assert!(rows.len() <= limit.get().into(), "{}", sort);
                found.extend(rows);
                query.after = next;
                if next.is_none() {
                    break;
                }
            }
            prop_assert_eq!(found, full_scan(&places, &counts, order, least), "{}", sort);
        }
    }

    #[test]
    fn every_format_has_the_same_records(
        places in prop::collection::btree_set(1..40i64, 0..9),
        counts in prop::collection::btree_map(1..40i64, (0..4i64, 0..3i64), 0..25),
        dead in 0..9i64,
    ) {
        let places: Vec<i64> = places.into_iter().collect();
        let rows = full_scan(&places, &counts, Order::Id, 0);
        let all_living: i64 = counts.values().map(|(living, _)| living).sum();
        let text = |format: MediaType| {
            render(&rows, all_living, Some(dead), format, format.framing_with_header(COLUMNS))
        };
        let records: Vec<Value> = serde_json::from_str(&text(MediaType::Json)).unwrap();
        prop_assert_eq!(records.len(), rows.len() + 1);
        for (record, row) in records.iter().zip(&rows) {
            let count = |f: fn(&Population) -> i64| row.population.as_ref().map_or(0, f);
            prop_assert_eq!(record["total"].as_i64(), Some(count(|p| p.living + p.dead)));
            let share = record["share"].as_f64().unwrap();
            let exact = f64::from(u32::try_from(count(|p| p.living)).unwrap())
                / f64::from(u32::try_from(all_living.max(1)).unwrap());
            prop_assert!((share - exact).abs() < 1e-6, "{} {}", share, exact);
        }
        let lines = text(MediaType::NdJson);
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
        prop_assert_eq!(lines.collect::<Vec<Value>>(), records.clone());
        let table = text(MediaType::Csv);
        let mut table = table.split_terminator("\r\n");
        prop_assert_eq!(table.next(), Some("id,name,total,living,dead,share,kingId,kingName"));
        let cells = |record: &Value| {
            let king = &record["king"];
            let names = ["id", "name", "total", "living", "dead", "share"];
            let members = names.iter().map(|name| &record[*name]);
            let cells: Vec<&Value> = members.chain([&king["id"], &king["name"]]).collect();
            cells.into_iter().map(|cell| match cell {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }).collect::<Vec<_>>().join(",")
        };
        prop_assert_eq!(table.collect::<Vec<_>>(), records.iter().map(cells).collect::<Vec<_>>());
    }
}

#[test]
fn an_empty_page_is_an_empty_list() {
    let text =
        |format: MediaType| render(&[], 0, None, format, format.framing_with_header(COLUMNS));
    assert_eq!(text(MediaType::Json), "[]");
    assert_eq!(text(MediaType::NdJson), "");
    assert_eq!(
        text(MediaType::Csv),
        "id,name,total,living,dead,share,kingId,kingName\r\n"
    );
}

#[test]
fn a_record_has_its_members_in_order() {
    let rows = [
        Row {
            place: place(1),
            population: Some(population(1, (4, 3))),
        },
        Row {
            place: place(2),
            population: None,
        },
    ];
    let expected = [
        r#"{"id":1,"name":"n1","total":7,"living":4,"dead":3,"share":0.059701,"king":{"id":101,"name":"k1"}}"#,
        r#"{"id":2,"name":"n2","total":0,"living":0,"dead":0,"share":0,"king":null}"#,
        r#"{"id":null,"name":null,"total":6,"living":0,"dead":6,"share":0,"king":null}"#,
    ];
    assert_eq!(
        render(
            &rows,
            67,
            Some(6),
            MediaType::Json,
            MediaType::Json.framing()
        ),
        format!("[{}]", expected.join(",\n"))
    );
}

#[test]
fn as_of_is_sent_to_both_backends() {
    for (sort, _) in range_orders() {
        let query = format!("sort={sort}&asOf=1970-01-01T00:00:00Z");
        let params = Params::parse(&query, PopulationQuery::PARAMETERS).unwrap();
        let page = StatisticsPageBuilder::new(PopulationQuery::from_params(&params, 0).unwrap());
        let few = Part {
            records: vec![],
            next: Some(Cursor::Id(1)),
        };
        let names_paths = page.names_paths(&few, &[population(1, (1, 0))]);
        let [places, people] = page.paths(PageSize::default()).unwrap();
        for path in names_paths.iter().chain([&places]) {
            assert!(
                path.starts_with("/v1/places/as-of?asOf=1970-01-01T00:00:00Z&"),
                "{path}"
            );
        }
        assert!(people.ends_with("&asOf=1970-01-01T00:00:00Z"), "{people}");
    }
}

#[test]
fn names_are_escaped_as_by_the_backends() {
    let places = places(r#"[{"id":1,"name":"a\"},\\ ñ🐉\u007f/"}]"#.as_bytes()).unwrap();
    let row = |place| Row {
        place,
        population: None,
    };
    let rows: Vec<Row> = places.into_iter().map(row).collect();
    let expected = "[{\"id\":1,\"name\":\"a\\\"},\\\\ ñ🐉\u{7f}/\",\"total\":0,";
    let json = render(&rows, 0, None, MediaType::Json, MediaType::Json.framing());
    assert!(json.starts_with(expected), "{json}");
}

#[test]
fn valid_responses_are_parsed() {
    let body = r#"[{"placeId":3,"total":3,"living":2,"dead":1,"king":{"id":7,"name":"K}"}}]"#;
    let king = Some(King {
        id: 7,
        name: Some("K}".to_owned()),
    });
    let expected = Population {
        king,
        ..population(3, (2, 1))
    };
    assert_eq!(populations(body.as_bytes()), Ok(vec![expected]));
    let erased = r#"[{"placeId":3,"total":3,"living":2,"dead":1,"king":{"id":7,"name":null}}]"#;
    let erased = populations(erased.as_bytes()).unwrap().remove(0);
    let king = King { id: 7, name: None };
    assert_eq!(erased.king, Some(king.clone()));
    let row = Row {
        place: place(3),
        population: Some(erased),
    };
    let rendered = |format: MediaType| {
        render(
            std::slice::from_ref(&row),
            2,
            None,
            format,
            format.framing(),
        )
    };
    assert!(rendered(MediaType::Json).contains(r#""king":{"id":7,"name":null}"#));
    assert!(rendered(MediaType::Csv).ends_with(",7,\r\n"));
    assert_eq!(king.present(), None);
    assert_eq!(places(b"[]"), Ok(vec![]));
}

#[test]
fn malformed_responses_are_rejected() {
    for body in [
        "",
        "[",
        "oops",
        "{}",
        "[{}]",
        "[{\"id\":1}]",
        "[{\"id\":1,\"name\":2}]",
        "[{\"id\":1,\"name\":\"a\\\"}]",
        "[{\"id\":1,\"name\":\"a\0\"}]",
    ] {
        assert_eq!(
            places(body.as_bytes()),
            Err(MalformedResponse::Places),
            "{body}"
        );
        assert_eq!(populations(body.as_bytes()), Err(MalformedResponse::People));
    }
    for king in ["", r#","king":{"id":7}"#] {
        let incomplete = format!(r#"[{{"placeId":3,"total":3,"living":2,"dead":1{king}}}]"#);
        let parsed = populations(incomplete.as_bytes());
        assert_eq!(parsed, Err(MalformedResponse::People), "{king}");
    }
}
