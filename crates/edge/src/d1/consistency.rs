//! How new what a request reads must be, and how far it has seen the two registers.
//!
//! A database may have replicas that are behind it. A reader who says nothing reads of the nearest
//! one; who brings the token of an earlier answer (`X-D1-Bookmark`) reads nothing older. Whatever
//! decides a write, and whatever the workers ask each other for one, is asked of the primary.

use std::cell::{Cell, RefCell};

use http_semantics::bookmark::{Backend, Bookmarks, FIRST_PRIMARY};

/// The header of the token, in requests and answers, and between the workers.
pub const BOOKMARK_HEADER: &str = "x-d1-bookmark";

/// One request's consistency.
#[derive(Default)]
pub struct Consistency {
    /// The register that this worker keeps.
    own: Option<Backend>,
    /// Whether every single statement is of the primary.
    uses_primary: Cell<bool>,
    observed: RefCell<Bookmarks>,
}

impl Consistency {
    /// For a request of a worker; what it must be as new as is not known yet.
    pub fn new(worker: &str) -> Self {
        let own = Backend::from_worker(worker);
        Self {
            own,
            ..Self::from_primary()
        }
    }

    /// For what a schedule runs.
    pub fn from_primary() -> Self {
        Self {
            own: None,
            uses_primary: Cell::new(true),
            observed: RefCell::new(Bookmarks::newest()),
        }
    }

    /// Starts a request: with the bookmarks that it sent, and at the primary if it must not read a
    /// replica.
    pub fn begin(&self, sent: Option<Bookmarks>, uses_primary: bool) {
        self.uses_primary.set(uses_primary);
        self.observed.replace(sent.unwrap_or_default());
    }

    /// From now on the request reads the primary, in every service.
    pub fn require_newest(&self) {
        self.observed.replace(Bookmarks::newest());
    }

    /// What D1 is to be asked with next, where this worker keeps a register.
    pub fn session_constraint(&self) -> Option<String> {
        let own = self.own?;
        Some(if self.uses_primary.get() {
            FIRST_PRIMARY.to_owned()
        } else {
            self.observed.borrow().session_constraint(own).to_owned()
        })
    }

    /// What another worker is to be asked with. A register asks another one for no reader's
    /// sake.
    pub fn upstream_constraint(&self) -> Option<String> {
        match self.own {
            Some(_) => Some(FIRST_PRIMARY.to_owned()),
            None => self.observed.borrow().request_token(),
        }
    }

    /// Whether this worker keeps a register.
    pub fn has_database(&self) -> bool {
        self.own.is_some()
    }

    /// The database has answered as of a bookmark.
    pub fn observe_own(&self, bookmark: &str) {
        if let Some(own) = self.own {
            self.observed.borrow_mut().advance(own, bookmark);
        }
    }

    /// Somebody else has seen something on behalf of this request.
    pub fn observe(&self, other: &Bookmarks) {
        self.observed.borrow_mut().merge(other);
    }

    /// What has been seen so far.
    pub fn observed(&self) -> Bookmarks {
        self.observed.borrow().clone()
    }

    /// The same as the token of the answer.
    pub fn bookmark(&self) -> Option<String> {
        self.observed.borrow().token()
    }
}
