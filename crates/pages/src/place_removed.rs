//! Renders the page after the removal of a place: what has become of its people.

use domain::param::parse_positive_integer;
use maud::{Markup, html};

use crate::api::{PlaceView, Population};
use crate::form::Form;
use crate::layout::{Notice, document, number, with_query};

/// The address of the page. `population` is that before the removal, if it is known.
#[must_use]
pub fn path(id: i64, target: Option<i64>, population: Option<&Population>) -> String {
    let text = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
    let [living, dead, to] = [
        text(population.map(|population| population.living)),
        text(population.map(|population| population.dead)),
        text(target),
    ];
    let query = [("living", &*living), ("dead", &*dead), ("to", &*to)];
    with_query(&format!("/ui/places/{id}/remove"), &query)
}

/// The place that the people have moved to.
#[must_use]
pub fn target(query: &str) -> Option<i64> {
    parse_positive_integer(Form::parse(query.as_bytes()).get("to"))
}

/// The page. `name` is the name of the removed place.
#[must_use]
pub fn page(name: &str, query: &str, target: Option<&PlaceView>) -> Markup {
    let form = Form::parse(query.as_bytes());
    let count = |name: &str| parse_positive_integer(form.get(name));
    let notice = Notice::Done(format!("Removed {name}."));
    let main = html! {
        p.crumb { a href="/" { "All places" } }
        h1 { (name) }
        p.lead { "This place was removed." }
        @if let Some((living, place)) = count("living").zip(target) {
            p {
                @if living == 1 { "1 living person has" } @else { (number(living)) " living people have" }
                " moved to " a href={ "/ui/places/" (place.id) } { (place.name) } "."
            }
        }
        @if let Some(dead) = count("dead") {
            p {
                @if dead == 1 { "1 dead person has" } @else { (number(dead)) " dead people have" }
                " no place now."
            }
        }
        p.actions {
            @if let Some(place) = target {
                a.button href={ "/ui/places/" (place.id) } { "See " (place.name) }
            }
            a.button.quiet[target.is_some()] href="/" { "All places" }
        }
    };
    document(name, None, &[notice], &main)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_what_has_become_of_the_people() {
        let population = Population {
            place_id: 40,
            living: 1_220,
            dead: 1,
            king: None,
        };
        let path = path(40, Some(3), Some(&population));
        assert_eq!(path, "/ui/places/40/remove?living=1220&dead=1&to=3");
        let (_, query) = path.split_once('?').unwrap();
        assert_eq!(target(query), Some(3));
        let place = PlaceView {
            id: 3,
            name: "Tres".to_owned(),
        };
        let full = page("Cua<tro", query, Some(&place)).into_string();
        for part in [
            "Removed Cua&lt;tro.",
            "1,220 living people have moved to <a href=\"/ui/places/3\">Tres</a>.",
            "1 dead person has no place now.",
        ] {
            assert!(full.contains(part), "{part}: {full}");
        }
        for query in ["", "living=0&dead=0&to=", "living=x&dead=-1"] {
            let empty = page("Cuatro", query, None).into_string();
            assert!(
                !empty.contains(" have ") && !empty.contains("dead"),
                "{empty}"
            );
        }
    }
}
