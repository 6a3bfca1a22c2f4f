//! The queue of responses that an isolate saves as snapshots.
//!
//! Only one writer runs at a time, and it writes at most one snapshot per
//! [`SNAPSHOT_WRITE_INTERVAL_MS`]. A new response replaces a queued response to the same request. A
//! response is not queued if it is already saved at the same change sequences. So clients that read
//! unchanged data cause no writes.

use http_semantics::Validator;
use http_semantics::lru_cache::LruCache;
use tables::ChangeSeqs;

use super::snapshot::SNAPSHOT_WRITE_INTERVAL_MS;

/// The time without a step after which a writer counts as lost, and the next response starts
/// another. The platform may end a writer at any time.
pub const WRITER_TIMEOUT_MS: i64 = 10_000;

/// The maximum number of queued responses.
pub const MAX_QUEUED: usize = 16;

/// The maximum size of the list of saved keys.
const MAX_SAVED_KEYS_BYTES: usize = 256 * 1024;

/// The approximate size of an entry in that list without its key.
const ENTRY_OVERHEAD_BYTES: usize = 64;

/// Change sequences that no table can have.
const NOT_SAVED: ChangeSeqs = ChangeSeqs {
    places: Validator::NONE,
    people: Validator::NONE,
};

/// A response in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued<T> {
    /// The key of its snapshot.
    pub key: String,
    /// The change sequences at which it was made.
    pub change_seqs: ChangeSeqs,
    /// The response.
    pub response: T,
}

/// The next step of the writer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<T> {
    /// Write this response.
    Write(Queued<T>),
    /// Wait for this many milliseconds.
    Wait(i64),
    /// Stop: the queue is empty.
    Stop,
}

/// The queue, and the keys that this isolate has saved.
#[derive(Debug)]
pub struct SnapshotQueue<T> {
    saved: LruCache<ChangeSeqs>,
    queued: Vec<Queued<T>>,
    /// The last step of the running writer, in milliseconds since 1970.
    last_step_at: Option<i64>,
    /// The start of the last write.
    last_write_at: i64,
}

impl<T> Default for SnapshotQueue<T> {
    fn default() -> Self {
        Self {
            saved: LruCache::new(MAX_SAVED_KEYS_BYTES),
            queued: Vec::new(),
            last_step_at: None,
            last_write_at: 0,
        }
    }
}

impl<T> SnapshotQueue<T> {
    /// Whether a response at these change sequences is saved already.
    pub fn has_saved(&mut self, key: &str, change_seqs: ChangeSeqs) -> bool {
        self.saved.get(key) == Some(change_seqs)
    }

    /// Queues a response. The result is whether the caller must start a writer.
    pub fn push(&mut self, queued: Queued<T>, now: i64) -> bool {
        let mut others = self.queued.iter_mut();
        match others.find(|other| other.key == queued.key) {
            Some(older) => *older = queued,
            None => self.queued.push(queued),
        }
        if self.queued.len() > MAX_QUEUED {
            self.queued.remove(0);
        }
        let has_writer = self
            .last_step_at
            .is_some_and(|at| now - at < WRITER_TIMEOUT_MS);
        if !has_writer {
            self.last_step_at = Some(now);
        }
        !has_writer
    }

    /// The next step of the writer.
    pub fn next(&mut self, now: i64) -> Step<T> {
        self.last_step_at = Some(now);
        let pause_ms = self.last_write_at + SNAPSHOT_WRITE_INTERVAL_MS - now;
        if self.queued.is_empty() {
            self.last_step_at = None;
            return Step::Stop;
        }
        if pause_ms > 0 {
            return Step::Wait(pause_ms);
        }
        let queued = self.queued.remove(0);
        self.last_write_at = now;
        self.saved
            .put(queued.key.clone(), queued.change_seqs, ENTRY_OVERHEAD_BYTES);
        Step::Write(queued)
    }

    /// Records that a write failed.
    pub fn write_failed(&mut self, key: String) {
        self.saved.put(key, NOT_SAVED, ENTRY_OVERHEAD_BYTES);
    }

