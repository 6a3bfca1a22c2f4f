//! Another worker, called over a service binding, with a deadline.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use js_sys::{ArrayBuffer, Uint8Array};
use registry::problem::MEDIA_TYPE;
use registry::{Problem, Tag};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Headers, RequestInit, Response};
use worker::{Delay, Env, Fetcher, console_error, worker_sys};

use crate::Error;

/// How long a service may take to begin its answer, and for each part of it from then on.
const DEADLINE_MS: u32 = 5_000;

/// The same for what is known to take long: an import.
const PATIENT_DEADLINE_MS: u32 = 300_000;

/// A worker that another one calls.
pub struct Upstream {
    service: &'static str,
    fetcher: worker_sys::Fetcher,
    deadline_ms: u32,
}

impl Upstream {
    /// The worker `service`, bound under `binding`.
    ///
    /// # Errors
    /// A worker without the binding.
    pub fn of(env: &Env, binding: &str, service: &'static str) -> Result<Self, Error> {
        let fetcher: Fetcher = env.service(binding)?;
        Ok(Self {
            service,
            fetcher: fetcher.into_rpc(),
            deadline_ms: DEADLINE_MS,
        })
    }

    /// The same, given the time that an import takes.
    #[must_use]
    pub fn patient(self) -> Self {
        Self {
            deadline_ms: PATIENT_DEADLINE_MS,
            ..self
        }
    }

    /// Reads a path of the service.
    ///
    /// # Errors
    /// A problem that names the service where it failed (any 5xx among it) or was slow.
    pub async fn get(&self, path: &str) -> Result<Response, Error> {
        self.ask("GET", path, None).await
    }

    /// Reads a path of the service, unless it is still as the tag says: then a 304.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_unless(&self, path: &str, known: Option<&Tag>) -> Result<Response, Error> {
        self.ask("GET", path, known).await
    }

    /// Asks for no more than the headers of a path, unless it is still as the tag says.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn head_unless(&self, path: &str, known: Option<&Tag>) -> Result<Response, Error> {
        self.ask("HEAD", path, known).await
    }

    /// Has the service do something, by an empty POST.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn post(&self, path: &str) -> Result<Response, Error> {
        self.ask("POST", path, None).await
    }

    async fn ask(&self, method: &str, path: &str, known: Option<&Tag>) -> Result<Response, Error> {
        let known = known.map(ToString::to_string);
        let known = known.as_deref().map(|known| ("if-none-match", known));
        self.send(method, path, known.as_slice(), None).await
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
        if !headers.is_empty() {
            let sent = Headers::new().map_err(&thrown)?;
            for (name, value) in headers {
                sent.set(name, value).map_err(&thrown)?;
            }
            init.set_headers(&sent);
        }
        if let Some(body) = body {
            init.set_body(&Uint8Array::from(body));
        }
        let address = format!("https://{}{path}", self.service);
        self.fetched(|signal| {
            init.set_signal(Some(signal));
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
        let buffer = response
            .array_buffer()
            .map_err(|thrown| self.threw(&thrown))?;
        let buffer = self.in_time(JsFuture::from(buffer)).await?;
        let buffer = buffer.map_err(|thrown| self.threw(&thrown))?;
        Ok(Uint8Array::new(buffer.unchecked_ref::<ArrayBuffer>()).to_vec())
    }

    /// Passes a request on as it is.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn forward(&self, request: &web_sys::Request) -> Result<Response, Error> {
        self.fetched(|signal| {
            let init = RequestInit::new();
            init.set_signal(Some(signal));
            self.fetcher.fetch_with_init(request, &init)
        })
        .await
    }

    /// The problem for an answer of this service that cannot be used.
    #[must_use]
    pub fn failed(&self, reason: &str) -> Error {
        console_error!("{}: {reason}", self.service);
        Problem::service_failed(self.service).into()
    }

    async fn fetched(
        &self,
        fetch: impl FnOnce(&web_sys::AbortSignal) -> Result<js_sys::Promise, JsValue>,
    ) -> Result<Response, Error> {
        let abort = AbortController::new().map_err(Error::platform("making a deadline"))?;
        let fetched = fetch(&abort.signal()).map_err(|thrown| self.threw(&thrown))?;
        match self.in_time(JsFuture::from(fetched)).await {
            Ok(response) => self.sound(response.map_err(|t| self.threw(&t))?.unchecked_into()),
            Err(late) => {
                abort.abort();
                Err(late)
            }
        }
    }

    /// What the service gives next, if it gives it in time.
    ///
    /// # Errors
    /// A problem that names the service, once the deadline has passed.
    pub async fn in_time<T>(&self, next: impl Future<Output = T>) -> Result<T, Error> {
        let deadline = Delay::from(Duration::from_millis(self.deadline_ms.into()));
        match select(pin!(next), deadline).await {
            Either::Left((given, _)) => Ok(given),
            Either::Right(((), _)) => {
                Err(Problem::service_timed_out(self.service, self.deadline_ms).into())
            }
        }
    }

    /// A service's own 5xx says nothing that its caller's user can act on, but where it names
    /// another service that failed it.
    fn sound(&self, response: Response) -> Result<Response, Error> {
        let content = response.headers().get("content-type").ok().flatten();
        match response.status() {
            502 | 504 if content.as_deref() == Some(MEDIA_TYPE) => Ok(response),
            500.. => Err(self.failed(&format!("status {}", response.status()))),
            _ => Ok(response),
        }
    }

    fn threw(&self, thrown: &JsValue) -> Error {
        self.failed(&format!("{thrown:?}"))
    }
}
