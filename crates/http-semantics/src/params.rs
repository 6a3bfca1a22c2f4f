//! Query parameters, read strictly: an unknown name, a name given twice or a value
//! that cannot be used is a problem that names the parameter.

use domain::param::{parse_non_negative_integer, parse_positive_integer};
use domain::{Moment, Param};

use crate::Problem;

/// The most bytes of a query: enough for a thousand ids.
pub const MAX_QUERY_BYTES: usize = 32 * 1024;

/// A place in an order of ids: behind this one; 0 is before all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AfterId(i64);

impl AfterId {
    /// The id.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl Param for AfterId {
    const EXPECTED: &'static str = "a whole number";

    fn parse(text: &str) -> Option<Self> {
        parse_positive_integer(text).map(Self)
    }
}

/// A time in whole seconds, from none to a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(i64);

impl Seconds {
    /// The most: a day.
    pub const MAX: i64 = 86_400;

    /// The number of seconds.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// The same in milliseconds.
    #[must_use]
    pub fn to_milliseconds(self) -> i64 {
        self.0 * 1000
    }
}

impl Param for Seconds {
    const EXPECTED: &'static str = "a whole number of seconds, from 0 to 86400";

    fn parse(text: &str) -> Option<Self> {
        parse_non_negative_integer(text)
            .filter(|seconds| *seconds <= Self::MAX)
            .map(Self)
    }
}

/// Reads `asOf`, where `now` is in milliseconds since 1970.
///
/// # Errors
/// An invalid moment, or one in the future.
pub fn parse_as_of(params: &Params, now: i64) -> Result<Option<Moment>, Problem> {
    let moment: Option<Moment> = params.get("asOf")?;
    match moment {
        Some(moment) if moment.milliseconds() > now => {
            Err(Problem::invalid_parameter("asOf", Moment::EXPECTED))
        }
        moment => Ok(moment),
    }
}

/// The parameters of one query string.
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads the part of an address behind the `?` (URL Standard, form encoding).
    ///
    /// # Errors
    /// A name that is not among `known`, or one that stands twice.
    pub fn parse(query: &str, known: &'static [&'static str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if !known.contains(&name.as_str()) {
                return Err(Problem::unknown_parameter(&name, known));
            }
            if pairs.iter().any(|(earlier, _)| *earlier == name) {
                return Err(Problem::invalid_parameter(&name, "given once"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter, if it was given.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn get<T: Param>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, value)| {
                T::parse(value).ok_or_else(|| Problem::invalid_parameter(name, T::EXPECTED))
            })
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["isAlive", "name"];

    #[test]
    fn values_are_decoded_and_parsed() -> Result<(), Problem> {
        let params = Params::parse("isAlive=true&name=x", KNOWN)?;
        assert_eq!(params.get::<bool>("isAlive")?, Some(true));
        assert_eq!(Params::parse("", KNOWN)?.get::<bool>("isAlive")?, None);
        Ok(())
    }

    #[test]
    fn what_is_wrong_is_named() {
        let of = |query| match Params::parse(query, KNOWN) {
            Err(problem) => problem.to_json(),
            Ok(params) => match params.get::<bool>("isAlive") {
                Err(problem) => problem.to_json(),
                Ok(_) => String::new(),
            },
        };
        assert!(of("isAlive=yes").contains(r#""parameter":"isAlive""#));
        assert!(of("isAlive=true&isAlive=true").contains("given once"));
        assert!(of("isalive=true").contains(r#""known":["isAlive","name"]"#));
    }

    #[test]
    fn what_is_yet_to_come_is_refused() -> Result<(), Problem> {
        let read = |now| {
            let params = Params::parse("asOf=1970-01-01T00:00:01Z", &["asOf"])?;
            parse_as_of(&params, now)
        };
        assert_eq!(read(1000)?.map(|moment| moment.milliseconds()), Some(1000));
        assert!(read(999).is_err());
        Ok(())
    }
}
