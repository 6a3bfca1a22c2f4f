//! The calls of a service: sends the worker's own requests, forwards the requests of clients, and
//! reads the bodies of responses.

use http_semantics::Tag;
use http_semantics::actor::Actor;
use http_semantics::auth::BearerToken;
use http_semantics::from_json::{self, FromJson};
use js_sys::{ArrayBuffer, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, RequestInit};

use super::call_policy::CallPolicy;
use super::{
    ACTOR_HEADER, CALLER_HEADER, FORWARDED_HEADER, PROTOCOL_VERSION, PROTOCOL_VERSION_HEADER,
    SERVICE_SECRET_HEADER, ServiceClient,
};
use crate::env::consistency::BOOKMARK_HEADER;
use crate::env::trace::REQUEST_ID_HEADER;
use crate::error::Error;
use crate::http::chunks::{self, Reader};
use crate::http::headers;
use crate::http::request::{Method, RequestParts};
use crate::http::response::Response;
use crate::time::{race_with_timer, timer};

/// The headers that only the gateway reads: a client's credentials, and the origin that the gateway
/// has checked. A backend would compare it with its own host.
const FOR_THE_GATEWAY: [&str; 3] = ["authorization", "cookie", "origin"];

/// The headers of one connection, which no intermediary forwards (RFC 9110, 7.6.1).
const CONNECTION: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Removes the headers of a client's connection, and those that `Connection` names. A client could
/// otherwise name one of our own headers, and the next intermediary would remove it.
fn remove_connection_headers(headers: &Headers) -> Result<(), JsValue> {
    let named = headers.get("connection")?.unwrap_or_default();
    for name in named.split(',') {
        // An invalid name throws, and is no header that could be forwarded.
        let _ = headers.delete(name.trim());
    }
    CONNECTION.iter().try_for_each(|name| headers.delete(name))
}

/// Sends requests.
impl ServiceClient {
    /// Sends a GET.
    ///
    /// # Errors
    /// A problem that names the service, if it failed (any 5xx) or timed out.
    pub async fn get(&self, path: &str) -> Result<web_sys::Response, Error> {
        self.send("GET", path, &[], None).await
    }

    /// Sends a GET or a HEAD. With a tag it is conditional: a 304 if the tag is current.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn read(
        &self,
        method: &str,
        path: &str,
        tag: Option<&Tag>,
    ) -> Result<web_sys::Response, Error> {
        let tag = tag.map(ToString::to_string);
        let headers = tag.as_deref().map(|tag| ("if-none-match", tag));
        self.send(method, path, headers.as_slice(), None).await
    }

    /// Sends a HEAD.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn head(&self, path: &str) -> Result<web_sys::Response, Error> {
        self.send("HEAD", path, &[], None).await
    }

    /// Sends a POST without a body.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, path: &str) -> Result<web_sys::Response, Error> {
        self.send("POST", path, &[], None).await
    }

    /// Sends a POST with a body.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post_body(&self, path: &str, body: &[u8]) -> Result<web_sys::Response, Error> {
        self.send("POST", path, &[], Some(body)).await
    }

    /// Sends a query that is too long for a URL: a POST that changes nothing. Its policy is that of
    /// a read.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post_query(&self, path: &str, body: &[u8]) -> Result<web_sys::Response, Error> {
        self.send_as(Method::Get, "POST", path, &[], Some(body))
            .await
    }

    /// Sends a request.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> impl Future<Output = Result<web_sys::Response, Error>> {
        self.send_as(Method::from(method), method, path, headers, body)
    }

    /// Sends a request with the policy of a method.
    async fn send_as(
        &self,
        policy: Method,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<web_sys::Response, Error> {
        let thrown = Error::platform("sending a request");
        let init = RequestInit::new();
        init.set_method(method);
        let sent = Headers::new().map_err(&thrown)?;
        for (name, value) in headers {
            sent.set(name, value).map_err(&thrown)?;
        }
        self.sign(&sent, false).map_err(&thrown)?;
        init.set_headers(&sent);
        if let Some(body) = body {
            init.set_body(&Uint8Array::from(body));
        }
        let address = format!("https://{}{path}", self.policy.service);
        let fetch = |init: &RequestInit| self.fetcher.fetch_with_str_and_init(&address, init);
        self.call(policy, &init, &sent, &fetch).await
    }

    /// Forwards a request of a client and marks it as forwarded. The client's credentials and the
    /// headers of its connection are removed. Without a `body`, that of the request is streamed. The
    /// platform cannot send the body of a GET or HEAD, which is not read either.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn forward(
        &self,
        parts: &RequestParts,
        body: Option<&Uint8Array>,
    ) -> Result<web_sys::Response, Error> {
        let thrown = Error::platform("forwarding a request");
        let sent = Headers::new_with_headers(&parts.headers).map_err(&thrown)?;
        remove_connection_headers(&sent).map_err(&thrown)?;
        for name in FOR_THE_GATEWAY {
            sent.delete(name).map_err(&thrown)?;
        }
        self.sign(&sent, true).map_err(&thrown)?;
        let init = RequestInit::new();
        init.set_headers(&sent);
        if let Some(body) = body {
            init.set_body(body);
        }
        let without_body = parts.has_ignored_body();
        if without_body {
            sent.delete("content-length").map_err(&thrown)?;
            init.set_method(&parts.request.method());
        }
        let fetch = |init: &RequestInit| {
            if without_body {
                self.fetcher.fetch_with_str_and_init(&parts.url, init)
            } else {
                self.fetcher.fetch_with_init(&parts.request, init)
            }
        };
        let response = self.call(parts.method, &init, &sent, &fetch).await?;
        // Our workers repeat the request id. A response without it comes from an intermediary, and
        // must not reach the client.
        let request_id = headers::get(&response.headers(), REQUEST_ID_HEADER);
        if request_id.as_deref() == Some(self.trace.id().as_str()) {
            self.policy.succeeded();
            return Ok(response);
        }
        let failed = self.unusable_response("a response without the request id");
        Err(if parts.method.is_safe() {
            failed
        } else {
            failed.with_unknown_outcome()
        })
    }

    /// Sets the headers that identify the request and the caller, and removes those that a
    /// client has sent.
    fn sign(&self, sent: &Headers, is_forwarded: bool) -> Result<(), JsValue> {
        let secret = self.secret.as_ref().map(BearerToken::reveal);
        let bookmark = self.consistency.upstream_constraint();
        let caller = self.caller.borrow();
        let own = [
            (SERVICE_SECRET_HEADER, secret),
            (PROTOCOL_VERSION_HEADER, Some(PROTOCOL_VERSION)),
            (FORWARDED_HEADER, is_forwarded.then_some("1")),
            (CALLER_HEADER, caller.pseudonym.as_deref()),
            (ACTOR_HEADER, caller.actor.as_ref().map(Actor::as_str)),
            (BOOKMARK_HEADER, bookmark.as_deref()),
        ];
        for (name, value) in self.trace.headers().chain(own) {
            match value {
                Some(value) => sent.set(name, value)?,
                None if is_forwarded => sent.delete(name)?,
                None => {}
            }
        }
        Ok(())
    }
}

