//! Tests the report of an import.

use super::super::batch::ParsedRecord;
use super::*;

fn counts(created: i64, updated: i64, unchanged: i64) -> Counts {
    Counts {
        created,
        updated,
        unchanged,
    }
}

fn batch(first_line: usize, last_line: usize) -> Batch<()> {
    let parsed = (first_line..=last_line).map(|line| ParsedRecord {
        id: None,
        position: RecordPosition { line, index: None },
        record: (),
        version: None,
    });
    Batch {
        parsed: parsed.collect(),
        ..Batch::at_lines(first_line, last_line)
    }
}

fn refusals(lines: std::ops::RangeInclusive<usize>) -> Vec<Refusal> {
    let problem = Problem::malformed_body("JSON", 1, 1);
    lines
        .map(|line| Refusal {
            position: RecordPosition { line, index: None },
            problem: problem.clone(),
        })
        .collect()
}

#[test]
fn a_report_sums_its_batches_and_lists_a_limited_number_of_lines() {
    let mut report = Report::new(false, false);
    let written = |counts| BatchResult::new(Outcome::Written, counts);
    report.add(&batch(1, 10), written(counts(5, 3, 2)));
    report.add(
        &batch(11, 14),
        written(counts(1, 1, 1)).with_refused(refusals(14..=14)),
    );
    report.add(
        &batch(15, 20),
        BatchResult::new(Outcome::AlreadyWritten, counts(6, 0, 0)),
    );
    report.add(
        &batch(21, 1_520),
        BatchResult::refused(refusals(21..=1_520)),
    );
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let total = |name: &str| json[name].as_i64().unwrap();
    assert_eq!(
        [
            "read",
            "created",
            "updated",
            "unchanged",
            "alreadyWritten",
            "refusedTotal"
        ]
        .map(total),
        [1_520, 6, 4, 3, 6, 1_501]
    );
    assert_eq!(json["refused"].as_array().unwrap().len(), MAX_LISTED_LINES);
    assert_eq!(json["batches"].as_array().unwrap().len(), 4);
    assert!(report.failure_without_results().is_none());
}

#[test]
fn a_streamed_report_has_a_line_for_each_batch() {
    let mut report = Report::new(true, true);
    let line = report.add(&batch(1, 2), BatchResult::refused(refusals(2..=2)));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["refused"][0]["line"], 2);
    let last: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(
        (&last["refusedTotal"], last.get("batches")),
        (&1.into(), None)
    );
}

#[test]
fn a_report_sums_the_created_places_of_an_import_that_may_create_them() {
    for (created, total) in [([Some(2), Some(3)], Some(5)), ([None, None], None)] {
        let mut report = Report::new(false, false);
        for places in created {
            let result = BatchResult::new(Outcome::Written, counts(1, 0, 0));
            report.add(&batch(1, 1), result.with_places(places));
        }
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        let found = json.get("placesCreated");
        assert_eq!(found.and_then(serde_json::Value::as_i64), total);
    }
}

#[test]
fn a_report_has_the_record_after_which_a_stopped_import_continues() {
    let mut report = Report::new(false, false);
    assert!(!report.to_json().contains("next"));
    report.continue_after(20_000);
    assert!(report.to_json().contains(r#""next":20000"#));
}

#[test]
fn a_failure_is_the_response_only_if_no_batch_has_another_result() {
    let failed = || BatchResult::failed(Problem::malformed_body("JSON", 1, 1));
    let written = |counts| BatchResult::new(Outcome::Written, counts);
    for (before, has_results) in [
        (written(counts(0, 0, 0)), false),
        (written(counts(1, 0, 0)), true),
        (written(counts(0, 0, 1)), true),
        (
            BatchResult::new(Outcome::AlreadyWritten, counts(0, 0, 0)),
            true,
        ),
        (BatchResult::refused(refusals(1..=1)), true),
        (BatchResult::refused(Vec::new()).with_places(Some(0)), false),
        (BatchResult::refused(Vec::new()).with_places(Some(1)), true),
    ] {
        let mut report = Report::new(false, false);
        report.add(&batch(1, 1), before);
        assert_eq!(report.failure_without_results(), None);
        report.add(&batch(2, 2), failed());
        assert!(report.failure().is_some());
        assert_eq!(report.failure_without_results().is_none(), has_results);
    }
}
