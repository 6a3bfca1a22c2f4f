//! The trace of a request: its ids, and what was done for it, which becomes one line of the access
//! log.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use domain::Param;
use http_semantics::trace::{RequestId, Traceparent};
use js_sys::Math;
use worker::{console_error, console_log};

use crate::http::request_parts::{Method, RequestParts};
use crate::layers::access_log::{self, DatabaseUse, Line, Sampling};
use crate::timeout::now;

/// The headers that carry the ids.
pub const REQUEST_ID_HEADER: &str = "x-request-id";
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The maximum length of a `tracestate` that is passed on (W3C, 3.3.1.5).
const MAX_TRACESTATE: usize = 512;

/// What is known about a request for the log.
pub struct Trace {
    id: RequestId,
    /// The trace, with this worker as the parent.
    own: Traceparent,
    /// The vendors' part of the trace, passed on unchanged.
    state: Option<String>,
    method: Method,
    began: i64,
    /// The path in the route table, once it is known.
    pub(crate) route: Cell<Option<&'static str>>,
    d1: Cell<DatabaseUse>,
    calls: RefCell<Vec<&'static str>>,
    faults: RefCell<Vec<String>>,
}

thread_local! {
    /// The trace of the request whose code runs now. It is taken out while it is read, so that no
    /// panic finds it borrowed.
    static CURRENT: Cell<Option<Rc<Trace>>> = const { Cell::new(None) };
}

/// Sets the trace of the request whose code runs now.
pub fn set_current(trace: Option<Rc<Trace>>) {
    CURRENT.set(trace);
}

/// Logs a failure: in the line of the current request, or in a line of its own if there is none.
pub fn report_failure(what: String) {
    let current = CURRENT.take();
    match &current {
        Some(trace) => trace.record_failure(what),
        None => console_error!("{what}"),
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

impl Trace {
    /// The trace of an incoming request.
    #[must_use]
    pub fn from_request(parts: &RequestParts) -> Self {
        let header = |name| parts.header(name);
        let given = header(TRACEPARENT).and_then(|text| Traceparent::parse(&text));
        let state = given.as_ref().and_then(|_| header(TRACESTATE));
        let own = given.map_or_else(
            || Traceparent::from_random([random(), random(), random()]),
            |given| given.child(random()),
        );
        Self {
            id: RequestId::from_header(header(REQUEST_ID_HEADER).as_deref(), &own),
            state: state.filter(|state| state.len() <= MAX_TRACESTATE),
            method: parts.method,
            ..Self::with(own)
        }
    }

    /// A new trace.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Traceparent::from_random([random(), random(), random()]))
    }

    fn with(own: Traceparent) -> Self {
        Self {
            id: RequestId::from_header(None, &own),
            own,
            state: None,
            method: Method::Other,
            began: now(),
            route: Cell::default(),
            d1: Cell::default(),
            calls: RefCell::default(),
            faults: RefCell::default(),
        }
    }

    /// The id that a user can quote.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// The headers of a call that is made for this request.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        [
            (REQUEST_ID_HEADER, Some(self.id.as_str())),
            (TRACEPARENT, Some(self.own.as_str())),
            (TRACESTATE, self.state.as_deref()),
        ]
        .into_iter()
    }

    /// Notes a call of another worker.
    pub fn record_call(&self, service: &'static str) {
        self.calls.borrow_mut().push(service);
    }

    /// Notes a round trip to the database that began at this time.
    pub fn record_query(&self, began: i64, rows_read: i64) {
        let mut d1 = self.d1.get();
        d1.round_trips += 1;
        d1.ms += now() - began;
        d1.rows_read += rows_read;
        self.d1.set(d1);
    }

    /// Notes a failure.
    pub fn record_failure(&self, what: String) {
        self.faults.borrow_mut().push(what);
    }

    /// Writes the line of the request, unless sampling leaves it out.
    pub fn write_log_line(&self, worker: &str, sampling: Sampling, status: u16) {
        let message = self.faults.borrow().join("; ");
        let is_fault = status >= 500 || !message.is_empty();
        if !sampling.includes(is_fault, &self.own) {
            return;
        }
        let line = Line {
            level: access_log::level(is_fault),
            worker,
            method: self.method.name(),
            route: self.route.get(),
            status,
            ms: now() - self.began,
            d1: self.d1.get(),
            calls: &self.calls.borrow(),
            request_id: self.id.as_str(),
            trace_id: self.own.trace_id(),
            span_id: self.own.span_id(),
            message: Some(message.as_str()).filter(|message| !message.is_empty()),
        };
        let line = line.to_json();
        if is_fault {
            console_error!("{line}");
        } else {
            console_log!("{line}");
        }
    }
}
