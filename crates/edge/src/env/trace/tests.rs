use super::*;
use proptest::prelude::*;

#[test]
fn a_message_with_newlines_is_logged_as_one_line_of_json() {
    let line = Line {
        level: level(true),
        worker: "join",
        method: "GET",
        route: Some("/people/{id}"),
        status: 503,
        ms: 12,
        d1: DatabaseUse {
            round_trips: 1,
            ms: 3,
            rows_read: 2,
        },
        calls: &["places", "people"],
        request_id: "r-1",
        trace_id: "0af7651916cd43dd8448eb211c80319c",
        span_id: "b7ad6b7169203331",
        message: Some("two\nlines \"quoted\""),
    };
    assert_eq!(
        line.to_json(),
        r#"{"level":"error","worker":"join","method":"GET","route":"/people/{id}","status":503,"ms":12,"d1":{"roundTrips":1,"ms":3,"rowsRead":2},"calls":["places","people"],"requestId":"r-1","traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","message":"two\nlines \"quoted\""}"#
    );
    let plain = Line {
        level: level(false),
        route: None,
        message: None,
        ..line
    };
    assert!(plain.to_json().starts_with(r#"{"level":"info","#));
    assert!(plain.to_json().contains(r#""route":null"#));
    assert!(!plain.to_json().contains("message"));
}

#[test]
fn an_invalid_sampling_setting_logs_all_requests() {
    for (setting, expected) in [
        (None, Sampling::Percent(100)),
        (Some("all"), Sampling::Percent(100)),
        (Some(""), Sampling::Percent(100)),
        (Some("2"), Sampling::Percent(100)),
        (Some("-1%"), Sampling::Percent(100)),
        (Some("0.5%"), Sampling::Percent(100)),
        (Some("5%"), Sampling::Percent(5)),
        (Some("0%"), Sampling::Percent(0)),
        (Some("errors"), Sampling::Percent(0)),
        (Some("off"), Sampling::None),
    ] {
        assert_eq!(Sampling::parse(setting), expected, "{setting:?}");
    }
}

proptest! {
    #[test]
    fn failures_are_always_logged_and_a_percentage_of_the_rest(
        random in any::<[u64; 3]>(),
        percent in 0..=100_u32,
    ) {
        let trace = Traceparent::from_random(random);
        let sampling = Sampling::Percent(percent);
        prop_assert!(sampling.includes(true, &trace));
        prop_assert_eq!(sampling.includes(false, &trace), trace.sampling_bucket() < percent);
        prop_assert!(Sampling::Percent(100).includes(false, &trace));
        prop_assert!(!Sampling::Percent(0).includes(false, &trace));
        prop_assert!(!Sampling::None.includes(true, &trace));
    }
}
