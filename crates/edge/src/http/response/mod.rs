//! The response of a handler: status, headers and body. Only [`Response::into_response`] converts
//! it into the web `Response` of the platform.

mod body;
mod cached_copy;

use std::rc::Rc;

use domain::Param;
use http_semantics::etag::Tags;
use http_semantics::trace::RequestId;
use http_semantics::{MediaType, Problem, Tag, problem};
use js_sys::Uint8Array;
use tables::ChangeSeqs;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, ReadableStream, ResponseInit};
use worker::worker_sys;

use self::cached_copy::FutureCopy;
use crate::collection::CHANGE_SEQ_HEADER;
use crate::env::consistency::BOOKMARK_HEADER;
use crate::env::trace::REQUEST_ID_HEADER;
use crate::error::Error;
use crate::http::headers::{self, add, for_browsers};

pub use body::{Body, encode_utf8};
pub use cached_copy::CachedResponse;

/// When a response of the shared cache was certainly current, in milliseconds since 1970.
pub const CURRENT_AT_HEADER: &str = "x-current-at";

/// The headers of a response that are only for the request that caused it, or from the platform's cache.
const OF_ONE_REQUEST: [&str; 8] = [
    "age",
    "cf-cache-status",
    CURRENT_AT_HEADER,
    REQUEST_ID_HEADER,
    BOOKMARK_HEADER,
    "server-timing",
    "access-control-allow-origin",
    "access-control-expose-headers",
];

/// A response.
pub struct Response {
    status: u16,
    base_headers: BaseHeaders,
    headers: Vec<(&'static str, String)>,
    body: Body,
    /// The change sequences at which it was made, if it may be cached.
    change_seqs: Option<ChangeSeqs>,
    /// Why it is partial.
    partial_reason: Option<Problem>,
    /// Its copy for the caches.
    copy: Option<FutureCopy>,
}

/// The headers to start from. They exist in JavaScript already, so one call copies all of them.
enum BaseHeaders {
    /// The headers for browsers.
    Browser,
    /// No headers: another worker receives the response.
    Empty,
    /// The headers of a cached response.
    Cached(Headers),
}

impl Response {
    fn new(status: u16, body: Body) -> Self {
        Self {
            status,
            base_headers: BaseHeaders::Browser,
            headers: Vec::new(),
            body,
            change_seqs: None,
            partial_reason: None,
            copy: None,
        }
    }

    /// Marks the response as partial, because of this problem.
    #[must_use]
    pub fn partial(self, problem: Problem) -> Self {
        Self {
            partial_reason: Some(problem),
            ..self
        }
    }

    /// Takes the reason why the response is partial, if it is.
    pub fn take_partial_reason(&mut self) -> Option<Problem> {
        self.partial_reason.take()
    }

    /// Sets the change sequences at which the response was made, so that it can be cached.
    #[must_use]
    pub fn with_change_seqs(self, change_seqs: Option<ChangeSeqs>) -> Self {
        Self {
            change_seqs,
            ..self
        }
    }

    /// The change sequences at which the response was made, or which a 304 has read.
    #[must_use]
    pub fn change_seqs(&self) -> Option<ChangeSeqs> {
        self.change_seqs
    }

    /// Whether this is a 304.
    #[must_use]
    pub fn is_not_modified(&self) -> bool {
        self.status == 304
    }

    /// An HTML page.
    #[must_use]
    pub fn html(status: u16, body: Body) -> Self {
        Self::new(status, body).header("content-type", "text/html; charset=utf-8")
    }

    /// 303: the form was processed, and the browser continues there.
    #[must_use]
    pub fn see_other(location: impl Into<String>) -> Self {
        Self::new(303, Body::Empty).header("location", location)
    }

    /// 200 with a body of a media type.
    #[must_use]
    pub fn ok(media_type: &str, body: Body) -> Self {
        Self::new(200, body).header("content-type", media_type)
    }

    /// 200 with JSON that was serialized in wasm.
    #[must_use]
    pub fn json(text: String) -> Self {
        Self::ok(MediaType::Json.content_type(), Body::Text(text))
    }

