//! How new what a request reads must be, and how far it has seen the two registers.
//!
//! A database may have replicas that are behind it. A reader who says nothing reads of the nearest
//! one; who brings the token of an earlier answer (`X-D1-Bookmark`) reads nothing older. Whatever
//! decides a write, and whatever the workers ask each other for one, is asked of the primary.

use std::cell::{Cell, RefCell};

use http_semantics::bookmark::{Backend, Bookmarks, FIRST_PRIMARY};

/// The header of the token, in requests and answers, and between the workers.
pub const BOOKMARK: &str = "x-d1-bookmark";

/// One request's reading.
#[derive(Default)]
pub struct Consistency {
    /// The register that this worker keeps.
    own: Option<Backend>,
    /// Whether every single statement is of the primary.
    is_of_primary: Cell<bool>,
    seen: RefCell<Bookmarks>,
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
            is_of_primary: Cell::new(true),
            seen: RefCell::new(Bookmarks::newest()),
        }
    }

    /// Starts a request: with the bookmarks that it sent, and at the primary if it must not read a
    /// replica.
    pub fn begin(&self, sent: Option<Bookmarks>, is_of_primary: bool) {
        self.is_of_primary.set(is_of_primary);
        self.seen.replace(sent.unwrap_or_default());
    }

    /// From now on the request reads the primary, in every service.
    pub fn demand_newest(&self) {
        self.seen.replace(Bookmarks::newest());
    }

    /// What D1 is to be asked with next, where this worker keeps a register.
    pub fn session_constraint(&self) -> Option<String> {
        let own = self.own?;
        Some(if self.is_of_primary.get() {
            FIRST_PRIMARY.to_owned()
        } else {
            self.seen.borrow().session_constraint(own).to_owned()
        })
    }

    /// What another worker is to be asked with. A register asks another one for no reader's
    /// sake.
    pub fn request_token(&self) -> Option<String> {
        match self.own {
            Some(_) => Some(FIRST_PRIMARY.to_owned()),
            None => self.seen.borrow().request_token(),
        }
    }

    /// Whether this worker keeps a register.
    pub fn keeps_register(&self) -> bool {
        self.own.is_some()
    }

    /// The database has answered as of a bookmark.
    pub fn answered(&self, bookmark: &str) {
        if let Some(own) = self.own {
            self.seen.borrow_mut().advance(own, bookmark);
        }
    }

    /// Somebody else has seen something on behalf of this request.
    pub fn observe(&self, other: &Bookmarks) {
        self.seen.borrow_mut().merge(other);
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
