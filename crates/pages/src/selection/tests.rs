//! Tests the page of ticked people, and the batch that it sends.

use super::*;
use http_semantics::Problem;
use http_semantics::from_json;
use serde_json::{Value, json};

fn parse(form: &str) -> Option<Selection> {
    Selection::parse(&Form::parse(form.as_bytes()), Normalize::NONE)
}

fn person(id: i64, is_alive: bool, is_king: bool) -> (PersonView, String) {
    let name = format!("<{id}>");
    let person = crate::person::fields::with_state(id, &name, Some(3), is_alive, is_king);
    (person, format!("{id}.1f09ab34"))
}

fn page(action: &str, people: &[(PersonView, String)], form: &Form) -> String {
    let selection = parse(&format!("action={action}")).unwrap();
    selection.page(form, people, &[], &[]).into_string()
}

/// The people of a page, as its form sends them.
fn sent(page: &str) -> Vec<&str> {
    let values = page.split(r#"name="person" value=""#).skip(1);
    values.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn only_what_a_page_sends_is_parsed() {
    for invalid in [
        "",
        "action=fly",
        "action=move&person=x",
        "action=move&person=7:8",
    ] {
        assert!(parse(invalid).is_none(), "{invalid}");
    }
    let many = |count: i64| {
        let people: Vec<String> = (1..=count).map(|id| format!("&person={id}")).collect();
        let people = people.concat();
        parse(&format!("action=move{people}{people}"))
    };
    assert_eq!(many(250).unwrap().ids().len(), 250);
    assert!(many(251).is_none());
}

#[test]
fn the_address_of_the_list_is_never_that_of_another_site() {
    let back = |back: &str| {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("action", "bury")
            .append_pair("back", back)
            .finish();
        parse(&form).unwrap().done_path(2, None)
    };
    let list = "q=a&sort=-id&limit=25&show=isKing%3Dtrue&after=6933&from=26";
    let done = "did=bury&people=2";
    assert_eq!(
        back(&format!("/ui/people?{list}&x=1")),
        format!("/ui/people?q=a&sort=-id&limit=25&show=isKing%3Dtrue&after=6933&from=26&{done}")
    );
    assert!(back("/ui/places/3?sort=id").starts_with("/ui/places/3?sort=id&"));
    for foreign in [
        "https://evil.example/",
        "//evil.example?q=a",
        "/ui/places/x\r\ny: z",
    ] {
        assert!(back(foreign).starts_with("/ui/people?"), "{foreign}");
    }
}

#[test]
fn a_form_that_is_sent_twice_results_in_the_same_operations() {
    let people = [person(1, true, true), person(2, true, false)];
    let form = Form::default();
    let operations = |action: &str, destination| {
        let page = page(action, &people, &form);
        let people = sent(&page).join("&person=");
        let selection = parse(&format!("action={action}&person={people}")).unwrap();
        let (operations, count) = selection.operations(destination);
        let operations: Value = serde_json::from_str(&operations).unwrap();
        assert_eq!(operations.as_array().unwrap().len(), count);
        operations
    };
    let tag = |id: i64| format!("\"{id}.1f09ab34\"");
    let update =
        |id, body: &Value| json!({"op": "update", "id": id, "ifMatch": tag(id), "body": body});
    let death = json!({"isAlive": false, "isKing": false});
    assert_eq!(
        operations("bury", None),
        json!([update(1, &death), update(2, &death)])
    );
    let place = json!({"placeId": 9, "isKing": false});
    assert_eq!(
        operations("move", Some(9)),
        json!([update(1, &place), update(2, &place)])
    );
    assert_eq!(operations("move", Some(3)), json!([]));
    let delete = |id| json!({"op": "delete", "id": id, "ifMatch": tag(id)});
    assert_eq!(operations("remove", None), json!([delete(1), delete(2)]));
}

#[test]
fn the_page_says_what_happens_to_kings_and_who_is_dead_already() {
    let people = [
        person(1, true, true),
        person(2, true, false),
        person(3, false, false),
    ];
    let form = Form::default();
    let bury = page("bury", &people, &form);
    for part in [
        "<h1>Record the death of 2 people?</h1>",
        "Dead already: <b>&lt;3&gt;</b>.",
        "A king who dies loses the crown: <b>&lt;1&gt;</b>.",
    ] {
        assert!(bury.contains(part), "{part}: {bury}");
    }
    assert_eq!(sent(&bury), ["1:1.1f09ab34:3", "2:2.1f09ab34:3"]);
    let remove = page("remove", &people, &form);
    assert!(remove.contains("<h1>Remove 3 people?</h1>") && sent(&remove).len() == 3);
    assert!(remove.contains("Their places then have no king: <b>&lt;1&gt;</b>."));
    let dead = page("bury", &people[2..], &form);
    assert!(dead.contains("There is nothing to do") && !dead.contains("submit"));
    assert!(page("move", &people[..1], &form).contains("<h1>Move 1 person</h1>"));
}

#[test]
fn a_refused_batch_shows_the_reason_of_each_person() {
    let results = json!([
        {"status": 412, "id": 1, "problem": Problem::precondition_failed(None)},
        {"status": 424, "id": 2},
        {"status": 404, "id": 9, "problem": Problem::not_found("person", 9)},
        {"status": 409, "id": 3, "problem": Problem::no_such_place(8)},
        {"status": 409, "id": 4, "problem": Problem::no_such_place(8)},
    ]);
    let mut form = Form::default();
    let problem = Problem::batch_refused(4, false, results);
    form.show_problem(&from_json::parse(problem.to_json().as_bytes()).unwrap());
    let people = [person(1, true, false), person(2, true, false)];
    let page = page("move", &people, &form);
    assert_eq!(form.refused.len(), 2);
    for part in [
        "Nothing was changed. Look at the reasons next to the names.",
        "alive</span>, in place 3<p class=\"error\">Somebody else has changed this person.",
        "<p class=\"error\">Person 9: Somebody else has removed this person.",
        "id=\"placeId-error\">There is no place with the number 8.",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(form.status(), 422);
}

#[test]
fn ticked_people_who_were_removed_are_named() {
    let selection = parse("action=move&person=1&person=8&person=9").unwrap();
    let removed = [(8, "H".to_owned()), (9, "<I>".to_owned())];
    let page = |form: &Form, removed: &[(i64, String)]| {
        let people = [person(1, true, false)];
        selection.page(form, &people, removed, &[]).into_string()
    };
    let text = r#"2 of the 3 ticked people were removed meanwhile: <a href="/ui/people/8">H</a>, <a href="/ui/people/9">&lt;I&gt;</a>."#;
    let both = page(&Form::default(), &removed);
    assert!(both.contains(text), "{both}");
    assert!(page(&Form::default(), &removed[..1]).contains("1 of the 3 ticked people was"));
    assert!(!page(&Form::default(), &[]).contains("meanwhile"));
    let mut form = Form::default();
    form.refused.push((8, "R".to_owned()));
    let refused = page(&form, &removed[..1]);
    assert!(refused.contains(r#"<p class="error"><a href="/ui/people/8">H</a>: R</p>"#));
    assert!(!refused.contains("meanwhile"), "{refused}");
}

#[test]
fn the_list_says_what_was_done() {
    let places = [PlaceView {
        id: 3,
        name: "Tres".to_owned(),
    }];
    let done = |text: &str| Some(Notice::Done(text.to_owned()));
    let notice = |query: &str| notice(query, &places);
    assert_eq!(
        notice("did=move&people=3&to=3"),
        done("Moved 3 people to Tres.")
    );
    assert_eq!(
        notice("did=bury&people=1"),
        done("Recorded the death of 1 person.")
    );
    assert_eq!(
        notice("did=remove&people=1200"),
        done("Removed 1,200 people.")
    );
    assert!(matches!(
        notice("did=move&people=0"),
        Some(Notice::Warning(_))
    ));
    assert_eq!(notice("did=fly&people=1"), None);
}
