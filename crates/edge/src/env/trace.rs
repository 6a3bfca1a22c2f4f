//! The trace of a request: its ids, its calls and its failures. At the end of the request, the
//! trace becomes one JSON line of the access log, if [`Sampling`] selects the request.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::Param;
use http_semantics::trace::{RequestId, Traceparent};
use js_sys::Math;
use serde::Serialize;
use web_sys::Headers;
use worker::{console_error, console_log};

use crate::time::now;

/// The header with the id that a user can quote.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

/// The headers of a trace that crosses services (W3C Trace Context).
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The maximum length of a `tracestate` that is forwarded (W3C, 3.3.1.5).
const MAX_TRACESTATE: usize = 512;

/// The trace of one request, and the contents of its log line.
pub struct Trace {
    id: RequestId,
    /// The trace, with this worker as the parent.
    own: Traceparent,
    /// The client's `tracestate`, which is forwarded unchanged.
    state: Option<String>,
    method: &'static str,
    /// When the request arrived, in milliseconds since 1970.
    started: i64,
    /// The path in the route table, once it is known.
    pub(crate) route: Cell<Option<&'static str>>,
    d1: Cell<DatabaseUse>,
    calls: RefCell<Vec<&'static str>>,
    failures: RefCell<Vec<String>>,
}

thread_local! {
    /// The trace of the request whose code runs now. It is moved out while it is read, so that the
    /// panic hook never finds it borrowed.
    static CURRENT: Cell<Option<Rc<Trace>>> = const { Cell::new(None) };
}

/// Sets the trace of the request whose code runs now.
pub fn set_current(trace: Option<Rc<Trace>>) {
    CURRENT.set(trace);
}

/// Logs a failure: in the line of the current request, or in a line of its own if there is none.
pub fn report_failure(message: String) {
    let current = CURRENT.take();
    match &current {
        Some(trace) => trace.record_failure(message),
        None => console_error!("{message}"),
    }
    CURRENT.set(current);
}

fn random() -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number from 0 to 2^32"
    )]
    let half = || (Math::random() * 4_294_967_296.0) as u64;
    half() << 32 | half()
}

/// A random token of 32 hexadecimal digits. It is unique, but not a secret.
#[must_use]
pub fn random_token() -> String {
    format!("{:016x}{:016x}", random(), random())
}

fn random_traceparent() -> Traceparent {
    Traceparent::from_random([random(), random(), random()])
}

impl Trace {
    /// The trace of an incoming request: a child of the caller's trace, if it sent one.
    #[must_use]
    pub fn from_request(method: &'static str, headers: &Headers) -> Self {
        let header = |name| headers.get(name).ok().flatten();
        let parent = header(TRACEPARENT).and_then(|text| Traceparent::parse(&text));
        let state = parent.as_ref().and_then(|_| header(TRACESTATE));
        let own = parent.map_or_else(random_traceparent, |parent| parent.child(random()));
        Self {
            id: RequestId::from_header(header(REQUEST_ID_HEADER).as_deref(), &own),
            state: state.filter(|state| state.len() <= MAX_TRACESTATE),
            method,
            ..Self::with(own)
        }
    }

    /// The trace of a scheduled run.
    #[must_use]
    pub fn for_schedule() -> Self {
        Self::with(random_traceparent())
    }

    fn with(own: Traceparent) -> Self {
        Self {
            id: RequestId::from_header(None, &own),
            own,
            state: None,
            method: "",
            started: now(),
            route: Cell::default(),
            d1: Cell::default(),
            calls: RefCell::default(),
            failures: RefCell::default(),
        }
    }

    /// The id that a user can quote.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// When the request arrived, in milliseconds since 1970.
    #[must_use]
    pub fn started(&self) -> i64 {
        self.started
    }

