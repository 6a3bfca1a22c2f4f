//! Joins places with their people ([`MergeJoin`]).
//!
//! Both backends are called in parallel, with one D1 round trip each. The page of places is read
//! completely, and the groups of people are joined as they arrive. A page of at most
//! [`BUFFER_BYTES`] is sent when it is complete. A longer page is streamed, and a failure then
//! breaks its body off, because the status has been sent already.
//!
//! | failure | result |
//! |---|---|
//! | places | a problem: without places there is nothing to show |
//! | people, before the response starts | the places with `"people":null` ([`partial`]) |
//! | people, while the page is streamed | a body that breaks off |
//!
//! The layer stale-if-error replaces the first two by a stale response, if there is one.

use domain::PlaceId;
use edge::{Body, BodyReader, Error, Response};
use futures_util::future::join;
use futures_util::{StreamExt, stream};
use http_semantics::media::ListFraming;
use http_semantics::{MediaType, Problem, Tag, Validator};
use tables::Cursor;
use tables::page::{self, PeopleLimit};

use crate::backends::{Backends, header};
use crate::domain::{ListQuery, MalformedResponse, MergeJoin};

/// The size up to which a page is buffered before its response starts.
const BUFFER_BYTES: usize = 256 * 1024;

/// A page of places with their people. The link to the next page repeats `raw_query`.
///
/// # Errors
/// A problem of the places service, or a bug of ours.
pub async fn list(
    backends: Backends,
    query: ListQuery,
    raw_query: &str,
    format: MediaType,
    is_head: bool,
) -> Result<Response, Error> {
    let paths = [query.places_path(), query.groups_path(query.after)];
    let (places, people) = backends.fetch(&paths, format, is_head).await?;
    let places = backends.places.require_ok(places)?;
    let page = backends.places.bytes(&places).await?;
    let (media_type, framing) = (format.content_type(), format.framing());
    let join = MergeJoin::from_page(page, framing)
        .map_err(|malformed| backends.malformed_response(malformed))?;

    let next = header(&places, "link").and_then(|_| join.last_id());
    let next = next.map(|id| {
        let after = Cursor::Id(id).to_string();
        page::next_link("/v1/people-per-place", raw_query, &after)
    });
    let response = match people {
        Err(error) => partial(error, join, media_type)?,
        Ok(people) if is_head => people.respond(media_type, Body::Empty),
        Ok(people) => {
            let stream = MergeJoinStream::new(query, join, backends, &people.response);
            match stream.into_body(framing).await {
                Ok(body) => people.respond(media_type, body),
                Err((error, join)) => partial(error, join, media_type)?,
            }
        }
    };
    Ok(response
        .header_if("link", next)
        .header_if("x-total-count", header(&places, "x-total-count"))
        .header_if(
            "x-total-count-relation",
            header(&places, "x-total-count-relation"),
        ))
}

/// A page of the join whose groups are still arriving.
struct MergeJoinStream {
    query: ListQuery,
    join: MergeJoin,
    backends: Backends,
    groups: BodyReader,
    is_finished: bool,
}

impl MergeJoinStream {
    fn new(
        query: ListQuery,
        join: MergeJoin,
        backends: Backends,
        groups: &web_sys::Response,
    ) -> Self {
        Self {
            query,
            join,
            groups: backends.people.body_reader(groups),
            backends,
            is_finished: false,
        }
    }

    /// The body of the page: complete, or a stream if it is long. A failure before the response
    /// starts returns the join.
    async fn into_body(mut self, framing: ListFraming) -> Result<Body, (Error, MergeJoin)> {
        let mut start = Vec::new();
        while start.len() < BUFFER_BYTES {
            match self.next().await {
                Ok(Some(bytes)) => start.extend_from_slice(&bytes),
                Ok(None) => return Ok(Body::Bytes(start)),
                Err(error) => return Err((error, self.join)),
            }
        }
        // The client decides how fast it reads a stream.
        self.groups.drop_deadline();
        self.backends.drop_deadline();
        let rest = stream::try_unfold(self, |mut stream| async move {
            Ok(stream.next().await?.map(|bytes| (bytes, stream)))
        });
        let start = stream::once(async { Ok(start) });
        Ok(Body::stream(start.chain(rest), framing))
    }

