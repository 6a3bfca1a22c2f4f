//! `GET /ui/people`

use edge::{Answer, Call, Error};
use pages::api::Person;
use pages::people::{Ask, People};

use super::reading::{list, or_warn, places_of};
use super::{done, html};
use crate::routes::people_per_place::Services;

/// People, looked for by name.
///
/// # Errors
/// A worker without its bindings.
pub async fn people(call: Call) -> Result<Answer, Error> {
    let services = Services::of(&call.env)?;
    let mut notices = done(&call.query);
    let ask = Ask::read(&call.query);
    let found = list::<Person>(&services.people, &ask.path(None)).await;
    let found = or_warn(found, "who is here", &mut notices);
    let (people, next) = found.unzip();
    let of: Vec<i64> = people
        .iter()
        .flatten()
        .filter_map(|person| person.place_id)
        .collect();
    let places = or_warn(
        places_of(&services, of).await,
        "the names of the places",
        &mut notices,
    );
    let page = People {
        ask,
        people,
        places: places.unwrap_or_default(),
        next: next.flatten(),
        notices,
    };
    Ok(html(200, page.to_html()))
}
