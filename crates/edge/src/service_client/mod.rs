//! The client of another worker, which it calls over a service binding.
//!
//! | | between backends | gateway, read | gateway, write |
//! |---|---|---|---|
//! | timeout | per call | one deadline for all calls of a request | per call |
//! | attempts | 1 | 2, if the first one fails at once | 1 |
//! | circuit breaker | no | [yes](circuit_breaker) | no |
//!
//! If a read with a client's bookmark fails, it is repeated at the primary. The first failure does
//! not count for the circuit breaker, because the bookmark may be its cause.
//!
//! The workers share a secret. Each recognizes the requests of the others by this secret.

pub mod call_policy;
mod calls;
pub mod circuit_breaker;

use std::cell::RefCell;
use std::rc::Rc;

use domain::Param;
use http_semantics::actor::Actor;
use http_semantics::auth::BearerToken;
use http_semantics::bookmark::{FIRST_PRIMARY, Observed};
use http_semantics::problem::Kind;
use http_semantics::timing::Timings;
use js_sys::Math;
use web_sys::{Headers, RequestInit};
use worker::worker_sys;

use crate::env::call_quota::{CallQuota, Calls};
use crate::env::consistency::{BOOKMARK_HEADER, Consistency};
use crate::env::trace::Trace;
use crate::env::{Caller, Env};
use crate::error::Error;
use crate::http::headers;
use crate::http::request::Method;
use crate::service_client::call_policy::{CallPolicy, Fetch};
use crate::time::{now, pause};

pub use calls::BodyReader;

/// The header with the secret that the workers share. The gateway never forwards a client's own.
pub const SERVICE_SECRET_HEADER: &str = "x-service-secret";

/// Marks a request that the gateway forwards for a client. The gateway sets it after the client's
/// headers, so a client cannot remove it. A backend hides its internal routes from such a request,
/// even if the path was changed on the way.
pub const FORWARDED_HEADER: &str = "x-gateway-forwarded";

/// The pseudonym of the client's token, which the gateway sends to a backend instead of the token. The
/// gateway never forwards a client's own header of this name.
pub const CALLER_HEADER: &str = "x-gateway-caller";

/// The author of the writes of a request: the name of the client's token. A backend believes it only
/// together with the secret of the workers, and the gateway never forwards a client's own header of
/// this name.
pub const ACTOR_HEADER: &str = "x-gateway-actor";

/// The version of the format in which the workers talk to each other: paths, headers and bodies,
/// which a caller copies without parsing. Raise it with every change of that format. A backend
/// rejects a caller of another version before it does anything, because the three workers are
/// deployed one after another. `tests/integrity/protocol_version.test.ts` detects a change.
pub const PROTOCOL_VERSION: &str = "1";

/// The header with the caller's version, which the gateway sets after the client's headers. A
/// rejection has the version of the backend.
pub const PROTOCOL_VERSION_HEADER: &str = "x-protocol-version";

/// The timeout of a call between backends, and of each chunk of its response, in milliseconds.
const TIMEOUT_MS: u32 = 5_000;

/// The deadline of all reads of a gateway request, in milliseconds. The setting
/// `UPSTREAM_DEADLINE_MS` replaces it. A gateway write has twice as long. That is longer than
/// [`TIMEOUT_MS`], so that a backend can still report that the other backend timed out.
const READ_DEADLINE_MS: u32 = 3_000;

/// The timeout of an import, in milliseconds.
const IMPORT_TIMEOUT_MS: u32 = 300_000;

/// The timeout of a deletion of a place and of a repair, in milliseconds. They respond after 10
/// seconds, and a call that they have begun takes at most 5 more.
const DELETION_TIMEOUT_MS: u32 = 20_000;

/// The longest pause before the second attempt of a read, in milliseconds.
const MAX_RETRY_PAUSE_MS: u32 = 80;

/// A client of one worker, for one request.
pub struct ServiceClient {
    fetcher: worker_sys::Fetcher,
    policy: CallPolicy,
    write_timeout_ms: u32,
    trace: Rc<Trace>,
    consistency: Rc<Consistency>,
    quota: CallQuota,
    caller: Rc<RefCell<Caller>>,
    /// Shows the service that the caller is one of our workers.
    secret: Option<BearerToken>,
}

impl ServiceClient {
    /// A client of the worker `service`, which is bound as `binding`.
    ///
    /// # Errors
    /// A worker without the binding.
    pub fn new(env: &Env, binding: &'static str, service: &'static str) -> Result<Self, Error> {
        let fetcher = env.service(binding).ok_or_else(|| Error::Platform {
            doing: "looking for another worker",
            reason: format!("there is no binding {binding}"),
        })?;
        Ok(Self {
            fetcher,
            policy: CallPolicy::new(service, TIMEOUT_MS),
            write_timeout_ms: TIMEOUT_MS,
            trace: Rc::clone(env.trace()),
            consistency: Rc::clone(env.consistency()),
            quota: env.quota().clone(),
            caller: Rc::clone(env.caller()),
            secret: service_secret(env),
        })
    }

