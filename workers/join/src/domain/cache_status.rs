//! The header `Cache-Status` (RFC 9211), which tells a client why a response is stale or partial.

use std::fmt::{Display, Formatter, Result};

use http_semantics::Problem;

/// The header, a structured field (RFC 9651).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStatus<'a> {
    /// The age of a stale response in seconds. A partial response has none.
    pub age: Option<i64>,
    /// Whether the failed service was called. The open circuit breaker rejects a call, and the
    /// stale response is then a *hit*.
    pub was_called: bool,
    /// The problem that the response replaces.
    pub problem: &'a Problem,
}

impl Display for CacheStatus<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let outcome = match (self.age, self.was_called) {
            (None, _) => "fwd=miss",
            (Some(_), true) => "fwd=stale",
            (Some(_), false) => "hit",
        };
        write!(f, "join; {outcome}")?;
        // Without revalidation a response is never fresh, so its TTL is its negative age.
        if let Some(age) = self.age {
            let ttl = -age.max(0);
            write!(f, "; ttl={ttl}")?;
        }
        write!(f, "; detail={}", detail(self.problem))
    }
}

/// The service and its failure: `people-failed`, `places-timed-out`.
fn detail(problem: &Problem) -> String {
    let slug = problem.kind().problem_type().slug;
    let failure = slug.strip_prefix("service-").unwrap_or(slug);
    match problem.service() {
        Some(service) => format!("{service}-{failure}"),
        None => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_states_age_and_cause() {
        let failed = Problem::service_failed("people");
        let late = Problem::service_timed_out("places", 1);
        let internal = Problem::internal();
        for (age, was_called, problem, header) in [
            (
                Some(12),
                true,
                &failed,
                "join; fwd=stale; ttl=-12; detail=people-failed",
            ),
            (
                Some(0),
                false,
                &failed,
                "join; hit; ttl=0; detail=people-failed",
            ),
            (
                Some(-3),
                false,
                &late,
                "join; hit; ttl=0; detail=places-timed-out",
            ),
            (None, true, &late, "join; fwd=miss; detail=places-timed-out"),
            (None, false, &internal, "join; fwd=miss; detail=internal"),
        ] {
            let status = CacheStatus {
                age,
                was_called,
                problem,
            };
            assert_eq!(status.to_string(), header);
        }
    }

    #[test]
    fn a_detail_is_a_token() {
        for problem in [Problem::service_failed("people"), Problem::internal()] {
            let token = detail(&problem);
            assert!(
                token
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            );
        }
    }
}
