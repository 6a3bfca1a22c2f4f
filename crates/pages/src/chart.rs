//! Renders the line chart of a population over time, as SVG with a table.

use domain::Param;
use domain::moment::Moment;
use http_semantics::from_json;
use maud::{Markup, html};

use crate::api::PlaceView;
use crate::field::{Text, choice, places};
use crate::form::Form;
use crate::layout::{Notice, document, number, time, with_query};

/// The population at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The time in UTC (RFC 3339).
    pub at: String,
    /// The number of living people.
    pub living: i64,
    /// The number of dead people.
    pub dead: i64,
}

from_json! {
    Point { at, living, dead }
}

/// A line of a chart.
pub struct Line<'a> {
    /// Its name.
    pub name: &'a str,
    /// The address of its subject, if there is one.
    pub link: Option<String>,
    /// A number for each time.
    pub values: Vec<i64>,
}

/// The steps of a chart, with their labels.
const STEPS: [(&str, &str); 4] = [
    ("hour", "30 hours"),
    ("day", "30 days"),
    ("week", "30 weeks"),
    ("month", "30 months"),
];

/// The time that a page shows, and the steps of its chart.
#[derive(Debug, Clone, Default)]
pub struct Period {
    /// The time, if not now.
    pub as_of: Option<Moment>,
    /// The step.
    pub step: String,
}

impl Period {
    /// The time and the step in a form. `now` is in milliseconds since 1970.
    pub(crate) fn parse(form: &mut Form, now: i64) -> Self {
        if !STEPS.iter().any(|(step, _)| *step == form.get("step")) {
            form.set("step", "day");
        }
        let as_of = form
            .filled("asOf")
            .map(|text| Moment::parse(text)?.not_after(now));
        if matches!(as_of, Some(None)) {
            form.add_error("asOf", "Enter a date that is not in the future.");
        }
        Self {
            as_of: as_of.flatten(),
            step: form.get("step").to_owned(),
        }
    }

    /// The time as text. Empty if it is now.
    pub(crate) fn as_of_text(&self) -> String {
        let text = self.as_of.as_ref().map(ToString::to_string);
        text.unwrap_or_default()
    }

    /// The path of the series of a place, or of all places.
    #[must_use]
    pub fn series_path(&self, place: Option<i64>) -> String {
        let place = place.map(|id| id.to_string());
        with_query(
            "/v1/people/population/series",
            &[
                ("step", self.step.as_str()),
                ("placeId", &place.unwrap_or_default()),
                ("to", &self.as_of_text()),
            ],
        )
    }

    /// The path of the same series in the API.
    fn data_path(&self, place: Option<i64>) -> String {
        let path = place.map_or_else(
            || "/v1/statistics/series".to_owned(),
            |id| format!("/v1/statistics/places/{id}/series"),
        );
        with_query(
            &path,
            &[("step", self.step.as_str()), ("to", &self.as_of_text())],
        )
    }

    /// The chart of living and dead people, with links to other periods.
    pub(crate) fn section(
        &self,
        points: Option<&[Point]>,
        link: &dyn Fn(&str) -> String,
        place: Option<i64>,
    ) -> Markup {
        let compare = place.map(|id| format!("?ids={id}")).unwrap_or_default();
        html! {
            section aria-labelledby="time" {
                h2 #time { "Over time" }
                @match points {
                    None | Some([]) => p.empty { "The chart is unavailable right now." },
                    Some(points) => (chart(&times(points), &[
                        line("living", points, |point| point.living),
                        line("dead", points, |point| point.dead),
                    ])),
                }
                p.more {
                    @for (step, label) in STEPS {
                        @if step == self.step { b { (label) } } @else { a href=(link(step)) { (label) } }
                        " · "
                    }
                    a href={ "/ui/compare" (compare) } { "Compare places" }
                    " · "
                    "These numbers as "
                    a href=(self.data_path(place)) { "JSON" }
                    " · "
                    a href={ (self.data_path(place)) "&format=csv" } download="population.csv" { "CSV" }
                }
            }
        }
    }
}

/// The input of the date. A time that is no date is shown as text.
pub(crate) fn date_input(form: &Form) -> Markup {
    let is_date = [0, 10].contains(&form.get("asOf").len());
    let date = Text {
        kind: if is_date { "date" } else { "text" },
        ..Text::new("asOf", "As of")
    };
    date.to_html(form)
}

fn times(points: &[Point]) -> Vec<&str> {
    points.iter().map(|point| point.at.as_str()).collect()
}

fn line<'a>(name: &'a str, points: &[Point], value: fn(&Point) -> i64) -> Line<'a> {
    Line {
        name,
        link: None,
        values: points.iter().map(value).collect(),
    }
}

