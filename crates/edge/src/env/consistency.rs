//! How current the data of a request must be (read-your-writes and monotonic reads).
//!
//! A D1 database may have replicas that are older than its primary. A *bookmark* is a position in the
//! history of a database. A client sends the bookmark of an earlier response (`X-D1-Bookmark`) and
//! reads nothing older. Without a bookmark it may read any replica. Data that decides a write is
//! read from the primary.

use std::cell::{Cell, RefCell};

use http_semantics::bookmark::{Backend, Bookmarks, FIRST_PRIMARY};

/// The header with the bookmarks of both databases, in requests and responses.
pub const BOOKMARK_HEADER: &str = "x-d1-bookmark";

/// The required consistency of one request, and the bookmarks that it has observed.
pub struct Consistency {
    /// The table of this worker; none in the gateway.
    own: Option<Backend>,
    /// Whether every statement reads the primary.
    uses_primary: Cell<bool>,
    /// The newest bookmarks of what the client or this request has read.
    observed: RefCell<Bookmarks>,
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
            observed: RefCell::new(Bookmarks::newest()),
        }
    }

    /// Sets the bookmarks that the client sent, and whether statements read the primary.
    pub fn begin(&self, sent: Option<Bookmarks>, uses_primary: bool) {
        self.uses_primary.set(uses_primary);
        self.observed.replace(sent.unwrap_or_default());
    }

    /// From now on the request reads the primary, in every service.
    pub fn require_newest(&self) {
        self.observed.replace(Bookmarks::newest());
    }

    /// The constraint of the next D1 session, if this worker has a table.
    pub fn session_constraint(&self) -> Option<String> {
        let own = self.own?;
        Some(if self.uses_primary.get() {
            FIRST_PRIMARY.to_owned()
        } else {
            self.observed.borrow().session_constraint(own).to_owned()
        })
    }

    /// The bookmark for a call of another worker. Backends call each other only to decide writes,
    /// so they require the primary.
    pub fn upstream_constraint(&self) -> Option<String> {
        match self.own {
            Some(_) => Some(FIRST_PRIMARY.to_owned()),
            None => self.observed.borrow().request_token(),
        }
    }

    /// Whether this worker has a table.
    pub fn has_table(&self) -> bool {
        self.own.is_some()
    }

    /// Advances the bookmark of this worker's database.
    pub fn observe_own(&self, bookmark: &str) {
        if let Some(own) = self.own {
            self.observed.borrow_mut().advance(own, bookmark);
        }
    }

    /// Advances the bookmarks to those of another worker, or of another request whose result this
    /// request uses.
    pub fn observe(&self, other: &Bookmarks) {
        self.observed.borrow_mut().merge(other);
    }

    /// The bookmarks that have been observed so far.
    pub fn observed(&self) -> Bookmarks {
        self.observed.borrow().clone()
    }

    /// The same as the value of the response's header.
    pub fn bookmark(&self) -> Option<String> {
        self.observed.borrow().token()
    }
}
