//! Renders the table of people, and the page that searches for people.

use domain::name::{Normalize, case_key, search_key};
use domain::param::parse_positive_integer;
use maud::{Markup, html};
use tables::Cursor;

use crate::api::{PersonView, PlaceView};
use crate::chart::Period;
use crate::field::{choice, hidden};
use crate::form::Form;
use crate::layout::{Notice, main_document, with_query};
use crate::list::{Defaults, ListQuery, Neighbours, Total, export_label, exports};
use crate::place_history;
use crate::selection;

/// The query of a table of people.
#[derive(Debug, Clone)]
pub struct PeopleQuery {
    /// The search, the order and the page.
    pub list: ListQuery,
    /// The place, if the list has only its people.
    place: Option<i64>,
    /// The time and the steps of the chart of the place.
    pub period: Period,
}

/// The orders, with their labels.
const ORDERS: [(&str, &str); 4] = [
    ("name", "By name, A to Z"),
    ("-name", "By name, Z to A"),
    ("id", "By number"),
    ("-id", "Newest first"),
];

/// The states to filter by, with their labels.
const STATES: [(&str, &str); 4] = [
    ("", "All"),
    ("isAlive=true", "Living"),
    ("isAlive=false", "Dead"),
    ("isKing=true", "Kings"),
];

/// The places to filter by, with their labels.
const PLACES: [(&str, &str); 2] = [("", "All"), ("none", "Without a place")];

const DEFAULTS: Defaults = Defaults {
    sort: "name",
    limit: "50",
    keys: &["id", "name"],
};

impl PeopleQuery {
    /// Parses the query of the people of a place, or of all people. Invalid values are ignored, and
    /// the form has an error for them. `now` is in milliseconds since 1970.
    #[must_use]
    pub fn parse(place: Option<i64>, query: &str, now: i64, normalize: Normalize) -> Self {
        let (path, filters): (_, &'static [&str]) = match place {
            Some(id) => (
                format!("/ui/places/{id}"),
                &["show", "asOf", "step", "until"],
            ),
            None => ("/ui/people".to_owned(), &["show", "placeId"]),
        };
        let mut list = ListQuery::parse(path, query, normalize, &DEFAULTS, filters);
        let form = &mut list.form;
        for (name, choices) in [("show", &STATES[..]), ("placeId", &PLACES)] {
            if !choices.iter().any(|(value, _)| *value == form.get(name)) {
                form.set(name, "");
            }
        }
        Self {
            period: Period::parse(form, now),
            place,
            list,
        }
    }

    /// The address of the page of a place with the same filters, if the query has a place.
    #[must_use]
    pub fn page_of_place(query: &str, now: i64, normalize: Normalize) -> Option<String> {
        let id = parse_positive_integer(Form::parse(query.as_bytes()).get("placeId"))?;
        let list = Self::parse(Some(id), query, now, normalize).list;
        Some(format!("/ui/places/{id}?{}", list.to_text()))
    }

    /// The filters as parameters of the API.
    fn api_filters(&self) -> [(&str, String); 3] {
        let form = &self.list.form;
        let (state, value) = form.get("show").split_once('=').unwrap_or_default();
        let place = self.place.map(|place| place.to_string());
        [
            ("q", self.list.search().unwrap_or_default().to_owned()),
            (state, value.to_owned()),
            (
                "placeId",
                place.unwrap_or_else(|| form.get("placeId").to_owned()),
            ),
        ]
    }

    /// The path of a list or a file of the API, with the filters after other parameters.
    fn path_with_filters(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let filters = self.api_filters();
        let filters = filters.iter().map(|(name, value)| (*name, value.as_str()));
        let all: Vec<_> = parameters.iter().copied().chain(filters).collect();
        with_query(path, &all)
    }

    /// The request to the API.
    #[must_use]
    pub fn api_path(&self) -> String {
        let list = &self.list;
        let (limit, sort) = (list.form.get("limit"), list.api_sort());
        let (after, count) = (list.cursor_text(), "exact");
        let parameters = [
            ("limit", limit),
            ("sort", &sort),
            ("after", &after),
            ("count", count),
        ];
        self.path_with_filters("/v1/people", &parameters)
    }

    /// The path of a file of all people that match, whatever their page.
    #[must_use]
    pub fn export_path(&self) -> String {
        self.path_with_filters("/v1/people/export", &[("expand", "place")])
    }

    /// The request for the changes of the population of a place.
    #[must_use]
    pub fn population_changes_path(&self, place: i64) -> String {
        place_history::path(place, place_history::until(&self.list).as_deref())
    }

    /// Whether the page has no part of an earlier time.
    #[must_use]
    pub fn shows_the_present(&self) -> bool {
        self.period.as_of.is_none() && place_history::until(&self.list).is_none()
    }

