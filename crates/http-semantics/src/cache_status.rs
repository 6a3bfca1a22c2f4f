//! `Cache-Status` (RFC 9211): that an answer is one that was kept, or is not whole, and why.

use std::fmt::{Display, Formatter, Result};

use crate::Problem;

/// What the header says of one answer, as a structured field (RFC 9651).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheStatus<'a> {
    /// Since when the answer has been kept, in seconds; none where none was kept.
    pub age: Option<i64>,
    /// Whether the service that failed has been asked. A *hit* is an answer for which nobody was.
    pub was_asked: bool,
    /// The problem that there would have been instead.
    pub problem: &'a Problem,
}

impl Display for CacheStatus<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let how = match (self.age, self.was_asked) {
            (None, _) => "fwd=miss",
            (Some(_), true) => "fwd=stale",
            (Some(_), false) => "hit",
        };
        write!(f, "join; {how}")?;
        // No answer is fresh without a proof: from the moment it was kept it is past its time.
        if let Some(age) = self.age {
            let ttl = -age.max(0);
            write!(f, "; ttl={ttl}")?;
        }
        write!(f, "; detail={}", detail(self.problem))
    }
}

/// `people-failed`, `places-timed-out`: the service, and what became of it.
fn detail(problem: &Problem) -> String {
    let slug = problem.kind().entry().slug;
    match (problem.service(), slug.strip_prefix("service-")) {
        (Some(service), Some(what)) => format!("{service}-{what}"),
        _ => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_old_and_why() {
        let failed = Problem::service_failed("people");
        let late = Problem::service_timed_out("places", 1);
        let internal = Problem::internal();
        for (age, was_asked, problem, header) in [
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
                was_asked,
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
