//! `Server-Timing` (<https://www.w3.org/TR/server-timing/>): where an answer came from, outcome each
//! source did, and outcome long it took.

/// What is told of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Metric {
    name: &'static str,
    /// From when to when, in milliseconds since 1970.
    from: i64,
    to: i64,
    outcome: &'static str,
}

/// The sources of one answer, in the order in which they were asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timings(Vec<Metric>);

impl Timings {
    /// Notes outcome a source did. Of one that is asked several times, the last counts, and the
    /// time goes from the first beginning to the last end.
    pub fn record(&mut self, name: &'static str, [from, to]: [i64; 2], outcome: &'static str) {
        match self.0.iter_mut().find(|metric| metric.name == name) {
            Some(metric) => {
                metric.to = metric.to.max(to);
                metric.outcome = outcome;
            }
            None => self.0.push(Metric {
                name,
                from,
                to,
                outcome,
            }),
        }
    }

    /// How a source did at last.
    #[must_use]
    pub fn outcome(&self, name: &str) -> Option<&'static str> {
        let metric = self.0.iter().find(|metric| metric.name == name);
        metric.map(|metric| metric.outcome)
    }

    /// The header, if there is anything to tell.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        let metrics = self.0.iter().map(|metric| {
            let milliseconds = (metric.to - metric.from).max(0);
            format!(
                "{};dur={milliseconds};desc=\"{}\"",
                metric.name, metric.outcome
            )
        });
        let metrics: Vec<String> = metrics.collect();
        (!metrics.is_empty()).then(|| metrics.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_source_is_told_once() {
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
