//! How new what a request reads must be, and how far it has seen the two registers.
//!
//! A database may have replicas that are behind it. A reader who says nothing reads of the nearest
//! one; who brings the token of an earlier answer (`X-D1-Bookmark`) reads nothing older. Whatever
//! decides a write, and whatever the workers ask each other for one, is asked of the primary.

use std::cell::{Cell, RefCell};

use http_semantics::bookmark::{Bookmarks, NEWEST, Register};
use http_semantics::path;

use crate::{Call, Method};

/// The header of the token, in requests and answers, and between the workers.
pub const BOOKMARK: &str = "x-d1-bookmark";

/// One request's reading.
#[derive(Default)]
pub struct Reading {
    /// The register that this worker keeps.
    own: Option<Register>,
    /// Whether every single statement is of the primary.
    is_of_primary: Cell<bool>,
    seen: RefCell<Bookmarks>,
}

impl Reading {
    /// For a request of a worker; what it must be as new as is not known yet.
    pub fn of(worker: &str) -> Self {
        let own = Register::of(worker);
        Self {
            own,
            ..Self::of_primary()
        }
    }

    /// For what a schedule runs.
    pub fn of_primary() -> Self {
        Self {
            own: None,
            is_of_primary: Cell::new(true),
            seen: RefCell::new(Bookmarks::newest()),
        }
    }

    /// Takes what a request brings along. Only a read for a reader may be of a replica: what one
    /// worker asks of another one for a write's sake stands under `/internal`, but for how far
    /// the register is.
    pub fn begin(&self, brought: Option<Bookmarks>, method: Method, path: &str) {
        let is_internal = path::is_internal(path) && path != "/internal/counter";
        self.is_of_primary.set(!method.is_safe() || is_internal);
        self.seen.replace(brought.unwrap_or_default());
    }

    /// From now on nothing less than the newest will do.
    pub fn demand_newest(&self) {
        self.seen.replace(Bookmarks::newest());
    }

    /// What D1 is to be asked with next, where this worker keeps a register.
    pub fn constraint(&self) -> Option<String> {
        let own = self.own?;
        Some(if self.is_of_primary.get() {
            NEWEST.to_owned()
        } else {
            self.seen.borrow().constraint(own).to_owned()
        })
    }

    /// What another worker is to be asked with. A register asks another one for no reader's
    /// sake.
    pub fn demand(&self) -> Option<String> {
        match self.own {
            Some(_) => Some(NEWEST.to_owned()),
            None => self.seen.borrow().demand(),
        }
    }

    /// Whether this worker keeps a register.
    pub fn keeps_register(&self) -> bool {
        self.own.is_some()
    }

    /// The database has answered as of a bookmark.
    pub fn answered(&self, bookmark: &str) {
        if let Some(own) = self.own {
            self.seen.borrow_mut().see(own, bookmark);
        }
    }

    /// Somebody else has seen something on behalf of this request.
    pub fn saw(&self, other: &Bookmarks) {
        self.seen.borrow_mut().see_all(other);
    }

    /// What has been seen so far.
    pub fn seen(&self) -> Bookmarks {
        self.seen.borrow().clone()
    }

    /// The same as the token of the answer.
    pub fn token(&self) -> Option<String> {
        self.seen.borrow().token()
    }
}

impl Call {
    /// Has the call see nothing but the newest state of both registers.
    pub fn demand_newest(&self) {
        self.env.reading().demand_newest();
    }
}
