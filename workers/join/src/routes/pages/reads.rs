//! Reads of the backends for pages. If a backend fails, only its part of the page is missing, and
//! a notice states it.

use domain::Param;
use domain::ids::Ids;
use edge::{Error, ServiceClient};
use http_semantics::{Problem, Tag};
use pages::Notice;
use pages::api::{Change, Place};
use serde::de::DeserializeOwned;
use tables::page::MAX_PAGE_SIZE;

use crate::backends::Backends;
use crate::backends::header;

/// The result of a read, or a notice of its failure.
pub fn or_warn<T>(read: Result<T, Error>, what: &str, notices: &mut Vec<Notice>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            let detail = error.into_problem().detail().to_owned();
            let warning = Notice::Warning(format!("{detail} So {what} cannot be shown just now."));
            if !notices.contains(&warning) {
                notices.push(warning);
            }
            None
        }
    }
}

/// A list, and the cursor of the next page.
pub async fn list<T: DeserializeOwned>(
    backend: &ServiceClient,
    path: &str,
) -> Result<(Vec<T>, Option<String>), Error> {
    let response = backend.get(path).await?;
    let next = header(&response, "link").and_then(|link| after_of(&link));
    Ok((backend.read_json(response).await?, next))
}

/// The cursor in a link to the next page.
pub fn after_of(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("after=")?;
    rest.split(['&', '>']).next().map(ToOwned::to_owned)
}

/// A record with its version: none if it does not exist.
pub async fn record<T: DeserializeOwned>(
    backend: &ServiceClient,
    path: &str,
) -> Result<Option<(T, String)>, Error> {
    let response = backend.get(path).await?;
    if response.status() == 404 {
        return Ok(None);
    }
    let version = version_of(&response);
    Ok(Some((backend.read_json(response).await?, version)))
}

fn version_of(response: &web_sys::Response) -> String {
    let tag = header(response, "etag").and_then(|tag| Tag::parse(&tag));
    let version = tag.and_then(|tag| tag.version());
    version
        .map(|version| version.to_string())
        .unwrap_or_default()
}

/// The history of a record: empty if it never existed.
pub async fn history<T: DeserializeOwned>(
    backend: &ServiceClient,
    record: &str,
) -> Result<Vec<Change<T>>, Error> {
    let path = format!("{record}/history?limit={MAX_PAGE_SIZE}");
    let response = backend.get(&path).await?;
    if response.status() == 404 {
        return Ok(Vec::new());
    }
    backend.read_json(response).await
}

/// The existing places of these ids.
pub async fn places_of(backends: &Backends, mut ids: Vec<i64>) -> Result<Vec<Place>, Error> {
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(Ids::MAX_IDS);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let path = format!("/v1/places?limit={MAX_PAGE_SIZE}&ids={}", ids.join(","));
    Ok(list(&backends.places, &path).await?.0)
}

/// The first places by name, for a list of choices. The script searches for the rest.
pub async fn choices(backends: &Backends) -> Vec<Place> {
    let found = list(&backends.places, "/v1/places?sort=name&limit=100").await;
    found.map(|(places, _)| places).unwrap_or_default()
}

/// The choices with the place that the page shows.
pub async fn with(backends: &Backends, mut places: Vec<Place>, id: Option<i64>) -> Vec<Place> {
    if let Some(id) = id.filter(|id| places.iter().all(|place| place.id != *id)) {
        places.extend(places_of(backends, vec![id]).await.unwrap_or_default());
    }
    places
}

/// The place that a field names: by name, ignoring case, or by `#` and id.
pub async fn place_named(backends: &Backends, text: &str) -> Result<Option<i64>, Error> {
    if let Some(id) = text.strip_prefix('#') {
        return Ok(domain::PlaceId::parse(id.trim()).map(domain::PlaceId::get));
    }
    let Some(prefix) = domain::name::Prefix::parse(text) else {
        return Ok(None);
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("name", text);
    let path = format!("/v1/places?sort=name&limit=1&{}", query.finish());
    // An exact match sorts before the names that it is a prefix of.
    let (found, _) = list::<Place>(&backends.places, &path).await?;
    let same = |place: &Place| domain::name::key(&place.name) == prefix.key();
    Ok(found.iter().find(|place| same(place)).map(|place| place.id))
}

/// The problem of a record that does not exist.
pub fn missing(record: &str, id: i64) -> Error {
    Problem::not_found(record, id).into()
}
