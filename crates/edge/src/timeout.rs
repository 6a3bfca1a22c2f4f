//! Waiting for others, and not for too long.
//!
//! A timer is never taken back: `clearTimeout` in a request that is gone throws through the
//! executor of all others. What is waited for races a timer in JavaScript, where the loser is
//! forgotten, and nothing of it stays in wasm.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use js_sys::{Array, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use crate::coalescer::revalidation::wait;
use crate::http::chunks::{self, Reader};
use crate::service_client::call_policy::Callee;
use crate::{Error, now};

fn timer(milliseconds: u32) -> Promise {
    wait(i32::try_from(milliseconds).unwrap_or(i32::MAX))
}

/// The timer of a request's budget, which all that it waits for within it can share.
#[derive(Clone, Default)]
pub struct Budget(Rc<RefCell<Option<(i64, Promise)>>>);

impl Budget {
    /// The timer that runs out at a time, in milliseconds since 1970.
    fn timer(&self, until: i64) -> Promise {
        let mut shared = self.0.borrow_mut();
        match &*shared {
            Some((time, timer)) if *time == until => timer.clone(),
            _ => {
                let timer = timer(u32::try_from(until - now()).unwrap_or_default());
                *shared = Some((until, timer.clone()));
                timer
            }
        }
    }
}

impl Callee {
    /// What runs out when it has taken too long. One that has run out already would win even over
    /// what is there.
    fn timer(&self) -> Promise {
        let shared = 1..=i64::from(self.patience_ms);
        match self.until {
            Some(until) if shared.contains(&(until - now())) => self.budget.timer(until),
            _ => timer(self.left_ms()),
        }
    }
}

/// Waits for so many milliseconds.
pub async fn pause(milliseconds: u32) {
    let _ = JsFuture::from(timer(milliseconds)).await;
}

/// What something gives within so many milliseconds.
pub async fn within<T>(milliseconds: u32, what: impl Future<Output = T>) -> Option<T> {
    match select(pin!(what), pin!(pause(milliseconds))).await {
        Either::Left((given, _)) => Some(given),
        Either::Right(_) => None,
    }
}

/// What a promise gives, which is never `undefined`; none if a timer runs out before.
async fn before(timer: &Promise, promise: &Promise) -> Result<Option<JsValue>, JsValue> {
    let first = Promise::race(&Array::of2(promise, timer));
    let given = JsFuture::from(first).await?;
    Ok((!given.is_undefined()).then_some(given))
}

/// What a promise of a service gives, if it is in time.
pub async fn in_time(promise: &Promise, callee: &Callee) -> Result<Option<JsValue>, JsValue> {
    before(&callee.timer(), promise).await
}

/// A body of another worker, as it comes. One timer watches over many parts: it is too late when
/// none came while it ran, or, as long as a reader has heard nothing at all, in any case.
pub struct Parts {
    reader: Option<Reader>,
    callee: Callee,
    timer: Promise,
    has_moved: bool,
}

impl Parts {
    /// The body of an answer.
    pub(crate) fn of(response: &Response, callee: Callee) -> Self {
        // A body that cannot be read, as one that is read already, has no part.
        let reader = response.body().and_then(|body| chunks::reader(&body).ok());
        Self {
            reader,
            timer: callee.timer(),
            callee,
            has_moved: false,
        }
    }

    /// From now on each part has a deadline, and all together have none.
    pub fn unhurried(&mut self) {
        self.callee.until = None;
        self.has_moved = true;
    }

    /// The next part, or none behind the last.
    ///
    /// # Errors
    /// A problem that names the service, if the body breaks off or nothing comes.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(reader) = &self.reader else {
            return Ok(None);
        };
        let read = chunks::next(reader);
        loop {
            let given = before(&self.timer, &read).await;
            if let Some(given) = given.map_err(|thrown| self.callee.threw(&thrown))? {
                self.has_moved = true;
                let part = chunks::taken(&given).map_err(|thrown| self.callee.threw(&thrown))?;
                if part.is_none() {
                    self.callee.succeeded();
                }
                return Ok(part);
            }
            if self.callee.until.is_some() || !self.has_moved {
                let _ = reader.cancel();
                return Err(self.callee.timed_out());
            }
            self.has_moved = false;
            self.timer = timer(self.callee.patience_ms);
        }
    }
}