    /// Whether it is the query without any parameter.
    #[must_use]
    pub fn is_default(&self) -> bool {
        let default = Self::parse(self.place, "", 0, Normalize::NONE);
        self.list.to_text() == default.list.to_text()
    }

    /// The pages before and after, from the cursor of the next page in the API.
    #[must_use]
    pub fn neighbours(
        &self,
        people: &[PersonView],
        next: Option<String>,
        total: Option<Total>,
        normalize: Normalize,
    ) -> Neighbours {
        let is_by_name = self.list.form.get("sort").ends_with("name");
        let cursor = |person: &PersonView| {
            if !is_by_name {
                return Cursor::Id(person.id);
            }
            Cursor::Name {
                key: search_key(&case_key(&person.name, normalize), normalize),
                name: person.name.clone(),
                id: person.id,
            }
        };
        let ends = [people.first(), people.last()].map(|person| person.map(cursor));
        self.list.neighbours(next, ends, total)
    }

    /// The form of the filters.
    pub(crate) fn filters(&self) -> Markup {
        let form = &self.list.form;
        let inputs = html! {
            (choice(form, "show", "State", &STATES))
            @if self.place.is_none() { (choice(form, "placeId", "Place", &PLACES)) }
        };
        let period = html! {
            @if self.place.is_some() {
                @for name in ["asOf", "step"] {
                    @if let Some(value) = form.filled(name) { (hidden(name, value)) }
                }
            }
        };
        self.list.filters(&inputs, &ORDERS, &period)
    }
}

/// A page of people.
#[derive(Debug)]
pub struct People {
    /// The query.
    pub query: PeopleQuery,
    /// The people, if they are known.
    pub people: Option<Vec<PersonView>>,
    /// The known places of the people.
    pub places: Vec<PlaceView>,
    /// The pages before and after.
    pub neighbours: Neighbours,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl People {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let main = html! {
            h1 { "People" }
            p.actions { a.button href="/ui/people/new" { "Add a person" } }
            (self.query.filters())
            div #results data-part data-told=(self.result_text()) { (self.table()) }
        };
        let data = self.query.api_path();
        main_document(
            &self.query.list.path,
            "People",
            Some(&data),
            &self.notices,
            &main,
        )
    }

    /// The people that are shown, as a sentence that the script announces.
    pub(crate) fn result_text(&self) -> String {
        match self.people.as_deref() {
            None => "The list of people is unavailable right now.".to_owned(),
            Some(people) => {
                let list = &self.query.list;
                list.range_text(people.len(), &self.neighbours, ["person", "people"])
            }
        }
    }

    /// The table, without the column of the place if all people are of one.
    pub(crate) fn table(&self) -> Markup {
        let Self {
            query, neighbours, ..
        } = self;
        let with_place = query.place.is_none();
        let name_of = |id: i64| name_of(&self.places, id);
        let people = self.people.as_deref().unwrap_or_default();
        let label = export_label(neighbours.total, ["person", "people"]);
        html! {
            section aria-label="People" {
                p.range { (self.result_text()) }
                @if !people.is_empty() {
                    form.selection method="get" action=(selection::PATH) {
                    table.people {
                        thead {
                            tr {
                                th.pick scope="col" { span.unseen { "Tick" } }
                                (query.list.head("name", "Name", ""))
                                th scope="col" { "State" }
                                @if with_place { th scope="col" { "Place" } }
                            }
                        }
                        tbody {
                            @for person in people {
                                tr {
                                    td.pick { (selection::tick(person.id)) }
                                    th scope="row" { a #{ "p" (person.id) } href={ "/ui/people/" (person.id) } { (person.name) } }
                                    td { (state(person)) }
                                    @if with_place {
                                        td {
                                            @match person.place_id {
                                                Some(id) => a href={ "/ui/places/" (id) } { (name_of(id)) },
                                                None => "none",
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                    (selection::buttons(query))
                    }
                }
                (query.list.pages(people.len(), neighbours))
                p.export { (exports(&label, &query.export_path(), "people")) }
            }
        }
    }
}

/// The state as a sign and a word: alive, dead or king.
pub(crate) fn state(person: &PersonView) -> Markup {
    let (class, sign, word) = match (person.is_king, person.is_alive) {
        (true, _) => ("king", "♛", "king"),
        (false, true) => ("alive", "●", "alive"),
        (false, false) => ("dead", "†", "dead"),
    };
    html! { span.state.(class) { span aria-hidden="true" { (sign) } " " (word) } }
}

/// The name of a place, or its number if the name is unknown.
pub(crate) fn name_of(places: &[PlaceView], id: i64) -> String {
    let place = places.iter().find(|place| place.id == id);
    place.map_or_else(|| format!("place {id}"), |place| place.name.clone())
}

#[cfg(test)]
mod tests;
