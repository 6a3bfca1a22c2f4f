//! The overview: the totals, and a page of places with their population.

mod bars;
mod query;

use maud::{Markup, html};

use crate::api::{King, Population};
use crate::layout::{Notice, document, number, pages};

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
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl Overview {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let main = html! {
            h1 { "Population by place" }
            (self.totals())
            p.actions {
                a.button href="/ui/places/new" { "Add a place" }
                a.button href="/ui/people/new" { "Add a person" }
            }
            (self.query.filters())
            section #results aria-label="Places" data-told=(self.result_text()) {
                @if self.query.name.is_some() {
                    p.hint { "Search results are in order of number." }
                }
                @match self.rows.as_deref() {
                    None | Some([]) => p.empty { (self.result_text()) },
                    Some(rows) => (self.table(rows)),
                }
                (pages(
                    self.query.after.as_ref().map(|_| self.query.page_path("")),
                    self.next.as_ref().map(|next| self.query.page_path(next)),
                ))
            }
            p.actions {
                a.button.quiet href="/v1/statistics/places?format=csv&limit=1000" download="statistics.csv" {
                    @if self.totals.places.is_some_and(|places| places > 1000) {
                        "Statistics of the first " (number(1000)) " places as CSV"
                    } @else {
                        "Statistics as CSV"
                    }
                }
                a.button.quiet href="/v1/places/export" download { "All places as CSV" }
                a.button.quiet href="/v1/people/export" download { "All people as CSV" }
            }
        };
        document("", Some("/v1/statistics/places"), &self.notices, &main)
    }

    fn totals(&self) -> Markup {
        let Totals {
            places,
            living,
            dead,
            dead_without_place,
        } = self.totals;
        let total = |label: &str, count: Option<i64>| {
            html! {
                div {
                    dt { (label) }
                    dd { @match count { Some(count) => (number(count)), None => "unknown" } }
                }
            }
        };
        html! {
            dl.totals {
                (total("places", places))
                (total("living", living))
                (total("dead", dead))
                (total("dead without a place", dead_without_place))
            }
        }
    }

    /// The number of places, as a sentence that the script announces.
    fn result_text(&self) -> String {
        let count = match self.rows.as_deref() {
            None => return "The list of places is unavailable right now.".to_owned(),
            Some([]) if self.next.is_some() => "No places match so far.".to_owned(),
            Some([]) => "No places match.".to_owned(),
            Some([_]) => "1 place.".to_owned(),
            Some(places) => format!("{} places.", places.len()),
        };
        let more = if self.next.is_some() {
            " There are more on the next page."
        } else {
            ""
        };
        count + more
    }

    fn table(&self, rows: &[Row]) -> Markup {
        html! {
            (hatching())
            p.legend aria-hidden="true" {
                span { (legend_key("living")) "living" }
                span { (legend_key("dead")) "dead" }
            }
            table.ranking {
                thead {
                    tr {
                        th scope="col" { "Place" }
                        th scope="col" .bars { span.unseen { "Bar" } }
                        th scope="col" .count { "Living" }
                        th scope="col" .count { "Dead" }
                        th scope="col" { "King" }
                    }
                }
                tbody { @for row in rows { (self.row(row)) } }
            }
        }
    }

    fn row(&self, row: &Row) -> Markup {
        let counts = row.counts.as_ref();
        let count = |count: Option<i64>| count.map_or_else(|| "unknown".to_owned(), number);
        html! {
            tr {
                th scope="row" {
                    a href={ "/ui/places/" (row.id) } {
                        @match &row.name { Some(name) => (name), None => { "Place " (row.id) } }
                    }
                }
                td.bars { @if let Some(counts) = counts { (bar(counts, self.max_population)) } }
                td.count data-label="living" { (count(counts.map(|counts| counts.living))) }
                td.count data-label="dead" { (count(counts.map(|counts| counts.dead))) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::name::Normalize;
    use tables::population::{Measure, Order};

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
            query: OverviewQuery::parse(query, Normalize::NONE),
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
            next: Some("703".to_owned()),
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
    fn the_next_page_keeps_the_filters() {
        let page = page("name=V&sort=total&least=2&after=7033&utm=x");
        assert!(page.contains(r#"href="/?name=V&amp;sort=total&amp;least=2&amp;after=703""#));
        assert!(page.contains(r#"<option value="total" selected>"#));
    }

    #[test]
    fn an_invalid_filter_is_ignored_and_has_an_error() {
        let query = OverviewQuery::parse("least=many&sort=age&after=%00", Normalize::NONE);
        assert_eq!(
            (query.order, query.least),
            (Order::Down(Measure::Living), None)
        );
        assert!(query.form.error("least").is_some() && query.after.is_none());
        let page = page("least=many");
        assert!(page.contains(r#"aria-describedby="least-error" aria-invalid="true""#));
    }
}