    /// The headers of a call of another worker.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        [
            (REQUEST_ID_HEADER, Some(self.id.as_str())),
            (TRACEPARENT, Some(self.own.as_str())),
            (TRACESTATE, self.state.as_deref()),
        ]
        .into_iter()
    }

    /// Records a call of another worker.
    pub fn record_call(&self, service: &'static str) {
        self.calls.borrow_mut().push(service);
    }

    /// Records a round trip to the database that started at this time.
    pub fn record_query(&self, started: i64, rows_read: i64) {
        let mut d1 = self.d1.get();
        d1.round_trips += 1;
        d1.ms += now() - started;
        d1.rows_read += rows_read;
        self.d1.set(d1);
    }

    /// Records a failure.
    pub fn record_failure(&self, message: String) {
        self.failures.borrow_mut().push(message);
    }

    /// Writes the log line of the request, if sampling includes it.
    pub fn write_log_line(&self, worker: &str, sampling: Sampling, status: u16) {
        let message = self.failures.borrow().join("; ");
        let is_failure = status >= 500 || !message.is_empty();
        if !sampling.includes(is_failure, &self.own) {
            return;
        }
        let line = Line {
            level: level(is_failure),
            worker,
            method: self.method,
            route: self.route.get(),
            status,
            ms: now() - self.started,
            d1: self.d1.get(),
            calls: &self.calls.borrow(),
            request_id: self.id.as_str(),
            trace_id: self.own.trace_id(),
            span_id: self.own.span_id(),
            message: Some(message.as_str()).filter(|message| !message.is_empty()),
        };
        let line = line.to_json();
        if is_failure {
            console_error!("{line}");
        } else {
            console_log!("{line}");
        }
    }
}

/// The use of the database by one request.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseUse {
    /// The number of round trips.
    pub round_trips: u32,
    /// The time of all round trips together, in milliseconds.
    pub ms: i64,
    /// The number of rows that were read.
    pub rows_read: i64,
}

/// The line of one request. It contains no path, query, header or body of the client, only ids
/// that were validated.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    /// `info`, or `error` for a failure on our side.
    pub level: &'static str,
    /// The worker.
    pub worker: &'a str,
    /// The method, empty for an unknown one.
    pub method: &'a str,
    /// The path in the route table, if there is one.
    pub route: Option<&'a str>,
    /// The status of the response.
    pub status: u16,
    /// The time until the response started, in milliseconds.
    pub ms: i64,
    /// The use of the database.
    pub d1: DatabaseUse,
    /// The other workers that it called, in order.
    pub calls: &'a [&'static str],
    /// The id that a user can quote.
    pub request_id: &'a str,
    /// The trace.
    pub trace_id: &'a str,
    /// This worker's span.
    pub span_id: &'a str,
    /// The failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

impl Line<'_> {
    /// The line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The level of a line.
#[must_use]
pub fn level(is_failure: bool) -> &'static str {
    if is_failure { "error" } else { "info" }
}

/// The requests that get a line: the setting `LOG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// None.
    None,
    /// All failures on our side, and this percentage of the other requests.
    Percent(u32),
}

impl Sampling {
    /// Parses the setting: `off`, `errors`, `all`, or a percentage such as `5%`. Anything else
    /// means `all`, so that a typing error does not turn the log off.
    #[must_use]
    pub fn parse(setting: Option<&str>) -> Self {
        match setting {
            Some("off") => Self::None,
            Some("errors") => Self::Percent(0),
            Some(text) => {
                let percent = text.strip_suffix('%').and_then(|text| text.parse().ok());
                Self::Percent(percent.unwrap_or(100))
            }
            None => Self::Percent(100),
        }
    }

    /// Whether a request gets a line. The trace id decides, so that all workers log a request or
    /// none does.
    #[must_use]
    pub fn includes(self, is_failure: bool, trace: &Traceparent) -> bool {
        match self {
            Self::None => false,
            Self::Percent(percent) => is_failure || trace.sampling_bucket() < percent,
        }
    }
}

#[cfg(test)]
mod tests;
