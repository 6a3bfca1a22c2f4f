//! Tests the page of a place.

use super::*;

#[test]
fn a_form_with_an_error_keeps_its_values_and_shows_the_error() {
    let mut form = Form::parse(b"name=%22A%22&version=3");
    form.add_error("name", "Another <place> has it.");
    form.needs_token = true;
    let place = PlaceView {
        id: 7,
        name: "Old & dear".to_owned(),
    };
    let page = action(&place, Action::Rename, &form, &[], None).into_string();
    assert!(page.contains(r#"value="&quot;A&quot;""#));
    assert!(page.contains(r#"<p class="error" id="name-error">Another &lt;place&gt; has it.</p>"#));
    assert!(page.contains(r#"<input type="hidden" name="version" value="3">"#));
    assert!(page.contains(r#"type="password" value="""#));
    assert!(page.contains("<h1>Rename Old &amp; dear</h1>"));
}

/// The page of a place that was added as “A” on the 10th and renamed to “B” on the 20th. With
/// `removal`, it was removed on the 30th.
fn page(query: &str, removal: bool) -> String {
    use crate::people::PeopleQuery;
    use domain::name::Normalize;
    use http_semantics::from_json;

    let change = |day: i64, kind: &str, record: &str| {
        let at = format!("2026-01-{day}T12:00:00.000Z");
        format!(r#"{{"at":"{at}","kind":"{kind}","version":{day},"by":null,"record":{record}}}"#)
    };
    let mut changes = vec![
        change(10, "created", r#"{"id":7,"name":"A"}"#),
        change(20, "updated", r#"{"id":7,"name":"B"}"#),
    ];
    changes.extend(removal.then(|| change(30, "deleted", "null")));
    let changes = format!("[{}]", changes.join(","));
    let now = 1_795_694_400_000;
    let page = PlacePage {
        place: PlaceView {
            id: 7,
            name: "B".to_owned(),
        },
        is_removed: removal,
        population: Some(Population {
            place_id: 7,
            living: 3,
            dead: 1,
            king: None,
        }),
        people: People {
            query: PeopleQuery::parse(Some(7), query, now, Normalize::NONE),
            people: Some(Vec::new()),
            places: Vec::new(),
            neighbours: crate::list::Neighbours::default(),
            notices: Vec::new(),
        },
        series: None,
        history: PlaceHistory {
            changes: from_json::parse(changes.as_bytes()).unwrap(),
            population_changes: Some(Vec::new()),
            places: Vec::new(),
        },
        notices: Vec::new(),
    };
    page.to_html().into_string()
}

#[test]
fn a_past_date_shows_the_name_of_that_date() {
    let now = page("", false);
    assert!(now.contains("<h1>B</h1>") && now.contains("rel=\"alternate\""));
    let past = page("asOf=2026-01-15", false);
    assert!(past.contains("<title>A, as of 2026-01-15 · "), "{past}");
    assert!(past.contains("<h1>A</h1>") && past.contains("As of 2026-01-15 (now “B”):"));
    assert!(!past.contains("rel=\"alternate\""), "the data is of now");
    let before = page("asOf=2026-01-01", false);
    let text = "As of 2026-01-01, this place did not exist. It was added on ";
    assert!(before.contains(text) && !before.contains("<dt>living</dt>"));
}

#[test]
fn a_removed_place_has_a_page_with_its_history() {
    let removed = page("", true);
    for part in [
        "<h1>B</h1>",
        "This place was removed on ",
        "renamed from “A” to “B”",
    ] {
        assert!(removed.contains(part), "{part}: {removed}");
    }
    for part in ["<dt>living</dt>", "/rename\"", "Restore", "<h2>People</h2>"] {
        assert!(!removed.contains(part), "{part}: {removed}");
    }
    let past = page("asOf=2026-01-15", true);
    assert!(past.contains("<h1>A</h1>") && past.contains("<dt>living</dt><dd>3</dd>"));
    let later = page("asOf=2026-01-31", true);
    assert!(!later.contains("<dt>living</dt>"));
}
