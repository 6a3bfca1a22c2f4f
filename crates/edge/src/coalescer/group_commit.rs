//! Writes that come at the same time, written by one call of D1.
//!
//! A write that comes while another is on its way waits, with all that come meanwhile, and
//! whoever came first writes all of them, even when its own client has left. Each is written
//! behind the moment at which it came and told of its own outcome, as if it had been alone. As
//! in [`crate::proof`], each is woken in the request that it belongs to.
//!
//! Only writes that no rule can refuse may go together: one refused would take all along. One
//! that hears nothing, because whoever writes was lost, must not be tried once more: it may yet
//! land, on top of what others have written meanwhile. So its client is told to ask again.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread::LocalKey;

use http_semantics::Problem;
use http_semantics::bookmark::Bookmarks;
use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::coalescer::revalidation::{regroup, wait};
use crate::{Call, Env, Error, now};

/// The most writes of one call.
const MOST_AT_ONCE: usize = 500;

/// The most calls of one request: an invocation may ask a database so often and no more.
const MOST_ROUNDS: usize = 100;

/// How long a call is waited for, in milliseconds.
const PATIENCE: i32 = 10_000;

/// What became of a write, none where it was not tried, and has to be by itself; and how far
/// whoever has written has seen the registers.
type End<R> = Result<(Option<R>, Bookmarks), Problem>;

/// A write that waits, and who is told of its end.
struct Waiting<T, R> {
    write: T,
    end: Rc<Cell<Option<End<R>>>>,
    wake: Option<Function>,
}

impl<T, R> Waiting<T, R> {
    fn tell(self, end: End<R>) {
        self.end.set(Some(end));
        if let Some(wake) = self.wake {
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
    }
}

/// The writes of one kind that wait.
pub struct Queue<T, R> {
    waiting: Vec<Waiting<T, R>>,
    /// Since when somebody writes for himself, in milliseconds since 1970.
    alone_since: Option<i64>,
    /// Since when somebody writes for others.
    writing_since: Option<i64>,
}

impl<T, R> Default for Queue<T, R> {
    fn default() -> Self {
        Self {
            waiting: Vec::new(),
            alone_since: None,
            writing_since: None,
        }
    }
}

fn goes_on(since: Option<i64>, now: i64) -> bool {
    since.is_some_and(|since| now - since < PATIENCE.into())
}

impl<T, R> Queue<T, R> {
    fn is_alone(&mut self, now: i64) -> bool {
        let is_alone = !goes_on(self.alone_since, now) && !goes_on(self.writing_since, now);
        if is_alone {
            self.alone_since = Some(now);
        }
        is_alone
    }

    /// Whether nobody is there to write for all.
    fn is_first(&mut self, now: i64) -> bool {
        let is_first = !goes_on(self.writing_since, now);
        if is_first {
            self.writing_since = Some(now);
        }
        is_first
    }

    /// Those whose turn it is.
    fn next(&mut self, now: i64) -> Vec<Waiting<T, R>> {
        self.writing_since = (!self.waiting.is_empty()).then_some(now);
        let many = self.waiting.len().min(MOST_AT_ONCE);
        self.waiting.drain(..many).collect()
    }
}

/// Writes something, together with what else is written at the same time. `write` gives what
/// became of each, in their order, and none of those that have to be written by themselves.
///
/// # Errors
/// What `write` says, or that nobody knows.
pub async fn together<T, R, F>(
    queue: &'static LocalKey<RefCell<Queue<T, R>>>,
    call: &Call,
    one: T,
    write: impl Fn(Env, Vec<T>) -> F + 'static,
) -> Result<Option<R>, Error>
where
    T: Clone + 'static,
    R: 'static,
    F: Future<Output = Result<Vec<Option<R>>, Error>> + 'static,
{
    if queue.with_borrow_mut(|queue| queue.is_alone(now())) {
        let written = write(call.env.clone(), vec![one]).await;
        queue.with_borrow_mut(|queue| queue.alone_since = None);
        return Ok(written?.pop().flatten());
    }
    let end = Rc::new(Cell::new(None));
    let mut waiting = Waiting {
        write: one,
        end: Rc::clone(&end),
        wake: None,
    };
    let told = Promise::new(&mut |wake, _| waiting.wake = Some(wake));
    // The platform takes a request without a timer for one that hangs.
    let first = Promise::race(&Array::of2(&told, &wait(PATIENCE)));
    let is_first = queue.with_borrow_mut(|queue| {
        queue.waiting.push(waiting);
        queue.is_first(now())
    });
    if is_first {
        let env = call.env.clone();
        call.context.wait_until(async move {
            for _ in 0..MOST_ROUNDS {
                let round = queue.with_borrow_mut(|queue| queue.next(now()));
                if round.is_empty() {
                    return;
                }
                let writes = round.iter().map(|one| one.write.clone()).collect();
                let written = write(env.clone(), writes).await;
                let answered = round.len();
                tell(round, written, &env.reading().seen());
                regroup(answered).await;
            }
            let left = queue.with_borrow_mut(|queue| {
                queue.writing_since = None;
                std::mem::take(&mut queue.waiting)
            });
            for one in left {
                one.tell(Ok((None, Bookmarks::default())));
            }
        });
    }
    let _ = JsFuture::from(first).await;
    match end.take() {
        Some(end) => {
            let (written, seen) = end?;
            call.env.reading().saw(&seen);
            Ok(written)
        }
        None => Err(Problem::being_written().of_write().into()),
    }
}

fn tell<T, R>(round: Vec<Waiting<T, R>>, written: Result<Vec<Option<R>>, Error>, seen: &Bookmarks) {
    match written {
        Ok(ends) => {
            let mut ends = ends.into_iter();
            for one in round {
                one.tell(Ok((ends.next().flatten(), seen.clone())));
            }
        }
        Err(error) => {
            let problem = error.into_problem();
            for one in round {
                one.tell(Err(problem.clone()));
            }
        }
    }
}
