//! The policy for calls of one service: timeout, deadline and circuit breaker. The policy also
//! makes the problems for failed calls, which name the service.

use std::cell::RefCell;
use std::rc::Rc;

use http_semantics::Problem;
use http_semantics::problem::MEDIA_TYPE;
use http_semantics::timing::Timings;
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit};

use crate::env::call_quota::is_call_limit;
use crate::env::trace::report_failure;
use crate::error::Error;
use crate::http::headers;
use crate::service_client::circuit_breaker::Breaker;
use crate::service_client::{PROTOCOL_VERSION, PROTOCOL_VERSION_HEADER};
use crate::time::{Deadline, now, race_with_timer, timer};

thread_local! {
    /// The circuit breakers of this isolate, one per service.
    static BREAKERS: RefCell<Vec<(&'static str, Breaker)>> = RefCell::default();
}

/// Starts a call with these options.
pub type Fetch<'a> = dyn Fn(&RequestInit) -> Result<Promise, JsValue> + 'a;

/// The policy of one request for one service.
#[derive(Clone)]
pub struct CallPolicy {
    /// The name of the service.
    pub service: &'static str,
    /// The timeout of a call, and of each chunk of its response, in milliseconds.
    pub timeout_ms: u32,
    /// The deadline of all calls, in milliseconds since 1970.
    pub deadline: Option<i64>,
    /// The shared timer of the deadline.
    pub deadline_timer: Deadline,
    /// Whether responses have no body, so that an `AbortSignal` is enough.
    pub headers_only: bool,
    /// Whether a circuit breaker can reject calls.
    pub has_breaker: bool,
    /// Where outcomes are recorded.
    pub timings: Option<Rc<RefCell<Timings>>>,
}

/// The outcome of a call with a response.
pub const OK: &str = "ok";

/// The outcome of a call that the circuit breaker rejected.
pub const CIRCUIT_OPEN: &str = "not asked";

impl CallPolicy {
    /// A policy with a timeout per call and nothing else.
    pub fn new(service: &'static str, timeout_ms: u32) -> Self {
        Self {
            service,
            timeout_ms,
            deadline: None,
            deadline_timer: Deadline::default(),
            headers_only: false,
            has_breaker: false,
            timings: None,
        }
    }

    /// The time that a call may still take, in milliseconds.
    pub fn remaining_ms(&self) -> u32 {
        let left = self
            .deadline
            .map(|deadline| u32::try_from(deadline - now()));
        left.map_or(self.timeout_ms, |left| {
            left.unwrap_or_default().min(self.timeout_ms)
        })
    }

    /// A timer of the remaining time. A timer that has already fired would win every race, so
    /// an expired deadline gets a new one.
    pub fn timer(&self) -> Promise {
        let shared = 1..=i64::from(self.timeout_ms);
        match self.deadline {
            Some(deadline) if shared.contains(&(deadline - now())) => {
                self.deadline_timer.timer(deadline)
            }
            _ => timer(self.remaining_ms()),
        }
    }

    /// The result of a promise of the service, or none if the timer fires first.
    pub async fn in_time(&self, promise: &Promise) -> Result<Option<JsValue>, JsValue> {
        race_with_timer(&self.timer(), promise).await
    }

    /// Whether the circuit breaker lets a call through.
    pub fn allow_request(&self) -> bool {
        self.breaker(|breaker| breaker.allow_request(now()))
            .unwrap_or(true)
    }

    /// Reports to the breaker that a response has started.
    pub fn response_started(&self) {
        self.breaker(Breaker::response_started);
    }

    /// Reports to the breaker that a response is complete.
    pub fn succeeded(&self) {
        self.breaker(Breaker::succeeded);
    }

    /// The problem for an unusable response.
    pub fn unusable_response(&self, reason: &str) -> Error {
        report_failure(format!("{}: {reason}", self.service));
        self.breaker(|breaker| breaker.failed(now()));
        self.record(now(), "failed");
        Problem::service_failed(self.service).into()
    }

    /// The problem for a request that the service rejects. It does not count for the breaker: the
    /// fault is in the request.
    pub fn rejected(&self, status: u16) -> Error {
        report_failure(format!("{}: status {status}", self.service));
        self.record(now(), "failed");
        Problem::service_failed(self.service).into()
    }

    /// The policy of a first attempt that may fail because of the client's bookmark. It takes at most
    /// half of the time, and the breaker does not count its failure.
    pub fn tentative(&self) -> Self {
        let timeout_ms = self.remaining_ms() / 2;
        Self {
            timeout_ms,
            deadline: None,
            has_breaker: false,
            ..self.clone()
        }
    }

    /// The problem for an exception of a call. The service has not failed if this invocation has made
    /// too many calls, so the circuit breaker does not count it.
    pub fn exception(&self, thrown: &JsValue) -> Error {
        let reason = format!("{thrown:?}");
        if is_call_limit(&reason) {
            report_failure(format!("{}: {reason}", self.service));
            return Problem::call_limit_reached().into();
        }
        self.unusable_response(&reason)
    }

    /// The problem for a call that timed out.
    pub fn timed_out(&self) -> Error {
        self.breaker(|breaker| breaker.failed(now()));
        self.record(now(), "timed out");
        Problem::service_timed_out(self.service, self.timeout_ms).into()
    }

    /// The problem for a call that the circuit breaker rejected.
    pub fn circuit_open(&self) -> Error {
        self.record(now(), CIRCUIT_OPEN);
        Problem::service_failed(self.service).into()
    }

    /// Records the outcome of a call that started at a time.
    fn record(&self, started: i64, outcome: &'static str) {
        if let Some(timings) = &self.timings {
            let span = [started, now()];
            timings.borrow_mut().record(self.service, span, outcome);
        }
    }

    /// Makes one attempt. `started` is the start of the first attempt. A call that times out is not
    /// aborted: an `AbortController` costs more than all timers, and the platform ends the call
    /// together with the request.
    pub async fn attempt(
        &self,
        started: i64,
        init: &RequestInit,
        fetch: &Fetch<'_>,
    ) -> Result<web_sys::Response, Error> {
        if self.headers_only {
            return self.attempt_headers_only(started, init, fetch).await;
        }
        let fetched = fetch(init).map_err(|thrown| self.exception(&thrown))?;
        let response = self.in_time(&fetched).await;
        if let Some(response) = response.map_err(|thrown| self.exception(&thrown))? {
            let response = self.check_status(response.unchecked_into())?;
            self.record(started, OK);
            Ok(response)
        } else {
            Err(self.timed_out())
        }
    }

    /// Makes one attempt for a response without a body. The signal stays active after the headers,
    /// and would cut off a body.
    async fn attempt_headers_only(
        &self,
        started: i64,
        init: &RequestInit,
        fetch: &Fetch<'_>,
    ) -> Result<web_sys::Response, Error> {
        let signal = AbortSignal::timeout_with_u32(self.remaining_ms());
        init.set_signal(Some(&signal));
        let fetched = fetch(init).map_err(|thrown| self.exception(&thrown))?;
        match JsFuture::from(fetched).await {
            Ok(response) => {
                let response = self.check_status(response.unchecked_into())?;
                self.record(started, OK);
                Ok(response)
            }
            Err(_) if signal.aborted() => Err(self.timed_out()),
            Err(thrown) => Err(self.exception(&thrown)),
        }
    }

    /// Turns a 5xx into our own problem, because the client cannot act on the service's. A 502 or
    /// 504 problem passes: it names the other service.
    fn check_status(&self, response: web_sys::Response) -> Result<web_sys::Response, Error> {
        let content_type = || headers::get(&response.headers(), "content-type");
        match response.status() {
            502 | 504 if content_type().as_deref() == Some(MEDIA_TYPE) => Ok(response),
            503 if headers::get(&response.headers(), PROTOCOL_VERSION_HEADER).is_some() => {
                report_failure(format!("{}: another protocol version", self.service));
                self.breaker(|breaker| breaker.failed(now()));
                self.record(now(), "updating");
                // The header tells the caller of this worker that its request had no effect.
                Err(Problem::service_updating(self.service)
                    .header(PROTOCOL_VERSION_HEADER, PROTOCOL_VERSION)
                    .into())
            }
            // The client can act on this one: it waits. The circuit breaker counts it as a failure, so
            // that the database gets fewer requests.
            503 if content_type().as_deref() == Some(MEDIA_TYPE) => {
                report_failure(format!("{}: status 503", self.service));
                self.breaker(|breaker| breaker.failed(now()));
                self.record(now(), "overloaded");
                Err(Problem::service_overloaded(self.service).into())
            }
            // A client's token is never forwarded, so only our own secret can be wrong.
            401 | 403 => Err(self.unusable_response("it does not know SERVICE_SECRET")),
            status @ 500.. => Err(self.unusable_response(&format!("status {status}"))),
            _ => Ok(response),
        }
    }

    fn breaker<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> Option<T> {
        if !self.has_breaker {
            return None;
        }
        BREAKERS.with_borrow_mut(|breakers| {
            let known = breakers.iter().position(|(name, _)| *name == self.service);
            let at = known.unwrap_or_else(|| {
                breakers.push((self.service, Breaker::default()));
                breakers.len() - 1
            });
            breakers.get_mut(at).map(|(_, breaker)| act(breaker))
        })
    }
}
