//! Tests the chart and the comparison of places.

use super::*;

fn point(at: &str, living: i64) -> Point {
    Point {
        at: format!("{at}T12:00:00.000Z"),
        living,
        dead: 0,
    }
}

#[test]
fn a_chart_ends_at_a_round_number_above_all_values() {
    for (count, round) in [(1, 1), (7, 8), (9, 10), (57, 60), (61, 80), (1_001, 2_000)] {
        assert_eq!(round_up(count), round);
    }
    assert!(round_up(i64::MAX) > 0);
}

#[test]
fn the_points_of_a_line_are_scaled() {
    assert_eq!(coordinates(&[0, 5, 10], 10), "0,1000 500,500 1000,0");
    assert_eq!(coordinates(&[3], 3), "0,0");
}

#[test]
fn a_chart_has_a_title_a_description_and_a_table() {
    let points = [point("2026-01-30", 3), point("2026-01-31", 1234)];
    let lines = [line("<b>", &points, |point| point.living)];
    let html = chart(&times(&points), &lines).into_string();
    for part in [
        "Number of people from 2026-01-30 to 2026-01-31",
        "&lt;b&gt;: from 3 to 1,234. ",
        r#"points="0,999 1000,383""#,
        r#"<span class="day">2026-01-31</span></time></th><td class="count">1,234</td>"#,
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn a_chart_of_hours_has_the_time_of_day() {
    let mut points = [point("2026-01-31", 3), point("2026-01-31", 4)];
    points[1].at = "2026-01-31T13:00:00.000Z".to_owned();
    let html = chart(&times(&points), &[]).into_string();
    for part in [
        "Number of people from 2026-01-31 12:00 UTC to 2026-01-31 13:00 UTC",
        "<span>2026-01-31 12:00 UTC</span>",
        r#"<span class="day">2026-01-31</span> 13:00 UTC</time>"#,
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[test]
fn a_date_that_is_invalid_and_one_in_the_future_have_different_errors() {
    let error = |text: &str| {
        let mut form = Form::parse(text.as_bytes());
        let period = Period::parse(&mut form, 0);
        assert_eq!(period.today, "1970-01-01");
        form.error("asOf").map(ToOwned::to_owned)
    };
    assert_eq!(error("asOf=1970-01-01"), None);
    let invalid = error("asOf=2026-11");
    assert_eq!(invalid.as_deref(), Some("Enter a date such as 2026-11-20."));
    let future = error("asOf=1970-01-02").unwrap_or_default();
    assert_eq!(future, "Enter a date that is not in the future.");
}

#[test]
fn the_links_of_a_chart_keep_the_step_and_the_date() {
    let mut form = Form::parse(b"asOf=2026-11-20&step=week");
    let period = Period::parse(&mut form, 1_795_694_400_000);
    let section = period
        .section(None, &|_| String::new(), Some(7), false)
        .into_string();
    for part in [
        r#"href="/ui/compare?ids=7&amp;step=week&amp;asOf=2026-11-20""#,
        r#"download="population-place-7-week-2026-11-20.csv""#,
    ] {
        assert!(section.contains(part), "{part}: {section}");
    }
}
