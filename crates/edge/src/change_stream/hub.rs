//! The hub: all listeners of this isolate, and the choice of the listener that polls for all of
//! them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use http_semantics::Validator;
use js_sys::{Array, Function, Promise};
use tables::ChangesQuery;
use wasm_bindgen::JsValue;

use super::{Batch, Event, Position};
use crate::time::{now, timer};

/// The shortest time between two polls, in milliseconds.
pub(super) const POLL_MS: i64 = 1_000;

/// The time after which another listener polls, if the one that polls does not go on, in milliseconds.
/// Its client may have stopped reading, or the platform may have ended its request.
const LEASE_MS: i64 = 5_000;

/// How often a listener checks whether it has to poll, in milliseconds.
const CHECK_MS: u32 = 5_000;

/// The time after which a listener that does not read is removed, in milliseconds.
const LOST_MS: i64 = 60_000;

/// The maximum number of changes that wait for a listener. A slower one is disconnected, and reads
/// the changes that it has missed when it connects again.
const MAX_WAITING: usize = 5_000;

/// A connected client.
pub(super) struct Listener {
    filter: ChangesQuery<Position>,
    waiting: RefCell<Vec<Rc<Event>>>,
    /// Wakes the request of the listener.
    wake: RefCell<Option<Function>>,
    /// When it last ran, in milliseconds since 1970.
    seen_at: Cell<i64>,
    is_removed: Cell<bool>,
}

/// All listeners of this isolate. Each has received all changes up to the position.
struct Hub {
    listeners: Vec<Rc<Listener>>,
    position: Position,
    /// When the last poll started, in milliseconds since 1970.
    polled_at: i64,
    /// The listener that polls.
    leader: Option<Rc<Listener>>,
    leads_until: i64,
}

impl Hub {
    fn is_led_by(&self, listener: &Rc<Listener>) -> bool {
        let leader = self.leader.as_ref();
        leader.is_some_and(|leader| Rc::ptr_eq(leader, listener))
    }
}

thread_local! {
    static HUB: RefCell<Hub> = const { RefCell::new(Hub {
        listeners: Vec::new(),
        position: [None, None],
        polled_at: 0,
        leader: None,
        leads_until: 0,
    }) };
}

/// A listener of the hub. It leaves the hub when it is dropped.
pub(super) struct Subscription(Rc<Listener>);

/// The next thing that a listener has to do.
pub(super) enum Turn {
    /// To poll, from this position.
    Poll(Position),
    /// To wait for this time, in milliseconds, and then poll.
    WaitToPoll(u32),
    /// To wait until another listener has polled.
    Wait(Promise),
    /// To disconnect.
    Leave,
}

/// Whether a position is not before another one.
fn covers(position: &Position, other: &Position) -> bool {
    position.iter().zip(other).all(|pair| match pair {
        (Some(own), Some(other)) => own.epoch == other.epoch && own.number >= other.number,
        // A backend has only the position of its own table.
        (None, None) => true,
        _ => false,
    })
}

impl Subscription {
    /// Joins the hub, if the listener has received all changes that the hub has dispatched. Otherwise
    /// it would miss those in between, and has to read again.
    pub(super) fn join(filter: ChangesQuery<Position>, position: &Position) -> Option<Self> {
        let listener = Rc::new(Listener {
            filter,
            waiting: RefCell::default(),
            wake: RefCell::default(),
            seen_at: Cell::new(now()),
            is_removed: Cell::new(false),
        });
        HUB.with_borrow_mut(|hub| {
            if hub.listeners.is_empty() {
                hub.position = *position;
                hub.polled_at = now();
            } else if !covers(position, &hub.position) {
                return None;
            }
            hub.listeners.push(Rc::clone(&listener));
            Some(Self(listener))
        })
    }

    /// The changes that wait for the listener, and the position after them.
    pub(super) fn take(&self) -> (Vec<Rc<Event>>, Position) {
        self.0.seen_at.set(now());
        let position = HUB.with_borrow(|hub| hub.position);
        (self.0.waiting.take(), position)
    }

    /// The next step of a listener if no changes wait.
    pub(super) fn turn(&self) -> Turn {
        if self.0.is_removed.get() {
            return Turn::Leave;
        }
        HUB.with_borrow_mut(|hub| {
            let now = now();
            if !hub.is_led_by(&self.0) && now < hub.leads_until {
                return Turn::Wait(self.wait());
            }
            hub.leader = Some(Rc::clone(&self.0));
            hub.leads_until = now + LEASE_MS;
            match u32::try_from(hub.polled_at + POLL_MS - now) {
                Ok(milliseconds) if milliseconds > 0 => Turn::WaitToPoll(milliseconds),
                _ => {
                    hub.polled_at = now;
                    Turn::Poll(hub.position)
                }
            }
        })
    }

