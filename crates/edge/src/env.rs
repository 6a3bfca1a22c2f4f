//! What a worker has around it, and the request that it uses it for.

use std::ops::Deref;
use std::rc::Rc;

use js_sys::Reflect;

use crate::Trace;

/// The bindings and settings of a worker, in the hands of one request.
#[derive(Clone)]
pub struct Env {
    bindings: worker::Env,
    trace: Rc<Trace>,
}

impl Env {
    /// For a request.
    #[must_use]
    pub fn of_request(bindings: worker::Env, request: &web_sys::Request) -> Self {
        let trace = Rc::new(Trace::of(request));
        Self { bindings, trace }
    }

    /// For what a schedule runs.
    #[must_use]
    pub fn of_schedule(bindings: worker::Env) -> Self {
        let trace = Rc::new(Trace::begin());
        Self { bindings, trace }
    }

    /// What is done for the request, and what it is called.
    #[must_use]
    pub fn trace(&self) -> &Rc<Trace> {
        &self.trace
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
