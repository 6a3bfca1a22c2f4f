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

use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use worker::Context;

use crate::now;

/// The change counters of the registers that an answer is made from; a register alone has the
/// first.
pub type Marks = [i64; 2];

/// The header in which a record's owner tells the entry point which counter it is of.
pub const COUNTER: &str = "x-change-counter";

/// How long a round is waited for, in milliseconds.
const PATIENCE: i32 = 1_500;

/// The most rounds of one request.
const MOST_ROUNDS: usize = 100;

/// One asking, and all who wait for it.
#[derive(Clone, Default)]
struct Round {
    found: Rc<Cell<Option<Marks>>>,
    /// Wakes whoever waits. Each has a promise of its own, which the platform settles in the
    /// request that made it: one promise for all would wake all in the request of the first.
    waiting: Rc<RefCell<Vec<Function>>>,
}

impl Round {
    /// What the round finds.
    fn wait(&self) -> impl Future<Output = Option<Marks>> + use<> {
        let ended = Promise::new(&mut |wake, _| self.waiting.borrow_mut().push(wake));
        // A timer must be pending, or the platform takes the request for one that hangs; and it
        // must not be taken back, because that can be where the request is gone already.
        let late = wait(PATIENCE);
        let first = Promise::race(&Array::of2(&ended, &late));
        let found = Rc::clone(&self.found);
        async move {
            let _ = JsFuture::from(first).await;
            found.get()
        }
    }

    fn end(&self, found: Option<Marks>) {
        self.found.set(found);
        for wake in self.waiting.take() {
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
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
/// had. `ask` is what the one request that asks for all does.
pub async fn marks<F>(context: &Context, ask: impl Fn() -> F + 'static) -> Option<Marks>
where
    F: Future<Output = Option<Marks>> + 'static,
{
    if ROUNDS.with_borrow_mut(|rounds| rounds.is_alone(now())) {
        let found = ask().await;
        ROUNDS.with_borrow_mut(|rounds| rounds.alone_since = None);
        return found;
    }
    let (round, is_mine) = ROUNDS.with_borrow_mut(|rounds| rounds.join(now()));
    let found = round.wait();
    if is_mine {
        context.wait_until(async move {
            for _ in 0..MOST_ROUNDS {
                let Some(round) = ROUNDS.with_borrow_mut(|rounds| rounds.begin(now())) else {
                    return;
                };
                round.end(ask().await);
            }
            // Whoever waits still reads for himself; whoever comes next asks.
            let last = ROUNDS.with_borrow_mut(|rounds| {
                rounds.asking_since = None;
                rounds.next.take()
            });
            if let Some(last) = last {
                last.end(None);
            }
        });
    }
    found.await
}
