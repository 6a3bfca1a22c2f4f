//! How far the registers are, asked once for all who want to know at the same time.
//!
//! An answer that an isolate holds may go out again if nothing has changed since it was made.
//! Whether something has is one row of a register, and many requests can share the asking:
//! one that is on its way when a request comes was begun too early for it, so the request
//! waits for the next one, which begins when that has ended. Whatever was written before a
//! request came is thereby seen by it: shared or not, an answer is as exact as one that was
//! read from the database.
//!
//! A round belongs to the request that began it, since the platform lets no other use its
//! connections. It goes on when that request's client leaves (`wait_until`). If it is lost all
//! the same, those who wait go on without it after [`PATIENCE`], and ask for themselves.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{Either, select};
use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Delay};

/// The change counters of the registers that an answer is made from; a register alone has the
/// first.
pub type Marks = [i64; 2];

/// The header in which a record's owner tells the entry point which counter it is of.
pub const COUNTER: &str = "x-change-counter";

/// How long a round is waited for.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// One asking, and all who wait for it.
#[derive(Clone)]
struct Round {
    /// Wakes whoever waits, each in its own request.
    ended: Promise,
    end: Function,
    found: Rc<Cell<Option<Marks>>>,
}

impl Round {
    fn new() -> Self {
        let mut end = None;
        let ended = Promise::new(&mut |resolve, _| end = Some(resolve));
        Self {
            ended,
            end: end.unwrap_or_default(),
            found: Rc::default(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.found, &other.found)
    }

    async fn wait(&self) -> Option<Marks> {
        let ended = JsFuture::from(self.ended.clone());
        match select(pin!(ended), Delay::from(PATIENCE)).await {
            Either::Left(_) => self.found.get(),
            Either::Right(_) => None,
        }
    }
}

#[derive(Default)]
struct Rounds {
    running: Option<Round>,
    next: Option<Round>,
}

thread_local! {
    static ROUNDS: RefCell<Rounds> = RefCell::default();
}

/// What a request is to a round.
enum Part {
    /// It begins it.
    Begins,
    /// It begins it once another one has ended.
    BeginsAfter(Round),
    /// It waits for it.
    Waits,
}

/// The marks of the registers, as of a moment behind this call; none where they could not be
/// had. `ask` is called by the one request that asks for all.
pub async fn marks<F>(context: &Context, ask: impl FnOnce() -> F) -> Option<Marks>
where
    F: Future<Output = Option<Marks>> + 'static,
{
    let (round, part) = ROUNDS.with_borrow_mut(join);
    let before = match part {
        Part::Waits => return round.wait().await,
        Part::Begins => None,
        Part::BeginsAfter(running) => Some(running),
    };
    let (mine, asked) = (round.clone(), ask());
    context.wait_until(async move {
        if let Some(before) = before {
            before.wait().await;
            ROUNDS.with_borrow_mut(|rounds| {
                rounds.next.take_if(|next| next.is(&mine));
                rounds.running = Some(mine.clone());
            });
        }
        mine.found.set(asked.await);
        ROUNDS.with_borrow_mut(|rounds| {
            rounds.running.take_if(|running| running.is(&mine));
        });
        let _ = mine.end.call0(&JsValue::UNDEFINED);
    });
    round.wait().await
}

fn join(rounds: &mut Rounds) -> (Round, Part) {
    match (&rounds.running, &rounds.next) {
        (Some(_), Some(next)) => (next.clone(), Part::Waits),
        (Some(running), None) => {
            let running = running.clone();
            let round = Round::new();
            rounds.next = Some(round.clone());
            (round, Part::BeginsAfter(running))
        }
        (None, _) => {
            let round = Round::new();
            rounds.running = Some(round.clone());
            (round, Part::Begins)
        }
    }
}
