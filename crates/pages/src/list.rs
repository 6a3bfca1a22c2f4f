//! Renders the parts that all lists share: the query, the column heads that sort, and the links to
//! other pages.
//!
//! Pages have no numbers, because the API starts a page after a record (keyset pagination). To show
//! the previous page, the gateway reads the records before the first record of this page, in the
//! reverse order. The address of a page contains the position of its first record, so that the page
//! can say which records it shows.

use domain::name::{Normalize, SearchWords};
use domain::{Param, param::parse_positive_integer};
use maud::{Markup, html};
use tables::Cursor;
use tables::page::PageSize;

use crate::field::{Text, choice};
use crate::form::Form;
use crate::layout::{number, with_query};

/// The page sizes, with their labels.
const SIZES: [(&str, &str); 4] = [("25", "25"), ("50", "50"), ("100", "100"), ("250", "250")];

/// The parameters that all lists have, apart from the position.
const PARAMETERS: [&str; 3] = ["q", "sort", "limit"];

/// The query of a list.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// The form of the filters, with its errors.
    pub form: Form,
    /// The cursor of the page.
    pub cursor: Option<Cursor>,
    /// Whether the page is the one before the cursor.
    pub is_before: bool,
    /// The other parameters.
    filters: &'static [&'static str],
    /// The path of the page.
    pub(crate) path: String,
}

/// The number of matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub count: i64,
    /// Whether there are more.
    pub is_minimum: bool,
}

/// The neighbours of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbours {
    /// The cursor of the page before.
    pub previous: Option<String>,
    /// The cursor of the page after.
    pub next: Option<String>,
    /// The number of matches, if it is known.
    pub total: Option<Total>,
}

/// The defaults of a list.
pub struct Defaults {
    /// The order.
    pub sort: &'static str,
    /// The page size.
    pub limit: &'static str,
    /// The keys that the list can be sorted by.
    pub keys: &'static [&'static str],
}

