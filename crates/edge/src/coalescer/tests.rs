//! Tests which request leads a shared run, and which wait for it.

use super::*;

const TIMEOUT_MS: u32 = 100;

fn waiter(item: u32) -> Waiter<u32, u32> {
    Waiter {
        item,
        requires_newest: false,
        slot: Slot::default(),
        resolve: None,
    }
}

fn items(batch: Vec<Waiter<u32, u32>>) -> Vec<u32> {
    batch.into_iter().map(|waiter| waiter.item).collect()
}

#[test]
fn the_first_request_runs_alone_and_the_next_one_leads() {
    let mut coalescer = Coalescer::new(TIMEOUT_MS);
    assert!(coalescer.start_alone(1000));
    assert!(!coalescer.start_alone(1001));
    assert!(coalescer.join(waiter(1), 1001));
    assert!(!coalescer.join(waiter(2), 1002));
    assert_eq!(items(coalescer.next_batch(1003)), [1, 2]);
    assert!(!coalescer.join(waiter(3), 1004), "the leader is busy");
    assert_eq!(items(coalescer.next_batch(1005)), [3]);
    assert!(coalescer.next_batch(1006).is_empty());
    assert!(coalescer.join(waiter(4), 1007), "the leader has stopped");
}

#[test]
fn a_batch_has_all_waiters_in_the_order_of_arrival() {
    let mut coalescer = Coalescer::new(TIMEOUT_MS);
    for item in 1..=5 {
        coalescer.join(waiter(item), 0);
    }
    assert_eq!(items(coalescer.next_batch(0)), [1, 2, 3, 4, 5]);
    coalescer.join(waiter(6), 0);
    assert_eq!(items(coalescer.next_batch(0)), [6]);
}

#[test]
fn a_lost_request_is_replaced_after_its_timeout() {
    let mut coalescer = Coalescer::<u32, u32>::new(TIMEOUT_MS);
    assert!(coalescer.start_alone(1000));
    assert!(!coalescer.start_alone(1099));
    assert!(coalescer.start_alone(1100));
    let mut coalescer = Coalescer::new(TIMEOUT_MS);
    assert!(coalescer.join(waiter(1), 1000));
    assert!(!coalescer.join(waiter(2), 1099));
    assert!(coalescer.join(waiter(3), 1100), "the leader is lost");
}

#[test]
fn a_leader_hands_over_to_the_first_waiter_and_no_other_request_leads() {
    let mut coalescer = Coalescer::new(TIMEOUT_MS);
    for item in 1..=2 {
        coalescer.join(waiter(item), 0);
    }
    assert_eq!(items(coalescer.next_batch(1)), [1, 2]);
    for item in 3..=4 {
        coalescer.join(waiter(item), 1);
    }
    let next = coalescer.next_leader(2).unwrap();
    assert_eq!(next.item, 3);
    assert!(
        !coalescer.join(waiter(5), 3),
        "the next leader is about to start"
    );
    coalescer.lead(next, 4);
    assert_eq!(items(coalescer.next_batch(5)), [3, 4, 5]);
    assert!(coalescer.next_batch(6).is_empty());
    assert!(coalescer.next_leader(7).is_none());
    assert!(coalescer.start_alone(7), "nobody leads");
}

#[test]
fn a_waiter_that_ends_leaves_the_queue_unless_a_batch_has_taken_it() {
    let mut coalescer = Coalescer::new(TIMEOUT_MS);
    let waiters = [1, 2, 3].map(waiter);
    let slots = waiters.each_ref().map(|waiter| Rc::clone(&waiter.slot));
    for waiter in waiters {
        coalescer.join(waiter, 0);
    }
    assert!(coalescer.withdraw(&slots[1]));
    assert_eq!(items(coalescer.next_batch(1)), [1, 3]);
    assert!(slots.iter().all(|slot| !coalescer.withdraw(slot)));
}

thread_local! {
    static QUEUE: RefCell<Coalescer<u32, u32>> = const { RefCell::new(Coalescer::new(TIMEOUT_MS)) };
}

#[test]
fn a_request_that_is_dropped_leaves_the_coalescer() {
    assert!(QUEUE.with_borrow_mut(|queue| queue.start_alone(1000)));
    drop(Alone(&QUEUE));
    assert!(QUEUE.with_borrow_mut(|queue| queue.start_alone(1001)));
    let waiter = waiter(1);
    let place = Place {
        coalescer: &QUEUE,
        slot: Rc::clone(&waiter.slot),
    };
    QUEUE.with_borrow_mut(|queue| queue.join(waiter, 1002));
    drop(place);
    QUEUE.with_borrow(|queue| assert!(queue.waiters.is_empty()));
}
