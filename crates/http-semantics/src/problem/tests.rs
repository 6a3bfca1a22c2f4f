//! Tests how problems are rendered and parsed.

use super::*;
use crate::trace::Traceparent;
use domain::place_status::PlaceStatus;
use serde_json::json;

#[test]
fn an_invalid_parameter_is_named_with_its_valid_values() {
    let problem = Problem::invalid_parameter("limit", "a whole number from 1 to 1000");
    let body: Value = serde_json::from_str(&problem.to_json()).unwrap_or_default();
    assert_eq!(
        body,
        json!({
            "type": "/problems/invalid-parameter",
            "title": "A parameter has an invalid value",
            "status": 400,
            "detail": "`limit` must be a whole number from 1 to 1000.",
            "parameter": "limit",
        })
    );
}

#[test]
fn a_rendered_problem_parses_to_the_same_problem() {
    let problem = Problem::invalid_parameter("q", "one to ten words");
    let id = RequestId::from_header(None, &Traceparent::from_random([7; 3]));
    for body in [
        problem.to_json(),
        problem.clone().with_request_id(&id).to_json(),
    ] {
        assert_eq!(Problem::parse(body.as_bytes()), Some(problem.clone()));
    }
    for other in ["", "S3CR3T", "{}", r#"{"type":"/problems/x","detail":"y"}"#] {
        assert_eq!(Problem::parse(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn a_problem_is_temporary_if_it_says_when_to_retry() {
    for (problem, status, headers, is_temporary) in [
        (Problem::overloaded(), 503, vec![("retry-after", "2")], true),
        (Problem::not_found("place", 7), 404, vec![], false),
        (
            Problem::internal().header("allow", "GET"),
            500,
            vec![("allow", "GET")],
            false,
        ),
    ] {
        assert_eq!(problem.status(), status);
        let found = problem.headers().iter();
        let found: Vec<_> = found.map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(found, headers);
        assert_eq!(problem.is_temporary(), is_temporary, "{status}");
    }
}

#[test]
fn the_problem_of_a_backend_names_it() {
    assert_eq!(Problem::service_failed("people").service(), Some("people"));
    assert_eq!(Problem::internal().service(), None);
}

#[test]
fn the_outcome_of_a_write_is_unknown_after_an_internal_error() {
    let outcome = |problem: Problem, is_write| {
        let problem = problem.for_method(is_write);
        problem.members.get(OUTCOME).cloned()
    };
    for problem in [Problem::internal(), Problem::overloaded()] {
        assert_eq!(outcome(problem.clone(), true), Some(json!("unknown")));
        assert_eq!(outcome(problem, false), None);
    }
    assert_eq!(outcome(Problem::not_found("place", 7), true), None);
}

#[test]
fn a_write_may_only_refer_to_an_active_place() {
    for (status, kind) in [
        (PlaceStatus::Active, None),
        (PlaceStatus::Deleting, Some(Kind::PlaceIsDeleting)),
        (PlaceStatus::Missing, Some(Kind::NoSuchPlace)),
    ] {
        let problem = Problem::check_place(7, status).err();
        assert_eq!(problem.map(|problem| problem.kind()), kind, "{status:?}");
    }
}

#[test]
fn the_detail_of_an_invalid_body_names_a_single_field() {
    let error = |pointer: &str| FieldError {
        pointer: pointer.to_owned(),
        detail: "true or false".to_owned(),
    };
    for (errors, detail) in [
        (vec![error("")], "The body must be true or false."),
        (vec![error("/isKing")], "`/isKing` must be true or false."),
        (
            vec![error("/isKing"), error("/isAlive")],
            "2 fields are invalid.",
        ),
    ] {
        assert_eq!(Problem::invalid_record(&errors).detail(), detail);
    }
}

#[test]
fn an_unusual_parameter_name_is_not_repeated() {
    let problem = Problem::unknown_parameter("<script>", &["limit"]);
    assert!(!problem.to_json().contains("script"));
}

#[test]
fn docs_problems_md_has_the_row_of_each_problem_type() {
    let rows = Kind::ALL.map(|kind| {
        let ProblemType {
            status,
            slug,
            title,
            remedy,
        } = kind.problem_type();
        format!("| `/problems/{slug}` | {status} | {title} | {remedy} |\n")
    });
    let rows = rows.concat();
    let document = include_str!("../../../../docs/problems.md");
    assert!(
        document.contains(&rows),
        "docs/problems.md must contain:\n{rows}"
    );
}
