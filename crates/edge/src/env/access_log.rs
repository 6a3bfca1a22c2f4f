//! The access log: one line of JSON per request, and the sampling that selects the requests.

use http_semantics::trace::Traceparent;
use serde::Serialize;

/// The use of the database by one request.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseUse {
    /// The number of round trips.
    pub round_trips: u32,
    /// The time of all round trips together, in milliseconds.
    pub ms: i64,
    /// The number of rows that were read.
    pub rows_read: i64,
}

/// The line of one request. It contains no path, query, header or body of the client, only ids
/// that were validated.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    /// `info`, or `error` for a failure on our side.
    pub level: &'static str,
    /// The worker.
    pub worker: &'a str,
    /// The method, empty for an unknown one.
    pub method: &'a str,
    /// The path in the route table, if there is one.
    pub route: Option<&'a str>,
    /// The status of the response.
    pub status: u16,
    /// The time until the response started, in milliseconds.
    pub ms: i64,
    /// The use of the database.
    pub d1: DatabaseUse,
    /// The other workers that it called, in order.
    pub calls: &'a [&'static str],
    /// The id that a user can quote.
    pub request_id: &'a str,
    /// The trace.
    pub trace_id: &'a str,
    /// This worker's span.
    pub span_id: &'a str,
    /// The failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<&'a str>,
}

impl Line<'_> {
    /// The line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The level of a line.
#[must_use]
pub fn level(is_failure: bool) -> &'static str {
    if is_failure { "error" } else { "info" }
}

/// The requests that get a line: the setting `LOG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// None.
    None,
    /// All failures on our side, and this percentage of the other requests.
    Percent(u32),
}

impl Sampling {
    /// Parses the setting: `off`, `errors`, `all`, or a percentage such as `5%`. Anything else
    /// means `all`, so that a typing error does not turn the log off.
    #[must_use]
    pub fn parse(setting: Option<&str>) -> Self {
        match setting {
            Some("off") => Self::None,
            Some("errors") => Self::Percent(0),
            Some(text) => {
                let percent = text.strip_suffix('%').and_then(|text| text.parse().ok());
                Self::Percent(percent.unwrap_or(100))
            }
            None => Self::Percent(100),
        }
    }

    /// Whether a request gets a line. The trace id decides, so that all workers log a request or
    /// none does.
    #[must_use]
    pub fn includes(self, is_failure: bool, trace: &Traceparent) -> bool {
        match self {
            Self::None => false,
            Self::Percent(percent) => is_failure || trace.sampling_bucket() < percent,
        }
    }
}

#[cfg(test)]
mod tests {
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
}
