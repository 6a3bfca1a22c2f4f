//! What a worker has around it, and the request that it uses it for.

use std::ops::Deref;
use std::rc::Rc;

use js_sys::Reflect;

use crate::Trace;
use crate::reading::Reading;

/// The bindings and settings of a worker, in the hands of one request.
#[derive(Clone)]
pub struct Env {
    bindings: worker::Env,
    trace: Rc<Trace>,
    reading: Rc<Reading>,
}

impl Env {
    /// For a request of a worker.
    #[must_use]
    pub fn of_request(bindings: worker::Env, request: &web_sys::Request, worker: &str) -> Self {
        Self {
            bindings,
            trace: Rc::new(Trace::of(request)),
            reading: Rc::new(Reading::of(worker)),
        }
    }

    /// For what a schedule runs.
    #[must_use]
    pub fn of_schedule(bindings: worker::Env) -> Self {
        Self {
            bindings,
            trace: Rc::new(Trace::begin()),
            reading: Rc::new(Reading::of_primary()),
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

    /// A variable or a secret. It is read anew for each request, because an isolate can outlive
    /// it.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<String> {
        Reflect::get(&self.bindings, &name.into()).ok()?.as_string()
    }
}

impl Deref for Env {
    type Target = worker::Env;

    fn deref(&self) -> &worker::Env {
        &self.bindings
    }
}
