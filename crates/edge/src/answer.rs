//! What a handler answers, turned into a platform response in one place.

use std::cell::{Cell, OnceCell};

use futures_util::stream::LocalBoxStream;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use js_sys::{JsString, Uint8Array};
use registry::media::Frame;
use registry::trace::RequestId;
use registry::{Format, Problem, Tag, problem};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, ReadableStream, Response, ResponseInit};

use crate::proof::Marks;
use crate::reading::BOOKMARK;
use crate::trace::REQUEST_ID;
use crate::{Error, gather};

/// A body.
pub enum Body {
    /// None at all.
    Empty,
    /// A text that JavaScript holds.
    Js(JsValue),
    /// Bytes as they come. Nothing runs until somebody reads them.
    Stream(LocalBoxStream<'static, Result<JsValue, JsValue>>),
    /// A text of our own.
    Text(String),
    /// Bytes of our own.
    Bytes(Vec<u8>),
    /// A problem, until it is known of which request.
    Problem(Box<Problem>),
    /// Another worker's whole answer, passed on as it is.
    Passed(Response),
}

impl Body {
    /// A body that comes in parts. When one of them fails the body must not be taken for
    /// whole, and a connection's end alone does not tell: so it ends with a record that is
    /// not finished, which says what failed and which no reader of JSON accepts.
    #[must_use]
    pub fn stream(
        parts: impl Stream<Item = Result<Vec<u8>, Error>> + 'static,
        frame: Frame,
    ) -> Self {
        let parts = parts.map_ok(|bytes| Uint8Array::from(bytes.as_slice()));
        Self::ended(parts, move |problem| {
            let problem = problem.to_json();
            let open = problem.strip_suffix('}').unwrap_or_default();
            format!("{}{open}", frame.between)
        })
    }

    /// The same, with what ends a body that failed.
    #[must_use]
    pub fn ended(
        parts: impl Stream<Item = Result<Uint8Array, Error>> + 'static,
        unfinished: impl Fn(&Problem) -> String + 'static,
    ) -> Self {
        let chunks = parts.flat_map(move |part| {
            let chunks = match part {
                Ok(bytes) => vec![Ok(bytes)],
                Err(error) => vec![
                    Ok(unfinished(&error.into_problem()).as_bytes().into()),
                    Err(js_sys::Error::new("the answer broke off").into()),
                ],
            };
            stream::iter(chunks)
        });
        let chunks = chunks.map_ok(JsValue::from);
        Self::Stream(chunks.boxed_local())
    }

    /// The same for HEAD: a text stays, because the platform tells its length and sends none
    /// of it, and a stream is never begun.
    fn unread(self) -> Self {
        match self {
            Self::Stream(_) => Self::Empty,
            other => other,
        }
    }

    /// The body as the platform takes it, if there is one.
    fn into_js(self) -> Option<JsValue> {
        match self {
            Self::Empty | Self::Passed(_) => None,
            Self::Js(value) => Some(value),
            Self::Stream(chunks) => {
                let stream = wasm_streams::ReadableStream::from_stream(chunks);
                Some(stream.into_raw().into())
            }
            Self::Text(text) => Some(JsString::from(text).into()),
            Self::Bytes(bytes) => Some(Uint8Array::from(bytes.as_slice()).into()),
            Self::Problem(problem) => Some(JsString::from(problem.to_json()).into()),
        }
    }
}

#[wasm_bindgen]
extern "C" {
    type TextEncoder;

    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;

    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsValue) -> Uint8Array;
}

/// The bytes of a text that JavaScript holds: it is not copied into wasm for that.
pub fn encoded(text: &JsValue) -> Uint8Array {
    TextEncoder::new().encode(text)
}

