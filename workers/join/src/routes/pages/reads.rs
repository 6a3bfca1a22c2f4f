//! Reads data from the backends for pages. If a backend fails, the page is shown without the part
//! that needs it, and a notice says so.

use std::borrow::Cow;

use domain::name::{self, Prefix};
use domain::{Param, PlaceId, id};
use edge::{Error, ServiceClient};
use http_semantics::from_json::{self, FromJson};
use http_semantics::problem::Kind;
use http_semantics::{Problem, Validator};
use pages::Notice;
use pages::api::{Change, PlaceView, Population};
use pages::list::Total;
use tables::list::MAX_MATCHES;
use tables::page::next_cursor;

use super::people::place_views;
use super::saved::Saved;
use crate::backends::{Backends, change_seq, header, tag};
use crate::service::read_ahead::{self, ReadAhead};

/// The maximum number of history entries on a page.
const MAX_HISTORY_ENTRIES: u16 = 1000;

/// The maximum number of ids in one query.
const MAX_IDS: usize = 1000;

/// The result of a read, or else a notice. `part` is its subject and verb: "The counts are".
pub fn or_notice<T>(read: Result<T, Error>, part: &str, notices: &mut Vec<Notice>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(error) => {
            let reason = reason(&error.into_problem());
            let notice = Notice::Warning(format!(
                "{reason} {part} unavailable right now. Reload the page in a moment."
            ));
            if !notices.contains(&notice) {
                notices.push(notice);
            }
            None
        }
    }
}

/// The places that were read, or else the saved ones, with a notice.
pub fn place_names(
    read: Result<PlacesWithSeq, Error>,
    saved: Option<Saved<Vec<(i64, String)>>>,
    notices: &mut Vec<Notice>,
) -> Vec<PlaceView> {
    let part = "The place names are";
    match (read, saved) {
        (Err(error), Some(saved)) => {
            notices.push(Notice::Warning(saved.notice(vec![error], part)));
            place_views(saved.data)
        }
        (read, _) => or_notice(read, part, notices).unwrap_or_default().0,
    }
}

/// The reason why a part of a page is missing.
pub fn reason(problem: &Problem) -> String {
    match problem.service() {
        Some(service) => format!("The {service} service is not working."),
        None if problem.kind() == Kind::TooManyMatches => {
            "Too many match to be sorted like this. Search for fewer, or choose another order."
                .to_owned()
        }
        None => "Something failed.".to_owned(),
    }
}

/// The response to a read, with a body that is not parsed yet. Only parsing is generic, so the
/// call is compiled once for all types.
pub struct Unparsed {
    body: Vec<u8>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// The version of a record.
    pub version: String,
    /// The change sequence of the backend.
    pub change_seq: Option<Validator>,
    /// The number of matches of a list.
    pub total: Option<Total>,
}

impl Unparsed {
    /// Reads a path. None if the record does not exist.
    ///
    /// # Errors
    /// A backend that failed.
    pub async fn load(backend: &ServiceClient, path: &str) -> Result<Option<Self>, Error> {
        let response = backend.get(path).await?;
        if response.status() == 404 {
            return Ok(None);
        }
        // The only reason for which a backend rejects a list of a page.
        if response.status() == 422 {
            return Err(Problem::too_many_matches(MAX_MATCHES).into());
        }
        let response = backend.require_ok(response)?;
        let next = header(&response, "link").and_then(|link| next_cursor(&link));
        let version = tag(&response).and_then(|tag| tag.version());
        let version = version.map(|version| version.to_string());
        Ok(Some(Self {
            change_seq: change_seq(&response),
            total: total(&response),
            body: backend.bytes(&response).await?,
            next: next.map(|cursor| cursor.to_string()),
            version: version.unwrap_or_default(),
        }))
    }

    /// Reads the path of a list.
    ///
    /// # Errors
    /// A backend that failed.
    pub async fn load_list(backend: &ServiceClient, path: &str) -> Result<Self, Error> {
        let list = Self::load(backend, path).await?;
        list.ok_or_else(|| backend.unusable_response("status 404"))
    }

    /// The body as text.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The parsed body.
    ///
    /// # Errors
    /// Another body than a `T`.
    pub fn parse<T: FromJson>(&self, backend: &ServiceClient) -> Result<T, Error> {
        parse_body(backend, &self.body)
    }
}

/// The parsed body of a response.
///
/// # Errors
/// Another body than a `T`.
pub fn parse_body<T: FromJson>(backend: &ServiceClient, body: &[u8]) -> Result<T, Error> {
    from_json::parse(body).ok_or_else(|| unusable_body(backend))
}

/// The error of a response with a body that cannot be parsed.
pub fn unusable_body(backend: &ServiceClient) -> Error {
    backend.unusable_response("a body of another shape")
}

/// The number of matches of a list, if the response has it.
pub fn total(response: &web_sys::Response) -> Option<Total> {
    let count = header(response, "x-total-count")?.parse().ok()?;
    Some(Total {
        count,
        is_minimum: header(response, "x-total-count-relation").is_some(),
    })
}

/// A list, and the cursor of the next page.
pub async fn read_list<T: FromJson>(
    backend: &ServiceClient,
    path: &str,
) -> Result<(Vec<T>, Option<String>), Error> {
    let list = Unparsed::load_list(backend, path).await?;
    Ok((list.parse(backend)?, list.next))
}

