//! Moments: the past, as a query names it.

use crate::Param;

/// A moment: RFC 3339 in UTC, in the one spelling `2026-01-31T12:00:00Z`, with or without a
/// fraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    text: String,
    milliseconds: i64,
}

impl Moment {
    /// Milliseconds since 1970; what a fraction says beyond them is cut off, because the
    /// registers' own times have no more.
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

/// The most digits of a fraction: those of a nanosecond.
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
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
        let is_date = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        if !is_date || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
        Some(Self {
            text: text.to_owned(),
            milliseconds: seconds * 1000 + fraction.map_or(Some(0), milliseconds)?,
        })
    }
}

/// The three numbers of a date or a time, each of so many digits.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut number = |digits: usize| {
        let part = parts.next()?;
        let is_plain = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| part.parse().ok()).flatten()
    };
    let [first, second, third] = digits;
    let numbers = [number(first)?, number(second)?, number(third)?];
    parts.next().is_none().then_some(numbers)
}

fn milliseconds(fraction: &str) -> Option<i64> {
    let is_plain = (1..=MAX_FRACTION_DIGITS).contains(&fraction.len())
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain {
        return None;
    }
    format!("{fraction:0<3}").get(..3)?.parse().ok()
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// In a year that begins with March the leap day is the last one, so that the days before a
/// month are 153 in each five months, and those before a year 1,461 in each four.
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

    fn at(text: &str) -> Option<i64> {
        Moment::parse(text).map(|moment| moment.milliseconds)
    }

    #[test]
    fn a_moment_is_rfc_3339_in_utc() {
        for (text, milliseconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:34:56Z", 951_827_696_000),
            ("2000-03-01T00:00:00.5Z", 951_868_800_500),
            ("2026-11-24T21:40:34.1239Z", 1_795_556_434_123),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(at(text), Some(milliseconds), "{text}");
        }
        for refused in [
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
            assert_eq!(at(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_day_is_one_more_than_the_day_before() {
        let mut days = days_since_1970(1899, 12, 31);
        for year in 1900..2101 {
            for month in 1..=12 {
                for day in 1..=days_of(year, month) {
                    days += 1;
                    assert_eq!(days_since_1970(year, month, day), days);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9TZ:.\\-é]{0,24}") {
            let _ = Moment::parse(&text);
        }
    }
}
