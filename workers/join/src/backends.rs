//! The clients of the two backends, and reads that need both.
//!
//! A client that has a response already sends its tag, which combines the validators of both
//! backends. The tag of a list is made of both change sequences. The tag of a single place
//! contains its version, so each backend is asked for its part only if that part has changed.

use domain::Param;
use edge::change_seqs::CHANGE_SEQ_HEADER;
use edge::coalescer::{change_seqs_reader, current_change_seqs};
use edge::{ChangeSeqs, Env, Error, Request, ServiceClient};
use futures_util::future::{join, try_join};
use http_semantics::{MediaType, Problem, Tag};

use crate::domain::Malformed;

/// The clients of both backends.
pub struct Backends {
    /// The places service.
    pub places: ServiceClient,
    /// The people service.
    pub people: ServiceClient,
}

/// The responses of both backends. The people part may have failed.
pub type Fetched = (web_sys::Response, Result<PeoplePart, Error>);

/// The response of the people service, and what both responses together tell.
pub struct PeoplePart {
    /// The response.
    pub response: web_sys::Response,
    /// The tag of a response that is made of both.
    pub tag: Tag,
    /// The change sequences of both backends, if both sent theirs.
    pub change_seqs: Option<ChangeSeqs>,
}

/// The timeout for reading a change sequence.
const CHANGE_SEQ_TIMEOUT_MS: u32 = 1_000;

/// The client of the places service.
///
/// # Errors
/// A worker without the binding.
pub fn places(env: &Env) -> Result<ServiceClient, Error> {
    ServiceClient::for_gateway(env, "PLACES", "places")
}

/// The client of the people service.
///
/// # Errors
/// A worker without the binding.
pub fn people(env: &Env) -> Result<ServiceClient, Error> {
    ServiceClient::for_gateway(env, "PEOPLE", "people")
}

/// The change sequences of both backends, which revalidate cached responses.
pub async fn change_seqs(env: Env) -> Option<ChangeSeqs> {
    let Backends { places, people } = Backends::new(&env).ok()?;
    let places = places.headers_only(CHANGE_SEQ_TIMEOUT_MS);
    let people = people.headers_only(CHANGE_SEQ_TIMEOUT_MS);
    let path = "/internal/counter";
    let (places, people) = try_join(places.get(path), people.get(path)).await.ok()?;
    Some(ChangeSeqs {
        places: change_seq_header(&places)?,
        people: change_seq_header(&people)?,
    })
}

/// The tag of the list that the client has, if it is still current.
///
/// # Errors
/// A header without entity tags.
pub async fn unchanged(request: &Request, format: MediaType) -> Result<Option<Tag>, Problem> {
    let Some(known) = request.preconditions()?.known_change_seqs(format) else {
        return Ok(None);
    };
    let current = current_change_seqs(request, change_seqs_reader(change_seqs)).await;
    Ok((current == Some(known.into())).then(|| Tag::from_change_seqs(format, &known)))
}

