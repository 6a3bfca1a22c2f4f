//! Another worker, called over a service binding, with a deadline.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};
use js_sys::{ArrayBuffer, Uint8Array};
use registry::Problem;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_streams::ReadableStream;
use web_sys::{AbortController, RequestInit, Response};
use worker::{Delay, Env, Fetcher, console_error, worker_sys};

use crate::Error;

/// How long a service may take to begin its answer, and for each part of it from then on.
const DEADLINE_MS: u32 = 5_000;

/// A worker that another one calls.
pub struct Upstream {
    service: &'static str,
    fetcher: worker_sys::Fetcher,
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
        })
    }

    /// Reads a path of the service.
    ///
    /// # Errors
    /// A problem that names the service where it failed (any 5xx among it) or was slow.
    pub async fn get(&self, path: &str) -> Result<Response, Error> {
        let init = RequestInit::new();
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
        let deadline = Delay::from(Duration::from_millis(DEADLINE_MS.into()));
        match select(pin!(next), deadline).await {
            Either::Left((given, _)) => Ok(given),
            Either::Right(((), _)) => {
                Err(Problem::service_timed_out(self.service, DEADLINE_MS).into())
            }
        }
    }

    /// A service's own 5xx says nothing that its caller's user can act on.
    fn sound(&self, response: Response) -> Result<Response, Error> {
        match response.status() {
            500.. => Err(self.failed(&format!("status {}", response.status()))),
            _ => Ok(response),
        }
    }

    fn threw(&self, thrown: &JsValue) -> Error {
        self.failed(&format!("{thrown:?}"))
    }
}

/// The body of an answer as it comes.
pub fn chunks(response: &Response) -> impl Stream<Item = Result<Vec<u8>, JsValue>> + use<> {
    let body = response.body().map(ReadableStream::from_raw);
    let chunks = body.map(ReadableStream::into_stream);
    futures_util::stream::iter(chunks)
        .flatten()
        .map(|chunk| Ok(chunk?.unchecked_into::<Uint8Array>().to_vec()))
}
