//! Another worker, called over a service binding, with a deadline.
//!
//! At the entry point a read is more patient with a service, and less with a user: what failed
//! at once is tried once more, all that is asked for one answer shares one budget of time, and a
//! service that fails again and again is not asked for a while ([`registry::breaker`]). A write
//! is sent once, whatever becomes of it.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Math, Uint8Array};
use registry::access::Token;
use registry::bookmark::Bookmarks;
use registry::problem::Kind;
use registry::timing::Timings;
use registry::{Param, Tag};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, RequestInit, Response};
use worker::worker_sys;

use crate::callee::{Callee, Fetch};
use crate::patience::{Parts, in_time, pause};
use crate::reading::{BOOKMARK, Reading};
use crate::trace::REQUEST_ID;
use crate::{Env, Error, Incoming, Method, Trace, access, now};

/// How long a service may take to begin its answer, and for each part of it from then on.
const DEADLINE_MS: u32 = 5_000;

/// How long a reader at the entry point waits for all services together. It can be set, by
/// `UPSTREAM_DEADLINE_MS`. A writer waits twice as long: longer than an owner waits for another
/// one, so that the owner's word of what became of it comes through.
const READ_MS: u32 = 3_000;

/// The same for what is known to take long: an import.
const PATIENT_MS: u32 = 300_000;

/// The longest pause before a read is tried again, in milliseconds.
const PAUSE_MS: u32 = 80;

/// A worker that another one calls.
pub struct Upstream {
    fetcher: worker_sys::Fetcher,
    callee: Callee,
    /// How long a write may take.
    write_ms: u32,
    trace: Rc<Trace>,
    reading: Rc<Reading>,
    /// What shows the service that it is one of us who calls.
    secret: Option<Token>,
}

impl Upstream {
    /// The worker `service`, bound under `binding`.
    ///
    /// # Errors
    /// A worker without the binding.
    pub fn of(env: &Env, binding: &'static str, service: &'static str) -> Result<Self, Error> {
        let fetcher = env.service(binding).ok_or_else(|| Error::Platform {
            doing: "looking for another worker",
            reason: format!("there is no binding {binding}"),
        })?;
        Ok(Self {
            fetcher,
            callee: Callee::of(service, DEADLINE_MS),
            write_ms: DEADLINE_MS,
            trace: Rc::clone(env.trace()),
            reading: Rc::clone(env.reading()),
            secret: access::secret(env),
        })
    }

    /// The same at the entry point, for one request, whose time runs from now on.
    ///
    /// # Errors
    /// A worker without the binding.
    pub fn at_the_entry(
        env: &Env,
        binding: &'static str,
        service: &'static str,
    ) -> Result<Self, Error> {
        let set = env.setting("UPSTREAM_DEADLINE_MS");
        let set = set.and_then(|set| set.parse::<u16>().ok());
        let patience_ms = set.map_or(READ_MS, u32::from);
        Ok(Self {
            callee: Callee {
                until: Some(now() + i64::from(patience_ms)),
                budget: env.budget().clone(),
                is_guarded: true,
                ..Callee::of(service, patience_ms)
            },
            write_ms: 2 * patience_ms,
            ..Self::of(env, binding, service)?
        })
    }

    /// The same, noting how the service does.
    #[must_use]
    pub fn timed(mut self, timings: &Rc<RefCell<Timings>>) -> Self {
        self.callee.timings = Some(Rc::clone(timings));
        self
    }

    /// The same for answers without a body, given at most so many milliseconds.
    #[must_use]
    pub fn brief(mut self, most: u32) -> Self {
        self.callee.patience_ms = self.callee.patience_ms.min(most);
        self.callee.is_brief = true;
        self
    }

    /// From now on each call has a deadline, and all together have none.
    pub fn unhurried(&mut self) {
        self.callee.until = None;
    }

