//! Renders the line chart of a population over time, as SVG with a table.

use domain::Param;
use domain::moment::{self, Moment};
use http_semantics::from_json;
use maud::{Markup, html};

use crate::field::Text;
use crate::form::Form;
use crate::layout::{number, with_query};

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
pub(crate) const STEPS: [(&str, &str); 4] = [
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
    /// The date of today (UTC).
    today: String,
}

impl Period {
    /// The time and the step in a form. `now` is in milliseconds since 1970.
    pub(crate) fn parse(form: &mut Form, now: i64) -> Self {
        if !STEPS.iter().any(|(step, _)| *step == form.get("step")) {
            form.set("step", "day");
        }
        let time = form.filled("asOf").map(Moment::parse);
        let is_time = time != Some(None);
        let as_of = time.flatten().and_then(|time| time.not_after(now));
        if !is_time {
            form.add_error("asOf", "Enter a date such as 2026-11-20.");
        } else if as_of.is_none() && form.filled("asOf").is_some() {
            form.add_error("asOf", "Enter a date that is not in the future.");
        }
        Self {
            as_of,
            step: form.get("step").to_owned(),
            today: day(&moment::format(now)).to_owned(),
        }
    }

    /// The end of a title: ", as of 2026-01-31". Empty if the time is now.
    pub(crate) fn suffix(&self) -> String {
        let time = self.as_of.as_ref();
        time.map(|time| format!(", as of {time}"))
            .unwrap_or_default()
    }

    /// The input of the date. A time that is no date is shown as text.
    pub(crate) fn date_input(&self, form: &Form) -> Markup {
        let is_date = [0, 10].contains(&form.get("asOf").len());
        let date = Text {
            kind: if is_date { "date" } else { "text" },
            max: if is_date { &self.today } else { "" },
            ..Text::new("asOf", "As of")
        };
        date.to_html(form)
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

    /// The links to the series of a place, or of all places.
    pub(crate) fn data_links(&self, place: Option<i64>, is_removed: bool) -> Markup {
        let path = if is_removed {
            self.series_path(place)
        } else {
            self.data_path(place)
        };
        let place = place.map(|id| format!("-place-{id}")).unwrap_or_default();
        let time = self.as_of_text();
        let time = if time.is_empty() { &self.today } else { &time };
        html! {
            a href=(path) { "JSON" }
            " · "
            a href={ (path) "&format=csv" } download={ "population" (place) "-" (self.step) "-" (time) ".csv" } { "CSV" }
        }
    }

    /// The page that compares a place with others, or the largest places, at the same times.
    fn compare_path(&self, place: Option<i64>) -> String {
        let place = place.map(|id| id.to_string()).unwrap_or_default();
        let time = self.as_of_text();
        let step = if self.step == "day" { "" } else { &self.step };
        with_query(
            "/ui/compare",
            &[("ids", &place), ("step", step), ("asOf", &time)],
        )
    }

    /// The chart of living and dead people, with links to other periods.
    pub(crate) fn section(
        &self,
        points: Option<&[Point]>,
        link: &dyn Fn(&str) -> String,
        place: Option<i64>,
        is_removed: bool,
    ) -> Markup {
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
                    @if !is_removed {
                        a href=(self.compare_path(place)) { "Compare places" }
                        " · "
                    }
                    "These numbers as "
                    (self.data_links(place, is_removed))
                }
            }
        }
    }
}

/// The day of a time in RFC 3339.
fn day(at: &str) -> &str {
    at.get(..10).unwrap_or(at)
}

pub(crate) fn times(points: &[Point]) -> Vec<&str> {
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
    // A chart of hours needs the time of day.
    let is_hourly =
        (times.iter().zip(times.iter().skip(1))).any(|(one, next)| day(one) == day(next));
    let hour = |at: &'_ str| match at.get(11..16) {
        Some(hour) if is_hourly => format!(" {hour} UTC"),
        _ => String::new(),
    };
    html! {
        figure.chart {
            svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" aria-labelledby="chart-title" aria-describedby="chart-text" {
                title #chart-title { "Number of people from " (day(first)) (hour(first)) " to " (day(last)) (hour(last)) }
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
            p.times aria-hidden="true" { span { (day(first)) (hour(first)) } span { (day(last)) (hour(last)) } }
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
                                th scope="row" { time datetime=(at) { span.day { (day(at)) } (hour(at)) } }
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

#[cfg(test)]
mod tests;
