//! A moment in a query, such as `asOf=2026-01-31T12:00:00Z` or `asOf=2026-01-31`.
//!
//! The module has its own parser, because the accepted forms are few, and a date library would make
//! each worker larger.

use crate::Param;

/// Milliseconds.
pub const SECOND: i64 = 1000;
/// Milliseconds.
pub const HOUR: i64 = 3600 * SECOND;
/// Milliseconds. Days in UTC have no leap seconds (POSIX time).
pub const DAY: i64 = 24 * HOUR;

/// A point in time: RFC 3339 in UTC, spelled `2026-01-31T12:00:00Z`, optionally with a fraction
/// of a second. A date, `2026-01-31`, means the end of that day in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    text: String,
    milliseconds: i64,
    is_date: bool,
}

impl Moment {
    /// Milliseconds since 1970. More precise fractions are cut off, because the databases store
    /// milliseconds.
    #[must_use]
    pub fn milliseconds(&self) -> i64 {
        self.milliseconds
    }

    /// Milliseconds since 1970. A date means the start of that day.
    #[must_use]
    pub fn start_milliseconds(&self) -> i64 {
        if self.is_date {
            // Also if the end of the day was replaced by now.
            self.milliseconds - self.milliseconds.rem_euclid(DAY)
        } else {
            self.milliseconds
        }
    }

    /// The moment, unless it is after `now`, in milliseconds since 1970. The end of the present
    /// day has not come yet, so today's date means now.
    #[must_use]
    pub fn not_after(self, now: i64) -> Option<Self> {
        if self.milliseconds <= now {
            return Some(self);
        }
        (self.is_date && self.start_milliseconds() <= now).then_some(Self {
            milliseconds: now,
            ..self
        })
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// 0000-01-01T00:00:00Z in milliseconds since 1970: RFC 3339 has no earlier time.
pub const EARLIEST: i64 = -62_167_219_200_000;

/// Nanoseconds.
pub const MAX_FRACTION_DIGITS: usize = 9;

impl Param for Moment {
    const EXPECTED: &'static str = "a time in UTC that is not in the future, like 2026-01-31T12:00:00Z, or a date, like 2026-01-31";

    fn parse(text: &str) -> Option<Self> {
        let (date, time) = match text.strip_suffix('Z') {
            Some(date_and_time) => date_and_time
                .split_once('T')
                .map(|(date, time)| (date, Some(time)))?,
            None => (text, None),
        };
        let [year, month, day] = parse_numbers(date, '-', [4, 2, 2])?;
        if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            milliseconds: days_since_1970(year, month, day) * DAY
                + time.map_or(Some(DAY - 1), parse_time)?,
            is_date: time.is_none(),
        })
    }
}

/// Spells a time as RFC 3339 in UTC with milliseconds. `milliseconds` are counted since 1970.
#[must_use]
pub fn format(milliseconds: i64) -> String {
    let (year, month, day) = date_of(milliseconds.div_euclid(DAY));
    let of_day = milliseconds.rem_euclid(DAY);
    let (hour, of_hour) = (of_day / HOUR, of_day % HOUR);
    let (minute, of_minute) = (of_hour / (60 * SECOND), of_hour % (60 * SECOND));
    let (second, fraction) = (of_minute / SECOND, of_minute % SECOND);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// The same day and time of day, a number of months later, in milliseconds since 1970. A month
/// without that day has its last day instead: one month after January 31 is the end of February.
#[must_use]
pub fn add_months(milliseconds: i64, months: i64) -> i64 {
    let (year, month, day) = date_of(milliseconds.div_euclid(DAY));
    let months = year * 12 + month - 1 + months;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let day = day.min(days_in_month(year, month));
    days_since_1970(year, month, day) * DAY + milliseconds.rem_euclid(DAY)
}

/// A time of day, in milliseconds.
fn parse_time(time: &str) -> Option<i64> {
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, Some(fraction)),
        None => (time, None),
    };
    let [hour, minute, second] = parse_numbers(time, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = (hour * 60 + minute) * 60 + second;
    Some(seconds * SECOND + fraction.map_or(Some(0), parse_fraction)?)
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

/// The year, month and day of a number of days since 1970-01-01: the inverse of
/// [`days_since_1970`].
fn date_of(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, in eras of 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let year = era * 400 + year_of_era;
    if month < 10 {
        (year, month + 3, day)
    } else {
        (year + 1, month - 9, day)
    }
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
            ("0000-01-01T00:00:00Z", EARLIEST),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_the_client_has_spelled_it() {
        for text in ["2026-11-24", "2026-11-24T21:40:34.1239Z"] {
            let moment = Moment::parse(text);
            assert_eq!(
                moment.map(|moment| moment.to_string()).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn a_time_in_any_other_spelling_is_rejected() {
        for rejected in [
            "",
            "2026-11-24Z",
            "2026-11-24T",
            "2026-11",
            "2026-02-29",
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
                    assert_eq!(date_of(days), (year, month, day));
                }
            }
        }
    }

    #[test]
    fn a_date_means_the_end_of_its_day_and_starts_at_midnight() {
        let day = Moment::parse("2026-11-24");
        let end = milliseconds("2026-11-24T23:59:59.999Z");
        assert_eq!(day.as_ref().map(Moment::milliseconds), end);
        let start = milliseconds("2026-11-24T00:00:00Z");
        assert_eq!(day.as_ref().map(Moment::start_milliseconds), start);
        let time = Moment::parse("2026-11-24T00:00:00Z");
        assert_eq!(time.as_ref().map(Moment::start_milliseconds), start);
    }

    #[test]
    fn the_date_of_today_means_now_and_tomorrow_is_in_the_future() {
        let at = |text: &str, now: i64| {
            let moment = Moment::parse(text).and_then(|moment| moment.not_after(now));
            moment.map(|moment| moment.milliseconds())
        };
        assert_eq!(at("1970-01-01", 5), Some(5));
        assert_eq!(at("1970-01-02", 5), None);
        assert_eq!(at("1970-01-01", 3 * DAY), Some(DAY - 1));
        let today = Moment::parse("1970-01-02").and_then(|moment| moment.not_after(DAY + 5));
        assert_eq!(today.map(|moment| moment.start_milliseconds()), Some(DAY));
        assert_eq!(at("1970-01-01T00:00:01Z", 999), None);
        assert_eq!(at("1970-01-01T00:00:01Z", 1000), Some(1000));
    }

    #[test]
    fn a_month_later_is_the_same_day_or_the_last_of_a_shorter_month() {
        for (from, months, expected) in [
            ("2026-01-31T10:00:00.000Z", 1, "2026-02-28T10:00:00.000Z"),
            ("2024-01-31T10:00:00.000Z", 1, "2024-02-29T10:00:00.000Z"),
            ("2026-01-31T10:00:00.000Z", 2, "2026-03-31T10:00:00.000Z"),
            ("2026-11-15T00:00:00.000Z", 14, "2028-01-15T00:00:00.000Z"),
            ("2026-03-01T00:00:00.000Z", -3, "2025-12-01T00:00:00.000Z"),
        ] {
            let later = milliseconds(from).map(|from| format(add_months(from, months)));
            assert_eq!(later.as_deref(), Some(expected), "{from}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_time_parses_to_the_same_time(
            expected in -62_167_219_200_000_i64..253_402_300_800_000
        ) {
            prop_assert_eq!(milliseconds(&format(expected)), Some(expected));
        }
    }
}
