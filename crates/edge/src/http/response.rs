//! The response of a handler, and the one place that turns it into a platform response.

mod body;
mod cached;
mod copy;
mod headers;

use http_semantics::trace::RequestId;
use http_semantics::{MediaType, Problem, Tag, problem};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, ReadableStream, ResponseInit};

use self::copy::FutureCopy;
use self::headers::{add, for_browsers};
use crate::change_seqs::ChangeSeqs;
use crate::d1::consistency::BOOKMARK_HEADER;
use crate::error::Error;
use crate::layers::trace::REQUEST_ID_HEADER;

pub use body::{Body, encode_utf8};
pub use cached::CachedResponse;

/// Status, headers and body.
pub struct Response {
    status: u16,
    /// The headers that all responses of its kind share, which one call copies.
    common: Common,
    headers: Vec<(&'static str, String)>,
    body: Body,
    change_seqs: Option<ChangeSeqs>,
    partial_reason: Option<Problem>,
    copy: Option<FutureCopy>,
}

/// Headers that exist already.
enum Common {
    /// Those for a browser.
    Browser,
    /// None: another worker receives the response.
    Nothing,
    /// Those of a cached response.
    Cached(Headers),
}

impl Response {
    fn new(status: u16, body: Body) -> Self {
        Self {
            status,
            common: Common::Browser,
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

    /// The reason why the response is partial.
    pub fn take_partial_reason(&mut self) -> Option<Problem> {
        self.partial_reason.take()
    }

    /// Says at which change sequences the response was made: it can then be cached.
    #[must_use]
    pub fn with_change_seqs(self, change_seqs: Option<ChangeSeqs>) -> Self {
        Self {
            change_seqs,
            ..self
        }
    }

    /// A page for a browser.
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

    /// 200 with a record and its tag.
    #[must_use]
    pub fn record(body: Body, tag: &Tag) -> Self {
        Self::ok(MediaType::Json.content_type(), body).with_etag(tag)
    }

    /// The same as 201, with the address of the new record.
    #[must_use]
    pub fn created(self, location: String) -> Self {
        Self {
            status: 201,
            ..self.header("location", location)
        }
    }

    /// 204: done, without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self::new(204, Body::Empty)
    }

    /// 304: the client's response is still valid.
    #[must_use]
    pub fn not_modified(tag: &Tag) -> Self {
        Self::new(304, Body::Empty).with_etag(tag)
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
            return response.headers().get("allow").ok().flatten();
        }
        let mut headers = self.headers.iter();
        let allow = headers.find(|(name, _)| *name == "allow");
        allow.map(|(_, value)| value.clone())
    }

    /// A problem.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let body = Body::Problem(Box::new(problem.clone()));
        let mut answer = Self::new(problem.status(), body);
        answer.headers = problem.headers().to_vec();
        answer.header("content-type", problem::MEDIA_TYPE)
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

    /// The response to HEAD.
    #[must_use]
    pub fn without_body(self) -> Self {
        Self {
            body: self.body.without_stream(),
            ..self
        }
    }

    /// Adds the request id, also to a problem's body. Another worker's response has it already.
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

    /// Adds the bookmark of what was read. Another worker's response has it already, unless this
    /// worker read more.
    #[must_use]
    pub fn with_bookmark(self, token: Option<String>) -> Self {
        match token {
            Some(token) if !self.says(BOOKMARK_HEADER, &token) => {
                self.header(BOOKMARK_HEADER, token)
            }
            _ => self,
        }
    }

    /// Whether another worker's response has a header with this value.
    fn says(&self, name: &str, value: &str) -> bool {
        let Body::Proxied(response) = &self.body else {
            return false;
        };
        let said = response.headers().get(name).ok().flatten();
        said.as_deref() == Some(value)
    }

    /// Leaves out what another worker does not read: the headers for browsers, and the request id
    /// except in a problem.
    #[must_use]
    pub fn for_worker(mut self, id: &RequestId) -> Self {
        if matches!(self.body, Body::Problem(_)) {
            return self.for_request(id);
        }
        if matches!(self.common, Common::Browser) {
            self.common = Common::Nothing;
        }
        self
    }

    /// Requires TLS from browsers (RFC 6797).
    #[must_use]
    pub fn secure(self) -> Self {
        self.header(
            "strict-transport-security",
            "max-age=31536000; includeSubDomains",
        )
    }

    /// The platform's response.
    ///
    /// # Errors
    /// What the platform throws.
    pub fn into_response(self) -> Result<web_sys::Response, Error> {
        let thrown = Error::platform("making a response");
        if let Body::Proxied(response) = self.body {
            if self.headers.is_empty() {
                return Ok(response);
            }
            // Another worker's response cannot be changed, but a copy can.
            let like_it = response.unchecked_ref::<ResponseInit>();
            let body = response.body();
            let copy =
                web_sys::Response::new_with_opt_readable_stream_and_init(body.as_ref(), like_it);
            let copy = copy.map_err(&thrown)?;
            add(&copy.headers(), &self.headers).map_err(thrown)?;
            return Ok(copy);
        }
        let headers = match &self.common {
            Common::Browser => for_browsers(),
            Common::Nothing => Headers::new(),
            Common::Cached(common) => Headers::new_with_headers(common),
        };
        let headers = headers.map_err(&thrown)?;
        add(&headers, &self.headers).map_err(&thrown)?;
        let init = ResponseInit::new();
        init.set_status(self.status);
        init.set_headers(&headers);
        // The constructor accepts any kind of body. Its binding for streams passes any value
        // through unchanged, also a string.
        let body = self.body.into_js();
        let body = body.as_ref().map(JsValue::unchecked_ref::<ReadableStream>);
        web_sys::Response::new_with_opt_readable_stream_and_init(body, &init).map_err(thrown)
    }
}

impl From<Error> for Response {
    fn from(error: Error) -> Self {
        Response::problem(&error.into_problem())
    }
}
