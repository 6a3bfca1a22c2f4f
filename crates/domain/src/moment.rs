//! Points in time in a query, such as `asOf=2026-01-31T12:00:00Z`.
//!
//! Parsed by hand: the one accepted spelling is short, and a date library would add to the size
//! of each worker.

use crate::Param;

/// A point in time: RFC 3339 in UTC, spelled `2026-01-31T12:00:00Z`, optionally with a fraction
/// of a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    text: String,
    milliseconds: i64,
}

impl Moment {
    /// Milliseconds since 1970. More precise fractions are cut off, because the databases store
    /// milliseconds.
    #[must_use]
    pub fn milliseconds(&self) -> i64 {
        self.milliseconds
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Nanoseconds.
const MAX_FRACTION_DIGITS: usize = 9;

impl Param for Moment {
    const EXPECTED: &'static str =
        "a time in UTC that is not in the future, like 2026-01-31T12:00:00Z";

    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
        let (time, fraction) = match time.split_once('.') {
            Some((time, fraction)) => (time, Some(fraction)),
            None => (time, None),
        };
        let [year, month, day] = parse_numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = parse_numbers(time, ':', [2, 2, 2])?;
        let is_date = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if !is_date || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
        Some(Self {
            text: text.to_owned(),
            milliseconds: seconds * 1000 + fraction.map_or(Some(0), parse_fraction)?,
        })
    }
}

/// The three numbers of a date or a time. `digits` is the length of each.
fn parse_numbers(text: &str, separator: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let is_plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| part.parse().ok()).flatten()
    };
    let [first, second, third] = digits;
    let numbers = [number(first)?, number(second)?, number(third)?];
    parts.next().is_none().then_some(numbers)
}

/// A fraction of a second, in milliseconds.
fn parse_fraction(fraction: &str) -> Option<i64> {
    let is_plain = (1..=MAX_FRACTION_DIGITS).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain {
        return None;
    }
    format!("{fraction:0<3}").get(..3)?.parse().ok()
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from 1970-01-01 to a date of the Gregorian calendar.
///
/// Years are counted from March, so that a leap day is the last day of its year. Then the months
/// follow a pattern of 153 days per five months.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 0000-03-01 is 719,468 days before 1970-01-01.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn milliseconds(text: &str) -> Option<i64> {
        Moment::parse(text).map(|moment| moment.milliseconds)
    }

    #[test]
    fn a_time_in_utc_is_parsed_to_milliseconds() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:34:56Z", 951_827_696_000),
            ("2000-03-01T00:00:00.5Z", 951_868_800_500),
            ("2026-11-24T21:40:34.1239Z", 1_795_556_434_123),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_time_in_any_other_spelling_is_rejected() {
        for rejected in [
            "",
            "2026-11-24",
            "2026-11-24T21:40Z",
            "2026-11-24T21:40:34",
            "2026-11-24T21:40:34+00:00",
            "2026-11-24t21:40:34z",
            "2026-11-24 21:40:34Z",
            "2026-11-24T21:40:34.Z",
            "2026-11-24T21:40:34.1234567890Z",
            "2026-11-24T21:40:34.-1Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01-01T00:00:00Z",
            "+026-01-01T00:00:00Z",
            "now",
        ] {
            assert_eq!(milliseconds(rejected), None, "{rejected}");
        }
    }

    #[test]
    fn consecutive_dates_have_consecutive_day_numbers() {
        let mut days = days_since_1970(1899, 12, 31);
        for year in 1900..2101 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    days += 1;
                    assert_eq!(days_since_1970(year, month, day), days);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_moment_parser_panic(text in "[0-9TZ:.\\-é]{0,24}") {
            let _ = Moment::parse(&text);
        }
    }
}
