//! What a request is called, and what is done for it: gathered while it is answered, and written
//! down as one line.

use std::cell::{Cell, RefCell};

use crate::layers::access_log::{self, Asked, Line, Sampling};
use domain::Param;
use http_semantics::trace::{RequestId, Traceparent};
use js_sys::Math;
use worker::{console_error, console_log};

use crate::{Incoming, Method, now};

/// The headers that carry the names on.
pub const REQUEST_ID: &str = "x-request-id";
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// The longest `tracestate` that is handed on (W3C, 3.3.1.5).
const MOST_STATE: usize = 512;

/// A request, as the log sees it.
pub struct Trace {
    id: RequestId,
    /// The trace, with this worker as the caller.
    own: Traceparent,
    /// What other systems say of the trace: handed on as it is.
    state: Option<String>,
    method: Method,
    began: i64,
    /// The address in the route table, once it is known.
    pub(crate) route: Cell<Option<&'static str>>,
    asked: Cell<Asked>,
    calls: RefCell<Vec<&'static str>>,
    faults: RefCell<Vec<String>>,
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

/// A random token of 32 hexadecimal digits, that nobody else uses. It is no secret.
#[must_use]
pub fn random_token() -> String {
    format!("{:016x}{:016x}", random(), random())
}

impl Trace {
    /// That of a request that comes in.
    #[must_use]
    pub fn of(incoming: &Incoming) -> Self {
        let header = |name| incoming.header(name);
        let given = header(TRACEPARENT).and_then(|text| Traceparent::parse(&text));
        let state = given.as_ref().and_then(|_| header(TRACESTATE));
        let own = given.map_or_else(
            || Traceparent::begin([random(), random(), random()]),
            |given| given.child(random()),
        );
        Self {
            id: RequestId::of(header(REQUEST_ID).as_deref(), &own),
            state: state.filter(|state| state.len() <= MOST_STATE),
            method: incoming.method,
            ..Self::with(own)
        }
    }

    /// One that begins here.
    #[must_use]
    pub fn begin() -> Self {
        Self::with(Traceparent::begin([random(), random(), random()]))
    }

    fn with(own: Traceparent) -> Self {
        Self {
            id: RequestId::of(None, &own),
            own,
            state: None,
            method: Method::Other,
            began: now(),
            route: Cell::default(),
            asked: Cell::default(),
            calls: RefCell::default(),
            faults: RefCell::default(),
        }
    }

    /// What a user can quote.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// The headers of a request that is sent on for this one.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, Option<&str>)> {
        [
            (REQUEST_ID, Some(self.id.as_str())),
            (TRACEPARENT, Some(self.own.as_str())),
            (TRACESTATE, self.state.as_deref()),
        ]
        .into_iter()
    }

    /// Another worker has been called.
    pub fn called(&self, service: &'static str) {
        self.calls.borrow_mut().push(service);
    }

    /// The database has been asked, since `began`.
    pub fn asked(&self, began: i64, rows_read: i64) {
        let mut asked = self.asked.get();
        asked.round_trips += 1;
        asked.ms += now() - began;
        asked.rows_read += rows_read;
        self.asked.set(asked);
    }

    /// Something went wrong.
    pub fn failed(&self, what: String) {
        self.faults.borrow_mut().push(what);
    }

    /// Writes the line of the request, if it is one of those that are written.
    pub fn write(&self, worker: &str, sampling: Sampling, status: u16) {
        let message = self.faults.borrow().join("; ");
        let is_fault = status >= 500 || !message.is_empty();
        if !sampling.takes(is_fault, &self.own) {
            return;
        }
        let line = Line {
            level: access_log::level(is_fault),
            worker,
            method: self.method.name(),
            route: self.route.get(),
            status,
            ms: now() - self.began,
            d1: self.asked.get(),
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