    /// A client in the gateway. The deadline of its reads starts now.
    ///
    /// # Errors
    /// A worker without the binding.
    pub fn for_gateway(
        env: &Env,
        binding: &'static str,
        service: &'static str,
    ) -> Result<Self, Error> {
        let setting = env.setting("UPSTREAM_DEADLINE_MS");
        let setting = setting.and_then(|setting| setting.parse::<u16>().ok());
        let timeout_ms = setting.map_or(READ_DEADLINE_MS, u32::from);
        Ok(Self {
            policy: CallPolicy {
                deadline: Some(now() + i64::from(timeout_ms)),
                deadline_timer: env.deadline().clone(),
                has_breaker: true,
                ..CallPolicy::new(service, timeout_ms)
            },
            write_timeout_ms: 2 * timeout_ms,
            ..Self::new(env, binding, service)?
        })
    }

    /// Records the outcome of each call for `Server-Timing`.
    #[must_use]
    pub fn with_timings(mut self, timings: &Rc<RefCell<Timings>>) -> Self {
        self.policy.timings = Some(Rc::clone(timings));
        self
    }

    /// Sets the author of the writes, if this is not the client of the request.
    #[must_use]
    pub fn on_behalf_of(self, actor: Option<Actor>) -> Self {
        let caller = Caller {
            pseudonym: None,
            actor,
        };
        Self {
            caller: Rc::new(RefCell::new(caller)),
            ..self
        }
    }

    /// Lowers the timeout, for calls whose responses have no body.
    #[must_use]
    pub fn headers_only(mut self, timeout_ms: u32) -> Self {
        self.policy.timeout_ms = self.policy.timeout_ms.min(timeout_ms);
        self.policy.headers_only = true;
        self
    }

    /// Drops the deadline of all calls. The timeout of each call remains.
    pub fn drop_deadline(&mut self) {
        self.policy.deadline = None;
    }

    /// Raises the timeout of writes to that of an import.
    #[must_use]
    pub fn with_import_timeout(self) -> Self {
        Self {
            write_timeout_ms: IMPORT_TIMEOUT_MS,
            ..self
        }
    }

    /// Raises the timeout of writes to that of a deletion of a place.
    #[must_use]
    pub fn with_deletion_timeout(self) -> Self {
        Self {
            write_timeout_ms: DELETION_TIMEOUT_MS,
            ..self
        }
    }

    /// The problem for an unusable response of this service.
    #[must_use]
    pub fn unusable_response(&self, reason: &str) -> Error {
        self.policy.unusable_response(reason)
    }

    /// Calls the service according to the policy. `sent` are the headers in `init`.
    async fn call(
        &self,
        method: Method,
        init: &RequestInit,
        sent: &Headers,
        fetch: &Fetch<'_>,
    ) -> Result<web_sys::Response, Error> {
        let (started, policy) = (now(), &self.policy);
        if !method.is_safe() {
            return self.write(init, fetch).await;
        }
        // Before the circuit breaker: a call that is not made must not be its probe.
        self.quota.take(Calls::services(1))?;
        if !policy.allow_request() {
            return Err(policy.circuit_open());
        }
        self.trace.record_call(policy.service);
        let mut response = if self.consistency.call_depends_on_client() {
            let response = policy.tentative().attempt(started, init, fetch).await;
            if response.is_err() {
                let newest = sent.set(BOOKMARK_HEADER, FIRST_PRIMARY);
                newest.map_err(Error::platform("sending a request"))?;
                policy.attempt(started, init, fetch).await
            } else {
                response
            }
        } else {
            policy.attempt(started, init, fetch).await
        };
        if policy.has_breaker
            && response.as_ref().is_err_and(failed_at_once)
            && policy.remaining_ms() > MAX_RETRY_PAUSE_MS
            && policy.allow_request()
            && self.quota.take(Calls::services(1)).is_ok()
        {
            pause(retry_pause()).await;
            response = policy.attempt(started, init, fetch).await;
        }
        response.inspect(|response| {
            self.observe_bookmarks(response);
            if response.status() == 200 && method != Method::Head {
                policy.response_started();
            } else {
                policy.succeeded();
            }
        })
    }

    /// Advances the bookmarks of this request to those of a response.
    fn observe_bookmarks(&self, response: &web_sys::Response) {
        let header = headers::get(&response.headers(), BOOKMARK_HEADER);
        if let Some(token) = header {
            self.consistency.observe(&Observed::parse(&token));
        }
    }

    /// Writes have a policy of their own, because their failures say nothing about reads.
    async fn write(
        &self,
        init: &RequestInit,
        fetch: &Fetch<'_>,
    ) -> Result<web_sys::Response, Error> {
        self.quota.take(Calls::services(1))?;
        let policy = CallPolicy::new(self.policy.service, self.write_timeout_ms);
        self.trace.record_call(policy.service);
        let response = policy.attempt(now(), init, fetch).await;
        let response = response.inspect(|response| self.observe_bookmarks(response));
        // A backend of another version rejects a write before it does anything.
        response.map_err(|error| match error {
            Error::Problem(problem) if problem.kind() == Kind::Updating => problem.into(),
            other => other.with_unknown_outcome(),
        })
    }
}

/// The secret that the workers share, if it is set and long enough.
pub fn service_secret(env: &Env) -> Option<BearerToken> {
    BearerToken::parse(&env.setting("SERVICE_SECRET")?)
}

/// Whether an attempt failed without a timeout.
fn failed_at_once(error: &Error) -> bool {
    matches!(error, Error::Problem(problem) if problem.kind() == Kind::ServiceFailed)
}

/// A pause with jitter, so that not all requests retry at once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few milliseconds"
)]
fn retry_pause() -> u32 {
    (f64::from(MAX_RETRY_PAUSE_MS) * (1.0 + 3.0 * Math::random()) / 4.0) as u32
}