    /// The next bytes of the page. None after its end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut out = Vec::new();
        while out.is_empty() && !self.is_finished {
            match self.groups.next().await? {
                Some(chunk) => {
                    let result = self.join.push(&chunk, &mut out);
                    result.map_err(|malformed| self.backends.malformed_response(malformed))?;
                }
                None => self.end_groups(&mut out).await?,
            }
        }
        Ok((!out.is_empty()).then_some(out))
    }

    /// Ends the page, or requests more groups: groups without a place may have taken the room of
    /// groups of this page.
    async fn end_groups(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let limit = self.query.limit.get().into();
        let after = self.join.end_groups(limit, out);
        let after = after.map_err(|malformed| self.backends.malformed_response(malformed))?;
        if after.is_some() {
            let path = self.query.groups_path(after);
            let groups = self.backends.people.get_ok(&path).await?;
            self.groups = self.backends.people.body_reader(&groups);
        } else {
            self.join.finish(out);
            self.is_finished = true;
        }
        Ok(())
    }
}

/// One place with its people. `known` are the validators in the client's tag: the version of the
/// place, and the change sequence of people.
///
/// # Errors
/// A place that does not exist, or a problem of the places service.
pub async fn read(
    backends: &Backends,
    id: PlaceId,
    limit: PeopleLimit,
    known: Option<[Validator; 2]>,
) -> Result<Response, Error> {
    let paths = [
        format!("/v1/places/{id}"),
        format!(
            "/v1/people/by-place?placeId={id}&peopleLimit={}",
            limit.get()
        ),
    ];
    let (place, people) = match known {
        None => backends.fetch(&paths, MediaType::Json, false).await?,
        Some([version, change_seq]) => {
            let tags = [
                Tag::from_version(version),
                Tag::from_change_seqs(MediaType::Json, &[change_seq]),
            ];
            let Some(fetched) = backends.fetch_if_changed(&paths, &tags).await? else {
                let tag = Tag::from_change_seqs(MediaType::Json, &[version, change_seq]);
                return Ok(Response::not_modified(&tag));
            };
            fetched
        }
    };
    if place.status() == 404 {
        return Err(Problem::not_found("place", id.get()).into());
    }
    let place = backends.places.require_ok(place)?;
    let group = async {
        let people = people?;
        let group = backends.people.bytes(&people.response).await?;
        Ok::<_, Error>((group, people))
    };
    let (place, group) = join(backends.places.bytes(&place), group).await;
    let malformed = |malformed| backends.malformed_response(malformed);
    let mut join = MergeJoin::from_place(place?).map_err(malformed)?;
    let media_type = MediaType::Json.content_type();
    let response = group.and_then(|(group, people)| {
        let body = join_group(&mut join, &group).map_err(malformed)?;
        Ok(people.respond(media_type, Body::Bytes(body)))
    });
    response.or_else(|error| partial(error, join, media_type))
}

/// Joins a single place with its group.
fn join_group(join: &mut MergeJoin, group: &[u8]) -> Result<Vec<u8>, MalformedResponse> {
    let mut out = Vec::new();
    join.push(group, &mut out)?;
    join.end_groups(1, &mut out)?;
    join.finish(&mut out);
    Ok(out)
}

/// The places with `"people":null`, if the people service failed. No cache may store them.
///
/// # Errors
/// Any other error.
fn partial(error: Error, join: MergeJoin, media_type: &str) -> Result<Response, Error> {
    match error {
        Error::Problem(problem) if problem.service() == Some("people") => {
            let body = Body::Bytes(join.places_only());
            Ok(Response::ok(media_type, body)
                .header("cache-control", "no-store")
                .partial(problem))
        }
        other => Err(other),
    }
}
