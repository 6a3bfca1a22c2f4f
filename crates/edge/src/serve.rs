//! From the platform's request to its response, whatever happens in between.
//!
//! A panic ends the whole instance: wasm cannot unwind, nothing of it runs any more, and the
//! platform begins another one for the next request. What would be left are requests that nobody
//! answers: the one that it happened to, and those that were waiting. So the promise of an answer
//! is made apart from what runs, and the hook, which runs last, keeps all that are open.

use std::cell::Cell;
use std::panic::PanicHookInfo;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as Waking, Poll};

use crate::layers::access_log::Sampling;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::Problem;
use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;
use worker::{Context, console_error, worker_sys};

use crate::{Answer, Env, Error, Incoming, Routes, access};

/// Who gets the answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asker {
    /// Another worker, for itself: it calls this one by its bare name. A client may call itself
    /// the same, but its request is forwarded.
    Worker,
    /// Whoever reached it by TLS, and will do so again: a name that means the machine itself must
    /// not be bound to it.
    Secure,
    /// Anybody else.
    Other,
}

impl Asker {
    fn of(incoming: &Incoming, worker: &str) -> Self {
        let host = incoming.url.strip_prefix("https://").unwrap_or_default();
        let is_forwarded = || incoming.header(access::FORWARDED).is_some();
        match host.split(['/', '?', ':']).next().unwrap_or_default() {
            name if name == worker && !is_forwarded() => Self::Worker,
            "" | "localhost" | "127.0.0.1" | "[" => Self::Other,
            _ => Self::Secure,
        }
    }
}

/// A request that is being answered.
struct Serving {
    worker: &'static str,
    env: Env,
    asker: Asker,
    is_write: bool,
    /// Settles the promise of the answer.
    settle: Function,
}

thread_local! {
    /// Whose turn it is.
    static TURN: Cell<Option<Rc<Serving>>> = const { Cell::new(None) };
    /// All that are not answered yet. Both are taken out while they are looked at, so that no
    /// panic finds them borrowed.
    static OPEN: Cell<Vec<Rc<Serving>>> = const { Cell::new(Vec::new()) };
}

fn open(serving: &Rc<Serving>) {
    let mut all = OPEN.take();
    all.push(Rc::clone(serving));
    OPEN.set(all);
}

fn close(serving: &Rc<Serving>) {
    let mut all = OPEN.take();
    all.retain(|one| !Rc::ptr_eq(one, serving));
    OPEN.set(all);
}

impl Serving {
    /// The answer goes out, and its line is written.
    fn end(&self, answer: Answer) {
        let id = self.env.trace().id();
        let answer = match self.asker {
            Asker::Worker => answer.for_worker(id),
            Asker::Secure => answer.of_request(id).secure(),
            Asker::Other => answer.of_request(id),
        };
        let response = answer.seen(self.env.reading().token()).into_response();
        let settled = response.and_then(|response| {
            let sampling = Sampling::of(self.env.setting("LOG").as_deref());
            let status = response.status();
            self.env.trace().write(self.worker, sampling, status);
            let settled = self.settle.call1(&JsValue::UNDEFINED, &response);
            settled.map_err(Error::platform("answering"))
        });
        if let Err(error) = settled {
            console_error!("{error}");
        }
    }
}

/// A request on its way, which has the turn while it is polled.
struct Turns {
    serving: Rc<Serving>,
    answer: LocalBoxFuture<'static, Answer>,
}

impl Future for Turns {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, waking: &mut Waking<'_>) -> Poll<()> {
        TURN.set(Some(Rc::clone(&self.serving)));
        let polled = self.answer.poll_unpin(waking);
        TURN.set(None);
        polled.map(|answer| {
            close(&self.serving);
            self.serving.end(answer);
        })
    }
}

/// Answers a request.
pub fn serve(
    routes: Rc<Routes>,
    request: web_sys::Request,
    bindings: worker::Env,
    context: worker_sys::Context,
) -> Promise {
    let incoming = Incoming::from(request);
    let env = Env::of_request(bindings, &incoming, routes.name());
    let asker = Asker::of(&incoming, routes.name());
    let is_write = !incoming.method.is_safe();
    let context = Context::new(context);
    let mut begun = Some((routes, incoming, env, context));
    Promise::new(&mut |settle, _| {
        let Some((routes, incoming, env, context)) = begun.take() else {
            return;
        };
        let worker = routes.name();
        let serving = Rc::new(Serving {
            worker,
            env: env.clone(),
            asker,
            is_write,
            settle,
        });
        open(&serving);
        let answer = async move { routes.serve(incoming, env, context).await }.boxed_local();
        spawn_local(Turns { serving, answer });
    })
}

/// Writes down what went wrong: in the line of the request whose turn it is, or in one of its
/// own where it is nobody's.
pub fn report(what: String) {
    let turn = TURN.take();
    match &turn {
        Some(serving) => serving.env.trace().failed(what),
        None => console_error!("{what}"),
    }
    TURN.set(turn);
}

/// What a worker does when it panics: a 500 for each request that is open, with what happened in
/// its line.
pub fn panicked(info: &PanicHookInfo<'_>) {
    let open = OPEN.take();
    if open.is_empty() {
        console_error_panic_hook::hook(info);
    }
    for serving in open {
        serving.env.trace().failed(info.to_string());
        let problem = Problem::internal().answering(serving.is_write);
        serving.end(Answer::problem(&problem));
    }
}
