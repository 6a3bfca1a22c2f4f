//! The overview: how many there are in all, and the places by how many live in them.

use domain::Param;
use maud::{Markup, html};
use tables::Cursor;
use tables::page::{MAX_PAGE_SIZE, PageSize};
use tables::population::{Measure, MinLiving, Order};

use crate::api::{King, Population};
use crate::field::{Text, choice};
use crate::form::Form;
use crate::layout::{Notice, address, document, number};

/// How many there are in all; what is not known is none.
#[derive(Debug, Clone, Default)]
pub struct Totals {
    /// The places.
    pub places: Option<i64>,
    /// The living.
    pub living: Option<i64>,
    /// The dead.
    pub dead: Option<i64>,
    /// The dead of no place.
    pub nowhere: Option<i64>,
}

/// A place in the ranking.
#[derive(Debug, Clone)]
pub struct Row {
    /// The place.
    pub id: i64,
    /// The name, where it is known.
    pub name: Option<String>,
    /// Its people in numbers, where they are known.
    pub counts: Option<Counts>,
}

/// The people of a place in numbers.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// How many live there.
    pub living: i64,
    /// How many lie there.
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

/// What is asked for: the form above the ranking.
#[derive(Debug)]
pub struct Ask {
    /// The form, with what is wrong with it.
    pub form: Form,
    /// The order.
    pub order: Order,
    /// Only places with at least so many living.
    pub least: Option<i64>,
    /// Only places whose name begins so.
    pub name: Option<String>,
    /// The end of the page before.
    pub after: Option<Cursor>,
}

/// The orders of a ranking, and what they are called.
const ORDERS: [(&str, &str); 5] = [
    ("-living", "Most living first"),
    ("living", "Fewest living first"),
    ("-total", "Most in all first"),
    ("total", "Fewest in all first"),
    ("id", "By number"),
];

impl Ask {
    /// The places of a page.
    ///
    /// # Panics
    /// Never: 25 is a limit.
    #[must_use]
    pub fn limit() -> PageSize {
        PageSize::new(25).unwrap_or_default()
    }

    /// Reads the query; what cannot be used is said beside its field, and passed over.
    #[must_use]
    pub fn read(query: &str) -> Self {
        let mut form = Form::read(query.as_bytes());
        let order = form.given("sort").map(Order::parse);
        let order = order.flatten().unwrap_or(Order::Down(Measure::Living));
        form.set("sort", order.name());
        let least = form.given("least").map(MinLiving::parse);
        if least.as_ref().is_some_and(Option::is_none) {
            form.wrong("least", format!("Must be {}.", MinLiving::EXPECTED));
        }
        let name = form.given("name").map(ToOwned::to_owned);
        if name
            .as_deref()
            .is_some_and(|name| domain::name::Prefix::parse(name).is_none())
        {
            form.wrong(
                "name",
                format!("Must be {}.", domain::name::Prefix::EXPECTED),
            );
        }
        Self {
            order,
            least: least.flatten().map(|MinLiving(least)| least),
            name: name.filter(|_| form.error("name").is_none()),
            after: form.given("after").and_then(Cursor::parse),
            form,
        }
    }

    /// The same page, from another place on.
    fn next(&self, after: &str) -> String {
        let form = &self.form;
        let kept = ["name", "sort", "least"].map(|name| (name, form.get(name)));
        address("/", &[&kept[..], &[("after", after)]].concat())
    }
}

/// The page.
#[derive(Debug)]
pub struct Overview {
    /// What was asked for.
    pub ask: Ask,
    /// How many in all.
    pub totals: Totals,
    /// The places; none where they are not known.
    pub rows: Option<Vec<Row>>,
    /// The most people that any place has: the longest bar.
    pub most: i64,
    /// Where the page behind begins.
    pub next: Option<String>,
    /// What is to be told first.
    pub notices: Vec<Notice>,
}

impl Overview {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let main = html! {
            h1 { "How many live where" }
            (self.totals())
            p.actions {
                a.button href="/ui/places/new" { "Add a place" }
                a.button href="/ui/people/new" { "Add a person" }
            }
            (self.filters())
            section #results aria-label="Places" data-told=(self.told()) {
                @if self.ask.name.is_some() {
                    p.hint { "Searched by name, places stand in order of number." }
                }
                @match self.rows.as_deref() {
                    None | Some([]) => p.empty { (self.told()) },
                    Some(rows) => (self.ranking(rows)),
                }
                @if let Some(next) = &self.next {
                    p.pages { a rel="next" href=(self.ask.next(next)) { "Further places" } }
                }
            }
            p.actions {
                a.button.quiet href={ "/v1/statistics/places?format=csv&limit=" (MAX_PAGE_SIZE) } download="statistics.csv" {
                    @if self.totals.places.is_some_and(|places| places > MAX_PAGE_SIZE.into()) {
                        "Statistics of the first " (number(MAX_PAGE_SIZE.into())) " as CSV"
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
            nowhere,
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
                (total("dead of no place", nowhere))
            }
        }
    }

