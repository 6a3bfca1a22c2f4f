//! Decides how current the data of a request must be (read-your-writes and monotonic reads).
//!
//! A D1 database may have replicas that are older than its primary. A *bookmark* is a position in
//! the history of a database. A client sends the bookmark of an earlier response (`X-D1-Bookmark`),
//! and then reads nothing older. Without a bookmark, it may read any replica. Data on which a write
//! depends is read from the primary.

use std::cell::{Cell, RefCell};
use std::slice;

use http_semantics::bookmark::{Backend, FIRST_PRIMARY, Observed, Session};

/// The header with the bookmarks of both databases, in requests and responses.
pub const BOOKMARK_HEADER: &str = "x-d1-bookmark";

/// The required consistency of one request, and the bookmarks that it has observed.
pub struct Consistency {
    /// The table of this worker; none in the gateway.
    own: Option<Backend>,
    /// Whether every statement reads the primary.
    uses_primary: Cell<bool>,
    /// The bookmarks that the client requires, and those that this request has observed.
    session: RefCell<Session>,
}

impl Consistency {
    /// The consistency of a request before its headers are read: everything from the primary.
    pub fn new(worker: &str) -> Self {
        Self {
            own: Backend::from_worker(worker),
            ..Self::from_primary()
        }
    }

    /// The consistency of a scheduled run.
    pub fn from_primary() -> Self {
        Self {
            own: None,
            uses_primary: Cell::new(true),
            session: RefCell::new(Session::newest()),
        }
    }

    /// The consistency of a run whose result several requests share. It requires no bookmark of
    /// any of them. `is_newest`: one of them requires the newest state.
    pub fn for_shared_run(&self, is_newest: bool) -> Self {
        let uses_primary = is_newest || self.uses_primary.get();
        let session = if uses_primary {
            Session::newest()
        } else {
            Session::default()
        };
        Self {
            own: self.own,
            uses_primary: Cell::new(uses_primary),
            session: RefCell::new(session),
        }
    }

    /// Sets the bookmarks that the client sent, and whether statements read the primary.
    pub fn begin(&self, sent: Option<&str>, uses_primary: bool) {
        self.uses_primary.set(uses_primary);
        self.session.replace(Session::new(sent));
    }

    /// From now on the request reads the primary, in every service.
    pub fn require_newest(&self) {
        self.session.replace(Session::newest());
    }

    /// The databases on which the request depends.
    fn backends(&self) -> &[Backend] {
        self.own.as_ref().map_or(&Backend::ALL, slice::from_ref)
    }

    /// Whether the request reads the newest state: every statement reads the primary.
    pub fn requires_newest(&self) -> bool {
        let session = self.session.borrow();
        let requires = |backend: &Backend| session.requires_newest(*backend);
        self.uses_primary.get() || self.backends().iter().any(requires)
    }

    /// The constraint of the next D1 session, if this worker has a table.
    pub fn session_constraint(&self) -> Option<String> {
        let own = self.own?;
        Some(if self.uses_primary.get() {
            FIRST_PRIMARY.to_owned()
        } else {
            self.session.borrow().constraint(own).to_owned()
        })
    }

    /// Whether the next D1 session has a bookmark that the client has sent. D1 may not know it.
    pub fn depends_on_client(&self) -> bool {
        let session = self.session.borrow();
        !self.uses_primary.get() && self.own.is_some_and(|own| session.requires_bookmark(own))
    }

    /// From now on the request reads the primary instead of the client's bookmark.
    pub fn fall_back_to_primary(&self) {
        if let Some(own) = self.own {
            self.session.borrow_mut().require_newest(own);
        }
    }

    /// The bookmark for a call of another worker. Backends call each other only to decide writes,
    /// so they require the primary.
    pub fn upstream_constraint(&self) -> Option<String> {
        match self.own {
            Some(_) => Some(FIRST_PRIMARY.to_owned()),
            None => self.session.borrow().request_token(),
        }
    }

    /// Whether a call of another worker has a bookmark that the client has sent.
    pub fn call_depends_on_client(&self) -> bool {
        let session = self.session.borrow();
        let requires = |backend: &Backend| session.requires_bookmark(*backend);
        self.own.is_none() && Backend::ALL.iter().any(requires)
    }

    /// Whether this worker has a table.
    pub fn has_table(&self) -> bool {
        self.own.is_some()
    }

    /// Records the bookmark of a D1 session with [`Self::session_constraint`].
    pub fn observe_own(&self, bookmark: &str) {
        if let Some(own) = self.own {
            self.session.borrow_mut().reach(own, bookmark);
        }
    }

    /// Records the bookmarks of another worker's response, or of a shared run that this request may
    /// use.
    pub fn observe(&self, other: &Observed) {
        self.session.borrow_mut().reach_all(other);
    }

    /// Whether this request may use the result of a shared run that has observed these bookmarks.
    pub fn may_share(&self, observed: &Observed) -> bool {
        let session = self.session.borrow();
        let is_satisfied = |backend: &Backend| session.is_satisfied_by(*backend, observed);
        self.backends().iter().all(is_satisfied)
    }

    /// The bookmarks that have been observed so far.
    pub fn observed(&self) -> Observed {
        self.session.borrow().observed().clone()
    }

    /// The same as the value of the response's header.
    pub fn bookmark(&self) -> Option<String> {
        self.session.borrow().observed().token()
    }
}
