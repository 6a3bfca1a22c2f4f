//! When an answer is written down as a snapshot.
//!
//! An isolate writes one snapshot at a time, and one in [`INTERVAL_MS`] at most, however many
//! answers it makes. Of answers to the same request the latest waits. What is written down
//! already, of the same marks, is not written again: a reader whom nothing new was told costs
//! nothing.

use http_semantics::lru_cache::LruCache;

/// The change counters of both registers.
pub type Marks = [i64; 2];

/// The least time between the beginnings of two writes, in milliseconds.
pub const INTERVAL_MS: i64 = 1_000;

/// How long nothing may be heard of a writer, in milliseconds, before another takes its place.
pub const PATIENCE_MS: i64 = 10_000;

/// The most answers that wait.
pub const MOST_WAITING: usize = 16;

/// The most bytes of what is remembered of that which is written.
const REMEMBERED: usize = 256 * 1024;

/// An answer that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<T> {
    /// What it answers.
    pub key: String,
    /// What it is made from.
    pub marks: Marks,
    /// The answer.
    pub answer: T,
}

/// What the writer does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<T> {
    /// Writes this.
    Write(Waiting<T>),
    /// Waits so many milliseconds.
    Wait(i64),
    /// Leaves.
    Leave,
}

/// What waits to be written, and what has been.
#[derive(Debug)]
pub struct Saving<T> {
    written: LruCache<Marks>,
    waiting: Vec<Waiting<T>>,
    /// When the writer was last heard of, in milliseconds since 1970; none where there is none.
    writer_at: Option<i64>,
    /// When the last write was begun.
    write_at: i64,
}

impl<T> Default for Saving<T> {
    fn default() -> Self {
        Self {
            written: LruCache::new(REMEMBERED),
            waiting: Vec::new(),
            writer_at: None,
            write_at: 0,
        }
    }
}

impl<T> Saving<T> {
    /// Whether an answer of these marks is written already.
    pub fn has(&mut self, key: &str, marks: Marks) -> bool {
        self.written.get(key) == Some(marks)
    }

    /// Takes an answer. Says whether whoever brings it is to write, because nobody else does.
    pub fn offer(&mut self, waiting: Waiting<T>, now: i64) -> bool {
        match self.waiting.iter_mut().find(|one| one.key == waiting.key) {
            Some(before) => *before = waiting,
            None => self.waiting.push(waiting),
        }
        if self.waiting.len() > MOST_WAITING {
            self.waiting.remove(0);
        }
        let is_written = self.writer_at.is_some_and(|at| now - at < PATIENCE_MS);
        if !is_written {
            self.writer_at = Some(now);
        }
        !is_written
    }

    /// What the writer does next.
    pub fn next(&mut self, now: i64) -> Step<T> {
        self.writer_at = Some(now);
        let left = self.write_at + INTERVAL_MS - now;
        if self.waiting.is_empty() {
            self.writer_at = None;
            return Step::Leave;
        }
        if left > 0 {
            return Step::Wait(left);
        }
        let one = self.waiting.remove(0);
        self.write_at = now;
        self.written.put(one.key.clone(), one.marks, AROUND);
        Step::Write(one)
    }

    /// Takes that it could not be written.
    pub fn failed(&mut self, key: String) {
        self.written.put(key, NOTHING, AROUND);
    }

    /// Takes that the writer leaves, whatever waits.
    pub fn leave(&mut self) {
        self.writer_at = None;
    }
}

/// Marks that no register has.
const NOTHING: Marks = [-1; 2];

/// What an entry takes beside its key, in bytes, about.
const AROUND: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(key: u8, n: i64) -> Waiting<i64> {
        Waiting {
            key: key.to_string(),
            marks: [n, 0],
            answer: n,
        }
    }

    #[test]
    fn the_latest_answer_waits_and_is_written_once() {
        let mut saving = Saving::default();
        assert!(saving.offer(one(1, 1), 5_000));
        assert_eq!(saving.next(5_000), Step::Write(one(1, 1)));
        assert!(saving.has("1", [1, 0]) && !saving.has("1", [2, 0]));
        assert!(!saving.offer(one(1, 2), 5_100), "one writes already");
        assert!(!saving.offer(one(2, 2), 5_200));
        assert!(!saving.offer(one(1, 3), 5_300));
        assert_eq!(saving.next(5_400), Step::Wait(600));
        assert_eq!(saving.next(6_000), Step::Write(one(1, 3)));
        assert_eq!(saving.next(7_000), Step::Write(one(2, 2)));
        assert_eq!(saving.next(7_001), Step::Leave);
        assert!(saving.offer(one(2, 4), 7_002), "the writer has left");
    }

    #[test]
    fn what_could_not_be_written_is_not_taken_for_written() {
        let mut saving = Saving::default();
        saving.offer(one(1, 1), 0);
        saving.next(5_000);
        saving.failed("1".to_owned());
        assert!(!saving.has("1", [1, 0]));
    }

    #[test]
    fn a_writer_that_is_lost_is_followed_by_another() {
        let mut saving = Saving::default();
        assert!(saving.offer(one(1, 1), 0));
        assert!(!saving.offer(one(2, 1), PATIENCE_MS - 1));
        assert!(saving.offer(one(3, 1), PATIENCE_MS));
    }

    proptest! {
        #[test]
        fn writes_are_apart_and_each_is_the_latest_of_its_key(
            steps in prop::collection::vec((any::<bool>(), 0..24u8, 0..600i64), 0..300),
        ) {
            let mut saving = Saving::default();
            let (mut now, mut last_write, mut latest) = (10_000, 0, std::collections::HashMap::new());
            for (n, (is_offer, key, later)) in (0..).zip(steps) {
                now += later;
                if is_offer {
                    saving.offer(one(key, n), now);
                    latest.insert(key.to_string(), n);
                } else if let Step::Write(write) = saving.next(now) {
                    prop_assert!(now - last_write >= INTERVAL_MS);
                    prop_assert_eq!(latest.get(&write.key), Some(&write.answer));
                    last_write = now;
                }
                prop_assert!(saving.waiting.len() <= MOST_WAITING);
            }
        }
    }
}