    /// The same, given the time that an import takes.
    #[must_use]
    pub fn patient(self) -> Self {
        Self {
            write_ms: PATIENT_MS,
            ..self
        }
    }

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
        self.fetched(Method::from(method), &|signal| {
            if signal.is_some() {
                init.set_signal(signal);
            }
            self.fetcher.fetch_with_str_and_init(&address, &init)
        })
        .await
    }

    /// Reads a path that the service must have.
    ///
    /// # Errors
    /// As [`Self::get`], and for any other answer than 200.
    pub async fn read(&self, path: &str) -> Result<Response, Error> {
        self.found(self.get(path).await?)
    }

    /// An answer that must be a 200.
    ///
    /// # Errors
    /// A problem that names the service, for any other.
    pub fn found(&self, response: Response) -> Result<Response, Error> {
        match response.status() {
            200 => Ok(response),
            status => Err(self.failed(&format!("status {status}"))),
        }
    }

    /// The whole body of an answer, as JSON of a shape.
    ///
    /// # Errors
    /// As [`Self::read`], and for a body of another shape.
    pub async fn read_json<T: serde::de::DeserializeOwned>(
        &self,
        response: Response,
    ) -> Result<T, Error> {
        let body = self.bytes(&self.found(response)?).await?;
        serde_json::from_slice(&body).map_err(|error| self.failed(&error.to_string()))
    }

    /// The whole body of an answer.
    ///
    /// # Errors
    /// A body that breaks off.
    pub async fn bytes(&self, response: &Response) -> Result<Vec<u8>, Error> {
        let buffer = match response.array_buffer() {
            Ok(buffer) => in_time(&buffer, &self.callee).await,
            Err(thrown) => Err(thrown),
        };
        match buffer {
            Ok(Some(buffer)) => {
                self.callee.succeeded();
                Ok(Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>()).to_vec())
            }
            Ok(None) => Err(self.callee.timed_out()),
            Err(thrown) => Err(self.callee.threw(&thrown)),
        }
    }

    /// The body of an answer as it comes.
    #[must_use]
    pub fn parts(&self, response: &Response) -> Parts {
        Parts::of(response, self.callee.clone())
    }

    /// Passes a request on as it is, but for what proves who sends it: that was looked at here,
    /// and is no business of the service.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn forward(&self, incoming: &Incoming) -> Result<Response, Error> {
        let thrown = Error::platform("passing a request on");
        let sent = Headers::new_with_headers(&incoming.headers).map_err(&thrown)?;
        for name in ["authorization", "cookie"] {
            sent.delete(name).map_err(&thrown)?;
        }
        self.sign(&sent, true).map_err(&thrown)?;
        let init = RequestInit::new();
        init.set_headers(&sent);
        let fetch = |signal: Option<&AbortSignal>| {
            if signal.is_some() {
                init.set_signal(signal);
            }
            self.fetcher.fetch_with_init(&incoming.request, &init)
        };
        let answer = self.fetched(incoming.method, &fetch).await?;
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

    /// The problem for an answer of this service that cannot be used.
    #[must_use]
    pub fn failed(&self, reason: &str) -> Error {
        self.callee.failed(reason)
    }

    /// What is fetched: of a write by the one request that there is, of a read by two, if the
    /// first one fails at once.
    async fn fetched(&self, method: Method, fetch: &Fetch<'_>) -> Result<Response, Error> {
        let (began, callee) = (now(), &self.callee);
        if !method.is_safe() {
            return self.write(fetch).await;
        }
        if !callee.admits() {
            return Err(callee.unasked());
        }
        self.trace.called(callee.service);
        let mut answer = callee.once(began, fetch).await;
        if callee.is_guarded
            && answer.as_ref().is_err_and(has_failed)
            && callee.left_ms() > PAUSE_MS
            && callee.admits()
        {
            pause(jitter()).await;
            answer = callee.once(began, fetch).await;
        }
        answer.inspect(|answer| {
            self.saw(answer);
            if answer.status() == 200 && method != Method::Head {
                callee.answered();
            } else {
                callee.succeeded();
            }
        })
    }

    /// Takes how far an answer's service has seen the registers.
    fn saw(&self, answer: &Response) {
        let token = answer.headers().get(BOOKMARK).ok().flatten();
        if let Some(seen) = token.and_then(|token| Bookmarks::parse(&token)) {
            self.reading.saw(&seen);
        }
    }

    /// A write says nothing of how its service reads, and hears nothing of it.
    async fn write(&self, fetch: &Fetch<'_>) -> Result<Response, Error> {
        let callee = Callee::of(self.callee.service, self.write_ms);
        self.trace.called(callee.service);
        let answer = callee.once(now(), fetch).await;
        let answer = answer.inspect(|answer| self.saw(answer));
        answer.map_err(Error::of_write)
    }
}

/// Whether a service said at once that it failed, or what nobody can read.
fn has_failed(error: &Error) -> bool {
    matches!(error, Error::Problem(problem) if problem.kind() == Kind::ServiceFailed)
}

/// A pause that differs, so that not all try again at once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few milliseconds"
)]
fn jitter() -> u32 {
    (f64::from(PAUSE_MS) * (1.0 + 3.0 * Math::random()) / 4.0) as u32
}
