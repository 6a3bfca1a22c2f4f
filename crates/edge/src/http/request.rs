//! The two types of a request. [`RequestParts`] is the request as the platform sends it. Handlers
//! read a [`Request`], whose path, query, headers and body are parsed and validated.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::Param;
use futures_util::StreamExt;
use http_semantics::etag::Tags;
use http_semantics::header_list::{self, Backslash};
use http_semantics::idempotency::IdempotencyKey;
use http_semantics::json::Object;
use http_semantics::media::{TABLE_MEDIA_TYPES, accepted_media_type};
use http_semantics::timing::Timings;
use http_semantics::{
    MediaType, Params, Preconditions, Problem, Validator, freshness, negotiation,
};
use js_sys::Uint8Array;
use tables::ChangeSeqs;
use web_sys::Headers;
use worker::Context;

use crate::env::Env;
use crate::error::Error;
use crate::http::chunks::full_chunks;
use crate::http::headers;
use crate::time::with_timeout;

/// The maximum size of a body with one record.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// The media type of a body with a record.
pub const JSON: &[&str] = &["application/json"];

/// The media types of a merge patch.
pub const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

/// The setting that allows responses of this age without a check, in seconds.
const FRESH_SECONDS: &str = "FRESH_SECONDS";

/// The time in which the body of a record must arrive, in milliseconds.
const RECORD_TIMEOUT_MS: u32 = 30_000;

/// The time in which a file must arrive, in milliseconds: 10 MiB at 1 Mbit/s take 84 seconds.
const FILE_TIMEOUT_MS: u32 = 120_000;

/// A body that is too large is read up to this multiple of its limit. A client that is still
/// sending does not read the response, and would not see the problem.
const DRAIN_FACTOR: usize = 4;

/// The methods that routes distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// OPTIONS
    Options,
    /// POST
    Post,
    /// PUT
    Put,
    /// PATCH
    Patch,
    /// DELETE
    Delete,
    /// Any other.
    Other,
}

impl Method {
    const KNOWN: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
    ];

    /// The method's name, which is empty for [`Self::Other`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Other => "",
        }
    }

    /// Whether the method only reads (RFC 9110, 9.2.1).
    #[must_use]
    pub fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options)
    }
}

impl From<&str> for Method {
    fn from(name: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|method| method.name() == name);
        known.unwrap_or(Self::Other)
    }
}

/// The platform's request. Method and URL are read once, because each read is a call to JavaScript
/// and a copy.
#[derive(Clone)]
pub struct RequestParts {
    /// The platform's request, for its body.
    pub request: web_sys::Request,
    /// Its headers.
    pub headers: Headers,
    /// Its method.
    pub method: Method,
    /// Its complete URL.
    pub url: String,
}

impl From<web_sys::Request> for RequestParts {
    fn from(request: web_sys::Request) -> Self {
        Self {
            headers: request.headers(),
            method: Method::from(request.method().as_str()),
            url: request.url(),
            request,
        }
    }
}

impl RequestParts {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        headers::get(&self.headers, name)
    }

    /// Whether it has a body that has no meaning: that of a GET or HEAD (RFC 9110, 9.3.1).
    #[must_use]
    pub fn has_ignored_body(&self) -> bool {
        matches!(self.method, Method::Get | Method::Head) && self.request.body().is_some()
    }
}

/// A request of a route.
#[derive(Clone)]
pub struct Request {
    /// The platform's request.
    pub parts: RequestParts,
    /// The worker's bindings, with the state of this request.
    pub env: Env,
    /// Runs code after the response (`wait_until`).
    pub context: Rc<Context>,
    /// `If-None-Match`. The response cache replaces it by the tag of its own response, or removes it
    /// if the client's response is stale (RFC 9111, 4.3).
    pub(crate) if_none_match: Option<String>,
    /// The change sequences at which the response was made that the cache has. If they are still
    /// current, the handler sends a 304.
    pub cached_at: Option<ChangeSeqs>,
    /// The path without its version, as in the route table.
    pub path: String,
    /// The query string, without the `?`.
    pub query: String,
    /// The variable segments of the path, in the order of the route.
    pub segments: Vec<String>,
    /// Whether the handler has read `Accept`, so that the response depends on it.
    pub(crate) is_negotiated: Rc<Cell<bool>>,
    /// Whether a cookie has authorized the request. Then nobody may store the response: the rule that
    /// protects responses to `Authorization` (RFC 9111, 3.5) does not apply to a cookie.
    pub is_by_cookie: Rc<Cell<bool>>,
    /// The timings of the called services, for `Server-Timing`.
    pub timings: Rc<RefCell<Timings>>,
}

