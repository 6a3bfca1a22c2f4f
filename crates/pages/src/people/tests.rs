//! Tests the page of people.

use super::*;

fn parse(place: Option<i64>, query: &str) -> PeopleQuery {
    PeopleQuery::parse(place, query, 0, Normalize::NONE)
}

fn page(query: &str, people: Vec<PersonView>, next: Option<&str>) -> String {
    let query = parse(None, query);
    let next = next.map(ToOwned::to_owned);
    let people = People {
        neighbours: query.neighbours(&people, next, None, Normalize::NONE),
        query,
        people: Some(people),
        places: vec![PlaceView {
            id: 1,
            name: "A&B".to_owned(),
        }],
        notices: Vec::new(),
    };
    people.to_html().into_string()
}

fn person(id: i64, is_alive: bool, is_king: bool) -> PersonView {
    let (name, place) = (format!("<{id}>"), is_alive.then_some(id));
    crate::person::fields::with_state(id, &name, place, is_alive, is_king)
}

#[test]
fn a_page_before_a_cursor_is_read_in_reverse() {
    let people = || vec![person(5, true, false), person(6, true, false)];
    let filters = "/ui/people?sort=-id&amp;limit=25";
    let has = |page: &str, rel: &str, position: &str| {
        page.contains(&format!(r#"<a rel="{rel}" href="{filters}{position}">"#))
    };
    let cursor = |id| Cursor::Id(id).to_string();
    let (five, six) = (cursor(5), cursor(6));
    let before = format!("&amp;before={five}&amp;from=1");
    let next = format!("&amp;after={six}&amp;from=28");
    let query = format!("sort=-id&limit=25&after={}&from=26", cursor(7));
    let page_after = page(&query, people(), Some(&six));
    assert!(has(&page_after, "prev", &before) && has(&page_after, "next", &next));
    assert!(has(&page_after, "first", "") && page_after.contains("26–27, and more people"));
    // The API reads in reverse, so its next page is the one before.
    let query = format!("sort=-id&limit=25&before={}&from=26", cursor(4));
    let sort = parse(None, &query).api_path();
    assert!(sort.starts_with(&format!("/v1/people?limit=25&sort=id&after={}", cursor(4))));
    let page_before = page(&query, people(), Some("x"));
    assert!(has(&page_before, "prev", &before) && has(&page_before, "next", &next));
    let first = page(&query, people(), None);
    assert!(!first.contains("rel=\"prev\"") && has(&first, "first", ""));
    assert!(first.contains("1–2, and more people"), "{first}");
    let whole = page("sort=-id", people(), None);
    assert!(!whole.contains("First page") && whole.contains("2 people"));
}

#[test]
fn the_link_to_a_file_keeps_the_filters() {
    let export = |query: &str, place| parse(place, query).export_path();
    let path = "/v1/people/export?expand=place";
    assert_eq!(export("sort=-id", None), path);
    assert_eq!(export("after=6933", Some(3)), format!("{path}&placeId=3"));
    assert_eq!(
        export(
            "q=%C3%B1%26&show=isAlive%3Dfalse&limit=25&placeId=none",
            None
        ),
        format!("{path}&q=%C3%B1%26&isAlive=false&placeId=none")
    );
}

#[test]
fn a_query_becomes_a_request_to_the_api() {
    let path = |query: &str, place| parse(place, query).api_path();
    let first = "/v1/people?limit=50&sort=name&count=exact";
    assert_eq!(path("", None), first);
    assert_eq!(
        path(
            "q=Ñ%26&show=isAlive%3Dfalse&sort=-id&after=6933&limit=100",
            Some(3)
        ),
        "/v1/people?limit=100&sort=-id&after=6933&count=exact&q=%C3%91%26&isAlive=false&placeId=3"
    );
    assert_eq!(
        path("show=isAdmin%3Dtrue&sort=age&q=%2E&placeId=3", None),
        first
    );
    assert!(parse(None, "q=%2E").list.form.error("q").is_some());
}

#[test]
fn the_table_shows_states_and_places_as_words() {
    let people = vec![
        person(1, true, true),
        person(2, true, false),
        person(3, false, false),
    ];
    let page = page("", people, None);
    for part in [
        "&lt;1&gt;",
        "</span> king",
        "</span> alive",
        "</span> dead",
        "A&amp;B",
        "place 2",
        "none",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
