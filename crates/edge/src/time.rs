//! The clock, timers and deadlines.
//!
//! A timer is never cleared. `clearTimeout` in a request that has ended would throw inside the
//! executor that all requests of the isolate share. Instead, JavaScript runs the race between a
//! promise and a timer (`Promise.race`). If the race used Rust closures, the closures of a timer
//! that outlives its request would never be freed, because such a timer never fires.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use js_sys::{Array, Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    /// The platform's timer as a promise.
    #[wasm_bindgen(js_namespace = scheduler)]
    fn wait(milliseconds: i32) -> Promise;
}

/// The time, in milliseconds since 1970.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a time in milliseconds is far below 2^53"
)]
pub fn now() -> i64 {
    js_sys::Date::now() as i64
}

/// A promise that resolves to `undefined` after this time.
pub fn timer(milliseconds: u32) -> Promise {
    wait(i32::try_from(milliseconds).unwrap_or(i32::MAX))
}

/// The timer of a request's deadline, which all its calls share.
#[derive(Clone, Default)]
pub struct Deadline(Rc<RefCell<Option<(i64, Promise)>>>);

impl Deadline {
    /// The timer that expires at a time, in milliseconds since 1970.
    pub fn timer(&self, until: i64) -> Promise {
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

/// Waits for this time.
pub async fn pause(milliseconds: u32) {
    let _ = JsFuture::from(timer(milliseconds)).await;
}

/// A race between a timer and its own end.
struct Timeout {
    /// Resolves as soon as the timer fires or the timeout is dropped.
    ended: JsFuture,
    /// Ends the race without the timer.
    end: Option<Function>,
}

impl Timeout {
    fn start(milliseconds: u32) -> Self {
        let mut end = None;
        let dropped = Promise::new(&mut |resolve, _| end = Some(resolve));
        let first = Promise::race(&Array::of2(&dropped, &timer(milliseconds)));
        Self {
            ended: JsFuture::from(first),
            end,
        }
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            let _ = end.call0(&JsValue::UNDEFINED);
        }
    }
}

/// The output of a future.
///
/// # Errors
/// The unfinished future, if it takes longer than this time.
pub async fn first_in_time<F: Future + Unpin>(
    milliseconds: u32,
    future: F,
) -> Result<F::Output, F> {
    let mut timeout = Timeout::start(milliseconds);
    match select(future, &mut timeout.ended).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right((_, unfinished)) => Err(unfinished),
    }
}

/// The output of a future, or none if it takes longer than this time.
pub async fn with_timeout<T>(milliseconds: u32, future: impl Future<Output = T>) -> Option<T> {
    first_in_time(milliseconds, pin!(future)).await.ok()
}

/// The value of a promise, or none if the timer expires first. The value must not be `undefined`.
pub async fn race_with_timer(
    timer: &Promise,
    promise: &Promise,
) -> Result<Option<JsValue>, JsValue> {
    let first = Promise::race(&Array::of2(promise, timer));
    let value = JsFuture::from(first).await?;
    Ok((!value.is_undefined()).then_some(value))
}