    fn filters(&self) -> Markup {
        let form = &self.ask.form;
        let search = Text {
            kind: "search",
            ..Text::new("name", "Name begins with")
        };
        let least = Text {
            kind: "number",
            ..Text::new("least", "At least so many living")
        };
        html! {
            form.filters method="get" action="/" role="search" data-live {
                (search.show(form))
                (choice(form, "sort", "Order", &ORDERS))
                (least.show(form))
                button type="submit" { "Show" }
            }
        }
    }

    /// What is found, in a few words.
    fn told(&self) -> String {
        let Some(rows) = &self.rows else {
            return "Which places there are cannot be told just now.".to_owned();
        };
        let found = match rows.len() {
            0 if self.next.is_some() => "No place is like that so far".to_owned(),
            0 => "No place is like that".to_owned(),
            1 => "One place".to_owned(),
            many => format!("{many} places"),
        };
        format!(
            "{found}{}",
            if self.next.is_some() {
                ", and further ones."
            } else {
                "."
            }
        )
    }

    fn ranking(&self, rows: &[Row]) -> Markup {
        html! {
            (pattern())
            p.legend aria-hidden="true" {
                span { (key("living")) "living" }
                span { (key("dead")) "dead" }
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
                td.bars { @if let Some(counts) = counts { (bar(counts, self.most)) } }
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

/// The dead are told from the living by hatching, not by colour alone.
fn pattern() -> Markup {
    html! {
        svg.defs width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                pattern #hatch width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect.hatch-ground width="6" height="6" {}
                    rect.hatch-line width="2.5" height="6" {}
                }
            }
        }
    }
}

fn key(class: &str) -> Markup {
    html! {
        svg.key width="14" height="14" { rect class=(class) width="14" height="14" rx="2" {} }
    }
}

/// The numbers stand beside it: a bar is for the eye.
fn bar(counts: &Counts, most: i64) -> Markup {
    let most = most.max(counts.living + counts.dead).max(1);
    // In thousandths of the width.
    let part = |count: i64| count.saturating_mul(1000) / most;
    let (living, dead) = (part(counts.living), part(counts.dead));
    let percent = |part: i64| format!("{}.{}%", part / 10, part % 10);
    html! {
        svg.bar width="100%" height="16" aria-hidden="true" focusable="false" {
            rect.living width=(percent(living)) height="16" rx="2" {}
            rect.dead x=(percent(living)) width=(percent(dead)) height="16" rx="2" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ask: Ask::read(query),
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
            most: 8,
            next: Some("703".to_owned()),
            notices: Vec::new(),
        };
        overview.to_html().into_string()
    }

    #[test]
    fn what_is_not_known_is_not_shown_as_nothing() {
        let page = page("");
        assert!(page.contains("<dt>living</dt><dd>1\u{202f}234</dd>"));
        assert!(page.contains("<dt>dead</dt><dd>unknown</dd>"));
        assert!(page.contains(r#"<a href="/ui/places/3">Place 3</a>"#));
        assert!(page.contains(r#"<td class="count" data-label="living">unknown</td>"#));
        assert!(page.contains("Place &lt;1&gt;"));
    }

    #[test]
    fn bars_are_parts_of_the_greatest() {
        let page = page("");
        assert!(page.contains(r#"<rect class="living" width="37.5%""#));
        assert!(page.contains(r#"<rect class="dead" x="37.5%" width="12.5%""#));
        assert!(page.contains(r#"<rect class="living" width="0.0%""#));
    }

    #[test]
    fn the_next_page_keeps_what_was_asked_for() {
        let page = page("name=V&sort=total&least=2&after=7033&utm=x");
        assert!(page.contains(r#"href="/?name=V&amp;sort=total&amp;least=2&amp;after=703""#));
        assert!(page.contains(r#"<option value="total" selected>"#));
    }

    #[test]
    fn what_cannot_be_used_is_said_beside_its_field() {
        let ask = Ask::read("least=many&sort=age&after=%00");
        assert_eq!((ask.order, ask.least), (Order::Down(Measure::Living), None));
        assert!(ask.form.error("least").is_some() && ask.after.is_none());
        let page = page("least=many");
        assert!(page.contains(r#"aria-describedby="least-error" aria-invalid="true""#));
    }
}
