//! Parses the query of the overview: the filters, the order, the time and the page.

use domain::Param;
use domain::name::Normalize;
use domain::param::PositiveInteger;
use maud::{Markup, html};

use crate::chart::Period;
use crate::field::Text;
use crate::layout::with_query;
use crate::list::{Defaults, ListQuery};

/// The query of the overview.
#[derive(Debug, Clone)]
pub struct OverviewQuery {
    /// The search, the order and the page.
    pub list: ListQuery,
    /// The time and the steps of the chart.
    pub period: Period,
    /// Only places with at least this many living people.
    pub least: Option<i64>,
}

/// The orders, with their labels.
const ORDERS: [(&str, &str); 12] = [
    ("-living", "Most living first"),
    ("living", "Fewest living first"),
    ("-dead", "Most dead first"),
    ("dead", "Fewest dead first"),
    ("-total", "Largest total first"),
    ("total", "Smallest total first"),
    ("-share", "Largest share first"),
    ("share", "Smallest share first"),
    ("name", "By name, A to Z"),
    ("-name", "By name, Z to A"),
    ("id", "By number"),
    ("-id", "Newest first"),
];

const DEFAULTS: Defaults = Defaults {
    sort: "-living",
    limit: "25",
    keys: &["id", "name", "living", "dead", "total", "share"],
};

impl OverviewQuery {
    /// Parses a query. Invalid values are ignored, and the form has an error for them. `now` is in
    /// milliseconds since 1970.
    #[must_use]
    pub fn parse(query: &str, now: i64, normalize: Normalize) -> Self {
        let filters = &["least", "asOf", "step"];
        let mut list = ListQuery::parse("/".to_owned(), query, normalize, &DEFAULTS, filters);
        let least = list.form.filled("least").map(PositiveInteger::parse);
        if matches!(least, Some(None)) {
            list.form.add_error("least", "Enter a whole number from 1.");
        }
        Self {
            least: least.flatten().map(PositiveInteger::get),
            period: Period::parse(&mut list.form, now),
            list,
        }
    }

    /// Whether it is the query without any parameter.
    #[must_use]
    pub fn is_default(&self) -> bool {
        let default = Self::parse("", 0, Normalize::NONE);
        self.list.to_text() == default.list.to_text()
    }

    /// The label of the order.
    #[must_use]
    pub fn order_label(&self) -> &'static str {
        let name = self.list.form.get("sort");
        let order = ORDERS.iter().find(|(order, _)| *order == name);
        order.map_or("", |(_, label)| label)
    }

    pub(super) fn filters(&self) -> Markup {
        let form = &self.list.form;
        let least = Text {
            kind: "number",
            ..Text::new("least", "At least this many living")
        };
        let inputs = html! { (least.to_html(form)) (self.period.date_input(form)) };
        self.list.filters(
            &inputs,
            &ORDERS,
            &crate::field::hidden("step", form.get("step")),
        )
    }

    /// The title of the page, which names the search and the date. Empty without both.
    pub(super) fn title(&self) -> String {
        let mut title = String::new();
        if self.list.search().is_some() || self.period.as_of.is_some() {
            title.push_str("Population by place");
        }
        if let Some(search) = self.list.search() {
            title.push_str(": ");
            title.push_str(search);
        }
        title + &self.period.suffix()
    }

    /// The path of a file of all places that match.
    pub(super) fn export_path(&self) -> String {
        self.path_with_filters("/v1/statistics/export", "")
    }

    /// The path of the data of the page.
    pub(super) fn data_path(&self) -> String {
        self.path_with_filters("/v1/statistics/places", self.list.form.get("sort"))
    }

    /// The path of the page of a place at the same time.
    pub(super) fn place_path(&self, id: i64) -> String {
        let as_of = self.period.as_of_text();
        with_query(&format!("/ui/places/{id}"), &[("asOf", &as_of)])
    }

    fn path_with_filters(&self, path: &str, sort: &str) -> String {
        let form = &self.list.form;
        let valid = |name| {
            if form.error(name).is_none() {
                form.get(name)
            } else {
                ""
            }
        };
        let filters = ["q", "least", "asOf"].map(|name| (name, valid(name)));
        let [search, least, as_of] = filters;
        with_query(path, &[search, least, as_of, ("sort", sort)])
    }
}
