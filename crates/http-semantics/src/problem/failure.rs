//! The problems that a client did not cause.

use serde_json::json;

use super::{Kind, Problem};

impl Problem {
    /// A deletion that has begun and could not be completed. The scheduled repair completes it.
    #[must_use]
    pub fn deletion_continues(place: i64) -> Self {
        let detail = format!(
            "The deletion of the place {place} has begun, and the scheduled repair continues it."
        );
        Self::new(Kind::ServiceTimedOut, detail)
            .with("service", json!("people"))
            .with_unknown_outcome()
    }

    /// A request that needs more calls of databases and services than the platform allows for one
    /// invocation. The call that would have been too many was not made.
    #[must_use]
    pub fn call_limit_reached() -> Self {
        Self::new(
            Kind::CallLimitReached,
            "The platform limits the calls of one request, and this one needs more.",
        )
    }

    /// A worker that lacks something that its responses need.
    #[must_use]
    pub fn not_ready(failed: &[&str]) -> Self {
        let detail = format!("Not ready: {}.", failed.join(", "));
        Self::new(Kind::NotReady, detail)
            .with("failed", json!(failed))
            .header("retry-after", "5")
    }

    /// A backend that failed.
    #[must_use]
    pub fn service_failed(service: &str) -> Self {
        Self::new(
            Kind::ServiceFailed,
            format!("The service `{service}` failed."),
        )
        .with("service", json!(service))
    }

    /// A backend that did not respond in time.
    #[must_use]
    pub fn service_timed_out(service: &str, milliseconds: u32) -> Self {
        let detail = format!("The service `{service}` did not respond within {milliseconds} ms.");
        Self::new(Kind::ServiceTimedOut, detail).with("service", json!(service))
    }

    /// A database, or the database of a backend, that has too many requests.
    #[must_use]
    pub fn overloaded() -> Self {
        Self::new(Kind::Overloaded, "The database has too many requests.")
            .header("retry-after", "2")
    }

    /// A backend whose database has too many requests.
    #[must_use]
    pub fn service_overloaded(service: &str) -> Self {
        Self::overloaded().with("service", json!(service))
    }

    /// A caller with another version of the format between the services: one of them has been
    /// deployed before the other.
    #[must_use]
    pub fn updating() -> Self {
        Self::new(Kind::Updating, "Two services have different versions.")
            .header("retry-after", "5")
    }

    /// A backend that rejected the version of this worker.
    #[must_use]
    pub fn service_updating(service: &str) -> Self {
        Self::updating().with("service", json!(service))
    }

    /// A setting that is invalid. `detail` says how to fix it.
    #[must_use]
    pub fn misconfigured(detail: String) -> Self {
        Self::new(Kind::Misconfigured, detail)
    }

    /// An unexpected error. The cause is only logged, because it could reveal internals.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Kind::Internal, "The request failed. The error was logged.")
    }
}
