//! Reads all places or populations ahead, while these are few.
//!
//! Some pages need records of one backend that the gateway only knows after a response of the other one. It
//! then reads the first records together with that response. If there are no more, the page needs no
//! second step. If there are more, the next requests of this isolate read only one ahead.

use std::cell::Cell;

use tables::page::PageSize;

thread_local! {
    /// The places whose names a page shows.
    pub static PLACES: ReadAhead = const { ReadAhead::new() };
    /// The populations of places.
    pub static POPULATIONS: ReadAhead = const { ReadAhead::new() };
}

/// What this isolate knows about the number of records.
pub struct ReadAhead {
    /// Whether there were more records than were read ahead.
    are_many: Cell<bool>,
}

impl ReadAhead {
    const fn new() -> Self {
        Self {
            are_many: Cell::new(false),
        }
    }

    /// The number of records to read ahead. At least one, because the response has totals and the change
    /// sequence.
    pub fn size(&self) -> PageSize {
        let one = PageSize::new(1).filter(|_| self.are_many.get());
        one.unwrap_or_default()
    }

    /// Remembers whether there were more records than were read ahead.
    pub fn remember(&self, has_more: bool) {
        self.are_many.set(has_more);
    }
}
