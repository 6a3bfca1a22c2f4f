//! How far the registers are, asked once for all who want to know at the same time.
//!
//! An answer that an isolate holds may go out again if nothing has changed since it was made.
//! Whether something has is one row of a register, and many requests can share the asking:
//! one that is on its way when a request comes was begun too early for it, so the request
//! waits for the next one, which begins when that has ended. Whatever was written before a
//! request came is thereby seen by it: shared or not, an answer is as exact as one that was
//! read from the database.
//!
//! Who is alone asks for himself, and that is all. Only who comes while somebody asks begins
//! rounds: such a request goes on asking as long as others come, even when its own client has left
//! (`wait_until`), for at most [`MOST_ROUNDS`], because an invocation may ask a database so often
//! and no more. The platform lets no request
//! use what another has opened, so that those who wait are each woken in their own. If whoever
//! asks is lost all the same, those who wait go on without it after [`PATIENCE`], and read for
//! themselves.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use http_semantics::bookmark::Bookmarks;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

use crate::{Call, Env, now};

/// The change counters of the registers that an answer is made from; a register alone has the
/// first.
pub type Marks = [i64; 2];

/// The header in which a record's owner tells the entry point which counter it is of.
pub const COUNTER: &str = "x-change-counter";

/// How long a round is waited for, in milliseconds.
const PATIENCE: i32 = 1_500;

/// The pause behind a round of a crowd, in milliseconds. Whoever has just been answered, and asks
/// again, comes in time for the next one: without it two halves of a crowd take turns, each in
/// rounds of its own.
const PAUSE: i32 = 1;

/// How many make a crowd. Fewer would only lose the time.
const CROWD: usize = 3;

/// Lets those come who will ask again, if there were many.
pub async fn regroup(answered: usize) {
    if answered >= CROWD {
        let _ = JsFuture::from(wait(PAUSE)).await;
    }
}

/// The most rounds of one request.
const MOST_ROUNDS: usize = 100;

/// What was found, and how far whoever asked has seen the registers.
type Proof = (Marks, Bookmarks);

/// One asking, and all who wait for it.
#[derive(Clone, Default)]
struct Round {
    found: Rc<Cell<Option<Proof>>>,
    /// Wakes whoever waits. Each has a promise of its own, which the platform settles in the
    /// request that made it: one promise for all would wake all in the request of the first.
    waiting: Rc<RefCell<Vec<Function>>>,
}

impl Round {
    /// What the round finds.
    fn wait(&self) -> impl Future<Output = Option<Proof>> + use<> {
        let ended = Promise::new(&mut |wake, _| self.waiting.borrow_mut().push(wake));
        // A timer must be pending, or the platform takes the request for one that hangs; and it
        // must not be taken back, because that can be where the request is gone already.
        let late = wait(PATIENCE);
        let first = Promise::race(&Array::of2(&ended, &late));
        let found = Rc::clone(&self.found);
        async move {
            let _ = JsFuture::from(first).await;
            let proof = found.take();
            found.set(proof.clone());
            proof
        }
    }

    /// Wakes all who wait, and tells how many they were.
    fn end(&self, found: Option<Proof>) -> usize {
        self.found.set(found);
        let waiting = self.waiting.take();
        for wake in &waiting {
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
        waiting.len()
    }
}

#[wasm_bindgen]
extern "C" {
    /// The platform's timer as a promise.
    #[wasm_bindgen(js_namespace = scheduler)]
    pub(crate) fn wait(milliseconds: i32) -> Promise;
}

/// The round to come, and who asks.
#[derive(Default)]
struct Rounds {
    next: Option<Round>,
    /// Since when somebody asks for himself, in milliseconds since 1970.
    alone_since: Option<i64>,
    /// Since when the running round runs, in milliseconds since 1970.
    asking_since: Option<i64>,
}

/// Whether what has gone on since a moment may still go on.
fn goes_on(since: Option<i64>, now: i64) -> bool {
    since.is_some_and(|since| now - since < PATIENCE.into())
}

impl Rounds {
    /// Whether nobody else asks: then whoever came now does, for himself.
    fn is_alone(&mut self, now: i64) -> bool {
        let is_alone = !goes_on(self.alone_since, now) && !goes_on(self.asking_since, now);
        if is_alone {
            self.alone_since = Some(now);
        }
        is_alone
    }

    /// The round that begins behind this moment, and whether nobody is there to begin it.
    fn join(&mut self, now: i64) -> (Round, bool) {
        let round = self.next.get_or_insert_default().clone();
        let is_asked = goes_on(self.asking_since, now);
        if !is_asked {
            self.asking_since = Some(now);
        }
        (round, !is_asked)
    }

    /// The round that begins now, if anybody waits for it.
    fn begin(&mut self, now: i64) -> Option<Round> {
        self.asking_since = self.next.as_ref().map(|_| now);
        self.next.take()
    }
}

thread_local! {
    static ROUNDS: RefCell<Rounds> = RefCell::default();
}

/// The marks of the registers, as of a moment behind this call; none where they could not be
/// had. `ask` is what the one request that asks for all does, in its own environment. Where it has
/// asked a replica that has not come as far as the call's reader, that reader asks by himself.
pub async fn marks<F>(call: &Call, ask: impl Fn(Env) -> F + 'static) -> Option<Marks>
where
    F: Future<Output = Option<Marks>> + 'static,
{
    let env = call.env.clone();
    let ask = Rc::new(ask);
    match shared(call, Rc::clone(&ask)).await? {
        Shared::Own(marks) => Some(marks),
        Shared::Others((marks, seen)) => {
            let reading = env.reading();
            if !seen.covers(&reading.seen()) {
                return ask(env.clone()).await;
            }
            reading.saw(&seen);
            Some(marks)
        }
    }
}

/// Whose asking it was.
enum Shared {
    Own(Marks),
    Others(Proof),
}

async fn shared<F>(call: &Call, ask: Rc<impl Fn(Env) -> F + 'static>) -> Option<Shared>
where
    F: Future<Output = Option<Marks>> + 'static,
{
    let env = call.env.clone();
    if ROUNDS.with_borrow_mut(|rounds| rounds.is_alone(now())) {
        let found = ask(env).await;
        ROUNDS.with_borrow_mut(|rounds| rounds.alone_since = None);
        return found.map(Shared::Own);
    }
    let (round, is_mine) = ROUNDS.with_borrow_mut(|rounds| rounds.join(now()));
    let found = round.wait();
    if is_mine {
        call.context.wait_until(async move {
            for _ in 0..MOST_ROUNDS {
                let Some(round) = ROUNDS.with_borrow_mut(|rounds| rounds.begin(now())) else {
                    return;
                };
                let found = ask(env.clone()).await;
                let answered = round.end(found.map(|marks| (marks, env.reading().seen())));
                regroup(answered).await;
            }
            // Whoever waits still is told; whoever comes next asks.
            let last = ROUNDS.with_borrow_mut(|rounds| {
                rounds.asking_since = None;
                rounds.next.take()
            });
            if let Some(last) = last {
                let found = ask(env.clone()).await;
                last.end(found.map(|marks| (marks, env.reading().seen())));
            }
        });
    }
    found.await.map(Shared::Others)
}
