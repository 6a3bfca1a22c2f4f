//! `GET /v1/statistics/places`

use edge::{Answer, Body, Call, Error};
use futures_util::future::try_join;
use http_semantics::media::TABLE;
use tables::population::Populations;
use tables::{Cursor, page};
use web_sys::Response;

use super::people_per_place::sources::{Joined, Services, unchanged};
use crate::domain::statistics::{self, Gathering, Part, Row, Written};

/// The parameters of the query.
pub const PARAMETERS: &[&str] = &["limit", "after", "sort", "least", "asOf", "format"];

/// The most steps of a page: each asks both services, and a request may make so many calls.
const MOST_STEPS: usize = 8;

/// How many people live in each place, and at the end those of no place.
///
/// # Errors
/// A query that cannot be used, or a service that failed.
pub async fn places(call: Call) -> Result<Answer, Error> {
    let params = call.params(PARAMETERS)?;
    let ask = Populations::read(&params, edge::now())?;
    let format = match params.get("format")? {
        Some(format) => format,
        None => call.format(TABLE)?,
    };
    if let Some(tag) = unchanged(&call, format).await? {
        return Ok(Answer::not_modified(&tag));
    }
    let services = Services::for_reader(&call)?;
    let is_now = ask.as_of.is_none();
    let mut gathering = Gathering::of(ask);

    let [places_path, people_path] = gathering.paths().unwrap_or_default();
    let paths = [places_path.as_str(), people_path.as_str()];
    let (places, joined) = services.ask(paths, format, false).await?;
    let places = services.places.found(places)?;
    let Joined {
        people,
        tag,
        change_seqs,
    } = joined?;
    let sums = Sums::of(&people);
    step(&services, &mut gathering, places, people).await?;
    finish(&services, &mut gathering).await?;

    let (rows, next) = gathering.into_page();
    let mut written = Written::of(&rows, sums.living, format);
    if next.is_none() {
        written.push_nowhere(sums.nowhere);
    }
    let path = "/v1/statistics/places";
    let next = next.map(|after| page::next_link(path, &call.query, &after.to_string()));
    let body = Body::Text(written.into_text());
    Ok(Answer::ok(format.media_type(), body)
        .made_at(change_seqs.filter(|_| is_now))
        .tagged(&tag)
        .header_if("link", next))
}

/// A page of places with their people in numbers, and how many there are in all.
pub struct Gathered {
    /// The places.
    pub rows: Vec<Row>,
    /// Where the page behind begins.
    pub next: Option<Cursor>,
    /// How many there are in all.
    pub sums: Sums,
}

/// How many people there are in all.
#[derive(Clone, Copy)]
pub struct Sums {
    /// The living.
    pub living: i64,
    /// The dead.
    pub dead: i64,
    /// The dead of no place.
    pub nowhere: i64,
}

impl Sums {
    /// What the owner of people says beside its populations.
    #[must_use]
    pub fn of(populations: &Response) -> Self {
        Self {
            living: number(populations, "x-total-living"),
            dead: number(populations, "x-total-dead"),
            nowhere: number(populations, "x-total-nowhere"),
        }
    }
}

/// Gathers a page for a reader who has seen nothing of it.
///
/// # Errors
/// A service that failed.
pub async fn gathered(services: &Services, ask: Populations) -> Result<Gathered, Error> {
    let mut gathering = Gathering::of(ask);
    let [places, people] = gathering.paths().unwrap_or_default();
    let (places, people) = (services.places.read(&places), services.people.read(&people));
    let (places, people) = try_join(places, people).await?;
    let sums = Sums::of(&people);
    step(services, &mut gathering, places, people).await?;
    finish(services, &mut gathering).await?;
    let (rows, next) = gathering.into_page();
    Ok(Gathered { rows, next, sums })
}

/// Goes on until the page is full, or has taken all its steps.
async fn finish(services: &Services, gathering: &mut Gathering) -> Result<(), Error> {
    for _ in 1..MOST_STEPS {
        let Some([places, people]) = gathering.paths() else {
            break;
        };
        let (places, people) = (services.places.read(&places), services.people.read(&people));
        let (places, people) = try_join(places, people).await?;
        step(services, gathering, places, people).await?;
    }
    Ok(())
}

/// Reads what both answered, and asks for the names where people came first.
async fn step(
    services: &Services,
    gathering: &mut Gathering,
    places: Response,
    people: Response,
) -> Result<(), Error> {
    let (place_bytes, people_bytes) = try_join(
        services.places.bytes(&places),
        services.people.bytes(&people),
    )
    .await?;
    let blamed = |malformed| services.blame(malformed);
    let people = part(&people, statistics::people(&people_bytes).map_err(blamed)?);
    let places = match gathering.names(&people.records) {
        None => part(&places, statistics::places(&place_bytes).map_err(blamed)?),
        Some(path) => {
            let names = services.places.read(&path).await?;
            let bytes = services.places.bytes(&names).await?;
            part(&names, statistics::places(&bytes).map_err(blamed)?)
        }
    };
    gathering.take(places, people);
    Ok(())
}

fn part<T>(answer: &Response, records: Vec<T>) -> Part<T> {
    let has_more = header(answer, "link").is_some();
    Part { records, has_more }
}

pub(super) fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

pub(super) fn number(response: &Response, name: &str) -> i64 {
    let number = header(response, name).and_then(|text| text.parse().ok());
    number.unwrap_or_default()
}