impl Request {
    /// The id in the path.
    ///
    /// # Errors
    /// Another text than an id: there is no such path.
    pub fn id<T: Param>(&self) -> Result<T, Problem> {
        self.segments
            .first()
            .and_then(|segment| T::parse(segment))
            .ok_or_else(|| Problem::invalid_id_in_path(T::EXPECTED))
    }

    /// The query parameters, which must be among the `known` ones.
    ///
    /// # Errors
    /// An unknown or repeated parameter.
    pub fn params(&self, known: &'static [&'static str]) -> Result<Params, Problem> {
        Params::parse(&self.query, known)
    }

    /// Whether the client is a browser: only browsers ask for HTML first.
    #[must_use]
    pub fn prefers_html(&self) -> bool {
        let accepted = self.header("accept").unwrap_or_default();
        accepted.trim_start().starts_with("text/html")
    }

    /// A request header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.parts.header(name)
    }

    /// The parsed value of a request header, if the client sent it.
    ///
    /// # Errors
    /// An invalid value.
    pub fn header_as<T: Param>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        parse_header(name, self.header(name).as_deref())
    }

    /// Whether the response has no body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.parts.method == Method::Head
    }

    /// The offered format that the client prefers.
    ///
    /// # Errors
    /// An `Accept` that allows none of the offered formats.
    pub fn format<F: negotiation::Negotiable>(&self, offered: &[F]) -> Result<F, Problem> {
        self.is_negotiated.set(true);
        negotiation::choose(self.header("accept").as_deref(), offered)
            .ok_or_else(|| Problem::not_acceptable(offered))
    }

    /// The format of a table: the parameter `format`, or else `Accept`.
    ///
    /// # Errors
    /// An unknown format, or an `Accept` without a known one.
    pub fn table_format(&self, params: &Params) -> Result<MediaType, Problem> {
        match params.get("format")? {
            Some(format) => Ok(format),
            None => self.format(TABLE_MEDIA_TYPES),
        }
    }

    /// Rejects `If-Match` and `If-None-Match` with a POST to a collection, which has no version.
    ///
    /// # Errors
    /// A request with one of them.
    pub fn reject_preconditions(&self) -> Result<(), Problem> {
        for name in ["If-Match", "If-None-Match"] {
            if self.header(name).is_some() {
                let expected = "absent, because a collection has no version";
                return Err(Problem::invalid_header(name, expected));
            }
        }
        Ok(())
    }

    /// `If-Match` and `If-None-Match`.
    ///
    /// # Errors
    /// An invalid header.
    pub fn preconditions(&self) -> Result<Preconditions, Problem> {
        Ok(Preconditions {
            if_match: self.header_as("if-match")?,
            if_none_match: parse_header("if-none-match", self.if_none_match.as_deref())?,
        })
    }

    /// `If-None-Match`, if it is valid.
    pub(crate) fn if_none_match(&self) -> Option<Tags> {
        self.if_none_match.as_deref().and_then(Tags::parse)
    }

    /// The change sequence of the list that the client has in this format (`If-None-Match`).
    ///
    /// # Errors
    /// An invalid header.
    pub fn known_change_seq(&self, format: MediaType) -> Result<Option<Validator>, Problem> {
        let known = self.preconditions()?.known_change_seqs(format);
        Ok(known.map(|[change_seq]| change_seq))
    }

    /// `Idempotency-Key`.
    ///
    /// # Errors
    /// An invalid header.
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        self.header_as("idempotency-key")
    }

    /// The media type of the body.
    ///
    /// # Errors
    /// No media type, one that is not `accepted`, a body that is not UTF-8, or an encoded body.
    pub fn media_type(&self, accepted: &[&'static str]) -> Result<&'static str, Problem> {
        let content_type = self.header("content-type").unwrap_or_default();
        let media_type = accepted_media_type(&content_type, accepted);
        let encodings = self.header("content-encoding").unwrap_or_default();
        let is_plain = header_list::elements(&encodings, Backslash::Plain)
            .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"));
        media_type
            .filter(|_| is_plain)
            .ok_or_else(|| Problem::unsupported_media_type(accepted))
    }

    /// The largest age of a response that needs no check, in milliseconds. A backend checks all
    /// responses: only the gateway decides how old a response may be.
    #[must_use]
    pub fn max_age_ms(&self) -> i64 {
        if self.env.consistency().has_table() {
            return 0;
        }
        let setting = self.env.setting(FRESH_SECONDS);
        let setting = freshness::parse_setting(setting.as_deref());
        let header = self.header("cache-control");
        i64::from(freshness::max_age_seconds(header.as_deref(), setting)) * 1000
    }

    /// The body, of at most `max_bytes`.
    ///
    /// # Errors
    /// A larger body, or one that does not arrive in time.
    pub async fn body(&self, max_bytes: usize) -> Result<Vec<u8>, Error> {
        in_time(max_bytes, self.read_body(max_bytes)).await?
    }

    /// The body, complete, to send it on, if there is one. A service that gets the stream of a slow
    /// client would seem to be slow itself.
    ///
    /// # Errors
    /// As [`Self::body`].
    pub async fn body_to_forward(&self, max_bytes: usize) -> Result<Option<Uint8Array>, Error> {
        if self.parts.request.body().is_none() || self.parts.has_ignored_body() {
            return Ok(None);
        }
        Ok(Some(self.body(max_bytes).await?.as_slice().into()))
    }

    /// Reads at most `max_bytes` of the body and stores nothing. A client that is still sending does
    /// not read the response.
    ///
    /// # Errors
    /// A body that does not arrive in time.
    pub async fn discard_body(&self, max_bytes: usize) -> Result<(), Error> {
        let discard = async {
            let mut chunks = Box::pin(full_chunks(self.parts.request.body()));
            let mut length = 0;
            while length <= max_bytes
                && let Some(Ok(chunk)) = chunks.next().await
            {
                length += chunk.len();
            }
        };
        in_time(max_bytes, discard).await
    }

    async fn read_body(&self, max_bytes: usize) -> Result<Vec<u8>, Error> {
        let announced = self.header("content-length");
        let announced = announced.and_then(|length| length.parse::<usize>().ok());
        let fits = announced.is_none_or(|length| length <= max_bytes);
        let mut body = Vec::with_capacity(announced.filter(|_| fits).unwrap_or_default());
        let mut chunks = Box::pin(full_chunks(self.parts.request.body()));
        let mut length = 0;
        while length <= max_bytes * DRAIN_FACTOR
            && let Some(chunk) = chunks.next().await
        {
            let chunk = chunk.map_err(Error::platform("reading the body"))?;
            length += chunk.len();
            if fits && length <= max_bytes {
                body.extend_from_slice(&chunk);
            }
        }
        if length > max_bytes || !fits {
            return Err(Problem::body_too_large(max_bytes).into());
        }
        Ok(body)
    }

    /// The body as one JSON object, with its bytes.
    ///
    /// # Errors
    /// A body that has another media type, is too large, or is not an object.
    pub async fn json_object(&self, accepted: &[&'static str]) -> Result<(Object, Vec<u8>), Error> {
        self.media_type(accepted)?;
        let body = self.body(MAX_RECORD_BYTES).await?;
        Ok((Object::parse(&body)?, body))
    }

    /// The body as one JSON object, if there is a body.
    ///
    /// # Errors
    /// As [`Self::json_object`].
    pub async fn optional_json_object(
        &self,
        accepted: &[&'static str],
    ) -> Result<Option<Object>, Error> {
        let body = self.body(MAX_RECORD_BYTES).await?;
        if body.is_empty() {
            return Ok(None);
        }
        self.media_type(accepted)?;
        Ok(Some(Object::parse(&body)?))
    }
}

/// The output of a future that reads a body of at most `max_bytes`. A client that stalls would
/// otherwise hold the memory of what it has sent.
///
/// # Errors
/// A body that does not arrive in time.
pub async fn in_time<T>(max_bytes: usize, read: impl Future<Output = T>) -> Result<T, Error> {
    let timeout_ms = if max_bytes > MAX_RECORD_BYTES {
        FILE_TIMEOUT_MS
    } else {
        RECORD_TIMEOUT_MS
    };
    let output = with_timeout(timeout_ms, read).await;
    output.ok_or_else(|| Problem::body_timed_out(timeout_ms / 1000).into())
}

fn parse_header<T: Param>(name: &'static str, value: Option<&str>) -> Result<Option<T>, Problem> {
    value
        .map(|text| T::parse(text).ok_or_else(|| Problem::invalid_header(name, T::EXPECTED)))
        .transpose()
}
