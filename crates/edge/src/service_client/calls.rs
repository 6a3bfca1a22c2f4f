//! Requests to a service: our own, and forwarded requests of clients.

use http_semantics::Tag;
use http_semantics::auth::BearerToken;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{Headers, RequestInit};

use super::ServiceClient;
use crate::env::consistency::BOOKMARK_HEADER;
use crate::env::trace::REQUEST_ID_HEADER;
use crate::error::Error;
use crate::http::headers;
use crate::http::request_parts::{Method, RequestParts};
use crate::service_auth::{CALLER_HEADER, FORWARDED_HEADER, SERVICE_SECRET_HEADER};

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

impl ServiceClient {
    /// Sends a GET.
    ///
    /// # Errors
    /// A problem that names the service, if it failed (any 5xx) or timed out.
    pub async fn get(&self, path: &str) -> Result<web_sys::Response, Error> {
        self.send("GET", path, &[], None).await
    }

    /// Sends a conditional GET: a 304 if the tag is current.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_if_changed(&self, path: &str, tag: &Tag) -> Result<web_sys::Response, Error> {
        let tag = tag.to_string();
        self.send("GET", path, &[("if-none-match", &tag)], None)
            .await
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

    /// Sends a request.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn send(
        &self,
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
        self.call(Method::from(method), &init, &fetch).await
    }

    /// Forwards a request of a client and marks it as forwarded. The client's credentials and the
    /// headers of its connection are removed.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn forward(&self, parts: &RequestParts) -> Result<web_sys::Response, Error> {
        let thrown = Error::platform("forwarding a request");
        let sent = Headers::new_with_headers(&parts.headers).map_err(&thrown)?;
        remove_connection_headers(&sent).map_err(&thrown)?;
        for name in FOR_THE_GATEWAY {
            sent.delete(name).map_err(&thrown)?;
        }
        self.sign(&sent, true).map_err(&thrown)?;
        let init = RequestInit::new();
        init.set_headers(&sent);
        let fetch = |init: &RequestInit| self.fetcher.fetch_with_init(&parts.request, init);
        let response = self.call(parts.method, &init, &fetch).await?;
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
        let own = [
            (SERVICE_SECRET_HEADER, secret),
            (FORWARDED_HEADER, is_forwarded.then_some("1")),
            (CALLER_HEADER, self.caller.get().map(String::as_str)),
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
