//! The query of the overview: the filters, the order and the page.

use domain::Param;
use domain::name::{Normalize, Prefix};
use maud::{Markup, html};
use tables::Cursor;
use tables::page::PageSize;
use tables::population::{Measure, MinLiving, Order};

use crate::field::{Text, choice};
use crate::form::Form;
use crate::layout::with_query;

/// The query of the overview.
#[derive(Debug)]
pub struct OverviewQuery {
    /// The form of the filters, with its errors.
    pub form: Form,
    /// The order.
    pub order: Order,
    /// Only places with at least this many living people.
    pub least: Option<i64>,
    /// Only places whose name starts with this text.
    pub name: Option<String>,
    /// The cursor of the page.
    pub after: Option<Cursor>,
}

/// The orders, with their labels.
const ORDERS: [(&str, &str); 5] = [
    ("-living", "Most living first"),
    ("living", "Fewest living first"),
    ("-total", "Largest total first"),
    ("total", "Smallest total first"),
    ("id", "By number"),
];

impl OverviewQuery {
    /// The number of places per page.
    #[must_use]
    pub fn page_size() -> PageSize {
        PageSize::new(25).unwrap_or_default()
    }

    /// Parses a query. Invalid values are ignored, and the form has an error for them.
    #[must_use]
    pub fn parse(query: &str, normalize: Normalize) -> Self {
        let mut form = Form::parse(query.as_bytes());
        let order = form.filled("sort").and_then(Order::parse);
        let order = order.unwrap_or(Order::Down(Measure::Living));
        form.set("sort", order.name());
        let least = form.filled("least").map(MinLiving::parse);
        if matches!(least, Some(None)) {
            form.add_error("least", "Enter a whole number from 1.");
        }
        let name = form.filled("name").map(ToOwned::to_owned);
        let name = name.filter(|name| {
            let is_valid = Prefix::new(name, normalize).is_some();
            if !is_valid {
                form.add_error("name", "Enter up to 200 characters.");
            }
            is_valid
        });
        Self {
            order,
            least: least.flatten().map(|MinLiving(least)| least),
            name,
            after: form.filled("after").and_then(Cursor::parse),
            form,
        }
    }

    /// The query as text, without parameters that the page ignores.
    #[must_use]
    pub fn to_text(&self) -> String {
        let text = |value: Option<String>| value.unwrap_or_default();
        let path = with_query(
            "",
            &[
                ("name", self.name.as_deref().unwrap_or_default()),
                ("sort", self.order.name()),
                ("least", &text(self.least.map(|least| least.to_string()))),
                ("after", &text(self.after.as_ref().map(ToString::to_string))),
            ],
        );
        path.trim_start_matches('?').to_owned()
    }

    /// Whether it is the query without any parameter.
    #[must_use]
    pub fn is_default(&self) -> bool {
        let is_filtered = self.name.is_some() || self.least.is_some() || self.after.is_some();
        !is_filtered && self.order == Order::Down(Measure::Living)
    }

    /// The label of the order.
    #[must_use]
    pub fn order_label(&self) -> &'static str {
        let name = self.order.name();
        let order = ORDERS.iter().find(|(order, _)| *order == name);
        order.map_or("", |(_, label)| label)
    }

    /// The path of the page at a cursor, with the same filters.
    pub(super) fn page_path(&self, after: &str) -> String {
        let filters = ["name", "sort", "least"].map(|name| (name, self.form.get(name)));
        with_query("/", &[&filters[..], &[("after", after)]].concat())
    }

    pub(super) fn filters(&self) -> Markup {
        let form = &self.form;
        let search = Text {
            kind: "search",
            ..Text::new("name", "Name begins with")
        };
        let least = Text {
            kind: "number",
            ..Text::new("least", "At least this many living")
        };
        html! {
            form.filters method="get" action="/" role="search" data-live {
                (search.to_html(form))
                (choice(form, "sort", "Order", &ORDERS))
                (least.to_html(form))
                button type="submit" { "Show" }
            }
        }
    }
}