/// A header of a response.
pub fn header(response: &web_sys::Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// A number in a header of a response: 0 without one.
pub fn number_header(response: &web_sys::Response, name: &str) -> i64 {
    let number = header(response, name).and_then(|text| text.parse().ok());
    number.unwrap_or_default()
}

/// The change sequence that a response states in its header.
fn change_seq_header(response: &web_sys::Response) -> Option<i64> {
    header(response, CHANGE_SEQ_HEADER)?.parse().ok()
}

fn tag(response: &web_sys::Response) -> Option<Tag> {
    Tag::parse(&header(response, "etag")?)
}

/// What a backend's tag is made of: a change sequence or a version.
fn validator(response: &web_sys::Response) -> Option<i64> {
    let tag = tag(response)?;
    let change_seq = tag.change_seqs(MediaType::Json).map(|[seq]| seq);
    change_seq.or(tag.version())
}

/// The change sequence of a response, from its header or its tag.
fn change_seq(response: &web_sys::Response) -> Option<i64> {
    change_seq_header(response)
        .or_else(|| tag(response)?.change_seqs(MediaType::Json).map(|[seq]| seq))
}

impl PeoplePart {
    fn new(places: &web_sys::Response, response: web_sys::Response, format: MediaType) -> Self {
        let validators = [validator(places), validator(&response)].map(Option::unwrap_or_default);
        let change_seqs = change_seq(places).zip(change_seq(&response));
        Self {
            response,
            tag: Tag::from_change_seqs(format, &validators),
            change_seqs: change_seqs.map(|(places, people)| ChangeSeqs { places, people }),
        }
    }
}

impl Backends {
    /// The clients for one request.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn new(env: &Env) -> Result<Self, Error> {
        Ok(Self {
            places: places(env)?,
            people: people(env)?,
        })
    }

    /// Clients that record their outcomes in the `Server-Timing` of a response.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn for_reader(request: &Request) -> Result<Self, Error> {
        let Self { places, people } = Self::new(&request.env)?;
        Ok(Self {
            places: places.with_timings(&request.timings),
            people: people.with_timings(&request.timings),
        })
    }

    /// Drops the deadline of all calls. The timeout of each call remains.
    pub fn drop_deadline(&mut self) {
        self.places.drop_deadline();
        self.people.drop_deadline();
    }

    /// Sends both requests in parallel. For HEAD, people gets a HEAD too.
    ///
    /// # Errors
    /// A problem of the places service. The caller interprets its status.
    pub async fn fetch(
        &self,
        [places, people]: [&str; 2],
        format: MediaType,
        is_head: bool,
    ) -> Result<Fetched, Error> {
        let people = async {
            if is_head {
                self.people.head(people).await
            } else {
                self.people.get(people).await
            }
        };
        let (places, people) = join(self.places.get(places), people).await;
        Ok(self.fetched(places?, people, format, is_head))
    }

    /// Sends both requests in parallel, each with the tag of its part: none if both parts are
    /// unchanged.
    ///
    /// # Errors
    /// As [`Self::fetch`].
    pub async fn fetch_if_changed(
        &self,
        [place, people]: [&str; 2],
        [place_tag, people_tag]: &[Tag; 2],
    ) -> Result<Option<Fetched>, Error> {
        let responses = join(
            self.places.get_if_changed(place, place_tag),
            self.people.get_if_changed(people, people_tag),
        );
        let (of_place, of_people) = responses.await;
        let (mut of_place, mut of_people) = (of_place?, of_people);
        let is_unchanged = |response: &web_sys::Response| response.status() == 304;
        let people_unchanged = of_people.as_ref().is_ok_and(is_unchanged);
        match (is_unchanged(&of_place), people_unchanged) {
            (true, true) => return Ok(None),
            (true, false) => of_place = self.places.get_ok(place).await?,
            (false, true) => of_people = self.people.get(people).await,
            (false, false) => {}
        }
        Ok(Some(self.fetched(
            of_place,
            of_people,
            MediaType::Json,
            false,
        )))
    }

    fn fetched(
        &self,
        places: web_sys::Response,
        people: Result<web_sys::Response, Error>,
        format: MediaType,
        is_head: bool,
    ) -> Fetched {
        // A HEAD has no body that could be malformed, so its headers must have a tag.
        let is_valid = |people: &web_sys::Response| !is_head || validator(people).is_some();
        let part = people.and_then(|people| {
            let people = self.people.require_ok(people)?;
            let untagged = || self.people.unusable_response("an answer without a tag");
            let people = Some(people).filter(is_valid).ok_or_else(untagged)?;
            Ok(PeoplePart::new(&places, people, format))
        });
        (places, part)
    }

    /// The problem that names the backend whose response is malformed.
    #[must_use]
    pub fn malformed_response(&self, malformed: Malformed) -> Error {
        match malformed {
            Malformed::Places => self.places.unusable_response("a malformed answer"),
            Malformed::Groups => self.people.unusable_response("a malformed answer"),
        }
    }
}