    /// 200 with a record and its entity tag. An intermediary may not change the encoding, because it
    /// would weaken the tag (RFC 9111, 5.2.2.6).
    #[must_use]
    pub fn record(body: Body, tag: &Tag) -> Self {
        Self::ok(MediaType::Json.content_type(), body)
            .header("cache-control", "no-transform")
            .with_etag(tag)
    }

    /// Turns the response into a 201 with the address of the new record.
    #[must_use]
    pub fn created(self, location: String) -> Self {
        Self {
            status: 201,
            ..self.header("location", location)
        }
    }

    /// The status that the client gets.
    pub(crate) fn status(&self) -> u16 {
        match &self.body {
            Body::Proxied(response) => response.status(),
            _ => self.status,
        }
    }

    /// 202: the work continues, and its status is at this address.
    #[must_use]
    pub fn accepted(location: String) -> Self {
        Self::new(202, Body::Empty).header("location", location)
    }

    /// 204: the request succeeded, and there is no body.
    #[must_use]
    pub fn no_content() -> Self {
        Self::new(204, Body::Empty)
    }

    /// 304: the client's response is still valid.
    #[must_use]
    pub fn not_modified(tag: &Tag) -> Self {
        Self::new(304, Body::Empty).with_etag(tag)
    }

    /// 304: the cached response was made at these change sequences, and they are still current.
    #[must_use]
    pub fn unchanged(change_seqs: ChangeSeqs) -> Self {
        Self::new(304, Body::Empty).with_change_seqs(Some(change_seqs))
    }

    /// 304 instead of 200 if the client has one of the tags (`If-None-Match`). `*` matches every current
    /// representation (RFC 9110, 13.1.2). A partial response is not one, and a proxied response has been
    /// checked by the other worker. A statement compares only the newest tag, so a handler sends 200 to
    /// a client that also has a tag with another epoch.
    #[must_use]
    pub fn unless_known(self, known: &Tags) -> Self {
        let is_proxied = matches!(self.body, Body::Proxied(_));
        if self.status != 200 || self.partial_reason.is_some() || is_proxied {
            return self;
        }
        let etag = self.headers.iter().find(|(name, _)| *name == "etag");
        let etag = etag.map(|(_, value)| value.clone());
        let tag = etag.as_deref().and_then(Tag::parse);
        if *known == Tags::Any || tag.is_some_and(|tag| known.has(&tag)) {
            return Self::new(304, Body::Empty).header_if("etag", etag);
        }
        self
    }

    /// 204 for OPTIONS: the methods of the route.
    #[must_use]
    pub fn options(allow: &str) -> Self {
        Self::no_content().header("allow", allow)
    }

    /// The value of `Allow`.
    #[must_use]
    pub fn allow(&self) -> Option<String> {
        if let Body::Proxied(response) = &self.body {
            return headers::get(&response.headers(), "allow");
        }
        let mut headers = self.headers.iter();
        let allow = headers.find(|(name, _)| *name == "allow");
        allow.map(|(_, value)| value.clone())
    }

    /// The response that shows a problem.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let body = Body::Problem(Box::new(problem.clone()));
        let mut response = Self::new(problem.status(), body);
        response.headers = problem.headers().to_vec();
        response.header("content-type", problem::MEDIA_TYPE)
    }

    /// Adds the entity tag.
    #[must_use]
    pub fn with_etag(self, tag: &Tag) -> Self {
        self.header("etag", tag.to_string())
    }

    /// Another worker's response, to which headers can be added.
    #[must_use]
    pub fn proxied(response: web_sys::Response) -> Self {
        Self::new(200, Body::Proxied(response))
    }

