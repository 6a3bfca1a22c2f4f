//! Another worker, called over a service binding, with a deadline.
//!
//! At the entry point a read is more patient with a service, and less with a user: what failed
//! at once is tried once more, all that is asked for one answer shares one budget of time, and a
//! service that fails again and again is not asked for a while ([`circuit_breaker`]). A write
//! is sent once, whatever becomes of it.

pub mod body_reader;
pub mod call_policy;
mod calls;
pub mod circuit_breaker;
mod responses;

use std::cell::RefCell;
use std::rc::Rc;

use domain::Param;
use http_semantics::auth::Token;
use http_semantics::bookmark::Bookmarks;
use http_semantics::problem::Kind;
use http_semantics::timing::Timings;
use js_sys::Math;
use web_sys::{RequestInit, Response};
use worker::worker_sys;

use crate::d1::consistency::{BOOKMARK, Reading};
use crate::env::Env;
use crate::error::Error;
use crate::http::request_parts::Method;
use crate::layers::auth as access;
use crate::layers::trace::Trace;
use crate::service_client::call_policy::{Callee, Fetch};
use crate::timeout::{now, pause};

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

    /// The problem for an answer of this service that cannot be used.
    #[must_use]
    pub fn failed(&self, reason: &str) -> Error {
        self.callee.failed(reason)
    }

    /// What is fetched: of a write by the one request that there is, of a read by two, if the
    /// first one fails at once.
    async fn fetched(
        &self,
        method: Method,
        init: &RequestInit,
        fetch: &Fetch<'_>,
    ) -> Result<Response, Error> {
        let (began, callee) = (now(), &self.callee);
        if !method.is_safe() {
            return self.write(init, fetch).await;
        }
        if !callee.admits() {
            return Err(callee.unasked());
        }
        self.trace.called(callee.service);
        let mut answer = callee.once(began, init, fetch).await;
        if callee.is_guarded
            && answer.as_ref().is_err_and(has_failed)
            && callee.left_ms() > PAUSE_MS
            && callee.admits()
        {
            pause(jitter()).await;
            answer = callee.once(began, init, fetch).await;
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
    async fn write(&self, init: &RequestInit, fetch: &Fetch<'_>) -> Result<Response, Error> {
        let callee = Callee::of(self.callee.service, self.write_ms);
        self.trace.called(callee.service);
        let answer = callee.once(now(), init, fetch).await;
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
