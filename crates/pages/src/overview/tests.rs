//! Tests the page of the overview.

use super::*;
use crate::list::Total;
use domain::name::Normalize;

/// 2026-11-26T12:00:00Z
const NOW: i64 = 1_795_694_400_000;

fn page(query: &str) -> String {
    let row = |id, living, dead| Row {
        id,
        name: Some(format!("Place <{id}>")),
        counts: Some(Counts {
            living,
            dead,
            king: None,
        }),
    };
    let overview = Overview {
        query: OverviewQuery::parse(query, NOW, Normalize::NONE),
        totals: Totals {
            living: Some(1234),
            ..Totals::default()
        },
        rows: Some(vec![
            row(1, 3, 1),
            row(2, 0, 0),
            Row {
                id: 3,
                name: None,
                counts: None,
            },
        ]),
        max_population: 8,
        neighbours: Neighbours {
            next: Some("703".to_owned()),
            previous: Some("701".to_owned()),
            total: Some(Total {
                count: 1578,
                is_minimum: false,
            }),
        },
        series: None,
        notices: Vec::new(),
    };
    overview.to_html().into_string()
}

#[test]
fn unknown_numbers_are_not_shown_as_zero() {
    let page = page("");
    assert!(page.contains("<dt>living</dt><dd>1,234</dd>"));
    assert!(page.contains("<dt>dead</dt><dd>unknown</dd>"));
    assert!(page.contains(r#"<a href="/ui/places/3">Place 3</a>"#));
    assert!(page.contains(r#"<td class="count" data-label="living">unknown</td>"#));
    assert!(page.contains("Place &lt;1&gt;"));
}

#[test]
fn bars_are_scaled_by_the_highest_population() {
    let page = page("");
    assert!(page.contains(r#"<rect class="living" width="37.5%""#));
    assert!(page.contains(r#"<rect class="dead" x="37.5%" width="12.5%""#));
    assert!(page.contains(r#"<rect class="living" width="0.0%""#));
}

#[test]
fn other_pages_keep_the_filters_and_have_a_position() {
    let page = page("q=V&sort=total&least=2&limit=50&after=6933&from=51&utm=x");
    let filters = "q=V&amp;sort=total&amp;limit=50&amp;least=2&amp;step=day";
    for (rel, position) in [
        ("first", ""),
        ("prev", "&amp;before=701&amp;from=1"),
        ("next", "&amp;after=703&amp;from=54"),
    ] {
        let link = format!(r#"<a rel="{rel}" href="/?{filters}{position}">"#);
        assert!(page.contains(&link), "{link}: {page}");
    }
    assert!(page.contains("51–53 of 1,578 places"), "{page}");
    assert!(page.contains(r#"<option value="total" selected>"#));
    assert!(page.contains("/v1/statistics/export?q=V&amp;least=2&amp;format=ndjson"));
}

#[test]
fn a_head_of_a_column_sorts_by_it_and_then_in_reverse() {
    let page = page("");
    let head = |sort: &str| format!("href=\"/?limit=25&amp;step=day&amp;sort={sort}\"");
    assert!(page.contains(&format!(
        r#"<th scope="col" class="count" aria-sort="descending"><a {}>Living</a>"#,
        head("living")
    )));
    for sort in ["name", "-dead", "-total", "-share"] {
        assert!(page.contains(&head(sort)), "{sort}: {page}");
    }
    assert_eq!(page.matches("aria-sort").count(), 1);
}

#[test]
fn a_share_is_rounded() {
    for (part, whole, text) in [
        (1, 3, "33.3%"),
        (2, 3, "66.7%"),
        (7, 7, "100.0%"),
        (0, 0, "0.0%"),
    ] {
        assert_eq!(share(part, whole), text);
    }
}

#[test]
fn a_past_date_is_in_the_title_and_in_the_names_of_files() {
    let now = page("");
    assert!(now.contains("<title>People per place</title>"));
    assert!(now.contains(r#"<a href="/ui/people?placeId=none">"#) && !now.contains("(now)"));
    let past = page("asOf=2026-11-20&q=uno");
    for part in [
        "<title>Population by place: uno, as of 2026-11-20 · People per place</title>",
        r#"download="statistics-2026-11-20.csv""#,
        "All people with their places (now) as ",
        "Up to 1,000 places with their people (now) as ",
        "<dt>places now</dt>",
    ] {
        assert!(past.contains(part), "{part}: {past}");
    }
    // The list of people is of now.
    assert!(!past.contains("placeId=none"));
}

#[test]
fn an_empty_registry_says_how_to_add_places() {
    let page = |query: &str| {
        let overview = Overview {
            query: OverviewQuery::parse(query, NOW, Normalize::NONE),
            totals: Totals {
                places: Some(0),
                ..Totals::default()
            },
            rows: Some(Vec::new()),
            max_population: 0,
            neighbours: Neighbours::default(),
            series: Some(Vec::new()),
            notices: Vec::new(),
        };
        overview.to_html().into_string()
    };
    let empty = page("");
    assert!(empty.contains("There are no places yet. <a"), "{empty}");
    assert!(!empty.contains("Over time"));
    assert!(page("q=uno").contains("No places match."));
}

#[test]
fn an_invalid_filter_is_ignored_and_has_an_error() {
    let query = "least=many&sort=age&after=%00&asOf=2026-11-27&q=%2E&step=year&limit=7";
    let query = OverviewQuery::parse(query, NOW, Normalize::NONE);
    let OverviewQuery {
        list,
        period,
        least,
    } = query;
    let form = &list.form;
    assert_eq!((least, period.as_of, list.cursor), (None, None, None));
    let values = ["sort", "step", "limit"].map(|name| form.get(name));
    assert_eq!(values, ["-living", "day", "25"]);
    assert!(
        ["least", "asOf", "q"]
            .iter()
            .all(|name| form.error(name).is_some())
    );
    let page = page("least=many");
    assert!(page.contains(r#"aria-describedby="least-error" aria-invalid="true""#));
}
