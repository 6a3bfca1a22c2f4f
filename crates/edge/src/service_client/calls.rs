//! What a service is asked: in our own words, or in those of whoever asks us.

use http_semantics::Tag;
use http_semantics::auth::Token;
use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::{Headers, RequestInit, Response};

use super::Upstream;
use crate::d1::consistency::BOOKMARK;
use crate::error::Error;
use crate::http::request_parts::{Method, RequestParts};
use crate::layers::auth as access;
use crate::layers::trace::REQUEST_ID;

impl Upstream {
    /// Reads a path of the service.
    ///
    /// # Errors
    /// A problem that names the service where it failed (any 5xx among it) or was slow.
    pub async fn get(&self, path: &str) -> Result<Response, Error> {
        self.send("GET", path, &[], None).await
    }

    /// Reads a path of the service, unless it is still as the tag says: then a 304.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_unless(&self, path: &str, known: &Tag) -> Result<Response, Error> {
        let known = known.to_string();
        self.send("GET", path, &[("if-none-match", &known)], None)
            .await
    }

    /// Asks for no more than the headers of a path.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn head(&self, path: &str) -> Result<Response, Error> {
        self.send("HEAD", path, &[], None).await
    }

    /// Has the service do something, by an empty POST.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, path: &str) -> Result<Response, Error> {
        self.send("POST", path, &[], None).await
    }

    /// Has the service do something.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Response, Error> {
        let thrown = Error::platform("making a request");
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
        let address = format!("https://{}{path}", self.callee.service);
        let fetch = |init: &RequestInit| self.fetcher.fetch_with_str_and_init(&address, init);
        self.fetched(Method::from(method), &init, &fetch).await
    }

    /// Passes a request on as it is, but for what proves who sends it: that was looked at here,
    /// and is no business of the service.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn forward(&self, incoming: &RequestParts) -> Result<Response, Error> {
        let thrown = Error::platform("passing a request on");
        let sent = Headers::new_with_headers(&incoming.headers).map_err(&thrown)?;
        for name in ["authorization", "cookie"] {
            sent.delete(name).map_err(&thrown)?;
        }
        self.sign(&sent, true).map_err(&thrown)?;
        let init = RequestInit::new();
        init.set_headers(&sent);
        let fetch = |init: &RequestInit| self.fetcher.fetch_with_init(&incoming.request, init);
        let answer = self.fetched(incoming.method, &init, &fetch).await?;
        // One of our own workers says what the request is called: whatever else came in between
        // is no answer that may be passed on.
        let said = answer.headers().get(REQUEST_ID).ok().flatten();
        if said.as_deref() == Some(self.trace.id().as_str()) {
            self.callee.succeeded();
            return Ok(answer);
        }
        let failed = self.failed("an answer that does not name the request");
        Err(if incoming.method.is_safe() {
            failed
        } else {
            failed.of_write()
        })
    }

    /// Says in a request's headers what it is called and who sends it, whatever a client has
    /// said there.
    fn sign(&self, sent: &Headers, is_clients: bool) -> Result<(), JsValue> {
        let secret = self.secret.as_ref().map(Token::reveal);
        let demand = self.reading.demand();
        let own = [(access::SERVICE, secret), (BOOKMARK, demand.as_deref())];
        for (name, value) in self.trace.headers().chain(own) {
            match value {
                Some(value) => sent.set(name, value)?,
                None if is_clients => sent.delete(name)?,
                None => {}
            }
        }
        Ok(())
    }
}
