//! The table of people, and the page that searches them.

use domain::Param;
use domain::name::{Normalize, Prefix};
use maud::{Markup, html};
use tables::Cursor;
use tables::page::Sort;

use crate::api::{PersonView, PlaceView};
use crate::field::{Text, choice};
use crate::form::Form;
use crate::layout::{Notice, document, pages, with_query};

/// The query of a table of people.
#[derive(Debug)]
pub struct PeopleQuery {
    /// The form of the filters, with its errors.
    pub form: Form,
    /// The cursor of the page.
    pub after: Option<Cursor>,
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

impl PeopleQuery {
    /// Parses a query. Invalid values are ignored, and the form has an error for them.
    #[must_use]
    pub fn parse(query: &str, normalize: Normalize) -> Self {
        let mut form = Form::parse(query.as_bytes());
        if form.filled("sort").and_then(Sort::parse).is_none() {
            form.set("sort", "name");
        }
        if !STATES.iter().any(|(value, _)| *value == form.get("show")) {
            form.set("show", "");
        }
        if form
            .filled("name")
            .is_some_and(|name| Prefix::new(name, normalize).is_none())
        {
            form.add_error("name", "Enter up to 200 characters.");
        }
        let after = form.filled("after").and_then(Cursor::parse);
        Self { form, after }
    }

    /// The request to the API, for the people of a place or for all people.
    #[must_use]
    pub fn api_path(&self, place: Option<i64>) -> String {
        let form = &self.form;
        let name = if form.error("name").is_none() {
            form.get("name")
        } else {
            ""
        };
        let place = place.map(|place| place.to_string()).unwrap_or_default();
        let after = self
            .after
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        let (state, value) = form.get("show").split_once('=').unwrap_or_default();
        with_query(
            "/v1/people",
            &[
                ("limit", "50"),
                ("sort", form.get("sort")),
                ("name", name),
                (state, value),
                ("placeId", &place),
                ("after", &after),
            ],
        )
    }

    /// The path of a file of all people that match, whatever their page.
    #[must_use]
    pub fn export_path(&self, place: Option<i64>) -> String {
        let first_page = Self {
            after: None,
            form: self.form.clone(),
        };
        let path = first_page.api_path(place);
        let (_, query) = path.split_once('?').unwrap_or_default();
        let is_filter =
            |parameter: &&str| !parameter.starts_with("limit=") && !parameter.starts_with("sort=");
        let filters: Vec<&str> = query.split('&').filter(is_filter).collect();
        let separator = if filters.is_empty() { "" } else { "?" };
        format!("/v1/people/export{separator}{}", filters.join("&"))
    }