impl ListQuery {
    /// Parses the parameters that all lists have. Invalid values are ignored, and the form has an
    /// error for them.
    pub(crate) fn parse(
        path: String,
        query: &str,
        normalize: Normalize,
        defaults: &Defaults,
        filters: &'static [&'static str],
    ) -> Self {
        let mut form = Form::parse(query.as_bytes());
        let key = form.get("sort").trim_start_matches('-');
        if !defaults.keys.contains(&key) {
            form.set("sort", defaults.sort);
        }
        if !SIZES.iter().any(|(size, _)| *size == form.get("limit")) {
            form.set("limit", defaults.limit);
        }
        let is_search = |text: &str| SearchWords::new(text, normalize).is_some();
        if form.filled("q").is_some_and(|text| !is_search(text)) {
            form.add_error("q", "Enter one to ten words.");
        }
        let cursor = |name| form.filled(name).and_then(Cursor::parse);
        let (after, before) = (cursor("after"), cursor("before"));
        Self {
            is_before: after.is_none() && before.is_some(),
            cursor: after.or(before),
            filters,
            path,
            form,
        }
    }

    /// The text of the search, if it is valid.
    #[must_use]
    pub fn search(&self) -> Option<&str> {
        let is_valid = self.form.error("q").is_none();
        self.form.filled("q").filter(|_| is_valid)
    }

    /// The page size.
    #[must_use]
    pub fn limit(&self) -> PageSize {
        PageSize::parse(self.form.get("limit")).unwrap_or_default()
    }

    /// The order in which the API reads the page.
    #[must_use]
    pub fn api_sort(&self) -> String {
        let sort = self.form.get("sort");
        match sort.strip_prefix('-') {
            _ if !self.is_before => sort.to_owned(),
            Some(key) => key.to_owned(),
            None => format!("-{sort}"),
        }
    }

    /// The cursor as text.
    #[must_use]
    pub fn cursor_text(&self) -> String {
        let cursor = self.cursor.as_ref();
        cursor.map(ToString::to_string).unwrap_or_default()
    }

    /// The neighbours of the page. `next` is the cursor of the next page in the order of the API,
    /// `first` and `last` are those of the first and the last row of the page.
    #[must_use]
    pub fn neighbours(
        &self,
        next: Option<String>,
        [first, last]: [Option<Cursor>; 2],
        total: Option<Total>,
    ) -> Neighbours {
        let (first, last) = (
            first.map(|cursor| cursor.to_string()),
            last.map(|cursor| cursor.to_string()),
        );
        let (previous, next) = if self.is_before {
            (first.filter(|_| next.is_some()), last)
        } else {
            (first.filter(|_| self.cursor.is_some()), next)
        };
        Neighbours {
            previous,
            next,
            total,
        }
    }

    /// The parameters of the list, without its position, and `changed` in place of its own.
    fn parameters<'a>(&'a self, changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let names = PARAMETERS.iter().chain(self.filters);
        let own = names.filter(|name| changed.iter().all(|(other, _)| other != *name));
        let own = own.map(|name| (*name, self.form.get(name)));
        own.chain(changed.iter().copied()).collect()
    }

    /// The address of this list with other parameters.
    pub(crate) fn link(&self, changed: &[(&str, &str)]) -> String {
        with_query(&self.path, &self.parameters(changed))
    }

    /// The address of this page of the list, with other parameters.
    pub(crate) fn address(&self, others: &[(&str, &str)]) -> String {
        let position = if self.is_before { "before" } else { "after" };
        let cursor = self.cursor_text();
        let own = [(position, &*cursor), ("from", self.form.get("from"))];
        self.link(&[&own, others].concat())
    }

    /// The query as text, without parameters that the page ignores.
    #[must_use]
    pub fn to_text(&self) -> String {
        let position = if self.is_before { "before" } else { "after" };
        let cursor = self.cursor_text();
        let text = with_query("", &self.parameters(&[(position, &cursor)]));
        text.trim_start_matches('?').to_owned()
    }

    /// Hidden inputs of a form that keeps this list.
    pub(crate) fn hidden(&self, except: &[&str]) -> Markup {
        html! {
            @for (name, value) in self.parameters(&[]) {
                @if !value.is_empty() && !except.contains(&name) { (crate::field::hidden(name, value)) }
            }
        }
    }

    /// The form of the filters: the search, the inputs of the list, the order and the page size.
    pub(crate) fn filters(
        &self,
        inputs: &Markup,
        orders: &[(&str, &str)],
        hidden: &Markup,
    ) -> Markup {
        let search = Text {
            kind: "search",
            ..Text::new("q", "Search")
        };
        html! {
            form.filters method="get" action=(self.path) role="search" data-live {
                (hidden)
                (search.to_html(&self.form))
                (inputs)
                (choice(&self.form, "sort", "Order", orders))
                (choice(&self.form, "limit", "Rows", &SIZES))
                button type="submit" { "Show" }
            }
        }
    }

    /// The head of a column, which sorts by it. Numbers begin with the greatest.
    pub(crate) fn head(&self, key: &str, label: &str, class: &str) -> Markup {
        let sort = self.form.get("sort");
        let is_current = sort.trim_start_matches('-') == key;
        let is_descending = sort.starts_with('-');
        let ascends = if is_current {
            is_descending
        } else {
            class.is_empty()
        };
        let next = format!("{}{key}", if ascends { "" } else { "-" });
        let order = if is_descending {
            "descending"
        } else {
            "ascending"
        };
        html! {
            th scope="col" class=[(!class.is_empty()).then_some(class)] aria-sort=[is_current.then_some(order)] {
                a href=(self.link(&[("sort", &next)])) { (label) }
            }
        }
    }

    /// Whether the list has only a part of the records.
    pub(crate) fn has_filters(&self) -> bool {
        let mut names = ["q", "show", "placeId", "least", "asOf"].into_iter();
        names.any(|name| self.form.filled(name).is_some())
    }

    /// The position of the first row, if it is known.
    fn first_position(&self, neighbours: &Neighbours) -> Option<i64> {
        if self.cursor.is_none() || (self.is_before && neighbours.previous.is_none()) {
            return Some(1);
        }
        parse_positive_integer(self.form.get("from")).filter(|from| *from < 1_000_000_000)
    }

    /// The rows that the page shows: "51–100 of 578 people".
    pub(crate) fn range_text(
        &self,
        shown: usize,
        neighbours: &Neighbours,
        nouns: [&str; 2],
    ) -> String {
        let [one, many] = nouns;
        let shown = i64::try_from(shown).unwrap_or_default();
        let is_part = neighbours.previous.is_some() || neighbours.next.is_some();
        let noun = |count| if count == 1 { one } else { many };
        if !is_part {
            return match shown {
                0 if self.has_filters() => format!("No {many} match."),
                0 => format!("No {many}."),
                _ => format!("{} {}", number(shown), noun(shown)),
            };
        }
        let Some(first) = self.first_position(neighbours) else {
            return format!("{} {}", number(shown), noun(shown));
        };
        let last = first + shown - 1;
        let rows = if shown > 1 {
            format!("{}–{}", number(first), number(last))
        } else {
            number(last)
        };
        let has_next = neighbours.next.is_some();
        // The position is a guess if records were added or deleted meanwhile.
        let total = neighbours.total;
        let total = total.filter(|total| total.count >= last + i64::from(has_next));
        let total = match total {
            Some(total) => total,
            None if has_next => return format!("{rows}, and more {many}"),
            None => Total {
                count: last,
                is_minimum: false,
            },
        };
        let at_least = if total.is_minimum { "at least " } else { "" };
        format!(
            "{rows} of {at_least}{} {}",
            number(total.count),
            noun(total.count)
        )
    }

    /// The links to other pages.
    pub(crate) fn pages(&self, shown: usize, neighbours: &Neighbours) -> Markup {
        let first = self.first_position(neighbours);
        let link = |name: &str, cursor: &Option<String>, from: Option<i64>| {
            let from = from.map(|from| from.max(1).to_string()).unwrap_or_default();
            cursor
                .as_ref()
                .map(|cursor| self.link(&[(name, cursor), ("from", &from)]))
        };
        let shown = i64::try_from(shown).unwrap_or_default();
        let size = i64::from(self.limit().get());
        let previous = link(
            "before",
            &neighbours.previous,
            first.map(|first| first - size),
        );
        let next = link("after", &neighbours.next, first.map(|first| first + shown));
        html! {
            @if self.cursor.is_some() || next.is_some() {
                nav.pages aria-label="Pages" {
                    @if self.cursor.is_some() { a rel="first" href=(self.link(&[])) { "First page" } " " }
                    @if let Some(previous) = previous { a rel="prev" href=(previous) { "Previous page" } " " }
                    @if let Some(next) = next { a rel="next" href=(next) { "Next page" } }
                }
            }
        }
    }
}

/// The links to files of exactly the rows of a list. `path` has their filters.
/// `name` is the name of the file.
pub(crate) fn exports(label: &str, path: &str, name: &str) -> Markup {
    let separator = if path.contains('?') { '&' } else { '?' };
    html! {
        (label) " as "
        a href={ (path) (separator) "format=csv" } download={ (name) ".csv" } { "CSV" } " · "
        a href={ (path) (separator) "format=ndjson" } download={ (name) ".ndjson" } { "JSON lines" }
    }
}

/// The label of the files of a list, with the number of its rows if it is known.
pub(crate) fn export_label(total: Option<Total>, [one, many]: [&str; 2]) -> String {
    match total {
        Some(total) if total.is_minimum || total.count == 0 => format!("These {many}"),
        Some(total) if total.count == 1 => format!("This {one}"),
        Some(total) => format!("These {} {many}", number(total.count)),
        None => format!("These {many}"),
    }
}
