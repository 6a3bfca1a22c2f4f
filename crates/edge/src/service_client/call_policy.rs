//! A service that is called: by when it must answer, whether it is to be asked at all, and the
//! problems that name it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::service_client::circuit_breaker::Breaker;
use http_semantics::Problem;
use http_semantics::problem::MEDIA_TYPE;
use http_semantics::timing::Timings;
use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response};

use crate::error::Error;
use crate::layers::trace::report;
use crate::timeout::{Deadline, before, now, timer};

thread_local! {
    /// The circuit breakers of the services that this isolate reads.
    static BREAKERS: RefCell<Vec<(&'static str, Breaker)>> = RefCell::default();
}

/// A call, as it is made with such options.
pub type Fetch<'a> = dyn Fn(&RequestInit) -> Result<Promise, JsValue> + 'a;

/// A service in the hands of one request.
#[derive(Clone)]
pub struct Callee {
    /// Its name.
    pub service: &'static str,
    /// How long it may take for one answer, and for each part of it from then on.
    pub patience_ms: u32,
    /// By when all its answers to this request must be there, in milliseconds since 1970.
    pub until: Option<i64>,
    /// The timer until then.
    pub budget: Deadline,
    /// Whether its answers have no body, so that one timer of the platform's own is enough.
    pub is_brief: bool,
    /// Whether a breaker stands before it.
    pub is_guarded: bool,
    /// Where it is noted how it does.
    pub timings: Option<Rc<RefCell<Timings>>>,
}

/// How a service did that answered.
pub const WELL: &str = "ok";

/// How a service did that was not asked, because it had failed too often.
pub const UNASKED: &str = "not asked";

impl Callee {
    /// A service without a breaker.
    pub fn of(service: &'static str, patience_ms: u32) -> Self {
        Self {
            service,
            patience_ms,
            until: None,
            budget: Deadline::default(),
            is_brief: false,
            is_guarded: false,
            timings: None,
        }
    }

    /// How long an answer may still take.
    pub fn left_ms(&self) -> u32 {
        let left = self.until.map(|until| u32::try_from(until - now()));
        left.map_or(self.patience_ms, |left| {
            left.unwrap_or_default().min(self.patience_ms)
        })
    }

    /// Whether to ask it.
    pub fn admits(&self) -> bool {
        self.breaker(|breaker| breaker.admits(now()))
            .unwrap_or(true)
    }

    /// Takes that it has begun an answer.
    pub fn answered(&self) {
        self.breaker(Breaker::answered);
    }

    /// Takes that it has answered.
    pub fn succeeded(&self) {
        self.breaker(Breaker::succeeded);
    }

    /// The problem for an answer that cannot be used.
    pub fn failed(&self, reason: &str) -> Error {
        report(format!("{}: {reason}", self.service));
        self.breaker(|breaker| breaker.failed(now()));
        self.note(now(), "failed");
        Problem::service_failed(self.service).into()
    }

    /// The same for what a call has thrown.
    pub fn threw(&self, thrown: &JsValue) -> Error {
        self.failed(&format!("{thrown:?}"))
    }

    /// The problem for an answer that did not come in time.
    pub fn timed_out(&self) -> Error {
        self.breaker(|breaker| breaker.failed(now()));
        self.note(now(), "timed out");
        Problem::service_timed_out(self.service, self.patience_ms).into()
    }

    /// The problem where it was not asked, because it has failed too often.
    pub fn unasked(&self) -> Error {
        self.note(now(), UNASKED);
        Problem::service_failed(self.service).into()
    }

    /// Notes how it does, since it was asked.
    pub fn note(&self, asked: i64, how: &'static str) {
        if let Some(timings) = &self.timings {
            let span = [asked, now()];
            timings.borrow_mut().note(self.service, span, how);
        }
    }

    /// Asks once; `asked` is when it was asked first. What does not come in time is left alone: the
    /// platform takes it back with the request that has asked, and a controller of our own costs
    /// each request more than all timers.
    pub async fn once(
        &self,
        asked: i64,
        init: &RequestInit,
        fetch: &Fetch<'_>,
    ) -> Result<Response, Error> {
        if self.is_brief {
            return self.brief(asked, init, fetch).await;
        }
        let fetched = fetch(init).map_err(|thrown| self.threw(&thrown))?;
        let answer = self.in_time(&fetched).await;
        if let Some(answer) = answer.map_err(|thrown| self.threw(&thrown))? {
            let answer = self.sound(answer.unchecked_into())?;
            self.note(asked, WELL);
            Ok(answer)
        } else {
            Err(self.timed_out())
        }
    }

    /// The same for an answer without a body: the signal goes on behind the headers, and would cut
    /// one off.
    async fn brief(
        &self,
        asked: i64,
        init: &RequestInit,
        fetch: &Fetch<'_>,
    ) -> Result<Response, Error> {
        let signal = AbortSignal::timeout_with_u32(self.left_ms());
        init.set_signal(Some(&signal));
        let fetched = fetch(init).map_err(|thrown| self.threw(&thrown))?;
        match JsFuture::from(fetched).await {
            Ok(answer) => {
                let answer = self.sound(answer.unchecked_into())?;
                self.note(asked, WELL);
                Ok(answer)
            }
            Err(_) if signal.aborted() => Err(self.timed_out()),
            Err(thrown) => Err(self.threw(&thrown)),
        }
    }

    /// A service's own 5xx says nothing that its caller's user can act on, but where it names
    /// another service that failed it.
    fn sound(&self, response: Response) -> Result<Response, Error> {
        let content = || response.headers().get("content-type").ok().flatten();
        match response.status() {
            502 | 504 if content().as_deref() == Some(MEDIA_TYPE) => Ok(response),
            // No client's token comes this far: it is our own secret that it does not know.
            401 | 403 => Err(self.failed("it does not know SERVICE_SECRET")),
            status @ 500.. => Err(self.failed(&format!("status {status}"))),
            _ => Ok(response),
        }
    }

    /// The timer of this call. A shared one that has expired already would win even over a
    /// response that is there.
    pub fn timer(&self) -> Promise {
        let shared = 1..=i64::from(self.patience_ms);
        match self.until {
            Some(until) if shared.contains(&(until - now())) => self.budget.timer(until),
            _ => timer(self.left_ms()),
        }
    }

    /// The value of a promise of the service, or none if the call times out.
    pub async fn in_time(&self, promise: &Promise) -> Result<Option<JsValue>, JsValue> {
        before(&self.timer(), promise).await
    }

    fn breaker<T>(&self, act: impl FnOnce(&mut Breaker) -> T) -> Option<T> {
        if !self.is_guarded {
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
