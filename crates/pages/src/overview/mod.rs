//! Renders the overview: the totals, and a page of places with their populations.

mod bars;
mod query;

use maud::{Markup, html};

use crate::api::{King, Population};
use crate::chart::Point;
use crate::layout::{Notice, main_document, number};
use crate::list::{Neighbours, export_label, exports};

use bars::{bar, hatching, legend_key};
pub use query::OverviewQuery;

/// The totals. `None` means unknown.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// The number of places.
    pub places: Option<i64>,
    /// The number of living people.
    pub living: Option<i64>,
    /// The number of dead people.
    pub dead: Option<i64>,
    /// The number of dead people without a place.
    pub dead_without_place: Option<i64>,
}

/// A row of the table: a place.
#[derive(Debug, Clone)]
pub struct Row {
    /// The id of the place.
    pub id: i64,
    /// The name, if it is known.
    pub name: Option<String>,
    /// The population, if it is known.
    pub counts: Option<Counts>,
}

/// The population of a place.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// The number of living people.
    pub living: i64,
    /// The number of dead people.
    pub dead: i64,
    /// The king, if there is one.
    pub king: Option<King>,
}

impl From<Population> for Counts {
    fn from(population: Population) -> Self {
        Self {
            living: population.living,
            dead: population.dead,
            king: population.king,
        }
    }
}

/// The page.
#[derive(Debug)]
pub struct Overview {
    /// The query.
    pub query: OverviewQuery,
    /// The totals.
    pub totals: Totals,
    /// The places, if they are known.
    pub rows: Option<Vec<Row>>,
    /// The highest population of any place, which scales the bars.
    pub max_population: i64,
    /// The pages before and after.
    pub neighbours: Neighbours,
    /// The population over time, if it is known.
    pub series: Option<Vec<Point>>,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl Overview {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let Self {
            query, neighbours, ..
        } = self;
        let shown = self.rows.as_ref().map_or(0, Vec::len);
        let text = self.result_text();
        let is_empty = self.is_empty();
        let as_of = query.period.as_of.as_ref();
        // Only the first file has the date of the page.
        let (of_now, file) = match as_of {
            Some(time) => (" (now)", format!("statistics-{time}")),
            None => ("", "statistics".to_owned()),
        };
        let files = [
            (
                "All people with their places",
                "/v1/people/export?expand=place",
                "people",
            ),
            (
                "Up to 1,000 places with their people",
                "/v1/people-per-place?limit=1000",
                "people-per-place",
            ),
        ];
        let main = html! {
            h1 { "Population by place" }
            div #totals data-part { (self.totals()) }
            p.actions {
                a.button href="/ui/places/new" { "Add a place" }
                a.button.quiet href="/ui/people/new" { "Add a person" }
            }
            (query.filters())
            div #results data-part data-told=(text) {
                section aria-label="Places" {
                    p.range {
                        @match as_of {
                            Some(time) => { (text.trim_end_matches('.')) ", as of " (time) },
                            None => (text),
                        }
                        @if is_empty {
                            " " a href="/ui/places/new" { "Add a place" }
                            " or " a href="/ui/import" { "import a file" } "."
                        }
                    }
                    @if let Some(rows) = self.rows.as_deref().filter(|rows| !rows.is_empty()) { (self.table(rows)) }
                    (query.list.pages(shown, neighbours))
                    p.export {
                        (exports(&export_label(neighbours.total, ["place", "places"]), &query.export_path(), &file))
                        "."
                        @for (label, path, name) in files {
                            " " (exports(&[label, of_now].concat(), path, name)) "."
                        }
                    }
                }
                @if !is_empty {
                    (query.period.section(
                        self.series.as_deref(),
                        &|step| query.list.link(&[("step", step)]),
                        None,
                        false,
                    ))
                }
            }
        };
        let title = query.title();
        main_document("/", &title, Some(&query.data_path()), &self.notices, &main)
    }

    /// Whether the registry has no places.
    fn is_empty(&self) -> bool {
        self.totals.places == Some(0) && !self.query.list.has_filters()
    }

    fn totals(&self) -> Markup {
        let Totals {
            places,
            living,
            dead,
            dead_without_place,
        } = self.totals;
        let is_now = self.query.period.as_of.is_none();
        let shown = |count: Option<i64>| count.map_or_else(|| "unknown".to_owned(), number);
        let total = |label: &str, count: Option<i64>| {
            html! { div { dt { (label) } dd { (shown(count)) } } }
        };
        html! {
            dl.totals {
                @if is_now { (total("places", places)) } @else { (total("places now", places)) }
                (total("living", living))
                (total("dead", dead))
                div {
                    dt { "dead without a place" }
                    dd {
                        // The list has the people of now.
                        @if is_now {
                            a href="/ui/people?placeId=none" { (shown(dead_without_place)) }
                        } @else {
                            (shown(dead_without_place))
                        }
                    }
                }
            }
        }
    }

    /// The places that are shown, as a sentence that the script announces.
    fn result_text(&self) -> String {
        match self.rows.as_deref() {
            None => "The list of places is unavailable right now.".to_owned(),
            Some(_) if self.is_empty() => "There are no places yet.".to_owned(),
            Some([]) if self.neighbours.next.is_some() => "No places match so far.".to_owned(),
            Some(rows) => {
                let list = &self.query.list;
                list.range_text(rows.len(), &self.neighbours, ["place", "places"])
            }
        }
    }

    fn table(&self, rows: &[Row]) -> Markup {
        let head = |key, label| self.query.list.head(key, label, "count");
        html! {
            (hatching())
            p.legend aria-hidden="true" {
                span { (legend_key("living")) "living" }
                span { (legend_key("dead")) "dead" }
            }
            table.ranking {
                thead {
                    tr {
                        (self.query.list.head("name", "Place", ""))
                        th scope="col" .bars { span.unseen { "Bar" } }
                        (head("living", "Living"))
                        (head("dead", "Dead"))
                        (head("total", "Total"))
                        (head("share", "Share"))
                        th scope="col" { "King" }
                    }
                }
                tbody { @for row in rows { (self.row(row)) } }
            }
        }
    }

    fn row(&self, row: &Row) -> Markup {
        let counts = row.counts.as_ref();
        let cell = |label: &str, text: Option<String>| {
            html! { td.count data-label=(label) { (text.as_deref().unwrap_or("unknown")) } }
        };
        let share = |counts: &Counts| Some(share(counts.living, self.totals.living?));
        html! {
            tr {
                th scope="row" {
                    a href=(self.query.place_path(row.id)) {
                        @match &row.name { Some(name) => (name), None => { "Place " (row.id) } }
                    }
                }
                td.bars { @if let Some(counts) = counts { (bar(counts, self.max_population)) } }
                (cell("living", counts.map(|counts| number(counts.living))))
                (cell("dead", counts.map(|counts| number(counts.dead))))
                (cell("in total", counts.map(|counts| number(counts.living + counts.dead))))
                (cell("share", counts.and_then(share)))
                td.king {
                    @if let Some(king) = counts.and_then(|counts| counts.king.as_ref()) {
                        span.crown aria-hidden="true" { "♛" }
                        a href={ "/ui/people/" (king.id) } { (king.name) }
                    }
                }
            }
        }
    }
}

/// A part of a whole in percent, rounded to a decimal.
fn share(part: i64, whole: i64) -> String {
    let (part, whole) = (i128::from(part), i128::from(whole.max(1)));
    let tenths = (part * 2000 + whole) / (2 * whole);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests;