/// Reads responses.
impl ServiceClient {
    /// Sends a GET whose response must be a 200.
    ///
    /// # Errors
    /// As [`Self::get`], and for any status but 200.
    pub async fn get_ok(&self, path: &str) -> Result<web_sys::Response, Error> {
        self.require_ok(self.get(path).await?)
    }

    /// Requires the status 200.
    ///
    /// # Errors
    /// A problem that names the service, for any other status.
    pub fn require_ok(&self, response: web_sys::Response) -> Result<web_sys::Response, Error> {
        match response.status() {
            200 => Ok(response),
            // The service works, but rejects this request.
            status @ 400..500 => Err(self.policy.rejected(status)),
            status => Err(self.unusable_response(&format!("status {status}"))),
        }
    }

    /// Reads the JSON body of a 200.
    ///
    /// # Errors
    /// As [`Self::get_ok`], and for a body of another shape.
    pub async fn read_json<T: FromJson>(&self, response: web_sys::Response) -> Result<T, Error> {
        let body = self.bytes(&self.require_ok(response)?).await?;
        from_json::parse(&body).ok_or_else(|| self.unusable_response("unexpected JSON"))
    }

    /// Reads a complete body.
    ///
    /// # Errors
    /// A body that breaks off or times out.
    pub async fn bytes(&self, response: &web_sys::Response) -> Result<Vec<u8>, Error> {
        let buffer = match response.array_buffer() {
            Ok(buffer) => self.policy.in_time(&buffer).await,
            Err(thrown) => Err(thrown),
        };
        match buffer {
            Ok(Some(buffer)) => {
                self.policy.succeeded();
                Ok(Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>()).to_vec())
            }
            Ok(None) => Err(self.policy.timed_out()),
            Err(thrown) => Err(self.policy.exception(&thrown)),
        }
    }

    /// Reads a whole response, so that it can be cached.
    ///
    /// # Errors
    /// As [`Self::bytes`].
    pub async fn read_response(&self, response: &web_sys::Response) -> Result<Response, Error> {
        Response::read(&response.headers(), &self.bytes(response).await?)
    }

    /// Reads the body of a response chunk by chunk.
    #[must_use]
    pub fn body_reader(&self, response: &web_sys::Response) -> BodyReader {
        let policy = self.policy.clone();
        // Without a body, or if it was already read, there are no chunks.
        let reader = response.body().and_then(|body| chunks::reader(&body).ok());
        BodyReader {
            reader,
            timer: policy.timer(),
            policy,
            has_progressed: false,
        }
    }
}

/// A body that is being read. One timer covers many chunks: a read times out if no chunk arrived
/// while the timer ran. If the policy has a deadline, the read also times out then.
pub struct BodyReader {
    reader: Option<Reader>,
    policy: CallPolicy,
    timer: Promise,
    has_progressed: bool,
}

impl BodyReader {
    /// Drops the deadline of the whole body. The timeout of each chunk remains.
    pub fn drop_deadline(&mut self) {
        self.policy.deadline = None;
        self.has_progressed = true;
    }

    /// The next chunk, or none after the last one.
    ///
    /// # Errors
    /// A problem that names the service, if the body breaks off or times out.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(reader) = &self.reader else {
            return Ok(None);
        };
        let read = chunks::read_chunk(reader);
        loop {
            let result = race_with_timer(&self.timer, &read).await;
            if let Some(result) = result.map_err(|thrown| self.policy.exception(&thrown))? {
                self.has_progressed = true;
                let chunk =
                    chunks::chunk_from(&result).map_err(|thrown| self.policy.exception(&thrown))?;
                if chunk.is_none() {
                    self.policy.succeeded();
                }
                return Ok(chunk);
            }
            if self.policy.deadline.is_some() || !self.has_progressed {
                let _ = reader.cancel();
                return Err(self.policy.timed_out());
            }
            self.has_progressed = false;
            self.timer = timer(self.policy.timeout_ms);
        }
    }
}
