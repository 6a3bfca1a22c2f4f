//! `GET /ui/compare`: the page that compares the populations of up to five places over time.

use edge::{Error, Request, Response};
use futures_util::future::{join, join5};
use pages::Notice;
use pages::api::Population;
use pages::chart::{Period, Point};
use pages::compare::{self, Comparison, MAX_COMPARED};

use super::html;
use super::reads::{find_place, or_notice, places_by_id, read_list, suggested_places};
use crate::backends::Backends;

/// The populations of two to five places over time. Without a query: those with most living people.
///
/// # Errors
/// A worker without its bindings.
pub async fn compare(request: Request) -> Result<Response, Error> {
    let backends = Backends::new(&request.env)?;
    let (mut form, period, mut ids) = Comparison::parse(&request.query, edge::now());
    let mut notices = Vec::new();
    if let Some(name) = form.filled("add") {
        match find_place(&backends, name).await {
            Ok(Some(id)) if ids.contains(&id) => {}
            Ok(Some(id)) => ids.push(id),
            Ok(None) => form.add_error("add", "There is no place with this name. Choose another."),
            Err(error) => {
                let _: Option<()> = or_notice(Err(error), "The place names are", &mut notices);
            }
        }
    }
    // The form of the page always has the field of another place.
    if ["ids", "add"]
        .iter()
        .all(|name| form.all(name).next().is_none())
    {
        let path = format!("/v1/people/population?sort=-living&limit={MAX_COMPARED}");
        let largest = read_list::<Population>(&backends.people, &path).await;
        let (largest, _) = largest.unwrap_or_default();
        ids = largest.iter().map(|place| place.place_id).collect();
    }
    if ids.len() > MAX_COMPARED {
        let notice = "Only the first five places are compared.";
        notices.push(Notice::Warning(notice.to_owned()));
        ids.truncate(MAX_COMPARED);
    }
    ids.sort_unstable();
    // `join_all` would be larger than the rest of this page.
    let series = |n: usize| series(&backends, &period, ids.get(n).copied());
    let all_series = join5(series(0), series(1), series(2), series(3), series(4));
    let (places, (first, second, third, fourth, fifth)) =
        join(places_by_id(&backends, ids.clone()), all_series).await;
    let series: [_; MAX_COMPARED] = [first, second, third, fourth, fifth];
    let places = or_notice(places, "The place names are", &mut notices);
    if let Some(places) = &places {
        let is_missing = |id: &i64| places.iter().all(|place| place.id != *id);
        notices.extend(compare::left_out(ids.iter().copied().filter(is_missing)));
    }
    let places = places.unwrap_or_default();
    let mut compared = Vec::new();
    for (id, points) in ids.iter().zip(series) {
        let place = places.iter().find(|place| place.id == *id);
        let points = or_notice(points, "The chart is", &mut notices);
        compared.extend(place.cloned().zip(points));
    }
    if form.filled("add").is_some() && form.error("add").is_none() {
        form.set("add", "");
    }
    let page = Comparison {
        form,
        period,
        places: compared,
        suggestions: suggested_places(&backends).await,
        notices,
    };
    Ok(html(200, page.to_html()))
}

/// The population of a place over time, if there is a place.
async fn series(
    backends: &Backends,
    period: &Period,
    place: Option<i64>,
) -> Result<Vec<Point>, Error> {
    if place.is_none() {
        return Ok(Vec::new());
    }
    let (points, _) = read_list(&backends.people, &period.series_path(place)).await?;
    Ok(points)
}
