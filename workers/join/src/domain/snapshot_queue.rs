//! The queue of responses that an isolate saves as snapshots.
//!
//! One writer at a time takes from the queue, at most one response per
//! [`SNAPSHOT_WRITE_INTERVAL_MS`]. Of several responses to the same request the latest is queued.
//! A response whose change sequences are saved already is not queued, so a reader who gets
//! nothing new costs nothing.

use http_semantics::lru_cache::LruCache;

use super::ChangeSeqs;
use super::snapshot::SNAPSHOT_WRITE_INTERVAL_MS;

/// The time without a step after which a writer counts as lost, and another may start.
pub const WRITER_TIMEOUT_MS: i64 = 10_000;

/// The most queued responses.
pub const MAX_QUEUED: usize = 16;

/// The most bytes of the list of saved keys.
const SAVED_KEYS_BYTES: usize = 256 * 1024;

/// The bytes of an entry in that list besides its key, roughly.
const ENTRY_BYTES: usize = 64;

/// Change sequences that no table has.
const NEVER: ChangeSeqs = [-1; 2];

/// A response in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued<T> {
    /// The key of its snapshot.
    pub key: String,
    /// The change sequences that it was made of.
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

/// The queue, and the keys that are saved.
#[derive(Debug)]
pub struct SnapshotQueue<T> {
    saved: LruCache<ChangeSeqs>,
    queued: Vec<Queued<T>>,
    /// The last step of the running writer, in milliseconds since 1970.
    writer_at: Option<i64>,
    /// The start of the last write.
    write_at: i64,
}

impl<T> Default for SnapshotQueue<T> {
    fn default() -> Self {
        Self {
            saved: LruCache::new(SAVED_KEYS_BYTES),
            queued: Vec::new(),
            writer_at: None,
            write_at: 0,
        }
    }
}

impl<T> SnapshotQueue<T> {
    /// Whether a response of these change sequences is saved already.
    pub fn has_saved(&mut self, key: &str, change_seqs: ChangeSeqs) -> bool {
        self.saved.get(key) == Some(change_seqs)
    }

    /// Queues a response. The result is whether the caller must start a writer.
    pub fn push(&mut self, queued: Queued<T>, now: i64) -> bool {
        match self.queued.iter_mut().find(|one| one.key == queued.key) {
            Some(before) => *before = queued,
            None => self.queued.push(queued),
        }
        if self.queued.len() > MAX_QUEUED {
            self.queued.remove(0);
        }
        let has_writer = self
            .writer_at
            .is_some_and(|at| now - at < WRITER_TIMEOUT_MS);
        if !has_writer {
            self.writer_at = Some(now);
        }
        !has_writer
    }

    /// The next step of the writer.
    pub fn next(&mut self, now: i64) -> Step<T> {
        self.writer_at = Some(now);
        let left = self.write_at + SNAPSHOT_WRITE_INTERVAL_MS - now;
        if self.queued.is_empty() {
            self.writer_at = None;
            return Step::Stop;
        }
        if left > 0 {
            return Step::Wait(left);
        }
        let one = self.queued.remove(0);
        self.write_at = now;
        self.saved
            .put(one.key.clone(), one.change_seqs, ENTRY_BYTES);
        Step::Write(one)
    }

    /// Records that a write failed.
    pub fn write_failed(&mut self, key: String) {
        self.saved.put(key, NEVER, ENTRY_BYTES);
    }

    /// Records that the writer stops before the queue is empty.
    pub fn stop(&mut self) {
        self.writer_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(key: u8, n: i64) -> Queued<i64> {
        Queued {
            key: key.to_string(),
            change_seqs: [n, 0],
            response: n,
        }
    }

    #[test]
    fn the_latest_response_is_queued_and_written_once() {
        let mut queue = SnapshotQueue::default();
        assert!(queue.push(one(1, 1), 5_000));
        assert_eq!(queue.next(5_000), Step::Write(one(1, 1)));
        assert!(queue.has_saved("1", [1, 0]) && !queue.has_saved("1", [2, 0]));
        assert!(!queue.push(one(1, 2), 5_100), "a writer is running");
        assert!(!queue.push(one(2, 2), 5_200));
        assert!(!queue.push(one(1, 3), 5_300));
        assert_eq!(queue.next(5_400), Step::Wait(600));
        assert_eq!(queue.next(6_000), Step::Write(one(1, 3)));
        assert_eq!(queue.next(7_000), Step::Write(one(2, 2)));
        assert_eq!(queue.next(7_001), Step::Stop);
        assert!(queue.push(one(2, 4), 7_002), "the writer has stopped");
    }

    #[test]
    fn a_failed_write_is_not_recorded_as_saved() {
        let mut queue = SnapshotQueue::default();
        queue.push(one(1, 1), 0);
        queue.next(5_000);
        queue.write_failed("1".to_owned());
        assert!(!queue.has_saved("1", [1, 0]));
    }

    #[test]
    fn a_lost_writer_is_replaced() {
        let mut queue = SnapshotQueue::default();
        assert!(queue.push(one(1, 1), 0));
        assert!(!queue.push(one(2, 1), WRITER_TIMEOUT_MS - 1));
        assert!(queue.push(one(3, 1), WRITER_TIMEOUT_MS));
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
                    queue.push(one(key, n), now);
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