    /// Another worker's 200, whose body has been read, so that it can be sent again.
    ///
    /// # Errors
    /// An exception of the platform.
    pub fn read(headers: &Headers, body: &[u8]) -> Result<Self, Error> {
        let thrown = Error::platform("copying a response");
        let headers = Headers::new_with_headers(headers).map_err(&thrown)?;
        for name in OF_ONE_REQUEST {
            headers.delete(name).map_err(&thrown)?;
        }
        let etag = headers::get(&headers, "etag");
        let body = Body::Js(Uint8Array::from(body).into());
        let response = Self {
            base_headers: BaseHeaders::Cached(headers),
            ..Self::new(200, body)
        };
        Ok(response.header_if("etag", etag))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a header, if there is a value.
    #[must_use]
    pub fn header_if(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// Turns the response to GET into the one to HEAD.
    #[must_use]
    pub fn without_body(self) -> Self {
        Self {
            body: self.body.without_stream(),
            ..self
        }
    }

    /// Adds the request id, also to the body of a problem. A proxied response has it already.
    #[must_use]
    pub fn for_request(mut self, id: &RequestId) -> Self {
        if matches!(self.body, Body::Proxied(_)) {
            return self;
        }
        if let Body::Problem(problem) = self.body {
            self.body = Body::Problem(Box::new(problem.with_request_id(id)));
        }
        self.header(REQUEST_ID_HEADER, id.as_str())
    }

    /// Adds the bookmark of the data that was read. A proxied response has it already, unless this
    /// worker read newer data.
    #[must_use]
    pub fn with_bookmark(self, bookmark: Option<String>) -> Self {
        match bookmark {
            Some(bookmark) if !self.is_proxied_with(BOOKMARK_HEADER, &bookmark) => {
                self.header(BOOKMARK_HEADER, bookmark)
            }
            _ => self,
        }
    }

    /// Whether the response is proxied and has a header with this value.
    fn is_proxied_with(&self, name: &str, value: &str) -> bool {
        let Body::Proxied(response) = &self.body else {
            return false;
        };
        headers::get(&response.headers(), name).as_deref() == Some(value)
    }

    /// Removes what another worker does not read: the headers for browsers, and the request id
    /// except in a problem.
    #[must_use]
    pub fn for_worker(mut self, id: &RequestId) -> Self {
        if matches!(self.body, Body::Problem(_)) {
            return self.for_request(id);
        }
        if matches!(self.base_headers, BaseHeaders::Browser) {
            self.base_headers = BaseHeaders::Empty;
        }
        // The tag of a single record does not tell the change sequence.
        let seq = self.change_seqs.filter(|_| self.is_not_modified());
        self.header_if(CHANGE_SEQ_HEADER, seq.map(|seq| seq.places.to_string()))
    }

    /// Requires TLS from browsers (RFC 6797), for a year. Other names under the same domain may not
    /// have TLS, so they are included only on demand.
    #[must_use]
    pub fn secure(self, includes_subdomains: bool) -> Self {
        let value = if includes_subdomains {
            "max-age=31536000; includeSubDomains"
        } else {
            "max-age=31536000"
        };
        self.header("strict-transport-security", value)
    }

    /// The platform's response. `context` keeps the request running while a stream is read.
    ///
    /// # Errors
    /// An exception of the platform.
    pub fn into_response(
        self,
        context: &Rc<worker_sys::Context>,
    ) -> Result<web_sys::Response, Error> {
        let thrown = Error::platform("making a response");
        if let Body::Proxied(response) = self.body {
            if self.headers.is_empty() {
                return Ok(response);
            }
            // The headers of another worker's response are immutable, but those of a copy are not.
            let init = response.unchecked_ref::<ResponseInit>();
            let body = response.body();
            let copy =
                web_sys::Response::new_with_opt_readable_stream_and_init(body.as_ref(), init);
            let copy = copy.map_err(&thrown)?;
            add(&copy.headers(), &self.headers).map_err(thrown)?;
            return Ok(copy);
        }
        let headers = match &self.base_headers {
            BaseHeaders::Browser => for_browsers(),
            BaseHeaders::Empty => Headers::new(),
            BaseHeaders::Cached(headers) => Headers::new_with_headers(headers),
        };
        let headers = headers.map_err(&thrown)?;
        add(&headers, &self.headers).map_err(&thrown)?;
        let init = ResponseInit::new();
        init.set_status(self.status);
        init.set_headers(&headers);
        // The constructor accepts any kind of body, and its binding for streams passes every value
        // through unchanged.
        let body = self.body.into_js(context);
        let body = body.as_ref().map(JsValue::unchecked_ref::<ReadableStream>);
        web_sys::Response::new_with_opt_readable_stream_and_init(body, &init).map_err(thrown)
    }
}

impl From<Error> for Response {
    fn from(error: Error) -> Self {
        Response::problem(&error.into_problem())
    }
}