    /// The text of the link to that file.
    #[must_use]
    pub fn export_text(&self, all: &'static str) -> &'static str {
        let is_filtered = ["name", "show"]
            .iter()
            .any(|field| self.form.filled(field).is_some());
        if is_filtered {
            "These people as CSV"
        } else {
            all
        }
    }

    /// Whether it is the query without any parameter.
    #[must_use]
    pub fn is_default(&self) -> bool {
        let fields = ["name", "show"].map(|field| self.form.filled(field));
        fields == [None; 2] && self.form.get("sort") == "name" && self.after.is_none()
    }

    /// The query as text, without parameters that the page ignores.
    #[must_use]
    pub fn to_text(&self) -> String {
        let after = self.after.as_ref().map(ToString::to_string);
        let path = self.page_path("", &after.unwrap_or_default());
        path.trim_start_matches('?').to_owned()
    }

    /// The path of the page at a cursor, with the same filters.
    fn page_path(&self, path: &str, after: &str) -> String {
        let filters = ["name", "sort", "show"].map(|name| (name, self.form.get(name)));
        with_query(path, &[&filters[..], &[("after", after)]].concat())
    }

    /// The form, which leads to the page `path`.
    pub(crate) fn filters(&self, path: &str) -> Markup {
        let search = Text {
            kind: "search",
            ..Text::new("name", "Name begins with")
        };
        html! {
            form.filters method="get" action=(path) role="search" data-live {
                (search.to_html(&self.form))
                (choice(&self.form, "show", "State", &STATES))
                (choice(&self.form, "sort", "Order", &ORDERS))
                button type="submit" { "Show" }
            }
        }
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
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl People {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let path = "/ui/people";
        let main = html! {
            h1 { "People" }
            (self.query.filters(path))
            (self.table(path, true))
            p.actions {
                a.button href="/ui/people/new" { "Add a person" }
                a.button.quiet href=(self.query.export_path(None)) download {
                    (self.query.export_text("All people as CSV"))
                }
            }
        };
        let data = self.query.api_path(None);
        document("People", Some(&data), &self.notices, &main)
    }

    /// The number of people, as a sentence that the script announces.
    fn result_text(&self) -> String {
        let more = match self.next {
            Some(_) => " There are more on the next page.",
            None => "",
        };
        match self.people.as_deref() {
            None => "The list of people is unavailable right now.".to_owned(),
            Some([]) => "No people match.".to_owned(),
            Some([_]) => format!("1 person.{more}"),
            Some(people) => format!("{} people.{more}", people.len()),
        }
    }

    /// The table, with or without the column of the place.
    pub(crate) fn table(&self, path: &str, with_place: bool) -> Markup {
        let name_of = |id: i64| name_of(&self.places, id);
        html! {
            section #results aria-label="People" data-told=(self.result_text()) {
                @match self.people.as_deref() {
                    None | Some([]) => p.empty { (self.result_text()) },
                    Some(people) => table.people {
                        thead {
                            tr {
                                th scope="col" { "Name" }
                                th scope="col" { "State" }
                                @if with_place { th scope="col" { "Place" } }
                            }
                        }
                        tbody {
                            @for person in people {
                                tr {
                                    th scope="row" { a href={ "/ui/people/" (person.id) } { (person.name) } }
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
                }
                (pages(
                    self.query.after.as_ref().map(|_| self.query.page_path(path, "")),
                    self.next.as_ref().map(|next| self.query.page_path(path, next)),
                ))
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
mod tests {
    use super::*;
    use domain::name::Normalize;

    #[test]
    fn a_later_page_has_a_link_to_the_first_one() {
        let page = |query: &str| {
            let people = People {
                query: PeopleQuery::parse(query, Normalize::NONE),
                people: Some(Vec::new()),
                places: Vec::new(),
                next: None,
                notices: Vec::new(),
            };
            people.to_html().into_string()
        };
        let link =
            r#"<a rel="first" href="/ui/people?sort=-id&amp;show=isKing%3Dtrue">First page</a>"#;
        assert!(page("sort=-id&show=isKing%3Dtrue&after=6933").contains(link));
        assert!(!page("sort=-id").contains("First page"));
    }

    #[test]
    fn the_link_to_a_file_keeps_the_filters() {
        let export = |query: &str, place| {
            let query = PeopleQuery::parse(query, Normalize::NONE);
            (query.export_path(place), query.export_text("All"))
        };
        assert_eq!(
            export("sort=-id", None),
            ("/v1/people/export".to_owned(), "All")
        );
        assert_eq!(
            export("sort=-id&after=6933", Some(3)),
            ("/v1/people/export?placeId=3".to_owned(), "All")
        );
        assert_eq!(
            export("name=%C3%B1%26&show=isAlive%3Dfalse&after=6933", Some(3)),
            (
                "/v1/people/export?name=%C3%B1%26&isAlive=false&placeId=3".to_owned(),
                "These people as CSV"
            )
        );
    }

    #[test]
    fn a_query_becomes_a_request_to_the_api() {
        let path = |query: &str, place| PeopleQuery::parse(query, Normalize::NONE).api_path(place);
        assert_eq!(path("", None), "/v1/people?limit=50&sort=name");
        assert_eq!(
            path(
                "name=Ñ%26&show=isAlive%3Dfalse&sort=-id&after=6933",
                Some(3)
            ),
            "/v1/people?limit=50&sort=-id&name=%C3%91%26&isAlive=false&placeId=3&after=6933"
        );
        assert_eq!(
            path("show=isAdmin%3Dtrue&sort=age&name=%00", None),
            "/v1/people?limit=50&sort=name"
        );
        assert!(
            PeopleQuery::parse("name=%07", Normalize::NONE)
                .form
                .error("name")
                .is_some()
        );
    }

    #[test]
    fn the_table_shows_states_and_places_as_words() {
        let person = |id, is_alive: bool, is_king| {
            let (name, place) = (format!("<{id}>"), is_alive.then_some(id));
            crate::person::fields::with_state(id, &name, place, is_alive, is_king)
        };
        let page = People {
            query: PeopleQuery::parse("", Normalize::NONE),
            people: Some(vec![
                person(1, true, true),
                person(2, true, false),
                person(3, false, false),
            ]),
            places: vec![PlaceView {
                id: 1,
                name: "A&B".to_owned(),
            }],
            next: None,
            notices: Vec::new(),
        };
        let page = page.to_html().into_string();
        for part in [
            "&lt;1&gt;",
            "</span> king",
            "</span> alive",
            "</span> dead",
            "A&amp;B",
            "place 2",
            "none",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }
}
