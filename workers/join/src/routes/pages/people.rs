//! `GET /ui/people`

use edge::{Error, Request, Response};
use pages::api::Person;
use pages::people::{People, PeopleQuery};

use super::reads::{list, or_warn, places_of};
use super::{flash, html};
use crate::backends::Backends;

/// A search for people by name.
///
/// # Errors
/// A worker without its bindings.
pub async fn people(request: Request) -> Result<Response, Error> {
    let backends = Backends::new(&request.env)?;
    let mut notices = flash(&request.query);
    let query = PeopleQuery::parse(&request.query);
    let found = list::<Person>(&backends.people, &query.api_path(None)).await;
    let found = or_warn(found, "who is here", &mut notices);
    let (people, next) = found.unzip();
    let place_ids: Vec<i64> = people
        .iter()
        .flatten()
        .filter_map(|person| person.place_id)
        .collect();
    let places = or_warn(
        places_of(&backends, place_ids).await,
        "the names of the places",
        &mut notices,
    );
    let page = People {
        query,
        people,
        places: places.unwrap_or_default(),
        next: next.flatten(),
        notices,
    };
    Ok(html(200, page.to_html()))
}
