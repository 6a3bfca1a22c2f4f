//! `GET /ui/people`

use edge::{Error, Request, Response};
use pages::api::PersonView;
use pages::people::{People, PeopleQuery};

use super::html;
use super::reads::{or_notice, places_by_id, read_list};
use crate::backends::Backends;

/// A search for people by name.
///
/// # Errors
/// A worker without its bindings.
pub async fn people(request: Request) -> Result<Response, Error> {
    let backends = Backends::new(&request.env)?;
    let mut notices = Vec::new();
    let query = PeopleQuery::parse(&request.query, edge::NORMALIZE);
    let list = read_list::<PersonView>(&backends.people, &query.api_path(None)).await;
    let (people, next) = or_notice(list, "The list of people is", &mut notices).unzip();
    let people_shown = people.iter().flatten();
    let place_ids = people_shown.filter_map(|person| person.place_id).collect();
    let places = places_by_id(&backends, place_ids).await;
    let places = or_notice(places, "The place names are", &mut notices);
    let page = People {
        query,
        people,
        places: places.unwrap_or_default(),
        next: next.flatten(),
        notices,
    };
    Ok(html(200, page.to_html()))
}
