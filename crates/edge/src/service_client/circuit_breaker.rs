//! A circuit breaker: it rejects calls to a service that keeps failing.
//!
//! - *Closed*: all calls pass. After [`FAILURES`] failures in a row, the breaker opens.
//! - *Open*: for [`OPEN_MS`], all calls are rejected. So callers do not wait, and the service can
//!   recover.
//! - *Half open*: one call passes as a probe. Its outcome closes or opens the breaker. A probe that
//!   has no outcome after [`PROBE_MS`] counts as lost, and the next call becomes the probe.

/// The number of failures in a row that open it.
pub const FAILURES: u32 = 5;

/// The time that it stays open, in milliseconds.
pub const OPEN_MS: i64 = 3_000;

/// The time after which a probe counts as lost, in milliseconds: longer than any deadline of a read.
pub const PROBE_MS: i64 = 6_000;

/// The breaker of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    /// All calls pass. The number of failures in a row.
    Closed(u32),
    /// All calls are rejected until this time.
    Open(i64),
    /// A probe was sent. All other calls are rejected until this time.
    HalfOpen(i64),
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed(0)
    }
}

impl Breaker {
    /// Whether a call passes now, in milliseconds since 1970. A call that passes a breaker that
    /// is not closed is its probe.
    pub fn allow_request(&mut self, now: i64) -> bool {
        match *self {
            Self::Closed(_) => true,
            Self::Open(until) | Self::HalfOpen(until) if now < until => false,
            Self::Open(_) | Self::HalfOpen(_) => {
                *self = Self::HalfOpen(now + PROBE_MS);
                true
            }
        }
    }

    /// Whether all calls would be rejected now.
    #[cfg(test)]
    #[must_use]
    pub fn is_open(&self, now: i64) -> bool {
        match *self {
            Self::Closed(_) => false,
            Self::Open(until) | Self::HalfOpen(until) => now < until,
        }
    }

    /// A response has started, and may still break off. That is enough for a probe, but the next
    /// failure opens the breaker again.
    pub fn response_started(&mut self) {
        if matches!(self, Self::HalfOpen(_)) {
            *self = Self::Closed(FAILURES - 1);
        }
    }

    /// A response is complete. A late response to a call from before the breaker opened does not
    /// close it: only the probe does.
    pub fn succeeded(&mut self) {
        if !matches!(self, Self::Open(_)) {
            *self = Self::Closed(0);
        }
    }

    /// A call has failed.
    pub fn failed(&mut self, now: i64) {
        *self = match *self {
            Self::Closed(failures) if failures + 1 < FAILURES => Self::Closed(failures + 1),
            // A late failure of a call from before the breaker opened does not extend it.
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
            assert!(breaker.allow_request(at));
            breaker.failed(at);
        }
        breaker
    }

    #[test]
    fn only_failures_in_a_row_open_a_breaker() {
        let mut breaker = Breaker::default();
        for n in 0..100 {
            for _ in 1..FAILURES {
                assert!(breaker.allow_request(n));
                breaker.failed(n);
            }
            breaker.succeeded();
        }
        assert!(breaker.allow_request(100));
        assert!(!opened(7).allow_request(7 + OPEN_MS - 1));
    }

    #[test]
    fn the_outcome_of_the_probe_closes_or_opens_a_breaker() {
        let half = 7 + OPEN_MS;
        let mut breaker = opened(7);
        assert!(breaker.is_open(half - 1) && !breaker.is_open(half));
        assert!(breaker.allow_request(half), "the probe");
        assert!(
            !breaker.allow_request(half) && breaker.is_open(half),
            "no other call"
        );
        let mut closed = breaker;
        closed.succeeded();
        assert_eq!(closed, Breaker::Closed(0));
        breaker.failed(half + 5);
        assert_eq!(breaker, Breaker::Open(half + 5 + OPEN_MS));
    }

    #[test]
    fn a_started_response_to_the_probe_closes_a_breaker_until_the_next_failure() {
        let mut breaker = opened(0);
        breaker.response_started();
        assert_eq!(breaker, Breaker::Open(OPEN_MS), "that was not the probe");
        assert!(breaker.allow_request(OPEN_MS));
        breaker.response_started();
        assert!(breaker.allow_request(OPEN_MS));
        breaker.failed(OPEN_MS);
        assert_eq!(breaker, Breaker::Open(2 * OPEN_MS));
        let mut closed = Breaker::Closed(2);
        closed.response_started();
        assert_eq!(closed, Breaker::Closed(2));
    }

    #[test]
    fn a_lost_probe_is_replaced_by_the_next_call() {
        let mut breaker = opened(0);
        assert!(breaker.allow_request(OPEN_MS));
        assert!(!breaker.allow_request(OPEN_MS + PROBE_MS - 1));
        assert!(breaker.allow_request(OPEN_MS + PROBE_MS));
        assert!(!breaker.allow_request(OPEN_MS + PROBE_MS));
    }

    #[test]
    fn a_late_outcome_neither_closes_nor_extends_an_open_breaker() {
        let mut breaker = opened(0);
        breaker.succeeded();
        breaker.failed(OPEN_MS - 1);
        assert_eq!(breaker, Breaker::Open(OPEN_MS));
    }

    proptest! {
        #[test]
        fn an_open_breaker_lets_one_probe_through_and_never_stays_open(
            steps in prop::collection::vec((0..4u8, 0..2_000i64), 0..300),
        ) {
            let (mut breaker, mut now, mut in_a_row) = (Breaker::default(), 0, 0);
            let mut last_probe: Option<i64> = None;
            for (step, later) in steps {
                now += later;
                let before = breaker;
                match step {
                    0 => if breaker.allow_request(now) && !matches!(before, Breaker::Closed(_)) {
                        let apart = last_probe.is_none_or(|last| now - last >= OPEN_MS);
                        prop_assert!(apart, "two probes within {OPEN_MS} ms");
                        last_probe = Some(now);
                    },
                    1 => breaker.response_started(),
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
                // After any history a call passes within PROBE_MS.
                let mut later = breaker;
                prop_assert!(later.allow_request(now + PROBE_MS));
            }
        }
    }
}
