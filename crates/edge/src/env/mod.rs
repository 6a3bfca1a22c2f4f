//! The environment of a request: the worker's bindings and settings, and the state that all calls
//! of the request share (trace, consistency, deadline, call quota).

pub mod call_quota;
pub mod consistency;
pub mod trace;

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;

use http_semantics::actor::Actor;
use http_semantics::auth::BearerToken;
use js_sys::Reflect;
use tables::record::Author;
use wasm_bindgen::JsCast;
use worker::worker_sys;

use crate::env::call_quota::{CallQuota, Calls};
use crate::env::consistency::Consistency;
use crate::env::trace::Trace;
use crate::time::Deadline;

thread_local! {
    /// The settings that were read before, by name.
    static SETTINGS: RefCell<Vec<(&'static str, Option<String>)>> = RefCell::default();
}

/// The bindings and settings of a worker, with the state of one request. A clone shares the state.
#[derive(Clone)]
pub struct Env {
    bindings: worker::Env,
    trace: Rc<Trace>,
    consistency: Rc<Consistency>,
    deadline: Deadline,
    quota: CallQuota,
    caller: Rc<RefCell<Caller>>,
}

/// The client of a request. A form of a page may replace it: the client can type another token.
#[derive(Default)]
pub(crate) struct Caller {
    /// Separates the client from others, if it has a known token.
    pub(crate) pseudonym: Option<String>,
    /// The name of the token. None if writes are open.
    pub(crate) actor: Option<Actor>,
}

impl Env {
    /// The environment of a request that this worker received.
    #[must_use]
    pub(crate) fn for_request(bindings: worker::Env, worker: &str, trace: Trace) -> Self {
        Self {
            quota: quota(&bindings),
            bindings,
            trace: Rc::new(trace),
            consistency: Rc::new(Consistency::new(worker)),
            deadline: Deadline::default(),
            caller: Rc::default(),
        }
    }

    /// The environment of a scheduled run.
    #[must_use]
    pub fn for_schedule(bindings: worker::Env) -> Self {
        Self {
            quota: quota(&bindings),
            bindings,
            trace: Rc::new(Trace::for_schedule()),
            consistency: Rc::new(Consistency::from_primary()),
            deadline: Deadline::default(),
            caller: Rc::default(),
        }
    }

    /// The environment of a run whose result several requests share. `is_newest`: one of them
    /// requires the newest state.
    #[must_use]
    pub(crate) fn for_shared_run(&self, is_newest: bool) -> Self {
        Self {
            consistency: Rc::new(self.consistency.for_shared_run(is_newest)),
            ..self.clone()
        }
    }

    /// The trace of the request.
    pub(crate) fn trace(&self) -> &Rc<Trace> {
        &self.trace
    }

    /// How current the data must be that the request reads.
    pub(crate) fn consistency(&self) -> &Rc<Consistency> {
        &self.consistency
    }

    /// The deadline that all calls of the request share.
    pub(crate) fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// The calls that this invocation may make.
    #[must_use]
    pub fn quota(&self) -> &CallQuota {
        &self.quota
    }

    /// Records the client's token and its name.
    pub fn set_caller(&self, token: &BearerToken, name: Actor) {
        self.caller.replace(Caller {
            pseudonym: Some(token.pseudonym()),
            actor: Some(name),
        });
    }

    /// Records the author of the writes of this request, if it comes from another worker.
    pub(crate) fn set_actor(&self, name: Actor) {
        self.caller.borrow_mut().actor = Some(name);
    }

    /// The client of the request.
    pub(crate) fn caller(&self) -> &Rc<RefCell<Caller>> {
        &self.caller
    }

    /// The pseudonym of the client's token, if it has a known one.
    pub(crate) fn caller_pseudonym(&self) -> Option<String> {
        self.caller.borrow().pseudonym.clone()
    }

    /// The author of the changes of this request, which belong to no batch.
    #[must_use]
    pub fn author(&self) -> Author {
        Author {
            actor: self.caller.borrow().actor.clone(),
            batch: None,
        }
    }

    /// A variable or a secret. It is read from JavaScript once per isolate: the platform starts
    /// new isolates when a setting changes.
    #[must_use]
    pub fn setting(&self, name: &'static str) -> Option<String> {
        setting(&self.bindings, name)
    }

    /// Another worker, if there is a binding of this name.
    pub(crate) fn service(&self, binding: &'static str) -> Option<worker_sys::Fetcher> {
        let service = Reflect::get(&self.bindings, &binding.into()).ok()?;
        service.is_object().then(|| service.unchecked_into())
    }
}

fn setting(bindings: &worker::Env, name: &'static str) -> Option<String> {
    SETTINGS.with_borrow_mut(|known| {
        if let Some((_, setting)) = known.iter().find(|(known, _)| *known == name) {
            return setting.clone();
        }
        let setting = Reflect::get(bindings, &name.into()).ok();
        let setting = setting.and_then(|setting| setting.as_string());
        known.push((name, setting.clone()));
        setting
    })
}

/// The quota of an invocation, by the setting `PLAN`.
fn quota(bindings: &worker::Env) -> CallQuota {
    CallQuota::new(Calls::of_plan(setting(bindings, "PLAN").as_deref()))
}

impl Deref for Env {
    type Target = worker::Env;

    fn deref(&self) -> &worker::Env {
        &self.bindings
    }
}
