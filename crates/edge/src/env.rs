//! The bindings and settings of a worker, with the state of the request that uses them.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use js_sys::Reflect;
use wasm_bindgen::JsCast;
use worker::worker_sys;

use crate::d1::consistency::Consistency;
use crate::http::request_parts::RequestParts;
use crate::layers::trace::Trace;
use crate::timeout::Deadline;

thread_local! {
    /// The settings that were read before, by name.
    static SETTINGS: RefCell<Vec<(&'static str, Option<String>)>> = RefCell::default();
}

/// The bindings and settings of a worker, for one request.
#[derive(Clone)]
pub struct Env {
    bindings: worker::Env,
    trace: Rc<Trace>,
    consistency: Rc<Consistency>,
    deadline_timer: Deadline,
}

impl Env {
    /// For a request of a worker.
    #[must_use]
    pub fn for_request(bindings: worker::Env, parts: &RequestParts, worker: &str) -> Self {
        Self {
            bindings,
            trace: Rc::new(Trace::from_request(parts)),
            consistency: Rc::new(Consistency::new(worker)),
            deadline_timer: Deadline::default(),
        }
    }

    /// For a scheduled run.
    #[must_use]
    pub fn for_schedule(bindings: worker::Env) -> Self {
        Self {
            bindings,
            trace: Rc::new(Trace::new()),
            consistency: Rc::new(Consistency::from_primary()),
            deadline_timer: Deadline::default(),
        }
    }

    /// The trace of the request.
    #[must_use]
    pub fn trace(&self) -> &Rc<Trace> {
        &self.trace
    }

    /// How current the data must be that the request reads.
    pub(crate) fn consistency(&self) -> &Rc<Consistency> {
        &self.consistency
    }

    /// The deadline that all calls of the request share.
    pub(crate) fn deadline(&self) -> &Deadline {
        &self.deadline_timer
    }

    /// A variable or a secret. It is cached, because the platform starts new isolates when it
    /// changes.
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

    /// Another worker, if there is a binding of this name.
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
