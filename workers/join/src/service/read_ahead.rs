//! Reads the populations of all places ahead, while these are few.
//!
//! Some pages need the populations of places that the gateway does not know yet. It then reads the first
//! populations together with the places. If there are no more, the page needs no second step. If there
//! are more, they were read in vain, so the next requests of this isolate read only one.

use std::cell::Cell;

use tables::page::PageSize;

thread_local! {
    /// Whether there were more populations than one page at the last read.
    static ARE_MANY: Cell<bool> = const { Cell::new(false) };
}

/// The number of populations to read ahead. At least one, because the response has the totals.
pub fn size() -> PageSize {
    let one = PageSize::new(1).filter(|_| ARE_MANY.get());
    one.unwrap_or_default()
}

/// Remembers whether there were more populations than were read ahead.
pub fn remember(has_more: bool) {
    ARE_MANY.set(has_more);
}
