//! A circuit breaker: whether a service that has failed is to be asked at all.
//!
//! *Closed*, everybody asks. After [`FAILURES`] failures in a row it *opens*: for [`OPEN_MS`]
//! nobody asks, so that a service that is down costs its callers nothing, and is left alone to
//! get up. Then it is *half open*: one caller asks, as a probe, and all others wait for what
//! comes of it. A probe of which nothing is heard is lost after [`PROBE_MS`], and the next
//! caller is one.

/// How many failures in a row open it.
pub const FAILURES: u32 = 5;

/// How long it stays open, in milliseconds.
pub const OPEN_MS: i64 = 3_000;

/// How long a probe is waited for, in milliseconds: longer than any deadline of a read.
pub const PROBE_MS: i64 = 6_000;

/// The breaker of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// Everybody asks; so many have failed in a row.
    Closed(u32),
    /// Nobody asks before this moment.
    Open(i64),
    /// One has asked; nobody else does before this moment.
    HalfOpen(i64),
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed(0)
    }
}

impl Breaker {
    /// Whether to ask now, in milliseconds since 1970. Who is let in by one that is not closed
    /// is its probe.
    pub fn admits(&mut self, now: i64) -> bool {
        match *self {
            Self::Closed(_) => true,
            Self::Open(until) | Self::HalfOpen(until) if now < until => false,
            Self::Open(_) | Self::HalfOpen(_) => {
                *self = Self::HalfOpen(now + PROBE_MS);
                true
            }
        }
    }

    #[cfg(test)]
    /// Whether nobody would be let in now.
    #[must_use]
    pub fn is_open(&self, now: i64) -> bool {
        match *self {
            Self::Closed(_) => false,
            Self::Open(until) | Self::HalfOpen(until) => now < until,
        }
    }

    /// Takes that the service has begun an answer, of which nobody knows yet whether it is whole.
    /// For a probe that is enough, but the next failure opens again.
    pub fn answered(&mut self) {
        if matches!(self, Self::HalfOpen(_)) {
            *self = Self::Closed(FAILURES - 1);
        }
    }

    /// Takes that the service has answered. Whoever asked before it opened, and hears so late,
    /// closes nothing: that is for the probe.
    pub fn succeeded(&mut self) {
        if !matches!(self, Self::Open(_)) {
            *self = Self::Closed(0);
        }
    }

    /// Takes that the service has failed.
    pub fn failed(&mut self, now: i64) {
        *self = match *self {
            Self::Closed(failures) if failures + 1 < FAILURES => Self::Closed(failures + 1),
            // Of those who asked before it opened: it is not held open any longer for them.
            Self::Open(until) => Self::Open(until),
            Self::Closed(_) | Self::HalfOpen(_) => Self::Open(now + OPEN_MS),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opened(at: i64) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert!(breaker.admits(at));
            breaker.failed(at);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_others_do_not() {
        let mut breaker = Breaker::default();
        for n in 0..100 {
            for _ in 1..FAILURES {
                assert!(breaker.admits(n));
                breaker.failed(n);
            }
            breaker.succeeded();
        }
        assert!(breaker.admits(100));
        assert!(!opened(7).admits(7 + OPEN_MS - 1));
    }

    #[test]
    fn one_probe_asks_and_settles_it() {
        let half = 7 + OPEN_MS;
        let mut breaker = opened(7);
        assert!(breaker.is_open(half - 1) && !breaker.is_open(half));
        assert!(breaker.admits(half), "the probe");
        assert!(!breaker.admits(half) && breaker.is_open(half), "no other");
        let mut well = breaker;
        well.succeeded();
        assert_eq!(well, Breaker::Closed(0));
        breaker.failed(half + 5);
        assert_eq!(breaker, Breaker::Open(half + 5 + OPEN_MS));
    }

    #[test]
    fn an_answer_that_has_begun_closes_it_on_trial() {
        let mut breaker = opened(0);
        breaker.answered();
        assert_eq!(breaker, Breaker::Open(OPEN_MS), "that was not the probe");
        assert!(breaker.admits(OPEN_MS));
        breaker.answered();
        assert!(breaker.admits(OPEN_MS));
        breaker.failed(OPEN_MS);
        assert_eq!(breaker, Breaker::Open(2 * OPEN_MS));
        let mut closed = Breaker::Closed(2);
        closed.answered();
        assert_eq!(closed, Breaker::Closed(2));
    }

    #[test]
    fn a_probe_that_is_lost_is_followed_by_another() {
        let mut breaker = opened(0);
        assert!(breaker.admits(OPEN_MS));
        assert!(!breaker.admits(OPEN_MS + PROBE_MS - 1));
        assert!(breaker.admits(OPEN_MS + PROBE_MS));
        assert!(!breaker.admits(OPEN_MS + PROBE_MS));
    }

    #[test]
    fn who_asked_before_it_opened_neither_closes_it_nor_holds_it_open() {
        let mut breaker = opened(0);
        breaker.succeeded();
        breaker.failed(OPEN_MS - 1);
        assert_eq!(breaker, Breaker::Open(OPEN_MS));
    }

    proptest! {
        #[test]
        fn it_never_admits_two_while_it_is_not_closed_and_never_stays_shut(
            steps in prop::collection::vec((0..4u8, 0..2_000i64), 0..300),
        ) {
            let (mut breaker, mut now, mut in_a_row) = (Breaker::default(), 0, 0);
            let mut last_probe: Option<i64> = None;
            for (step, later) in steps {
                now += later;
                let before = breaker;
                match step {
                    0 => if breaker.admits(now) && !matches!(before, Breaker::Closed(_)) {
                        let apart = last_probe.is_none_or(|last| now - last >= OPEN_MS);
                        prop_assert!(apart, "two probes within {OPEN_MS} ms");
                        last_probe = Some(now);
                    },
                    1 => breaker.answered(),
                    2 => {
                        breaker.succeeded();
                        if !matches!(before, Breaker::Open(_)) {
                            in_a_row = 0;
                        }
                    }
                    _ => {
                        breaker.failed(now);
                        in_a_row += 1;
                    }
                }
                if let (Breaker::Closed(_), Breaker::Open(_)) = (before, breaker) {
                    prop_assert!(in_a_row >= FAILURES);
                }
                if matches!(breaker, Breaker::Closed(_)) {
                    last_probe = None;
                }
                // Whatever has happened, somebody is let in before long.
                let mut later = breaker;
                prop_assert!(later.admits(now + PROBE_MS));
            }
        }
    }
}
