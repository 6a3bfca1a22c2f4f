//! `GET /ui/changes`: the page of the latest changes.

use edge::{Error, Request, Response, ServiceClient};
use futures_util::future::join;
use http_semantics::{Problem, Validator};
use pages::changes::{self, RecentChange};
use tables::Cursor;

use super::html;
use super::reads::{or_notice, read_list};
use crate::backends::{Backends, change_seqs};

/// The number of changes on the page.
const MAX_CHANGES: u8 = 50;

/// The latest changes of both tables.
///
/// # Errors
/// A worker without its bindings, or a backend that failed.
pub async fn changes(request: Request) -> Result<Response, Error> {
    let backends = Backends::new(&request.env)?;
    let seqs = change_seqs(request.env.clone()).await;
    let seqs = seqs.ok_or_else(|| Problem::service_failed("places"))?;
    let (places, people) = join(
        latest(&backends.places, "places", seqs.places),
        latest(&backends.people, "people", seqs.people),
    )
    .await;
    let mut notices = Vec::new();
    let mut all: Vec<RecentChange> = Vec::new();
    let [mut places, mut people] = [places, people].map(|changes| {
        let changes = or_notice(changes, "Some changes are", &mut notices);
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
    let since = Cursor::Changes(seqs.places, seqs.people);
    let stream = format!("/v1/changes?since={since}");
    Ok(html(200, changes::page(&all, &stream, &notices)))
}

/// The latest changes of a table, in reverse order. `seq` is its change sequence.
async fn latest(
    backend: &ServiceClient,
    table: &str,
    seq: Validator,
) -> Result<Vec<RecentChange>, Error> {
    let mut path = format!("/v1/{table}/changes?limit={MAX_CHANGES}");
    let number = seq.number - i64::from(MAX_CHANGES);
    if number > 0 {
        let since = Cursor::Change(Validator { number, ..seq });
        path = format!("{path}&since={since}");
    }
    let (mut changes, _) = read_list::<RecentChange>(backend, &path).await?;
    changes.reverse();
    Ok(changes)
}
