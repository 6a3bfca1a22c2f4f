//! The query for a time series of a population. The gateway checks the query, and passes it on to
//! the people worker.

use domain::moment::{self, DAY, HOUR};
use domain::{Param, PlaceId};
use http_semantics::Problem;
use http_semantics::params::{Params, parse_moment};

/// The maximum number of points of a series.
pub const MAX_POINTS: usize = 1_000;

/// The number of steps before `to` at which a series without `from` begins.
const DEFAULT_STEPS: i64 = 30;

/// The time between two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Step {
    /// An hour.
    Hour,
    /// 24 hours.
    #[default]
    Day,
    /// Seven days.
    Week,
    /// A calendar month.
    Month,
}

impl Step {
    /// All steps, with their names in a query.
    pub const ALL: [(&'static str, Self); 4] = [
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
    ];

    /// The time a number of steps after `from`, both in milliseconds since 1970. Months are counted
    /// from `from`, so that a short month does not shorten the ones after it.
    fn after(self, from: i64, count: i64) -> i64 {
        match self {
            Self::Hour => from + count * HOUR,
            Self::Day => from + count * DAY,
            Self::Week => from + count * 7 * DAY,
            Self::Month => moment::add_months(from, count),
        }
    }
}

impl Param for Step {
    const EXPECTED: &'static str = "hour, day, week or month";

    fn parse(text: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known.map(|(_, step)| *step)
    }
}

/// A query for the population of a place, or of all places, at several times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesQuery {
    /// The place. None means all people.
    pub place: Option<PlaceId>,
    /// The times of the points in ascending order, in milliseconds since 1970. At least one.
    points: Vec<i64>,
    /// Whether the query names the end. Otherwise the series ends now, so its points move.
    pub has_fixed_end: bool,
}

impl SeriesQuery {
    /// The parameters that a client may give.
    pub const PARAMETERS: &[&str] = &["from", "to", "step", "format"];

    /// The parameters of the people service.
    pub const PARAMETERS_WITH_PLACE: &[&str] = &["placeId", "from", "to", "step", "format"];

    /// Parses the query, which has a place only at the people service. `now` is in milliseconds
    /// since 1970. There is a point at `from`, one after each step, and one at `to`. A date as
    /// `from` means the start of the day, and as `to` its end.
    ///
    /// # Errors
    /// An invalid value, a time in the future, `from` after `to`, or too many points.
    pub fn from_params(params: &Params, now: i64) -> Result<Self, Problem> {
        let step: Step = params.get("step")?.unwrap_or_default();
        let to = parse_moment(params, "to", now)?;
        let has_fixed_end = to.as_ref().is_some_and(|to| to.milliseconds() < now);
        let to = to.map_or(now, |to| to.milliseconds());
        let from = parse_moment(params, "from", now)?;
        let from = from.map_or_else(
            || step.after(to, -DEFAULT_STEPS).max(moment::EARLIEST),
            |from| from.start_milliseconds(),
        );
        if from > to {
            return Err(Problem::invalid_parameter("from", "not after `to`"));
        }
        let steps = (0..).map(|count| step.after(from, count));
        let mut points: Vec<i64> = steps
            .take_while(|point| *point < to)
            .take(MAX_POINTS)
            .collect();
        points.push(to);
        if points.len() > MAX_POINTS {
            let expected = format!("longer, because a series has at most {MAX_POINTS} points");
            return Err(Problem::invalid_parameter("step", &expected));
        }
        Ok(Self {
            place: params.get("placeId")?,
            points,
            has_fixed_end,
        })
    }

    /// The times of the points as a JSON array of pairs: milliseconds since 1970, and the text.
    #[must_use]
    pub fn points_json(&self) -> String {
        let pair = |at: &i64| format!("[{at},\"{}\"]", moment::format(*at));
        let pairs: Vec<String> = self.points.iter().map(pair).collect();
        format!("[{}]", pairs.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-26T12:00:00Z
    const NOW: i64 = 1_795_694_400_000;

    fn parse(query: &str) -> Result<SeriesQuery, Problem> {
        let params = Params::parse(query, SeriesQuery::PARAMETERS_WITH_PLACE)?;
        SeriesQuery::from_params(&params, NOW)
    }

    fn points(query: &str) -> Result<Vec<String>, Problem> {
        Ok(parse(query)?
            .points
            .iter()
            .map(|at| moment::format(*at))
            .collect())
    }

    #[test]
    fn a_series_has_a_point_at_its_start_after_each_step_and_at_its_end() -> Result<(), Problem> {
        assert_eq!(
            points("from=2026-01-01&to=2026-01-02&step=day")?,
            [
                "2026-01-01T00:00:00.000Z",
                "2026-01-02T00:00:00.000Z",
                "2026-01-02T23:59:59.999Z"
            ]
        );
        assert_eq!(
            points("from=2026-01-31T06:00:00Z&to=2026-03-31T06:00:00Z&step=month")?,
            [
                "2026-01-31T06:00:00.000Z",
                "2026-02-28T06:00:00.000Z",
                "2026-03-31T06:00:00.000Z"
            ]
        );
        let at = "2026-01-01T00:00:00Z";
        assert_eq!(
            points(&format!("from={at}&to={at}"))?,
            ["2026-01-01T00:00:00.000Z"]
        );
        Ok(())
    }

    #[test]
    fn a_series_without_ends_covers_thirty_steps_until_now() -> Result<(), Problem> {
        for (name, step) in Step::ALL {
            let query = parse(&format!("step={name}"))?;
            assert_eq!(query.points.len(), 31, "{step:?}");
            assert_eq!(query.points.last(), Some(&NOW));
            assert!(!query.has_fixed_end);
        }
        assert_eq!(parse("")?, parse("step=day")?);
        assert_eq!(
            points("to=0000-01-01&step=month")?
                .first()
                .map(String::as_str),
            Some("0000-01-01T00:00:00.000Z")
        );
        // Today has not ended.
        assert!(!parse("to=2026-11-26")?.has_fixed_end);
        assert!(parse("to=2026-11-25")?.has_fixed_end);
        Ok(())
    }

    #[test]
    fn a_series_has_at_most_a_thousand_points() {
        for (hours, is_valid) in [(999, true), (1_000, false)] {
            let from = moment::format(NOW - hours * HOUR);
            let series = parse(&format!("from={from}&step=hour"));
            assert_eq!(series.is_ok(), is_valid);
        }
    }

    #[test]
    fn an_invalid_parameter_of_a_series_is_named() {
        for (query, parameter) in [
            ("from=2026-11-27", "from"),
            ("to=2026-11-26T12:00:01Z", "to"),
            ("from=2026-02-01&to=2026-01-01", "from"),
            ("step=year", "step"),
            ("from=2026-01-01&step=hour", "step"),
            ("from=0000-01-01&step=hour", "step"),
            ("placeId=0", "placeId"),
        ] {
            let problem = parse(query).map_or_else(|problem| problem.to_json(), |_| String::new());
            let expected = format!("\"parameter\":\"{parameter}\"");
            assert!(problem.contains(&expected), "{query}: {problem}");
        }
    }
}
