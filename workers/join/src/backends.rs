//! The clients of both backends, and the reads that need both.
//!
//! A combined response has one entity tag. The tag contains one validator per backend: for a list,
//! the change sequences of both tables; for a single place, the version of the place and the change
//! sequence of people. So the gateway can split a client's tag, and ask each backend whether its
//! part has changed.

use domain::Param;
use edge::coalescer::{self, change_seqs_reader, current_change_seqs};
use edge::collection::{CHANGE_SEQ_HEADER, ERASURE_HEADER};
use edge::{Body, CallQuota, Env, Error, Request, Response, ServiceClient};
use futures_util::future::{join, try_join};
use http_semantics::media::TABLE_MEDIA_TYPES;
use http_semantics::{MediaType, Problem, Tag, Validator};
use tables::ChangeSeqs;

use crate::domain::MalformedResponse;
use crate::service::cache::parts;

/// The clients of both backends.
pub struct Backends {
    /// The places service.
    pub places: ServiceClient,
    /// The people service.
    pub people: ServiceClient,
    /// The calls that the request may make.
    pub quota: CallQuota,
}

/// The parts of a combined response.
pub enum Parts {
    /// Neither has changed. The change sequences are none if a backend did not send its own.
    Unchanged(Option<ChangeSeqs>),
    /// The responses of the places service and of the people service. The latter may have failed:
    /// the gateway can respond without it.
    Read(web_sys::Response, Result<web_sys::Response, Error>),
}

/// The response of the people service, and the validators of the combined response.
pub struct PeoplePart {
    /// The response of the people service.
    pub response: web_sys::Response,
    /// The entity tag of the combined response.
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
    let Backends { places, people, .. } = Backends::new(&env).ok()?;
    let places = places.headers_only(CHANGE_SEQ_TIMEOUT_MS);
    let people = people.headers_only(CHANGE_SEQ_TIMEOUT_MS);
    let path = "/internal/counter";
    let (places, people) = try_join(places.get(path), people.get(path)).await.ok()?;
    Some(ChangeSeqs {
        places: change_seq_header(&places)?,
        people: change_seq_header(&people)?,
    })
}

/// The change sequence of the latest erasure of a person.
///
/// # Errors
/// The people service failed.
pub async fn people_erasure(env: &Env) -> Result<i64, Error> {
    let people = people(env)?;
    let response = people.get("/internal/erasure").await?;
    let seq = erasure_header(&response);
    seq.ok_or_else(|| people.unusable_response("a response without the latest erasure"))
}

/// The change sequence of people at which a person was erased, in the header of a response.
pub fn erasure_header(response: &web_sys::Response) -> Option<i64> {
    header(response, ERASURE_HEADER)?.parse().ok()
}

/// The cached parts that a request for a list already has.
pub enum Known {
    /// The current list.
    Current([Validator; 2]),
    /// The list at some change sequences, which may be current: the backends tell. Other requests wait
    /// as long as the check lives.
    At {
        /// The change sequences.
        seqs: [Validator; 2],
        /// The check, unless the response cache has it.
        _check: Option<coalescer::Check>,
    },
    /// Nothing, or an outdated list.
    Nothing,
}

impl Known {
    /// The change sequences.
    pub fn seqs(&self) -> Option<[Validator; 2]> {
        match self {
            Self::At { seqs, .. } => Some(*seqs),
            Self::Current(_) | Self::Nothing => None,
        }
    }

    /// The list that the client or the response cache has, for a list whose reads are conditional.
    ///
    /// # Errors
    /// An invalid `If-None-Match`.
    pub async fn of_list(request: &Request, format: MediaType) -> Result<Self, Problem> {
        let Some(known) = request.preconditions()?.known_change_seqs(format) else {
            return Ok(Self::Nothing);
        };
        // The response cache has shared the check already.
        if request.cached_at.is_some() {
            return Ok(Self::At {
                seqs: known,
                _check: None,
            });
        }
        let read = change_seqs_reader(change_seqs);
        Ok(match coalescer::check(request, None, &read).await {
            check @ coalescer::Check::Own(_) => Self::At {
                seqs: known,
                _check: Some(check),
            },
            coalescer::Check::Read(current) => Self::checked(known, current),
        })
    }

