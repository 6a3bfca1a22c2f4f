//! What is answered when a service is down, slow or talks nonsense.
//!
//! The last good answer to the same request, with its age; where there is none, what is known
//! still; where that is nothing, the problem. Who prefers strict handling (RFC 7240) gets the
//! problem at once. Each good answer is [saved](saving) behind its reader's back, and the
//! most wanted ones are [refreshed](refresh) by a schedule.

pub(super) mod kept;
pub mod refresh;
mod saving;

use std::rc::Rc;

use edge::{Answer, CachedResponse, Call, Error, StaleIfError, UNASKED, now};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use http_semantics::cache_status::CacheStatus;
use http_semantics::{Format, Problem, prefer};

use crate::domain::snapshot;

/// The fallback of a request whose response has one of these formats.
#[must_use]
pub fn stale_if_error(call: &Call, formats: &'static [Format]) -> Rc<dyn StaleIfError> {
    Rc::new(Asked {
        call: call.clone(),
        forms: formats,
        began: now(),
    })
}

impl StaleIfError for Asked {
    fn save(&self, response: &Rc<CachedResponse>) {
        saving::keep(self, response);
    }

    fn replace(
        self: Rc<Self>,
        outcome: Result<Answer, Error>,
    ) -> LocalBoxFuture<'static, Result<Answer, Error>> {
        async move {
            let answer = match outcome {
                Ok(mut answer) => match answer.lacks() {
                    None => answer,
                    Some(problem) => self.instead(problem, Some(answer)).await,
                },
                Err(Error::Problem(problem)) if problem.service().is_some() => {
                    self.instead(problem, None).await
                }
                Err(other) => return Err(other),
            };
            let timings = self.call.timings.borrow().header();
            Ok(answer.header_if("server-timing", timings))
        }
        .boxed_local()
    }
}

/// A request, and the forms that its answer has.
struct Asked {
    call: Call,
    forms: &'static [Format],
    /// When it came, in milliseconds since 1970.
    began: i64,
}

impl Asked {
    /// What a snapshot of the answer is called.
    fn key(&self) -> Option<String> {
        let Call { path, query, .. } = &self.call;
        let form = snapshot::form(query, self.call.header("accept").as_deref(), self.forms)?;
        snapshot::key(path, query, form)
    }

    /// The answer where there would be a problem, or one that lacks something.
    async fn instead(&self, problem: Problem, half: Option<Answer>) -> Answer {
        if prefer::is_strict(self.call.header("prefer").as_deref()) {
            return Answer::problem(&problem).header("preference-applied", prefer::STRICT);
        }
        let how = problem
            .service()
            .and_then(|service| self.call.timings.borrow().how(service));
        let status = |age| CacheStatus {
            age,
            was_asked: how != Some(UNASKED),
            problem: &problem,
        };
        if let Some(kept) = kept::find(self).await {
            let age = kept.age(now());
            let answer = kept.answer(&self.call);
            return answer
                .header("age", age.to_string())
                .header("cache-control", "no-cache")
                .header("cache-status", status(Some(age)).to_string());
        }
        match half {
            Some(half) => half.header("cache-status", status(None).to_string()),
            None => Answer::problem(&problem),
        }
    }
}
