//! Limits how many listeners an isolate has at the same time, so that other requests still have
//! memory and time (admission control).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::time::now;

/// The maximum number of listeners.
pub(super) const MAX_LISTENERS: usize = 1_000;

/// The time without a renewal after which a permit counts as lost, in milliseconds. A listener renews it
/// every 5 s. The platform notices at the next comment that a client has disconnected. It then ends
/// the request, and drops nothing.
const LOST_MS: i64 = 15_000;

thread_local! {
    static LISTENERS: RefCell<Listeners> = RefCell::default();
}

/// When each permit was last renewed, in milliseconds since 1970. A listener that has ended has dropped
/// its own reference.
#[derive(Default)]
struct Listeners(Vec<Rc<Cell<i64>>>);

impl Listeners {
    fn admit(&mut self, now: i64) -> Option<Rc<Cell<i64>>> {
        self.0
            .retain(|renewed_at| is_held(renewed_at) && now - renewed_at.get() <= LOST_MS);
        if self.0.len() >= MAX_LISTENERS {
            return None;
        }
        let renewed_at = Rc::new(Cell::new(now));
        self.0.push(Rc::clone(&renewed_at));
        Some(renewed_at)
    }
}

/// Whether both the listener and the list still have the permit.
fn is_held(permit: &Rc<Cell<i64>>) -> bool {
    Rc::strong_count(permit) > 1
}

/// The permission to listen. Its drop gives it back.
pub(super) struct Permit(Rc<Cell<i64>>);

impl Permit {
    /// A permit, if there is one.
    pub(super) fn acquire() -> Option<Self> {
        let renewed_at = LISTENERS.with_borrow_mut(|listeners| listeners.admit(now()));
        renewed_at.map(Self)
    }

    /// Keeps the permit for another while. False: another listener has it, because this one did not
    /// renew it in time.
    pub(super) fn renew(&self) -> bool {
        self.0.set(now());
        is_held(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_admitted_up_to_the_limit() {
        let mut listeners = Listeners::default();
        let mut admitted: Vec<_> = (0..MAX_LISTENERS).map(|_| listeners.admit(0)).collect();
        assert!(admitted.iter().all(Option::is_some));
        assert!(listeners.admit(0).is_none());
        admitted.pop();
        assert!(listeners.admit(0).is_some());
    }

    #[test]
    fn a_lost_listener_makes_room_and_one_that_was_seen_does_not() {
        let mut listeners = Listeners::default();
        let admitted: Vec<_> = (0..MAX_LISTENERS).map(|_| listeners.admit(0)).collect();
        assert!(listeners.admit(LOST_MS).is_none());
        for renewed_at in admitted.iter().flatten().skip(1) {
            renewed_at.set(1);
        }
        let last = listeners.admit(LOST_MS + 1);
        assert!(last.is_some());
        assert!(listeners.admit(LOST_MS + 1).is_none());
        let are_held: Vec<bool> = admitted.iter().flatten().map(is_held).collect();
        assert!(!are_held[0] && are_held[1..].iter().all(|held| *held));
    }
}
