//! The header `Server-Timing` (<https://www.w3.org/TR/server-timing/>). It lists the sources of a
//! response, with their outcomes and durations.

/// The metric of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Metric {
    name: &'static str,
    /// Milliseconds since 1970.
    start: i64,
    end: i64,
    outcome: &'static str,
}

/// The sources of a response, in the order of their first use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timings(Vec<Metric>);

impl Timings {
    /// Records the outcome of a source. If a source is used several times, its last outcome
    /// counts, and its duration is from the first start to the last end.
    pub fn record(&mut self, name: &'static str, [start, end]: [i64; 2], outcome: &'static str) {
        match self.0.iter_mut().find(|metric| metric.name == name) {
            Some(metric) => {
                metric.end = metric.end.max(end);
                metric.outcome = outcome;
            }
            None => self.0.push(Metric {
                name,
                start,
                end,
                outcome,
            }),
        }
    }

    /// The last outcome of a source.
    #[must_use]
    pub fn outcome(&self, name: &str) -> Option<&'static str> {
        let metric = self.0.iter().find(|metric| metric.name == name);
        metric.map(|metric| metric.outcome)
    }

    /// The header, if there are metrics.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        let metrics = self.0.iter().map(|metric| {
            let milliseconds = (metric.end - metric.start).max(0);
            let (name, outcome) = (metric.name, metric.outcome);
            format!("{name};dur={milliseconds};desc=\"{outcome}\"")
        });
        let metrics: Vec<String> = metrics.collect();
        (!metrics.is_empty()).then(|| metrics.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_used_twice_has_one_metric() {
        let mut timings = Timings::default();
        assert_eq!(timings.header(), None);
        timings.record("places", [10, 13], "ok");
        timings.record("people", [10, 12], "ok");
        timings.record("people", [15, 22], "failed");
        timings.record("snapshot", [22, 21], "kept");
        let header = "places;dur=3;desc=\"ok\", people;dur=12;desc=\"failed\", \
                      snapshot;dur=0;desc=\"kept\"";
        assert_eq!(timings.header().as_deref(), Some(header));
        assert_eq!(timings.outcome("people"), Some("failed"));
        assert_eq!(timings.outcome("held"), None);
    }
}
