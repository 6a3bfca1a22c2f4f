//! A strict parser for query parameters. If a parameter is unknown, repeated or invalid, the result
//! is a problem that names the parameter.

use domain::param::parse_non_negative_integer;
use domain::{Moment, Param};
use percent_encoding::percent_decode;

use crate::Problem;

/// The maximum length of a query. The platform limits a whole URL to 16 KB, so a thousand ids fit only
/// if they have at most 14 digits.
pub const MAX_QUERY_BYTES: usize = 15 * 1024;

/// A duration of at most a day, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(i64);

impl Seconds {
    /// A day.
    pub const MAX: i64 = 86_400;

    /// The number of seconds.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }

    /// The number of milliseconds.
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

/// Parses a moment that is not in the future. `now` is in milliseconds since 1970.
///
/// # Errors
/// A malformed moment, or one in the future.
pub fn parse_moment(params: &Params, name: &str, now: i64) -> Result<Option<Moment>, Problem> {
    let moment: Option<Moment> = params.get(name)?;
    moment
        .map(|moment| {
            let in_the_future = || Problem::invalid_parameter(name, Moment::EXPECTED);
            moment.not_after(now).ok_or_else(in_the_future)
        })
        .transpose()
}

/// Whether the bytes of a query or a form are UTF-8 after percent-decoding.
#[must_use]
pub fn is_utf8(encoded: &[u8]) -> bool {
    percent_decode(encoded).decode_utf8().is_ok()
}

/// Whether a parameter of a query is true, once or more. A query that [`Params`] rejects may have it,
/// too.
#[must_use]
pub fn has_true(query: &str, name: &str) -> bool {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.any(|(found, value)| found == name && bool::parse(&value) == Some(true))
}

/// The parameters of one query string.
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Parses a query string: the part of a URL after the `?`, as the URL Standard does.
    ///
    /// # Errors
    /// A name that is not in `known`, or that is repeated, or a value that is not UTF-8. The URL
    /// Standard would replace its bytes, and search for another text than the client's.
    pub fn parse(query: &str, known: &'static [&'static str]) -> Result<Self, Problem> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in query.split('&').map(str::as_bytes) {
            let Some((name, value)) = form_urlencoded::parse(pair).into_owned().next() else {
                continue;
            };
            if !known.contains(&name.as_str()) {
                return Err(Problem::unknown_parameter(&name, known));
            }
            if pairs.iter().any(|(previous, _)| *previous == name) {
                return Err(Problem::invalid_parameter(&name, "given once"));
            }
            if !is_utf8(pair) {
                return Err(Problem::invalid_parameter(&name, "text in UTF-8"));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter, if the query has it.
    ///
    /// # Errors
    /// An invalid value.
    pub fn get<T: Param>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.parse_value(name, T::EXPECTED, T::parse)
    }

    /// The value of a parameter, parsed by a function. `expected` ends the sentence "it must be …".
    ///
    /// # Errors
    /// An invalid value.
    pub fn parse_value<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.text(name) else {
            return Ok(None);
        };
        let parsed = parse(value);
        if parsed.is_none() {
            return Err(Problem::invalid_parameter(name, expected));
        }
        Ok(parsed)
    }

    /// The text of a parameter, if the query has it.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(found, _)| found == name);
        value.map(|(_, text)| text.as_str())
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
    fn a_parameter_is_true_in_any_spelling() {
        for query in [
            "name=true",
            "a=1&name=true",
            "n%61me=tru%65&name=y",
            "name=false&name=true",
            "&name=%ff&name=true",
        ] {
            assert!(has_true(query, "name"), "{query}");
        }
        for query in [
            "",
            "name",
            "name=false",
            "name=TRUE",
            "name=1",
            "Name=true",
            "a=name=true",
            "a=1%26name=true",
        ] {
            assert!(!has_true(query, "name"), "{query}");
        }
    }

    #[test]
    fn every_parameter_that_is_parsed_as_true_is_found() {
        for query in [
            "isAlive=true",
            "+=1&isAlive=true",
            "isAliv%65=%74rue",
            "isAlive=true&name",
            "isAlive=true%ff",
            "isAlive=+true",
            "isAlive=false",
        ] {
            if let Ok(params) = Params::parse(query, KNOWN) {
                let is_parsed = matches!(params.get("isAlive"), Ok(Some(true)));
                assert_eq!(has_true(query, "isAlive"), is_parsed, "{query}");
            }
        }
    }

    #[test]
    fn an_unknown_repeated_or_invalid_parameter_is_named() {
        let problem = |query| match Params::parse(query, KNOWN) {
            Err(problem) => problem.to_json(),
            Ok(params) => match params.get::<bool>("isAlive") {
                Err(problem) => problem.to_json(),
                Ok(_) => String::new(),
            },
        };
        assert!(problem("isAlive=yes").contains(r#""parameter":"isAlive""#));
        assert!(problem("isAlive=true&isAlive=true").contains("given once"));
        assert!(problem("isalive=true").contains(r#""known":["isAlive","name"]"#));
    }

    #[test]
    fn a_problem_repeats_the_name_of_a_parameter_only_if_it_is_plain() {
        let problem = |name: &str| Params::parse(&format!("{name}=1"), KNOWN).unwrap_err();
        assert!(problem("age").to_json().contains(r#""parameter":"age""#));
        for name in ["%3Cb%3E", "", &"a".repeat(41)] {
            assert!(!problem(name).to_json().contains("\"parameter\""), "{name}");
        }
    }

    #[test]
    fn a_value_that_is_not_utf_8_is_rejected() -> Result<(), Problem> {
        for query in [
            "name=%ff",
            "isAlive=true&name=a%c3",
            "name=%c3a%b1",
            "name=%ed%a0%80",
        ] {
            let problem = Params::parse(query, KNOWN).map(drop).unwrap_err().to_json();
            assert!(
                problem.contains(r#""parameter":"name""#),
                "{query}: {problem}"
            );
        }
        for query in [
            "name=%c3%b1",
            "name=ñ",
            "name=%EF%BF%BD",
            "&name=a%",
            "name=%zz&&",
            "name",
        ] {
            Params::parse(query, KNOWN)?;
        }
        Ok(())
    }

    #[test]
    fn a_query_has_room_for_a_thousand_ids_of_14_digits() {
        let ids = vec!["12345678901234"; 1000].join(",");
        assert!(format!("id={ids}&limit=1000").len() <= MAX_QUERY_BYTES);
    }

    #[test]
    fn a_moment_in_the_future_is_rejected() -> Result<(), Problem> {
        let parse = |now| {
            let params = Params::parse("asOf=1970-01-01T00:00:01Z", &["asOf"])?;
            parse_moment(&params, "asOf", now)
        };
        assert_eq!(parse(1000)?.map(|moment| moment.milliseconds()), Some(1000));
        assert!(parse(999).is_err());
        Ok(())
    }

    #[test]
    fn seconds_are_at_most_a_day() {
        let milliseconds = |text| Seconds::parse(text).map(Seconds::to_milliseconds);
        assert_eq!(Seconds::parse("7").map(Seconds::get), Some(7));
        assert_eq!(milliseconds("0"), Some(0));
        assert_eq!(milliseconds("86400"), Some(86_400_000));
        assert_eq!(milliseconds("86401"), None);
        assert_eq!(milliseconds("-1"), None);
    }
}
