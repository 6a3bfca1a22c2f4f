//! What a handler answers, turned into a platform response in one place.

use js_sys::JsString;
use registry::{Problem, problem};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, ReadableStream, Response, ResponseInit};

use crate::Error;

/// A body.
pub enum Body {
    /// None at all.
    Empty,
    /// A text, or a stream of bytes, that JavaScript holds.
    Js(JsValue),
    /// A text of our own.
    Text(String),
    /// Bytes of our own.
    Bytes(Vec<u8>),
    /// Another worker's whole answer, passed on as it is.
    Passed(Response),
}

/// Status, headers and body.
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
}

impl Answer {
    /// 200 with a body of a media type.
    #[must_use]
    pub fn ok(media_type: &str, body: Body) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body,
        }
        .header("content-type", media_type)
    }

    /// 204 for OPTIONS: the methods that the route answers.
    #[must_use]
    pub fn options(allow: &'static str) -> Self {
        Self {
            status: 204,
            headers: Vec::new(),
            body: Body::Empty,
        }
        .header("allow", allow)
    }

    /// A problem.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let body = Body::Text(problem.to_json());
        let answer = Self {
            status: problem.status(),
            headers: Vec::new(),
            body,
        }
        .header("content-type", problem::MEDIA_TYPE);
        match problem.allow() {
            Some(allow) => answer.header("allow", allow),
            None => answer,
        }
    }

    /// Another worker's answer, as it is.
    #[must_use]
    pub fn passed(response: Response) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: Body::Passed(response),
        }
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

    /// The same without a body, for HEAD.
    #[must_use]
    pub fn without_body(self) -> Self {
        match self.body {
            Body::Passed(_) => self,
            _ => Self {
                body: Body::Empty,
                ..self
            },
        }
    }

    /// The platform's response.
    ///
    /// # Errors
    /// What the platform throws.
    pub fn into_response(self) -> Result<Response, Error> {
        let thrown = Error::platform("making a response");
        if let Body::Passed(response) = self.body {
            return Ok(response);
        }
        let headers = Headers::new().map_err(&thrown)?;
        for (name, value) in &self.headers {
            headers.set(name, value).map_err(&thrown)?;
        }
        headers
            .set("x-content-type-options", "nosniff")
            .map_err(&thrown)?;
        let init = ResponseInit::new();
        init.set_status(self.status);
        init.set_headers(&headers);
        match self.body {
            Body::Empty | Body::Passed(_) => {
                Response::new_with_opt_readable_stream_and_init(None, &init)
            }
            // The constructor takes any kind of body; its binding for streams is the
            // one that hands a value through untouched, a text as well.
            Body::Js(value) => Response::new_with_opt_readable_stream_and_init(
                Some(value.unchecked_ref::<ReadableStream>()),
                &init,
            ),
            Body::Text(text) => Response::new_with_opt_readable_stream_and_init(
                Some(JsString::from(text).unchecked_ref::<ReadableStream>()),
                &init,
            ),
            Body::Bytes(bytes) => Response::new_with_opt_readable_stream_and_init(
                Some(js_sys::Uint8Array::from(bytes.as_slice()).unchecked_ref::<ReadableStream>()),
                &init,
            ),
        }
        .map_err(thrown)
    }
}
