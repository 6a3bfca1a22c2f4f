//! Sends live changes as server-sent events (`text/event-stream`, WHATWG HTML, 9.2).
//!
//! # How
//! A *listener* is the open stream of one client. It first reads the changes after its cursor with
//! calls of its own. Then it joins the [`hub`] of its isolate. One listener polls the feed for all
//! of them, at most once per second. It gives each change to the listeners whose filter selects the
//! change. If this listener ends, another one polls.
//!
//! The id of an event is the cursor after its change. A client that reconnects sends this id as
//! `Last-Event-ID` and continues from there. A listener may join the hub only if it has read all
//! changes that the hub has already given to its listeners. From the hub it takes only changes that
//! it has not sent yet. So a client misses no change, and gets none twice.
//!
//! The plan of the Cloudflare account limits the calls of an invocation. A stream ends before it
//! reaches this limit. Its last line is `retry:`, which makes the client connect again.
//!
//! # Rules of the platform
//! A request must not await a promise of another request. So each listener waits for a promise of
//! its own, and the listener that polls resolves these promises. It polls with the bindings of its
//! own request.

mod admission;
mod event;
mod hub;

use std::rc::Rc;

use domain::Param;
use futures_util::future::LocalBoxFuture;
use futures_util::stream;
use http_semantics::problem::Kind;
use http_semantics::{Problem, Validator};
use js_sys::Uint8Array;
use tables::change_feed::Since;
use tables::page::PageSize;
use tables::{ChangesQuery, Cursor};
use wasm_bindgen_futures::JsFuture;

use crate::env::Env;
use crate::error::Error;
use crate::http::request::Request;
use crate::http::response::{Body, Response};
use crate::layers::rate_limit::client_of;
use crate::time::{now, pause};

use admission::Permit;
use hub::{Subscription, Turn};

pub use event::Event;

/// The media type.
pub const MEDIA_TYPE: &str = "text/event-stream";

/// The header with the id of the last event that a client has received.
const LAST_EVENT_ID: &str = "last-event-id";

/// The time after which a comment is sent, in milliseconds, so that no intermediary closes the
/// connection.
const HEARTBEAT_MS: i64 = 15_000;

/// The end of a stream: the client connects again after this time, in milliseconds.
const END: &str = "retry: 1000\n\n";

/// The time after which a listener reads again, if the hub has newer changes, in milliseconds.
const BEHIND_MS: u32 = 250;

/// The calls of a poll, at most.
const POLL_CALLS: u32 = 2;

/// A position in the feeds of places and of people. A backend has only that of its own table.
pub type Position = [Option<Validator>; 2];

/// The cursor of a position.
#[must_use]
pub fn cursor(position: &Position) -> Option<Cursor> {
    match *position {
        [Some(places), Some(people)] => Some(Cursor::Changes(places, people)),
        [one, other] => one.or(other).map(Cursor::Change),
    }
}

/// A page of changes.
pub struct Batch {
    /// The changes in order.
    pub events: Vec<Event>,
    /// The position after them.
    pub next: Position,
    /// Whether there are more changes.
    pub has_more: bool,
}

/// Reads a page of changes.
pub type ReadChanges =
    Rc<dyn Fn(Env, ChangesQuery<Position>) -> LocalBoxFuture<'static, Result<Batch, Error>>>;

/// The response with the changes of a query, now and later. `position` is the position of a cursor.
///
/// # Errors
/// An invalid query or `Last-Event-ID`, too many listeners, or a failure of the first read.
pub async fn respond(
    request: &Request,
    mut query: ChangesQuery<Position>,
    position: impl Fn(&Cursor) -> Option<Position>,
    read: ReadChanges,
) -> Result<Response, Error> {
    if query.descending {
        let expected = "asc or absent, because later changes come last";
        return Err(Problem::invalid_parameter("order", expected).into());
    }
    if let Some(id) = request.header(LAST_EVENT_ID).filter(|id| !id.is_empty()) {
        let last = Cursor::parse(&id).as_ref().and_then(position);
        let expected = "the `id` of an event of this feed";
        let last = last.ok_or_else(|| Problem::invalid_header("Last-Event-ID", expected))?;
        query.since = Since::Position(last);
    }
    query.limit = PageSize::MAX;
    let permit = Permit::acquire(client_of(request))?;
    let env = request.env.clone();
    let first = read(env.clone(), query).await?;
    let stream = ChangeStream {
        permit,
        env,
        read,
        query,
        position: start(&first),
        first: Some(first),
        subscription: None,
        sent_at: now(),
        sent_id: None,
        has_ended: false,
    };
    let chunks = stream::unfold(stream, |mut stream| async {
        let text = stream.next().await?;
        Some((Ok::<_, Error>(Uint8Array::from(text.as_bytes())), stream))
    });
    let body = Body::stream_with_error_end(chunks, |_| String::new());
    // An intermediary must neither store nor delay the events.
    Ok(Response::ok(MEDIA_TYPE, body).header("cache-control", "no-store, no-transform"))
}

