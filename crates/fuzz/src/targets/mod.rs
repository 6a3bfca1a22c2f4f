//! The targets of the fuzzer, grouped by what they parse.

mod access;
mod bodies;
mod headers;
mod imports;
mod responses;
mod urls;

use http_semantics::Problem;
use proptest::{prop_assert, prop_assert_eq};

use crate::{Check, Checked, Target, Verdict};

/// All targets.
pub fn all() -> impl Iterator<Item = &'static Target> {
    [
        urls::TARGETS,
        headers::TARGETS,
        bodies::TARGETS,
        access::TARGETS,
        imports::TARGETS,
        responses::TARGETS,
    ]
    .into_iter()
    .flatten()
}

const fn text(name: &'static str, seeds: &'static [&'static str], check: TextCheck) -> Target {
    Target {
        name,
        seeds,
        check: Check::Text(check),
    }
}

const fn bytes(name: &'static str, seeds: &'static [&'static str], check: BytesCheck) -> Target {
    Target {
        name,
        seeds,
        check: Check::Bytes(check),
    }
}

type TextCheck = fn(&str) -> Checked;
type BytesCheck = fn(&[u8]) -> Checked;

/// Checks a problem that rejects an input: a client error, and valid JSON.
fn rejected(problem: &Problem) -> Checked {
    let json: serde_json::Value = serde_json::from_str(&problem.to_json()).unwrap_or_default();
    let status = json.get("status").and_then(serde_json::Value::as_u64);
    prop_assert_eq!(status, Some(problem.status().into()));
    prop_assert!(
        (400..500).contains(&problem.status()),
        "{}",
        problem.status()
    );
    Ok(Verdict::Rejected)
}
