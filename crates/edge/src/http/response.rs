//! What a handler answers, turned into a platform response in one place.

mod body;
mod copy;
mod fixed;
mod headers;

use http_semantics::trace::RequestId;
use http_semantics::{Format, Problem, Tag, problem};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, ReadableStream, Response, ResponseInit};

use self::copy::FutureCopy;
use self::headers::{add, for_browsers};
use crate::Error;
use crate::coalescer::revalidation::Marks;
use crate::d1::consistency::BOOKMARK;
use crate::layers::trace::REQUEST_ID;

pub use body::{Body, encoded};
pub use fixed::Fixed;

/// Status, headers and body.
pub struct Answer {
    status: u16,
    /// What all answers of its kind say, as headers that one call copies.
    common: Common,
    headers: Vec<(&'static str, String)>,
    body: Body,
    marks: Option<Marks>,
    lacks: Option<Problem>,
    copy: Option<FutureCopy>,
}

/// Headers that are there already.
enum Common {
    /// Those for a browser.
    Browser,
    /// None: another worker alone gets the answer.
    Nothing,
    /// Those of an answer that is held.
    Held(Headers),
}

impl Answer {
    fn new(status: u16, body: Body) -> Self {
        Self {
            status,
            common: Common::Browser,
            headers: Vec::new(),
            body,
            marks: None,
            lacks: None,
            copy: None,
        }
    }

    /// Says that something is missing in it, and why.
    #[must_use]
    pub fn lacking(self, problem: Problem) -> Self {
        Self {
            lacks: Some(problem),
            ..self
        }
    }

    /// Why something is missing in it, if it is.
    pub fn lacks(&mut self) -> Option<Problem> {
        self.lacks.take()
    }

    /// Says which registers' state it is made from.
    #[must_use]
    pub fn of_marks(self, marks: Option<Marks>) -> Self {
        Self { marks, ..self }
    }

    /// A page for a browser.
    #[must_use]
    pub fn page(status: u16, body: Body) -> Self {
        Self::new(status, body).header("content-type", "text/html; charset=utf-8")
    }

    /// 303: what was sent is done, and this is to be read next.
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
        Self::ok(Format::Json.media_type(), body).tagged(tag)
    }

    /// The same as 201, with where the new record is.
    #[must_use]
    pub fn created(self, location: String) -> Self {
        Self {
            status: 201,
            ..self.header("location", location)
        }
    }

    /// 204: it is done, and there is nothing to show.
    #[must_use]
    pub fn no_content() -> Self {
        Self::new(204, Body::Empty)
    }

    /// 304: what the reader has is what there is.
    #[must_use]
    pub fn not_modified(tag: &Tag) -> Self {
        Self::new(304, Body::Empty).tagged(tag)
    }

    /// 204 for OPTIONS: the methods that the route answers.
    #[must_use]
    pub fn options(allow: &str) -> Self {
        Self::no_content().header("allow", allow)
    }

    /// The methods that an answer names.
    #[must_use]
    pub fn allow(&self) -> Option<String> {
        if let Body::Passed(response) = &self.body {
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
    pub fn tagged(self, tag: &Tag) -> Self {
        self.header("etag", tag.to_string())
    }

    /// Another worker's answer, as it is but for headers that are added to it.
    #[must_use]
    pub fn passed(response: Response) -> Self {
        Self::new(200, Body::Passed(response))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Adds a header, where there is a value.
    #[must_use]
    pub fn header_if(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// The same for HEAD.
    #[must_use]
    pub fn unread(self) -> Self {
        Self {
            body: self.body.unread(),
            ..self
        }
    }

    /// Says what the request is called, in a problem's body, too. What another worker answered
    /// says so already.
    #[must_use]
    pub fn of_request(mut self, id: &RequestId) -> Self {
        if matches!(self.body, Body::Passed(_)) {
            return self;
        }
        if let Body::Problem(problem) = self.body {
            self.body = Body::Problem(Box::new(problem.of_request(id)));
        }
        self.header(REQUEST_ID, id.as_str())
    }

    /// Tells how far the registers have been seen. What another worker answered says so already,
    /// unless this one has seen more.
    #[must_use]
    pub fn seen(self, token: Option<String>) -> Self {
        match token {
            Some(token) if !self.says(BOOKMARK, &token) => self.header(BOOKMARK, token),
            _ => self,
        }
    }

    /// Whether another worker's answer has a header with this value.
    fn says(&self, name: &str, value: &str) -> bool {
        let Body::Passed(response) = &self.body else {
            return false;
        };
        let said = response.headers().get(name).ok().flatten();
        said.as_deref() == Some(value)
    }

    /// Leaves out what is for browsers, and what the request is called but in a problem: another
    /// worker reads no more of it.
    #[must_use]
    pub fn for_worker(mut self, id: &RequestId) -> Self {
        if matches!(self.body, Body::Problem(_)) {
            return self.of_request(id);
        }
        if matches!(self.common, Common::Browser) {
            self.common = Common::Nothing;
        }
        self
    }

    /// Has browsers keep to TLS (RFC 6797).
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
    pub fn into_response(self) -> Result<Response, Error> {
        let thrown = Error::platform("making a response");
        if let Body::Passed(response) = self.body {
            if self.headers.is_empty() {
                return Ok(response);
            }
            // Another worker's answer cannot be changed, but one like it can.
            let like_it = response.unchecked_ref::<ResponseInit>();
            let body = response.body();
            let copy = Response::new_with_opt_readable_stream_and_init(body.as_ref(), like_it);
            let copy = copy.map_err(&thrown)?;
            add(&copy.headers(), &self.headers).map_err(thrown)?;
            return Ok(copy);
        }
        let headers = match &self.common {
            Common::Browser => for_browsers(),
            Common::Nothing => Headers::new(),
            Common::Held(common) => Headers::new_with_headers(common),
        };
        let headers = headers.map_err(&thrown)?;
        add(&headers, &self.headers).map_err(&thrown)?;
        let init = ResponseInit::new();
        init.set_status(self.status);
        init.set_headers(&headers);
        // The constructor takes any kind of body; its binding for streams is the one that hands
        // a value through untouched, a text as well.
        let body = self.body.into_js();
        let body = body.as_ref().map(JsValue::unchecked_ref::<ReadableStream>);
        Response::new_with_opt_readable_stream_and_init(body, &init).map_err(thrown)
    }
}