/// Status, headers and body.
pub struct Answer {
    status: u16,
    /// What all answers of its kind say, as headers that one call copies.
    common: Common,
    headers: Vec<(&'static str, String)>,
    body: Body,
    marks: Option<Marks>,
    lacks: Option<Problem>,
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

/// An answer that can go out again and again.
#[derive(Clone)]
pub struct Fixed {
    headers: Vec<(&'static str, String)>,
    /// The same as headers, once they have been needed.
    common: OnceCell<Headers>,
    body: JsValue,
    /// The marks of the registers that it is made from.
    pub marks: Marks,
    /// The bytes of its body, about.
    pub bytes: usize,
    /// When it was asked for, in milliseconds since 1970: it was right then, or later.
    pub at: i64,
    /// Whether who keeps answers has it already.
    pub is_kept: Cell<bool>,
}

impl Fixed {
    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body: a text, or bytes.
    #[must_use]
    pub fn body(&self) -> &JsValue {
        &self.body
    }

    /// Its entity tag.
    #[must_use]
    pub fn etag(&self) -> Option<String> {
        self.header("etag").map(ToOwned::to_owned)
    }

    fn common(&self) -> Option<Headers> {
        if self.common.get().is_none() {
            let common = for_browsers().ok()?;
            add(&common, &self.headers).ok()?;
            let _ = self.common.set(common);
        }
        self.common.get().cloned()
    }

    /// The answer, once more.
    #[must_use]
    pub fn answer(&self) -> Answer {
        let answer = Answer::new(200, Body::Js(self.body.clone()));
        match self.common() {
            Some(common) => Answer {
                common: Common::Held(common),
                ..answer
            },
            None => Answer {
                headers: self.headers.clone(),
                ..answer
            },
        }
    }
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

    /// Gives the answer to be kept, as one that was asked for at a time, if it is a 200 of which
    /// the marks are known; one that comes in parts is given once the last of them has gone out,
    /// if all of it has `most` bytes at most.
    #[must_use]
    pub fn kept(self, at: i64, most: usize, keep: impl FnOnce(Fixed) + 'static) -> Self {
        let Some(marks) = self.marks.filter(|_| self.status == 200) else {
            return self;
        };
        let headers = self.headers.clone();
        let fixed = move |body, bytes| Fixed {
            headers,
            common: OnceCell::new(),
            body,
            marks,
            bytes,
            at,
            is_kept: Cell::new(false),
        };
        let body = match self.body {
            Body::Js(body) => {
                if let Some(text) = body.dyn_ref::<JsString>() {
                    keep(fixed(body.clone(), text.length() as usize));
                }
                Body::Js(body)
            }
            Body::Text(text) => {
                keep(fixed(JsString::from(text.as_str()).into(), text.len()));
                Body::Text(text)
            }
            Body::Bytes(bytes) => {
                let held = Uint8Array::from(bytes.as_slice());
                keep(fixed(held.into(), bytes.len()));
                Body::Bytes(bytes)
            }
            Body::Stream(chunks) => {
                let keep = move |whole: Uint8Array| {
                    let bytes = whole.length() as usize;
                    keep(fixed(whole.into(), bytes));
                };
                Body::Stream(gather::gathered(chunks, most, keep))
            }
            other => other,
        };
        Self { body, ..self }
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

    /// 204, for another worker: all that it says is in its headers.
    #[must_use]
    pub fn to_worker() -> Self {
        Self {
            common: Common::Nothing,
            ..Self::no_content()
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

    /// Has browsers keep to TLS (RFC 6797), where it came by TLS.
    #[must_use]
    pub fn secure(self, is_secure: bool) -> Self {
        let policy = Some("max-age=31536000; includeSubDomains").filter(|_| is_secure);
        self.header_if("strict-transport-security", policy)
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

/// What every answer says to a browser, unless it says something else itself.
const SAID: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

thread_local! {
    /// The same as headers, which one call copies.
    static EVERY: Result<Headers, JsValue> = Headers::new().and_then(|headers| {
        for (name, value) in SAID {
            headers.set(name, value)?;
        }
        Ok(headers)
    });
}

/// New headers, with what every answer says to a browser.
fn for_browsers() -> Result<Headers, JsValue> {
    EVERY.with(|every| {
        let every = every.as_ref().map_err(Clone::clone)?;
        Headers::new_with_headers(every)
    })
}

/// Adds headers: one of a name, but for those that an answer varies by.
fn add(to: &Headers, headers: &[(&'static str, String)]) -> Result<(), JsValue> {
    for (name, value) in headers {
        if *name == "vary" {
            to.append(name, value)?;
        } else {
            to.set(name, value)?;
        }
    }
    Ok(())
}