    /// The same for a list that takes several steps: first the change sequences are read.
    ///
    /// # Errors
    /// An invalid `If-None-Match`.
    pub async fn of_steps(request: &Request, format: MediaType) -> Result<Self, Problem> {
        let Some(known) = request.preconditions()?.known_change_seqs(format) else {
            return Ok(Self::Nothing);
        };
        let current = match request.cached_at {
            Some(_) => change_seqs(request.env.clone()).await,
            None => current_change_seqs(request, change_seqs_reader(change_seqs)).await,
        };
        Ok(Self::checked(known, current))
    }

    fn checked(known: [Validator; 2], current: Option<ChangeSeqs>) -> Self {
        if current == Some(known.into()) {
            Self::Current(known)
        } else {
            Self::Nothing
        }
    }
}

/// The 304 for a list at these change sequences.
pub fn list_is_unchanged(format: MediaType, seqs: [Validator; 2]) -> Response {
    let tag = Tag::from_change_seqs(format, &seqs);
    Response::not_modified(&tag).with_change_seqs(Some(seqs.into()))
}

/// The tags of the backends' lists at these change sequences.
pub fn list_tags(seqs: [Validator; 2]) -> [Tag; 2] {
    seqs.map(|seq| Tag::from_change_seqs(MediaType::Json, &[seq]))
}

