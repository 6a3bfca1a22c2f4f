//! A request, with the methods that handlers read it by.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::Param;
use futures_util::StreamExt;
use http_semantics::idempotency::IdempotencyKey;
use http_semantics::json::Object;
use http_semantics::timing::Timings;
use http_semantics::{MediaType, Params, Preconditions, Problem, negotiation};
use worker::Context;

use crate::env::Env;
use crate::error::Error;
use crate::http::chunks::full_chunks;
use crate::http::request_parts::{Method, RequestParts};

/// The maximum size of a body with one record.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// The media type of a body with a record.
pub const JSON: &[&str] = &["application/json"];

/// The media types of a merge patch.
pub const MERGE_PATCH: &[&str] = &["application/merge-patch+json", "application/json"];

/// How often a write is tried if other writes are faster.
pub const MAX_WRITE_ATTEMPTS: usize = 8;

/// A body that is too large is read up to this multiple of its limit. A client reads no response
/// while it sends, and would not see the problem.
const DRAIN_FACTOR: usize = 4;

/// A request.
#[derive(Clone)]
pub struct Request {
    /// The request itself.
    pub parts: RequestParts,
    /// The bindings.
    pub env: Env,
    /// Runs code after the response (`wait_until`).
    pub context: Rc<Context>,
    /// Whether `If-None-Match` is ignored: a cache that knows the client's response is stale
    /// forwards its request unconditionally (RFC 9111, 4.3).
    pub(crate) is_unconditional: bool,
    /// The path without its version, as in the route table.
    pub path: String,
    /// The query string, without the `?`.
    pub query: String,
    /// The variable segments of the path, in the order of the route.
    pub segments: Vec<String>,
    /// Whether `Accept` was read, so that the response depends on it.
    pub(crate) is_negotiated: Rc<Cell<bool>>,
    /// The timings of the services.
    pub timings: Rc<RefCell<Timings>>,
}

impl Request {
    /// The id in the path.
    ///
    /// # Errors
    /// An invalid id.
    pub fn id<T: Param>(&self) -> Result<T, Problem> {
        self.segments
            .first()
            .and_then(|segment| T::parse(segment))
            .ok_or_else(|| Problem::invalid_parameter("id", T::EXPECTED))
    }

    /// The query parameters. Only `known` ones are allowed.
    ///
    /// # Errors
    /// An unknown or repeated parameter.
    pub fn params(&self, known: &'static [&'static str]) -> Result<Params, Problem> {
        Params::parse(&self.query, known)
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
        self.header(name)
            .map(|text| T::parse(&text).ok_or_else(|| Problem::invalid_header(name, T::EXPECTED)))
            .transpose()
    }

    /// Whether the response has no body.
    #[must_use]
    pub fn is_head(&self) -> bool {
        self.parts.method == Method::Head
    }

    /// The format that the client prefers, of those that are offered.
    ///
    /// # Errors
    /// An `Accept` that allows none of them.
    pub fn format<F: negotiation::Negotiable>(&self, offered: &[F]) -> Result<F, Problem> {
        self.is_negotiated.set(true);
        negotiation::choose(self.header("accept").as_deref(), offered)
            .ok_or_else(|| Problem::not_acceptable(offered))
    }

    /// `If-Match` and `If-None-Match`.
    ///
    /// # Errors
    /// An invalid header.
    pub fn preconditions(&self) -> Result<Preconditions, Problem> {
        Ok(Preconditions {
            if_match: self.header_as("if-match")?,
            if_none_match: if self.is_unconditional {
                None
            } else {
                self.header_as("if-none-match")?
            },
        })
    }

    /// The change sequence of the list that the client has in this format, by `If-None-Match`.
    ///
    /// # Errors
    /// An invalid header.
    pub fn known_change_seq(&self, format: MediaType) -> Result<Option<i64>, Problem> {
        let known = self.preconditions()?.known_change_seqs(format);
        Ok(known.map(|[counter]| counter))
    }

    /// `Idempotency-Key`.
    ///
    /// # Errors
    /// An invalid header.
    pub fn idempotency_key(&self) -> Result<Option<IdempotencyKey>, Problem> {
        self.header_as("idempotency-key")
    }

    /// The media type of the body, one of those that are accepted.
    ///
    /// # Errors
    /// Another media type, none, or an encoded body.
    pub fn media_type(&self, accepted: &[&'static str]) -> Result<&'static str, Problem> {
        let given = self.header("content-type").unwrap_or_default();
        let given = given.split(';').next().unwrap_or_default().trim();
        let known = accepted
            .iter()
            .find(|known| known.eq_ignore_ascii_case(given));
        let encoding = self.header("content-encoding");
        let is_plain = encoding.is_none_or(|encoding| encoding.eq_ignore_ascii_case("identity"));
        known
            .filter(|_| is_plain)
            .copied()
            .ok_or_else(|| Problem::unsupported_media_type(accepted))
    }

    /// The body, of at most so many bytes.
    ///
    /// # Errors
    /// A larger body.
    pub async fn body(&self, most: usize) -> Result<Vec<u8>, Error> {
        let too_large = || Problem::body_too_large(most);
        let announced = self.header("content-length");
        let announced = announced.and_then(|length| length.parse::<usize>().ok());
        let fits = announced.is_none_or(|length| length <= most);
        let mut body = Vec::with_capacity(announced.filter(|_| fits).unwrap_or_default());
        let mut chunks = Box::pin(full_chunks(self.parts.request.body()));
        let mut length = 0;
        while length <= most * DRAIN_FACTOR
            && let Some(chunk) = chunks.next().await
        {
            let chunk = chunk.map_err(Error::platform("reading the body"))?;
            length += chunk.len();
            if fits && length <= most {
                body.extend_from_slice(&chunk);
            }
        }
        if length > most || !fits {
            return Err(too_large().into());
        }
        Ok(body)
    }

    /// The body as one JSON object.
    ///
    /// # Errors
    /// A body of another media type, too large, or not an object.
    pub async fn json_object(&self, accepted: &[&'static str]) -> Result<(Object, Vec<u8>), Error> {
        self.media_type(accepted)?;
        let body = self.body(MAX_RECORD_BYTES).await?;
        Ok((Object::parse(&body)?, body))
    }
}