    /// A promise of this request that resolves when the listener is woken, or after [`CHECK_MS`].
    fn wait(&self) -> Promise {
        let woken = Promise::new(&mut |resolve, _| {
            self.0.wake.replace(Some(resolve));
        });
        Promise::race(&Array::of2(&woken, &timer(CHECK_MS)))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let next = HUB.with_borrow_mut(|hub| {
            hub.listeners.retain(|other| !Rc::ptr_eq(other, &self.0));
            if !hub.is_led_by(&self.0) {
                return None;
            }
            hub.leader = None;
            hub.leads_until = 0;
            hub.listeners.first().cloned()
        });
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl Listener {
    fn wake(&self) {
        if let Some(wake) = self.wake.take() {
            let _ = wake.call0(&JsValue::UNDEFINED);
        }
    }

    /// Adds a change, if the filter selects it.
    fn add(&self, event: &Rc<Event>) {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= MAX_WAITING {
            waiting.clear();
            self.is_removed.set(true);
        }
        if !self.is_removed.get() && event.is_selected_by(&self.filter) {
            waiting.push(Rc::clone(event));
        }
    }
}

/// Hands the changes of a poll to all listeners, and wakes those that get some.
pub(super) fn dispatch(batch: Batch) {
    let events: Vec<Rc<Event>> = batch.events.into_iter().map(Rc::new).collect();
    let listeners = HUB.with_borrow_mut(|hub| {
        hub.position = advance(hub.position, batch.next);
        hub.leads_until = now() + LEASE_MS;
        let is_lost = |listener: &Rc<Listener>| now() - listener.seen_at.get() > LOST_MS;
        for listener in hub.listeners.extract_if(.., |listener| is_lost(listener)) {
            listener.is_removed.set(true);
        }
        hub.listeners.clone()
    });
    for listener in listeners {
        for event in &events {
            listener.add(event);
        }
        if !listener.waiting.borrow().is_empty() || listener.is_removed.get() {
            listener.wake();
        }
    }
}

/// Disconnects all listeners: the history has restarted.
pub(super) fn remove_all() {
    let listeners = HUB.with_borrow_mut(|hub| std::mem::take(&mut hub.listeners));
    for listener in listeners {
        listener.is_removed.set(true);
        listener.wake();
    }
}

/// The later of two positions, in each feed.
pub(super) fn advance(position: Position, next: Position) -> Position {
    let [places, people] = position;
    let later = |one: Option<Validator>, other: Option<Validator>| match (one, other) {
        (Some(one), Some(other)) if other.number >= one.number => Some(other),
        (one, other) => one.or(other),
    };
    [later(places, next[0]), later(people, next[1])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Param;

    fn at(number: i64, epoch: &str) -> Option<Validator> {
        Validator::parse(&format!("{number}.{epoch}"))
    }

    #[test]
    fn a_listener_joins_only_with_all_changes_of_the_same_history() {
        let hub = [at(4, "1f09ab34"), at(7, "1f09ab34")];
        for (places, people, expected) in [
            (at(4, "1f09ab34"), at(7, "1f09ab34"), true),
            (at(5, "1f09ab34"), at(9, "1f09ab34"), true),
            (at(3, "1f09ab34"), at(9, "1f09ab34"), false),
            (at(9, "1f09ab34"), at(6, "1f09ab34"), false),
            (at(9, "00000000"), at(9, "1f09ab34"), false),
            (None, at(9, "1f09ab34"), false),
        ] {
            assert_eq!(
                covers(&[places, people], &hub),
                expected,
                "{places:?} {people:?}"
            );
        }
        assert!(covers(
            &[None, at(7, "1f09ab34")],
            &[None, at(7, "1f09ab34")]
        ));
    }

    #[test]
    fn a_position_never_moves_backwards() {
        let [three, five] = [at(3, "1f09ab34"), at(5, "1f09ab34")];
        assert_eq!(advance([three, five], [five, three]), [five, five]);
        assert_eq!(advance([None, three], [None, five]), [None, five]);
        assert_eq!(advance([three, None], [None, None]), [three, None]);
    }
}