/// A record with its version. None if it does not exist.
pub async fn read_record<T: FromJson>(
    backend: &ServiceClient,
    path: &str,
) -> Result<Option<(T, String)>, Error> {
    let record = Unparsed::load(backend, path).await?;
    let parsed = record.map(|record| Ok((record.parse(backend)?, record.version)));
    parsed.transpose()
}

/// The path of the history of a record.
pub fn history_path(record_path: &str) -> String {
    format!("{record_path}/history?limit={MAX_HISTORY_ENTRIES}")
}

/// The history of a record. It is empty if the record never existed.
pub async fn read_history<T: FromJson>(
    backend: &ServiceClient,
    record_path: &str,
) -> Result<Vec<Change<T>>, Error> {
    let history = Unparsed::load(backend, &history_path(record_path)).await?;
    history.map_or(Ok(Vec::new()), |history| history.parse(backend))
}

/// The places with these ids, as far as they exist.
pub async fn places_by_id(backends: &Backends, mut ids: Vec<i64>) -> Result<Vec<PlaceView>, Error> {
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(MAX_IDS);
    let mut places = Vec::new();
    for ids in id::lists(ids) {
        let path = format!("/v1/places?limit={MAX_IDS}&ids={ids}");
        let (mut named, _) = read_list(&backends.places, &path).await?;
        places.append(&mut named);
    }
    Ok(places)
}

/// Places, and the change sequence at which the first ones were read.
pub type PlacesWithSeq = (Vec<PlaceView>, Option<Validator>);

/// The first places, which a page reads together with the people. If there are few, it then has the
/// names of all.
pub async fn first_places(backends: &Backends) -> Result<Unparsed, Error> {
    let ahead = read_ahead::PLACES.with(ReadAhead::size);
    let path = format!("/v1/places?limit={}", ahead.get());
    let first = Unparsed::load_list(&backends.places, &path).await?;
    read_ahead::PLACES.with(|places| places.remember(first.next.is_some()));
    Ok(first)
}

/// The places with these ids: those among the [`first_places`], and then the others.
pub async fn places_with_seq(
    backends: &Backends,
    first: Result<Unparsed, Error>,
    mut ids: Vec<i64>,
) -> Result<PlacesWithSeq, Error> {
    if ids.is_empty() {
        return Ok((Vec::new(), first.ok().and_then(|first| first.change_seq)));
    }
    let first = first?;
    let mut places: Vec<PlaceView> = first.parse(&backends.places)?;
    places.retain(|place| ids.contains(&place.id));
    if first.next.is_some() {
        ids.retain(|id| places.iter().all(|place| place.id != *id));
        places.append(&mut places_by_id(backends, ids).await?);
    }
    Ok((places, first.change_seq))
}

/// The population of a place.
pub async fn read_population(backends: &Backends, place: i64) -> Result<Population, Error> {
    let path = format!("/v1/people/population?ids={place}");
    let (populations, _) = read_list(&backends.people, &path).await?;
    Ok(shown_population(place, populations))
}

/// The population of a place, as a page shows it. A place without people has none.
pub fn shown_population(place_id: i64, populations: Vec<Population>) -> Population {
    populations.into_iter().next().unwrap_or(Population {
        place_id,
        living: 0,
        dead: 0,
        king: None,
    })
}

/// The suggestions of a place field: the first places by name. The script of the page searches for
/// others.
pub async fn suggested_places(backends: &Backends) -> Vec<PlaceView> {
    let list = read_list(&backends.places, "/v1/places?sort=name&limit=100").await;
    list.map(|(places, _)| places).unwrap_or_default()
}

/// Adds the place that the field already has to the suggestions.
pub async fn with_place(
    backends: &Backends,
    mut places: Vec<PlaceView>,
    id: Option<i64>,
) -> Vec<PlaceView> {
    if let Some(id) = id.filter(|id| places.iter().all(|place| place.id != *id)) {
        places.extend(places_by_id(backends, vec![id]).await.unwrap_or_default());
    }
    places
}

/// The id of the place that a field names: by name in any case, or by `#` and the id.
pub async fn find_place(backends: &Backends, text: &str) -> Result<Option<i64>, Error> {
    if let Some(id) = text.strip_prefix('#') {
        return Ok(PlaceId::parse(id.trim()).map(PlaceId::get));
    }
    let Some(prefix) = Prefix::new(text, edge::NORMALIZE) else {
        return Ok(None);
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("name", text);
    let path = format!("/v1/places?sort=name&limit=1&{}", query.finish());
    // A name sorts before all other names that it is a prefix of.
    let (places, _) = read_list::<PlaceView>(&backends.places, &path).await?;
    let place = places.first();
    let place =
        place.filter(|place| name::case_key(&place.name, edge::NORMALIZE) == prefix.case_key());
    Ok(place.map(|place| place.id))
}

/// Places whose names have the words of a text, whatever their accents. None if the search fails: it
/// only helps to correct a name.
pub async fn similar_places(backends: &Backends, text: &str) -> Vec<PlaceView> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("q", text);
    let path = format!("/v1/places?sort=name&limit=3&{}", query.finish());
    let found = read_list(&backends.places, &path).await;
    found.map(|(places, _)| places).unwrap_or_default()
}
