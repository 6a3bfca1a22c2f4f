//! Limits how many listeners an isolate has at the same time, so that other requests still have
//! memory and time (admission control).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use http_semantics::Problem;

use crate::time::now;

/// The maximum number of listeners.
const MAX_LISTENERS: usize = 1_000;

/// The maximum number of listeners of one client, so that others have room.
const MAX_LISTENERS_PER_CLIENT: usize = 100;

/// The time without a renewal after which a permit counts as lost, in milliseconds. A listener renews it
/// every 5 s. The platform notices at the next comment that a client has disconnected. It then ends
/// the request, and drops nothing.
const LOST_MS: i64 = 15_000;

thread_local! {
    static LISTENERS: RefCell<Listeners> = RefCell::default();
}

/// A client that listens.
struct Listening {
    /// Its token or network. None if it is unknown, as on a laptop.
    client: Option<String>,
    /// When it last renewed its permit, in milliseconds since 1970.
    renewed_at: Cell<i64>,
}

/// The listeners of this isolate. One that has ended has dropped its own reference.
#[derive(Default)]
struct Listeners(Vec<Rc<Listening>>);

impl Listeners {
    fn admit(&mut self, client: Option<String>, now: i64) -> Result<Rc<Listening>, Problem> {
        self.0
            .retain(|one| is_held(one) && now - one.renewed_at.get() <= LOST_MS);
        if self.0.len() >= MAX_LISTENERS {
            return Err(Problem::too_many_listeners(MAX_LISTENERS));
        }
        let of_client = self.0.iter().filter(|one| one.client == client);
        if client.is_some() && of_client.count() >= MAX_LISTENERS_PER_CLIENT {
            let limit = MAX_LISTENERS_PER_CLIENT;
            return Err(Problem::too_many_listeners_of_client(limit));
        }
        let admitted = Rc::new(Listening {
            client,
            renewed_at: Cell::new(now),
        });
        self.0.push(Rc::clone(&admitted));
        Ok(admitted)
    }
}

/// Whether both the listener and the list still have the permit.
fn is_held(permit: &Rc<Listening>) -> bool {
    Rc::strong_count(permit) > 1
}

/// The permission to listen. Its drop gives it back.
pub(super) struct Permit(Rc<Listening>);

impl Permit {
    /// A permit for a client.
    ///
    /// # Errors
    /// Too many listeners, of this client or of all.
    pub(super) fn acquire(client: Option<String>) -> Result<Self, Problem> {
        LISTENERS
            .with_borrow_mut(|listeners| listeners.admit(client, now()))
            .map(Self)
    }

    /// Keeps the permit for another while. False: another listener has it, because this one did not
    /// renew it in time.
    pub(super) fn renew(&self) -> bool {
        self.0.renewed_at.set(now());
        is_held(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The limit that a rejected listener has reached.
    fn limit(admitted: Result<Rc<Listening>, Problem>) -> Option<usize> {
        let problem: Value = serde_json::from_str(&admitted.err()?.to_json()).unwrap();
        problem["limit"].as_u64()?.try_into().ok()
    }

    #[test]
    fn listeners_are_admitted_up_to_the_limit() {
        let mut listeners = Listeners::default();
        let mut admitted: Vec<_> = (0..MAX_LISTENERS)
            .map(|n| listeners.admit(Some((n / 100).to_string()), 0))
            .collect();
        assert!(admitted.iter().all(Result::is_ok));
        assert_eq!(
            limit(listeners.admit(Some("new".to_owned()), 0)),
            Some(MAX_LISTENERS)
        );
        admitted.pop();
        assert!(listeners.admit(None, 0).is_ok());
    }

    #[test]
    fn a_client_has_a_limit_of_its_own_unless_it_is_unknown() {
        let mut listeners = Listeners::default();
        let client = || Some("192.0.2.1".to_owned());
        let mut admitted: Vec<_> = (0..MAX_LISTENERS_PER_CLIENT)
            .map(|_| listeners.admit(client(), 0))
            .collect();
        assert!(admitted.iter().all(Result::is_ok));
        assert_eq!(
            limit(listeners.admit(client(), 0)),
            Some(MAX_LISTENERS_PER_CLIENT)
        );
        admitted.push(listeners.admit(Some("192.0.2.2".to_owned()), 0));
        admitted.extend((0..=MAX_LISTENERS_PER_CLIENT).map(|_| listeners.admit(None, 0)));
        assert!(admitted.iter().all(Result::is_ok));
        admitted.remove(0).unwrap();
        assert!(listeners.admit(client(), 0).is_ok());
    }

    #[test]
    fn a_lost_listener_makes_room_and_one_that_was_seen_does_not() {
        let mut listeners = Listeners::default();
        let admitted: Vec<_> = (0..MAX_LISTENERS)
            .map(|_| listeners.admit(None, 0).unwrap())
            .collect();
        assert!(listeners.admit(None, LOST_MS).is_err());
        for listening in admitted.iter().skip(1) {
            listening.renewed_at.set(1);
        }
        let last = listeners.admit(None, LOST_MS + 1);
        assert!(last.is_ok());
        assert!(listeners.admit(None, LOST_MS + 1).is_err());
        let are_held: Vec<bool> = admitted.iter().map(is_held).collect();
        assert!(!are_held[0] && are_held[1..].iter().all(|held| *held));
    }
}