/// The least number with one digit before its zeros that is not below another.
fn round_up(count: i64) -> i64 {
    let mut power = 1_i64;
    loop {
        for digit in [1, 2, 3, 4, 5, 6, 8] {
            let round = power.saturating_mul(digit);
            if round >= count {
                return round;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// The points of a line in a square of 1000, of which y points down.
fn coordinates(values: &[i64], max: i64) -> String {
    let last = i64::try_from(values.len()).unwrap_or_default() - 1;
    let point = |(n, value): (i64, &i64)| {
        let x = n * 1000 / last.max(1);
        let y = 1000 - i128::from(*value) * 1000 / i128::from(max);
        format!("{x},{y}")
    };
    let points: Vec<String> = (0..).zip(values).map(point).collect();
    points.join(" ")
}

/// A chart with its legend and its table. Lines differ in their dashes, too.
pub(crate) fn chart(times: &[&str], lines: &[Line<'_>]) -> Markup {
    let max = lines.iter().flat_map(|line| &line.values).max();
    let max = round_up(max.copied().unwrap_or_default().max(1));
    let (first, last) = (times.first().copied(), times.last().copied());
    let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
    let day = |at: &'_ str| at.get(..10).unwrap_or(at).to_owned();
    html! {
        figure.chart {
            svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-labelledby="chart-title" aria-describedby="chart-text" {
                title #chart-title { "Number of people from " (day(first)) " to " (day(last)) }
                desc #chart-text {
                    @for line in lines {
                        (line.name) ": from " (line.values.first().copied().map_or_else(String::new, number))
                        " to " (line.values.last().copied().map_or_else(String::new, number)) ". "
                    }
                }
                path.grid d="M0 0H1000M0 500H1000M0 1000H1000" {}
                @for (n, line) in lines.iter().enumerate() {
                    polyline class={ "line line-" (n) } points=(coordinates(&line.values, max)) {}
                }
            }
            p.max aria-hidden="true" { (number(max)) }
            p.times aria-hidden="true" { span { (day(first)) } span { (day(last)) } }
            figcaption {
                @for (n, line) in lines.iter().enumerate() {
                    span {
                        svg.key width="28" height="14" aria-hidden="true" { path class={ "line line-" (n) } d="M0 7H28" {} }
                        @match &line.link { Some(link) => a href=(link) { (line.name) }, None => (line.name) }
                    }
                }
            }
            details {
                summary { "Numbers of the chart" }
                table {
                    thead { tr {
                        th scope="col" { "Time" }
                        @for line in lines { th.count scope="col" { (line.name) } }
                    } }
                    tbody {
                        @for (n, at) in times.iter().enumerate().rev() {
                            tr {
                                th scope="row" { (time(at)) }
                                @for line in lines {
                                    td.count { (line.values.get(n).copied().map_or_else(String::new, number)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn compared_line((place, points): &(PlaceView, Vec<Point>)) -> Line<'_> {
    Line {
        name: &place.name,
        link: Some(format!("/ui/places/{}", place.id)),
        values: points.iter().map(|point| point.living).collect(),
    }
}

/// The maximum number of places that are compared.
pub const MAX_COMPARED: usize = 5;

/// The page that compares places.
#[derive(Debug)]
pub struct Comparison {
    /// The query, with its errors.
    pub form: Form,
    /// The period.
    pub period: Period,
    /// The places and their populations.
    pub places: Vec<(PlaceView, Vec<Point>)>,
    /// The suggestions of the place field.
    pub suggestions: Vec<PlaceView>,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl Comparison {
    /// Parses a query: the form, the period and the ids of the places.
    #[must_use]
    pub fn parse(query: &str, now: i64) -> (Form, Period, Vec<i64>) {
        let mut form = Form::parse(query.as_bytes());
        let period = Period::parse(&mut form, now);
        let mut ids: Vec<i64> = Vec::new();
        for id in form.all("ids").flat_map(|list| list.split(',')) {
            if let Some(id) = domain::PlaceId::parse(id.trim()) {
                ids.push(id.get());
            }
        }
        (form, period, ids)
    }

    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let add = Text {
            hint: crate::field::PLACE_HINT,
            ..Text::new("add", "Add a place")
        };
        let first = self.places.first().map(|(_, points)| times(points));
        let lines: Vec<Line<'_>> = self.places.iter().map(compared_line).collect();
        let main = html! {
            p.crumb { a href="/" { "All places" } }
            h1 { "Compare places" }
            p.lead { "Living people of two to five places over time." }
            form.filters method="get" {
                fieldset {
                    legend { "Places" }
                    @for (place, _) in &self.places {
                        div.field.tick {
                            input #{ "place-" (place.id) } type="checkbox" name="ids" value=(place.id) checked;
                            label for={ "place-" (place.id) } { (place.name) }
                        }
                    }
                }
                @if self.places.len() < MAX_COMPARED { (add.to_html(&self.form)) (places(&self.suggestions)) }
                (choice(&self.form, "step", "Period", &STEPS))
                (date_input(&self.form))
                button type="submit" { "Show" }
            }
            @match first {
                None => p.empty { "Add two places." },
                Some(times) => {
                    (chart(&times, &lines))
                    p.more {
                        @for (index, (place, _)) in self.places.iter().enumerate() {
                            @if index > 0 { " · " }
                            a href=(self.period.data_path(Some(place.id))) { (place.name) " as JSON" }
                        }
                    }
                },
            }
        };
        document("Compare places", None, &self.notices, &main)
    }
}

#[cfg(test)]
mod tests {
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
            r#"2026-01-31 12:00 UTC</time></th><td class="count">1,234</td>"#,
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
    }

    #[test]
    fn a_query_names_places_by_lists_and_fields() {
        let (_, period, ids) = Comparison::parse("ids=3,x,1&ids=7&step=week&asOf=1970-01-01", 0);
        assert_eq!(ids, [3, 1, 7]);
        let path = "/v1/people/population/series?step=week&placeId=3&to=1970-01-01";
        assert_eq!(period.series_path(Some(3)), path);
    }
}
