//! `GET /ui/changes`: the page of the latest changes.

use edge::{Error, Request, Response, ServiceClient};
use futures_util::future::join3;
use pages::changes::{self, RecentChange, RecentChanges};
use tables::Cursor;

use super::html;
use super::reads::{Unparsed, first_places, or_notice, places_with_seq};
use crate::backends::Backends;

/// The number of changes on the page.
const MAX_CHANGES: u8 = 50;

/// The latest changes of both tables.
///
/// # Errors
/// A worker without its bindings.
pub async fn changes(request: Request) -> Result<Response, Error> {
    let backends = Backends::new(&request.env)?;
    let path = format!("/internal/recent-changes?limit={MAX_CHANGES}");
    let (places, people, first_places) = join3(
        Unparsed::load_list(&backends.places, &path),
        Unparsed::load_list(&backends.people, &path),
        first_places(&backends),
    )
    .await;
    // Without a cursor for both tables, the page is not live.
    let seq = |list: &Result<Unparsed, Error>| list.as_ref().ok()?.change_seq;
    let stream = seq(&places).zip(seq(&people)).map(|(places, people)| {
        let since = Cursor::Changes(places, people);
        format!("/v1/changes?since={since}")
    });
    let mut notices = Vec::new();
    let mut all: Vec<RecentChange> = Vec::new();
    let parts = [(&backends.places, places), (&backends.people, people)];
    let [mut places, mut people] = parts.map(|(backend, list)| {
        let changes = or_notice(parse(backend, list), "Some changes are", &mut notices);
        changes.unwrap_or_default().into_iter().peekable()
    });
    while all.len() < usize::from(MAX_CHANGES) {
        let is_place = match (places.peek(), people.peek()) {
            (Some(place), Some(person)) => place.at >= person.at,
            (place, _) => place.is_some(),
        };
        let latest = if is_place { &mut places } else { &mut people };
        match latest.next() {
            Some(change) => all.push(change),
            None => break,
        }
    }
    let names = places_with_seq(&backends, first_places, changes::places_of_moves(&all)).await;
    let names = or_notice(names, "The place names are", &mut notices);
    let page = RecentChanges {
        changes: all,
        places: names.unwrap_or_default().0,
        stream: stream.unwrap_or_default(),
        notices,
    };
    Ok(html(200, page.to_html()))
}

fn parse(
    backend: &ServiceClient,
    list: Result<Unparsed, Error>,
) -> Result<Vec<RecentChange>, Error> {
    list?.parse(backend)
}
