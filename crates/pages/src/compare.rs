//! Renders the page that compares places.

use domain::{Param, PlaceId};
use maud::{Markup, html};

use crate::api::PlaceView;
use crate::chart::{Line, Period, Point, STEPS, chart, times};
use crate::field::{Text, choice, places};
use crate::form::Form;
use crate::layout::{Notice, document};

fn compared_line((place, points): &(PlaceView, Vec<Point>)) -> Line<'_> {
    Line {
        name: &place.name,
        link: Some(format!("/ui/places/{}", place.id)),
        values: points.iter().map(|point| point.living).collect(),
    }
}

/// The maximum number of places that are compared.
pub const MAX_COMPARED: usize = 5;

/// The page that compares places.
#[derive(Debug)]
pub struct Comparison {
    /// The query, with its errors.
    pub form: Form,
    /// The period.
    pub period: Period,
    /// The places and their populations.
    pub places: Vec<(PlaceView, Vec<Point>)>,
    /// The suggestions of the place field.
    pub suggestions: Vec<PlaceView>,
    /// The notices at the top.
    pub notices: Vec<Notice>,
}

impl Comparison {
    /// Parses a query: the form, the period and the ids of the places.
    #[must_use]
    pub fn parse(query: &str, now: i64) -> (Form, Period, Vec<i64>) {
        let mut form = Form::parse(query.as_bytes());
        let period = Period::parse(&mut form, now);
        let mut ids: Vec<i64> = Vec::new();
        for id in form.all("ids").flat_map(|list| list.split(',')) {
            let id = PlaceId::parse(id.trim()).map(PlaceId::get);
            ids.extend(id.filter(|id| !ids.contains(id)));
        }
        (form, period, ids)
    }

    /// The page as HTML.
    #[must_use]
    pub fn to_html(&self) -> Markup {
        let add = Text {
            hint: crate::field::PLACE_HINT,
            ..Text::new("add", "Add a place")
        };
        let first = self.places.first().map(|(_, points)| times(points));
        let lines: Vec<Line<'_>> = self.places.iter().map(compared_line).collect();
        let title = ["Compare places", &*self.period.suffix()].concat();
        let main = html! {
            p.crumb { a href="/" { "All places" } }
            h1 { "Compare places" }
            p.lead { "Living people of two to five places over time." }
            form.filters method="get" {
                fieldset {
                    legend { "Places" }
                    @for (place, _) in &self.places {
                        div.field.tick {
                            input #{ "place-" (place.id) } type="checkbox" name="ids" value=(place.id) checked;
                            label for={ "place-" (place.id) } { (place.name) }
                        }
                    }
                }
                @if self.places.len() < MAX_COMPARED {
                    (add.to_html(&self.form))
                    (places(&self.suggestions))
                } @else {
                    p.hint { "To add another place, untick one of these five." }
                }
                (choice(&self.form, "step", "Period", &STEPS))
                (self.period.date_input(&self.form))
                button type="submit" { "Show" }
            }
            @match first {
                None => p.empty { "Add two places." },
                Some(times) => {
                    (chart(&times, &lines))
                    p.more {
                        @for (index, (place, _)) in self.places.iter().enumerate() {
                            @if index > 0 { ". " }
                            (place.name) " as " (self.period.data_links(Some(place.id), false))
                        }
                    }
                },
            }
        };
        document(&title, None, &self.notices, &main)
    }
}

/// The notice that names the places that are not compared, if there are any.
#[must_use]
pub fn left_out(ids: impl Iterator<Item = i64>) -> Option<Notice> {
    let places: Vec<String> = ids.map(|id| format!("place {id}")).collect();
    let text = match places.as_slice() {
        [] => return None,
        [place] => format!("Left out: {place}. It was removed, or never existed."),
        places => format!(
            "Left out: {}. They were removed, or never existed.",
            places.join(", ")
        ),
    };
    Some(Notice::Warning(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_places_by_lists_and_fields() {
        let (_, period, ids) = Comparison::parse("ids=3,x,1&ids=7,3&step=week&asOf=1970-01-01", 0);
        assert_eq!(ids, [3, 1, 7]);
        let path = "/v1/people/population/series?step=week&placeId=3&to=1970-01-01";
        assert_eq!(period.series_path(Some(3)), path);
    }

    #[test]
    fn places_that_are_left_out_are_named() {
        assert_eq!(left_out([].into_iter()), None);
        let Some(Notice::Warning(text)) = left_out([40, 41].into_iter()) else {
            panic!("no warning");
        };
        assert_eq!(
            text,
            "Left out: place 40, place 41. They were removed, or never existed."
        );
    }
}