    /// Records that the writer stops before the queue is empty.
    pub fn stop(&mut self) {
        self.last_step_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Param;
    use proptest::prelude::*;

    fn change_seqs(numbers: [i64; 2]) -> ChangeSeqs {
        let validator = |number| Validator::parse(&format!("{number}.1f09ab34")).unwrap();
        numbers.map(validator).into()
    }

    fn queued(key: u8, n: i64) -> Queued<i64> {
        Queued {
            key: key.to_string(),
            change_seqs: change_seqs([n, 0]),
            response: n,
        }
    }

    #[test]
    fn the_latest_response_of_a_key_is_written_once() {
        let mut queue = SnapshotQueue::default();
        assert!(queue.push(queued(1, 1), 5_000));
        assert_eq!(queue.next(5_000), Step::Write(queued(1, 1)));
        assert!(
            queue.has_saved("1", change_seqs([1, 0])) && !queue.has_saved("1", change_seqs([2, 0]))
        );
        assert!(!queue.push(queued(1, 2), 5_100), "a writer is running");
        assert!(!queue.push(queued(2, 2), 5_200));
        assert!(!queue.push(queued(1, 3), 5_300));
        assert_eq!(queue.next(5_400), Step::Wait(600));
        assert_eq!(queue.next(6_000), Step::Write(queued(1, 3)));
        assert_eq!(queue.next(7_000), Step::Write(queued(2, 2)));
        assert_eq!(queue.next(7_001), Step::Stop);
        assert!(queue.push(queued(2, 4), 7_002), "the writer has stopped");
    }

    #[test]
    fn a_failed_write_does_not_count_as_saved() {
        let mut queue = SnapshotQueue::default();
        queue.push(queued(1, 1), 0);
        queue.next(5_000);
        queue.write_failed("1".to_owned());
        assert!(!queue.has_saved("1", change_seqs([1, 0])));
    }

    #[test]
    fn a_writer_without_a_step_for_long_is_replaced() {
        let mut queue = SnapshotQueue::default();
        assert!(queue.push(queued(1, 1), 0));
        assert!(!queue.push(queued(2, 1), WRITER_TIMEOUT_MS - 1));
        assert!(queue.push(queued(3, 1), WRITER_TIMEOUT_MS));
    }

    #[test]
    fn a_writer_that_stops_early_is_replaced_by_the_next_response() {
        let mut queue = SnapshotQueue::default();
        assert!(queue.push(queued(1, 1), 0));
        queue.stop();
        assert!(queue.push(queued(2, 1), 1));
    }

    #[test]
    fn the_oldest_response_leaves_a_full_queue() {
        let mut queue = SnapshotQueue::default();
        for key in 1..=16 {
            queue.push(queued(key, 1), 0);
        }
        assert_eq!(queue.queued.first(), Some(&queued(1, 1)));
        queue.push(queued(17, 1), 0);
        assert_eq!(queue.queued.first(), Some(&queued(2, 1)));
        assert_eq!(queue.queued.len(), MAX_QUEUED);
    }

    #[test]
    fn a_thousand_saved_keys_are_remembered() {
        let mut queue = SnapshotQueue::default();
        for n in 0..1000 {
            queue.push(
                Queued {
                    key: format!("{n:060}"),
                    ..queued(1, 1)
                },
                2_000 * n,
            );
            assert!(matches!(queue.next(2_000 * n + 1_000), Step::Write(_)));
        }
        assert!(queue.has_saved(&format!("{:060}", 0), change_seqs([1, 0])));
    }

    proptest! {
        #[test]
        fn writes_keep_the_interval_and_are_the_latest_of_their_key(
            steps in prop::collection::vec((any::<bool>(), 0..24u8, 0..600i64), 0..300),
        ) {
            let mut queue = SnapshotQueue::default();
            let (mut now, mut last_write, mut latest) = (10_000, 0, std::collections::HashMap::new());
            for (n, (is_push, key, later)) in (0..).zip(steps) {
                now += later;
                if is_push {
                    queue.push(queued(key, n), now);
                    latest.insert(key.to_string(), n);
                } else if let Step::Write(write) = queue.next(now) {
                    prop_assert!(now - last_write >= SNAPSHOT_WRITE_INTERVAL_MS);
                    prop_assert_eq!(latest.get(&write.key), Some(&write.response));
                    last_write = now;
                }
                prop_assert!(queue.queued.len() <= MAX_QUEUED);
            }
        }
    }
}