/// The position before the first change of a page.
fn start(batch: &Batch) -> Position {
    let mut position = batch.next;
    for (collection, next) in position.iter_mut().enumerate() {
        let mut events = batch.events.iter();
        let first = events.find(|event| event.collection == collection);
        if let (Some(next), Some(first)) = (next, first) {
            next.number = first.seq - 1;
        }
    }
    position
}

/// The stream of one client.
struct ChangeStream {
    permit: Permit,
    env: Env,
    read: ReadChanges,
    query: ChangesQuery<Position>,
    /// The position up to which the client has all changes.
    position: Position,
    /// The page that was read before the response began.
    first: Option<Batch>,
    /// None until the client has all earlier changes.
    subscription: Option<Subscription>,
    /// When something was last sent, in milliseconds since 1970.
    sent_at: i64,
    /// The last id that was sent.
    sent_id: Option<Cursor>,
    has_ended: bool,
}

impl ChangeStream {
    /// The next text to send, or none at the end.
    async fn next(&mut self) -> Option<String> {
        if self.has_ended {
            return None;
        }
        loop {
            let sent = match &self.subscription {
                _ if !self.permit.renew() => Err(End),
                None => self.catch_up().await,
                Some(_) => self.follow().await,
            };
            let Ok(text) = sent else {
                self.has_ended = true;
                self.subscription = None;
                return Some(self.position_line() + END);
            };
            if !text.is_empty() {
                self.sent_at = now();
                return Some(text);
            }
            if now() - self.sent_at >= HEARTBEAT_MS {
                self.sent_at = now();
                return Some(self.position_line() + ":\n\n");
            }
        }
    }

    /// Reads a page of earlier changes, and joins the hub after the last one.
    async fn catch_up(&mut self) -> Result<String, End> {
        let batch = if let Some(first) = self.first.take() {
            first
        } else {
            self.query.since = Since::Position(self.position);
            match self.read(self.env.clone(), self.query).await? {
                Some(batch) => batch,
                None => return Ok(String::new()),
            }
        };
        let (next, has_more) = (batch.next, batch.has_more);
        let events: Vec<Rc<Event>> = batch.events.into_iter().map(Rc::new).collect();
        let mut text = self.render(&events);
        self.position = hub::advance(self.position, next);
        if !has_more {
            self.subscription = Subscription::join(self.query, &self.position);
            if self.subscription.is_none() {
                pause(BEHIND_MS).await;
            }
        }
        if text.is_empty() {
            text = self.position_line();
        }
        Ok(text)
    }

    /// Sends the changes that wait, or polls, or waits.
    async fn follow(&mut self) -> Result<String, End> {
        let Some(subscription) = &self.subscription else {
            return Ok(String::new());
        };
        let (events, position) = subscription.take();
        if !events.is_empty() {
            let text = self.render(&events);
            self.position = hub::advance(self.position, position);
            return Ok(text);
        }
        let turn = subscription.turn();
        self.position = hub::advance(self.position, position);
        match turn {
            Turn::Leave => Err(End),
            Turn::Wait(woken) => {
                let _ = JsFuture::from(woken).await;
                Ok(String::new())
            }
            Turn::WaitToPoll(milliseconds) => {
                pause(milliseconds).await;
                Ok(String::new())
            }
            Turn::Poll(position) => {
                let all = ChangesQuery {
                    since: Since::Position(position),
                    place: None,
                    person: None,
                    ..self.query
                };
                if let Some(batch) = self.read(self.env.for_shared_run(false), all).await? {
                    hub::dispatch(batch);
                }
                Ok(String::new())
            }
        }
    }

    /// Reads a page of changes. None: a service failed, and the next poll tries again.
    async fn read(&self, env: Env, query: ChangesQuery<Position>) -> Result<Option<Batch>, End> {
        if !self.env.quota().may_stream(POLL_CALLS) {
            return Err(End);
        }
        match (self.read)(env, query).await {
            Ok(batch) => Ok(Some(batch)),
            Err(Error::Problem(problem)) if problem.kind() == Kind::HistoryRestarted => {
                hub::remove_all();
                Err(End)
            }
            Err(_) => {
                pause(BEHIND_MS).await;
                Ok(None)
            }
        }
    }

    /// The events of the changes that the client does not have.
    fn render(&mut self, events: &[Rc<Event>]) -> String {
        let mut text = String::new();
        for event in events {
            let Some(position) = self.position.get_mut(event.collection) else {
                continue;
            };
            let Some(known) = position.as_mut().filter(|known| event.seq > known.number) else {
                continue;
            };
            known.number = event.seq;
            self.sent_id = cursor(&self.position);
            if let Some(id) = &self.sent_id {
                let id = id.to_string();
                text += &["id: ", &id, "\ndata: ", &event.json, "\n\n"].concat();
            }
        }
        text
    }

    /// The id of the present position without an event, if the client does not know it. The client
    /// continues from there.
    fn position_line(&mut self) -> String {
        let id = cursor(&self.position);
        if id == self.sent_id {
            return String::new();
        }
        self.sent_id = id;
        let id = self.sent_id.as_ref().map(Cursor::to_string);
        format!("id: {}\n\n", id.unwrap_or_default())
    }
}

/// The stream has to end.
struct End;
