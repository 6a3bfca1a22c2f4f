//! What a worker has around it, and the request that it uses it for.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsCast;
use worker::worker_sys;

use crate::d1::consistency::Reading;
use crate::timeout::Budget;
use crate::{Incoming, Trace};

thread_local! {
    /// The settings that have been looked at, each by its name.
    static SETTINGS: RefCell<Vec<(&'static str, Option<String>)>> = RefCell::default();
}

/// The bindings and settings of a worker, in the hands of one request.
#[derive(Clone)]
pub struct Env {
    bindings: worker::Env,
    trace: Rc<Trace>,
    reading: Rc<Reading>,
    budget: Budget,
}

impl Env {
    /// For a request of a worker.
    #[must_use]
    pub fn of_request(bindings: worker::Env, incoming: &Incoming, worker: &str) -> Self {
        Self {
            bindings,
            trace: Rc::new(Trace::of(incoming)),
            reading: Rc::new(Reading::of(worker)),
            budget: Budget::default(),
        }
    }

    /// For what a schedule runs.
    #[must_use]
    pub fn of_schedule(bindings: worker::Env) -> Self {
        Self {
            bindings,
            trace: Rc::new(Trace::begin()),
            reading: Rc::new(Reading::of_primary()),
            budget: Budget::default(),
        }
    }

    /// What is done for the request, and what it is called.
    #[must_use]
    pub fn trace(&self) -> &Rc<Trace> {
        &self.trace
    }

    /// How new what it reads must be.
    pub(crate) fn reading(&self) -> &Rc<Reading> {
        &self.reading
    }

    /// How long it may wait for others.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// A variable or a secret. No isolate outlives it: with a new one the platform begins anew.
    #[must_use]
    pub fn setting(&self, name: &'static str) -> Option<String> {
        SETTINGS.with_borrow_mut(|known| {
            if let Some((_, setting)) = known.iter().find(|(known, _)| *known == name) {
                return setting.clone();
            }
            let setting = Reflect::get(&self.bindings, &name.into()).ok();
            let setting = setting.and_then(|setting| setting.as_string());
            known.push((name, setting.clone()));
            setting
        })
    }

    /// Another worker, if it is bound under a name.
    pub(crate) fn service(&self, binding: &'static str) -> Option<worker_sys::Fetcher> {
        let service = Reflect::get(&self.bindings, &binding.into()).ok()?;
        service.is_object().then(|| service.unchecked_into())
    }
}

impl Deref for Env {
    type Target = worker::Env;

    fn deref(&self) -> &worker::Env {
        &self.bindings
    }
}
