//! Counts the calls that one invocation of a worker may still make.
//!
//! The platform throws at the first call beyond its limit. A request would then stop in the middle
//! of its work. So every loop of calls checks whether its next step still fits. If not, the loop
//! ends in an orderly way, and another invocation continues the work: the client follows a cursor or a
//! link, or the scheduled run finds what is left.

use std::cell::Cell;
use std::rc::Rc;

use http_semantics::Problem;

/// A number of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calls {
    /// Calls of other workers and of the database.
    pub subrequests: u32,
    /// Statements of the database. The platform does not say how it counts a batch. So each
    /// statement of a batch counts, and the batch counts as one subrequest, too.
    pub queries: u32,
}

impl Calls {
    /// The limits of the Free plan.
    pub const FREE_PLAN: Self = Self {
        subrequests: 50,
        queries: 50,
    };

    /// The limits of the Paid plan.
    pub const PAID_PLAN: Self = Self {
        subrequests: 10_000,
        queries: 1_000,
    };

    /// The calls that a loop leaves for the end of its request.
    const RESERVE: Self = Self {
        subrequests: 5,
        queries: 8,
    };

    /// Calls of other workers.
    #[must_use]
    pub const fn services(count: u32) -> Self {
        Self {
            subrequests: count,
            queries: 0,
        }
    }

    /// Round trips to the database with this number of statements each.
    #[must_use]
    pub const fn round_trips(count: u32, statements: u32) -> Self {
        Self {
            subrequests: count,
            queries: count * statements,
        }
    }

    /// The limits of a plan: the setting `PLAN`, which is `free` or `paid`.
    #[must_use]
    pub fn of_plan(setting: Option<&str>) -> Self {
        match setting {
            Some("free") => Self::FREE_PLAN,
            _ => Self::PAID_PLAN,
        }
    }

    /// These calls and others.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            subrequests: self.subrequests.saturating_add(other.subrequests),
            queries: self.queries.saturating_add(other.queries),
        }
    }

    fn fits_into(self, limit: Self) -> bool {
        self.subrequests <= limit.subrequests && self.queries <= limit.queries
    }
}

/// The limits of an invocation, and the calls that it has made. A clone shares the counts.
#[derive(Debug, Clone)]
pub struct CallQuota {
    limit: Calls,
    used: Rc<Cell<Calls>>,
}

impl CallQuota {
    /// The quota of an invocation that has made no calls.
    #[must_use]
    pub fn new(limit: Calls) -> Self {
        Self {
            limit,
            used: Rc::new(Cell::new(Calls::services(0))),
        }
    }

    /// Counts calls that are about to be made.
    ///
    /// # Errors
    /// Calls beyond the limit. They are not counted, and must not be made.
    pub fn take(&self, calls: Calls) -> Result<(), Problem> {
        let used = self.used.get().and(calls);
        if !used.fits_into(self.limit) {
            return Err(Problem::call_limit_reached());
        }
        self.used.set(used);
        Ok(())
    }

    /// Whether the next step of a loop may make these calls. A few others always remain for the end
    /// of the request.
    #[must_use]
    pub fn has(&self, calls: Calls) -> bool {
        let used = self.used.get().and(calls).and(Calls::RESERVE);
        used.fits_into(self.limit)
    }

    /// Whether a stream of changes may make this number of calls. It ends before the invocation
    /// reaches the limit of its plan: 40 calls on the Free plan, 500 on the Paid plan.
    #[must_use]
    pub fn may_stream(&self, calls: u32) -> bool {
        let limit = if self.limit == Calls::FREE_PLAN {
            40
        } else {
            500
        };
        self.used.get().subrequests + calls <= limit
    }

    /// Whether half of the quota is used. The other half is for the request itself, if the calls
    /// were made for other requests.
    #[must_use]
    pub fn is_half_used(&self) -> bool {
        let used = self.used.get();
        !used.and(used).fits_into(self.limit)
    }
}

/// Whether an exception of the platform is about its limit of calls. The setting `PLAN` can be wrong,
/// and the platform can count calls that we do not know of.
#[must_use]
pub fn is_call_limit(message: &str) -> bool {
    ["Too many subrequests", "Too many API requests"]
        .iter()
        .any(|text| message.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_beyond_the_limit_of_the_plan_is_rejected_and_not_counted() {
        for (setting, limit) in [
            (Some("free"), Calls::FREE_PLAN),
            (Some("paid"), Calls::PAID_PLAN),
            (None, Calls::PAID_PLAN),
        ] {
            let quota = CallQuota::new(Calls::of_plan(setting));
            let statements = limit.queries;
            assert_eq!(quota.take(Calls::round_trips(1, statements)), Ok(()));
            assert!(quota.take(Calls::round_trips(1, 1)).is_err());
            let rest = Calls::services(limit.subrequests - 1);
            assert_eq!(quota.clone().take(rest), Ok(()), "the counts are shared");
            assert!(quota.take(Calls::services(1)).is_err());
        }
    }

    #[test]
    fn a_loop_leaves_calls_for_the_end_of_the_request() {
        let quota = CallQuota::new(Calls::FREE_PLAN);
        let mut steps = 0;
        while quota.has(Calls::services(2)) {
            assert_eq!(quota.take(Calls::services(2)), Ok(()));
            steps += 1;
        }
        assert_eq!(steps, 22);
        assert_eq!(quota.take(Calls::RESERVE), Ok(()));
    }

    #[test]
    fn half_of_the_quota_is_left_for_the_request_of_a_leader() {
        let quota = CallQuota::new(Calls::FREE_PLAN);
        assert_eq!(quota.take(Calls::services(25)), Ok(()));
        assert!(!quota.is_half_used());
        assert_eq!(quota.take(Calls::round_trips(1, 1)), Ok(()));
        assert!(quota.is_half_used());
    }
}
