//! People in a table, and the page on which they are looked for.

use domain::Param;
use domain::name::Prefix;
use maud::{Markup, html};
use tables::Cursor;
use tables::page::Sort;

use crate::api::{Person, Place};
use crate::field::{Text, choice};
use crate::form::Form;
use crate::layout::{Notice, address, document};

/// What is asked for: the form above the table.
#[derive(Debug)]
pub struct Ask {
    /// The form, with what is wrong with it.
    pub form: Form,
    /// The end of the page before.
    pub after: Option<Cursor>,
}

/// The orders, and what they are called.
const ORDERS: [(&str, &str); 4] = [
    ("name", "By name"),
    ("-name", "By name, backwards"),
    ("id", "By number"),
    ("-id", "Newest first"),
];

/// Who is shown.
const STATES: [(&str, &str); 4] = [
    ("", "Everybody"),
    ("isAlive=true", "The living"),
    ("isAlive=false", "The dead"),
    ("isKing=true", "Kings"),
];

impl Ask {
    /// Reads the query; what cannot be used is said beside its field, and passed over.
    #[must_use]
    pub fn read(query: &str) -> Self {
        let mut form = Form::read(query.as_bytes());
        if form.given("sort").and_then(Sort::parse).is_none() {
            form.set("sort", "name");
        }
        if !STATES.iter().any(|(value, _)| *value == form.get("show")) {
            form.set("show", "");
        }
        if form
            .given("name")
            .is_some_and(|name| Prefix::parse(name).is_none())
        {
            form.wrong("name", format!("Must be {}.", Prefix::EXPECTED));
        }
        let after = form.given("after").and_then(Cursor::parse);
        Self { form, after }
    }

    /// The query of the API, for the people of a place or of all.
    #[must_use]
    pub fn path(&self, place: Option<i64>) -> String {
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
        address(
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

    /// Whether it is for the first page of everybody, by name.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let fields = ["name", "show"].map(|field| self.form.given(field));
        fields == [None; 2] && self.form.get("sort") == "name" && self.after.is_none()
    }

    fn next(&self, path: &str, after: &str) -> String {
        let form = &self.form;
        let kept = ["name", "sort", "show"].map(|name| (name, form.get(name)));
        address(path, &[&kept[..], &[("after", after)]].concat())
    }

    /// The form, on the page that it leads to.
    pub(crate) fn filters(&self, path: &str) -> Markup {
        let search = Text {
            kind: "search",
            ..Text::new("name", "Name begins with")
        };
        html! {
            form.filters method="get" action=(path) role="search" data-live {
                (search.show(&self.form))
                (choice(&self.form, "show", "Who", &STATES))
                (choice(&self.form, "sort", "Order", &ORDERS))
                button type="submit" { "Show" }
            }
        }
    }
}

/// A page of people.
#[derive(Debug)]
pub struct People {
    /// What was asked for.
    pub ask: Ask,
    /// The people; none where they are not known.
    pub people: Option<Vec<Person>>,
    /// The places that they belong to, as far as known.
    pub places: Vec<Place>,
    /// Where the page behind begins.
    pub next: Option<String>,
    /// What is to be told first.
    pub notices: Vec<Notice>,
}

impl People {
    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let path = "/ui/people";
        let main = html! {
            h1 { "People" }
            (self.ask.filters(path))
            (self.table(path, true))
            p.actions {
                a.button href="/ui/people/new" { "Add a person" }
                a.button.quiet href="/v1/people/export" download { "All people as CSV" }
            }
        };
        document("People", Some("/v1/people"), &self.notices, &main)
    }

    /// Who is found, in a few words.
    fn told(&self) -> String {
        let further = self.next.as_ref().map_or("", |_| ", and further ones");
        match self.people.as_deref() {
            None => "Who is here cannot be told just now.".to_owned(),
            Some([]) => "Nobody is like that.".to_owned(),
            Some([_]) => "One person.".to_owned(),
            Some(people) => format!("{} people{further}.", people.len()),
        }
    }

    /// The table, with or without the place of each.
    pub(crate) fn table(&self, path: &str, with_place: bool) -> Markup {
        let name_of = |id: i64| name_of(&self.places, id);
        html! {
            section #results aria-label="People" data-told=(self.told()) {
                @match self.people.as_deref() {
                    None | Some([]) => p.empty { (self.told()) },
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
                @if let Some(next) = &self.next {
                    p.pages { a rel="next" href=(self.ask.next(path, next)) { "Further people" } }
                }
            }
        }
    }
}

/// Alive, dead or king, by a sign and a word.
pub(crate) fn state(person: &Person) -> Markup {
    let (class, sign, word) = match (person.is_king, person.is_alive) {
        (true, _) => ("king", "♛", "king"),
        (false, true) => ("alive", "●", "alive"),
        (false, false) => ("dead", "†", "dead"),
    };
    html! { span.state.(class) { span aria-hidden="true" { (sign) } " " (word) } }
}

/// The name of a place, or its number where it is not known.
pub(crate) fn name_of(places: &[Place], id: i64) -> String {
    let place = places.iter().find(|place| place.id == id);
    place.map_or_else(|| format!("place {id}"), |place| place.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_one_of_the_api() {
        let path = |query: &str, place| Ask::read(query).path(place);
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
        assert!(Ask::read("name=%07").form.error("name").is_some());
    }

    #[test]
    fn people_are_told_apart_by_words() {
        let person = |id, is_alive: bool, is_king| {
            let (name, place) = (format!("<{id}>"), is_alive.then_some(id));
            crate::person::fields::with_state(id, &name, place, is_alive, is_king)
        };
        let page = People {
            ask: Ask::read(""),
            people: Some(vec![
                person(1, true, true),
                person(2, true, false),
                person(3, false, false),
            ]),
            places: vec![Place {
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
