//! What the pages read of the services. A service that fails takes only its own part of a page
//! with it, and a notice says so.

use domain::Param;
use edge::{Error, ServiceClient};
use http_semantics::{Problem, Tag};
use pages::Notice;
use pages::api::{Change, Place};
use serde::de::DeserializeOwned;
use web_sys::Response;

use crate::routes::people_per_place::Services;
use crate::routes::statistics::header;

/// The most entries of a history that a page shows.
const HISTORY: u16 = 1000;

/// What was read, or a notice that it could not be.
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

/// A list, and where the page behind it begins.
pub async fn list<T: DeserializeOwned>(
    upstream: &ServiceClient,
    path: &str,
) -> Result<(Vec<T>, Option<String>), Error> {
    let response = upstream.get(path).await?;
    let next = header(&response, "link").and_then(|link| after_of(&link));
    Ok((upstream.read_json(response).await?, next))
}

/// The cursor in a link to the next page.
pub fn after_of(link: &str) -> Option<String> {
    let (_, rest) = link.split_once("after=")?;
    rest.split(['&', '>']).next().map(ToOwned::to_owned)
}

/// A record with the version that it is in; none where there is none.
pub async fn record<T: DeserializeOwned>(
    upstream: &ServiceClient,
    path: &str,
) -> Result<Option<(T, String)>, Error> {
    let response = upstream.get(path).await?;
    if response.status() == 404 {
        return Ok(None);
    }
    let version = version_of(&response);
    Ok(Some((upstream.read_json(response).await?, version)))
}

fn version_of(response: &Response) -> String {
    let tag = header(response, "etag").and_then(|tag| Tag::parse(&tag));
    let version = tag.and_then(|tag| tag.version());
    version
        .map(|version| version.to_string())
        .unwrap_or_default()
}

/// What happened to a record: nothing where it never was.
pub async fn history<T: DeserializeOwned>(
    upstream: &ServiceClient,
    record: &str,
) -> Result<Vec<Change<T>>, Error> {
    let path = format!("{record}/history?limit={HISTORY}");
    let response = upstream.get(&path).await?;
    if response.status() == 404 {
        return Ok(Vec::new());
    }
    upstream.read_json(response).await
}

/// The places of some ids, as far as they exist.
pub async fn places_of(services: &Services, mut ids: Vec<i64>) -> Result<Vec<Place>, Error> {
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(1000);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let path = format!("/v1/places?limit=1000&ids={}", ids.join(","));
    Ok(list(&services.places, &path).await?.0)
}

/// The first places by name, to choose from; the script finds the rest.
pub async fn choices(services: &Services) -> Vec<Place> {
    let found = list(&services.places, "/v1/places?sort=name&limit=100").await;
    found.map(|(places, _)| places).unwrap_or_default()
}

/// The same with a place of which the page speaks.
pub async fn with(services: &Services, mut places: Vec<Place>, id: Option<i64>) -> Vec<Place> {
    if let Some(id) = id.filter(|id| places.iter().all(|place| place.id != *id)) {
        places.extend(places_of(services, vec![id]).await.unwrap_or_default());
    }
    places
}

/// The place that a field names: by its name whatever its case, or by `#` and its number.
pub async fn place_named(services: &Services, text: &str) -> Result<Option<i64>, Error> {
    if let Some(id) = text.strip_prefix('#') {
        return Ok(domain::PlaceId::parse(id.trim()).map(domain::PlaceId::get));
    }
    let Some(prefix) = domain::name::Prefix::parse(text) else {
        return Ok(None);
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("name", text);
    let path = format!("/v1/places?sort=name&limit=1&{}", query.finish());
    // A name comes before all that begin with it.
    let (found, _) = list::<Place>(&services.places, &path).await?;
    let same = |place: &Place| domain::name::key(&place.name) == prefix.key();
    Ok(found.iter().find(|place| same(place)).map(|place| place.id))
}

/// The problem of a record that is not there.
pub fn missing(record: &str, id: i64) -> Error {
    Problem::not_found(record, id).into()
}
