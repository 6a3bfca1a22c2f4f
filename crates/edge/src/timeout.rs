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

use crate::coalescer::revalidation::wait;
use crate::now;

/// The platform's timer.
pub fn timer(milliseconds: u32) -> Promise {
    wait(i32::try_from(milliseconds).unwrap_or(i32::MAX))
}

/// The timer of a request's budget, which all that it waits for within it can share.
#[derive(Clone, Default)]
pub struct Budget(Rc<RefCell<Option<(i64, Promise)>>>);

impl Budget {
    /// The timer that runs out at a time, in milliseconds since 1970.
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
pub async fn before(timer: &Promise, promise: &Promise) -> Result<Option<JsValue>, JsValue> {
    let first = Promise::race(&Array::of2(promise, timer));
    let given = JsFuture::from(first).await?;
    Ok((!given.is_undefined()).then_some(given))
}