/// A header of a response.
pub fn header(response: &web_sys::Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// A number in a header of a response, or 0.
pub fn number_header(response: &web_sys::Response, name: &str) -> i64 {
    let number = header(response, name).and_then(|text| text.parse().ok());
    number.unwrap_or_default()
}

/// The change sequence in the header of a response.
pub fn change_seq_header(response: &web_sys::Response) -> Option<Validator> {
    Validator::parse(&header(response, CHANGE_SEQ_HEADER)?)
}

/// The change sequence in the tag of a list.
fn change_seq_of_tag(tag: &Tag) -> Option<Validator> {
    let mut formats = TABLE_MEDIA_TYPES.iter();
    formats.find_map(|format| tag.change_seqs(*format).map(|[seq]| seq))
}

/// The entity tag of a response.
pub fn tag(response: &web_sys::Response) -> Option<Tag> {
    Tag::parse(&header(response, "etag")?)
}

/// The validator in a backend's tag: the change sequence of a list, or the version of a record.
pub fn validator(response: &web_sys::Response) -> Option<Validator> {
    let tag = tag(response)?;
    change_seq_of_tag(&tag).or(tag.version())
}

/// The change sequence of a response, in its header or its tag.
pub fn change_seq(response: &web_sys::Response) -> Option<Validator> {
    change_seq_header(response).or_else(|| change_seq_of_tag(&tag(response)?))
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

    /// The combined response. It may be cached if its change sequences are known.
    pub fn respond(&self, media_type: &str, body: Body) -> Response {
        Response::ok(media_type, body)
            .with_change_seqs(self.change_seqs)
            .with_etag(&self.tag)
    }
}

/// Requires the status 200. The problem of an invalid request, of a missing record or of a search
/// with too many matches is passed on.
async fn require_ok(
    service: &ServiceClient,
    response: web_sys::Response,
) -> Result<web_sys::Response, Error> {
    let status = response.status();
    if [400, 404, 422].contains(&status)
        && let Some(problem) = Problem::parse(&service.bytes(&response).await?)
        && problem.status() == status
    {
        return Err(problem.into());
    }
    service.require_ok(response)
}

/// A part that has not changed, as this 304 says: the one in memory, or else the backend's.
async fn unchanged(
    backend: &ServiceClient,
    path: &str,
    tag: Option<&Tag>,
    not_modified: &web_sys::Response,
) -> Result<web_sys::Response, Error> {
    let Some(part) = tag.and_then(|tag| parts::find(path, tag)) else {
        return backend.get(path).await;
    };
    // The tag of a single record does not tell the change sequence, which may have advanced.
    if let Some(seq) = header(not_modified, CHANGE_SEQ_HEADER) {
        let set = part.headers().set(CHANGE_SEQ_HEADER, &seq);
        set.map_err(Error::platform("copying a response"))?;
    }
    Ok(part)
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
            quota: env.quota().clone(),
        })
    }

    /// Clients that add the time and outcome of each call to `Server-Timing`.
    ///
    /// # Errors
    /// A worker without its bindings.
    pub fn with_timings(request: &Request) -> Result<Self, Error> {
        let backends = Self::new(&request.env)?;
        Ok(Self {
            places: backends.places.with_timings(&request.timings),
            people: backends.people.with_timings(&request.timings),
            ..backends
        })
    }

    /// Raises the timeout of writes to that of a deletion of a place.
    #[must_use]
    pub fn with_deletion_timeout(self) -> Self {
        Self {
            places: self.places.with_deletion_timeout(),
            people: self.people.with_deletion_timeout(),
            ..self
        }
    }

    /// Drops the deadline of the request. The timeout of each call remains.
    pub fn drop_deadline(&mut self) {
        self.places.drop_deadline();
        self.people.drop_deadline();
    }

    /// Requires the status 200 of a response with places that the client has filtered. Only the
    /// places service validates these filters.
    ///
    /// # Errors
    /// A filter that it rejects, or any other status.
    pub async fn require_places(
        &self,
        response: web_sys::Response,
    ) -> Result<web_sys::Response, Error> {
        require_ok(&self.places, response).await
    }

    /// Requires the status 200 of a response with people, which only the people service validates.
    ///
    /// # Errors
    /// A request that it rejects, or any other status.
    pub async fn require_people(
        &self,
        response: web_sys::Response,
    ) -> Result<web_sys::Response, Error> {
        require_ok(&self.people, response).await
    }

    /// Reads the complete bodies of both responses in parallel.
    ///
    /// # Errors
    /// A body that breaks off or times out.
    pub async fn bytes_of_both(
        &self,
        places: &web_sys::Response,
        people: &web_sys::Response,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        try_join(self.places.bytes(places), self.people.bytes(people)).await
    }

    /// Reads a path of each backend in parallel, for a combined response. A HEAD needs no people,
    /// so their service gets a HEAD, too. `tags` are those of the parts that the gateway or the client
    /// has.
    ///
    /// # Errors
    /// The places service failed. The caller checks the status of both.
    pub async fn fetch(
        &self,
        [place_path, people_path]: &[String; 2],
        tags: Option<&[Tag; 2]>,
        is_head: bool,
    ) -> Result<Parts, Error> {
        let method = if is_head { "HEAD" } else { "GET" };
        let [place_tag, people_tag] = match tags {
            Some([place, people]) => [Some(place), Some(people)],
            None => [None, None],
        };
        let (place, people) = join(
            self.places.read("GET", place_path, place_tag),
            self.people.read(method, people_path, people_tag),
        )
        .await;
        let (mut place, mut people) = (place?, people);
        // The response is made of both parts, so the unchanged one is needed, too.
        match (place.status(), &people) {
            (304, Ok(response)) if response.status() == 304 => {
                let seqs = change_seq(&place).zip(change_seq(response));
                let seqs = seqs.map(|(places, people)| ChangeSeqs { places, people });
                return Ok(Parts::Unchanged(seqs));
            }
            (304, _) => place = unchanged(&self.places, place_path, place_tag, &place).await?,
            (_, Ok(response)) if response.status() == 304 => {
                people = if is_head {
                    self.people.head(people_path).await
                } else {
                    unchanged(&self.people, people_path, people_tag, response).await
                };
            }
            _ => {}
        }
        Ok(Parts::Read(place, people))
    }

    /// The response of the people service, and the validators of both responses.
    ///
    /// # Errors
    /// The people service failed.
    pub fn people_part(
        &self,
        places: &web_sys::Response,
        people: Result<web_sys::Response, Error>,
        format: MediaType,
        is_head: bool,
    ) -> Result<PeoplePart, Error> {
        let people = self.people.require_ok(people?)?;
        // The body of a HEAD cannot show that the response is malformed, so its tag must.
        if is_head && validator(&people).is_none() {
            return Err(self.people.unusable_response("a response without a tag"));
        }
        Ok(PeoplePart::new(places, people, format))
    }

    /// The error of a malformed response. It names the backend.
    #[must_use]
    pub fn malformed_response(&self, malformed: MalformedResponse) -> Error {
        let backend = match malformed {
            MalformedResponse::Places => &self.places,
            MalformedResponse::People => &self.people,
        };
        backend.unusable_response("a malformed response")
    }
}
