//! `Server-Timing` (<https://www.w3.org/TR/server-timing/>): where an answer came from, how each
//! source did, and how long it took.

/// What is told of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Metric {
    name: &'static str,
    /// From when to when, in milliseconds since 1970.
    from: i64,
    to: i64,
    how: &'static str,
}

/// The sources of one answer, in the order in which they were asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timings(Vec<Metric>);

impl Timings {
    /// Notes how a source did. Of one that is asked several times, the last counts, and the
    /// time goes from the first beginning to the last end.
    pub fn note(&mut self, name: &'static str, [from, to]: [i64; 2], how: &'static str) {
        match self.0.iter_mut().find(|metric| metric.name == name) {
            Some(metric) => {
                metric.to = metric.to.max(to);
                metric.how = how;
            }
            None => self.0.push(Metric {
                name,
                from,
                to,
                how,
            }),
        }
    }

    /// How a source did at last.
    #[must_use]
    pub fn how(&self, name: &str) -> Option<&'static str> {
        let metric = self.0.iter().find(|metric| metric.name == name);
        metric.map(|metric| metric.how)
    }

    /// The header, if there is anything to tell.
    #[must_use]
    pub fn header(&self) -> Option<String> {
        let metrics = self.0.iter().map(|metric| {
            let milliseconds = (metric.to - metric.from).max(0);
            format!("{};dur={milliseconds};desc=\"{}\"", metric.name, metric.how)
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
        timings.note("places", [10, 13], "ok");
        timings.note("people", [10, 12], "ok");
        timings.note("people", [15, 22], "failed");
        timings.note("snapshot", [22, 21], "kept");
        let header = "places;dur=3;desc=\"ok\", people;dur=12;desc=\"failed\", \
                      snapshot;dur=0;desc=\"kept\"";
        assert_eq!(timings.header().as_deref(), Some(header));
        assert_eq!(timings.how("people"), Some("failed"));
        assert_eq!(timings.how("held"), None);
    }
}
