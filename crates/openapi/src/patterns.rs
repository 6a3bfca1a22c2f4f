//! Regular expressions for the texts that the parsers accept. The character classes are made from
//! the functions that the parsers use. The tests compare each pattern with its parser.
//!
//! JavaScript, Python and Rust must read the patterns in the same way. So a digit is `[0-9]`. No
//! class names a character above U+FFFF, because JavaScript would read it as two characters. Such a
//! character is matched only by a class that excludes others.

use domain::name::{MAX_NAME_CHARACTERS, is_joiner, is_visible, is_zero_width, separates_words};

/// The characters up to U+FFFF for which a function is true, for a class.
fn ranges(is_in: impl Fn(char) -> bool) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for code in (0..=0xffff).filter(|code| char::from_u32(*code).is_some_and(&is_in)) {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == code => *last = code,
            _ => ranges.push((code, code)),
        }
    }
    let texts = ranges.into_iter().map(|(first, last)| {
        if first == last {
            format!("\\u{first:04x}")
        } else {
            format!("\\u{first:04x}-\\u{last:04x}")
        }
    });
    texts.collect()
}

/// The characters that no name contains.
fn rejected() -> String {
    ranges(|character| character.is_control() || is_zero_width(character))
}

/// A stored name, as [`domain::name::Name::new`] checks it.
fn stored_name() -> String {
    let (rejected, others) = (rejected(), MAX_NAME_CHARACTERS - 2);
    let is_unseen = |c: char| c.is_control() || c.is_whitespace() || !is_visible(c);
    let is_not_last = |c: char| c.is_control() || c.is_whitespace() || is_zero_width(c);
    let (first, last) = (ranges(is_unseen), ranges(is_not_last));
    format!("[^{first}]([^{rejected}]{{0,{others}}}[^{last}])?")
}

/// A name.
#[must_use]
pub fn name() -> String {
    format!("^{}$", stored_name())
}

/// A name with white space around it.
#[must_use]
pub fn written_name() -> String {
    let space = ranges(char::is_whitespace);
    format!("^[{space}]*{}[{space}]*$", stored_name())
}

/// The joiners in a name that have no letter on one side. A name must not match.
#[must_use]
pub fn stray_joiner() -> String {
    let is_no_letter = |c: char| {
        is_joiner(c) || c.is_whitespace() || c.is_ascii_punctuation() || c.is_ascii_digit()
    };
    let (joiner, no_letter) = (ranges(is_joiner), ranges(is_no_letter));
    format!("(^|[{no_letter}])[{joiner}]|[{joiner}]([{no_letter}]|$)")
}

/// The beginning of a name.
#[must_use]
pub fn name_prefix() -> String {
    let is_not_first = |c: char| c.is_control() || is_zero_width(c) || is_joiner(c);
    format!("^[^{}][^{}]*$", ranges(is_not_first), rejected())
}

/// The words of a search. No pattern can count them.
#[must_use]
pub fn search_words() -> String {
    let separator = ranges(|c| c.is_control() || is_zero_width(c) || separates_words(c));
    let rejected = rejected();
    format!("^[^{rejected}]*[^{separator}][^{rejected}]*$")
}

/// The value of `If-Match` and `If-None-Match`: a list of entity tags, or `*`.
#[must_use]
pub fn entity_tags() -> String {
    let tag = r#"(W/)?"[!#-~]*""#;
    let list = format!(r"({tag}[ \t]*)?(,[ \t]*({tag}[ \t]*)?)*");
    format!(r"^\*$|^{list}$")
}

/// A time or a date. The days of each month are those of the Gregorian calendar.
#[must_use]
pub fn moment() -> String {
    let year = "[0-9]{4}";
    let leap_year = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)";
    let dates = [
        format!("{year}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"),
        format!("{year}-(0[13-9]|1[0-2])-(29|30)"),
        format!("{year}-(0[13578]|1[02])-31"),
        format!("{leap_year}-02-29"),
    ];
    let time = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
    let fraction = format!("[0-9]{{1,{}}}", domain::moment::MAX_FRACTION_DIGITS);
    format!(r"^({})(T{time}(\.{fraction})?Z)?$", dates.join("|"))
}

/// The cursors of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CursorKind {
    /// In the order of ids.
    Id,
    /// In the order of ids or of names.
    List,
    /// In the order of ids or of a number of people.
    Population,
    /// In the changes of one table or one record.
    Change,
    /// In the changes of both tables.
    Changes,
}

/// A cursor: the hexadecimal digits of its text in ASCII.
#[must_use]
pub fn cursor(kind: CursorKind) -> String {
    let more = tables::Cursor::MAX_NUMBER_DIGITS - 1;
    let number = format!("(30|3[1-9](3[0-9]){{0,{more}}})");
    let epoch = format!("(3[0-9]|6[1-6]){{{}}}", http_semantics::Epoch::DIGITS);
    let change = format!("{number}2e{epoch}");
    let id = format!("69{number}");
    let bytes = "([0-9a-f]{2})+";
    match kind {
        CursorKind::Id => format!("^{id}$"),
        CursorKind::List => format!("^({id}|6e{number}3a{bytes}01{bytes})$"),
        CursorKind::Population => format!("^({id}|(64|6c|74){number}2e{number})$"),
        CursorKind::Change => format!("^63{change}$"),
        CursorKind::Changes => format!("^63{change}2d{change}$"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::name::{Name, Normalize, Prefix, SearchWords};
    use domain::{Moment, Param, moment as moments};
    use proptest::prelude::*;
    use regex::Regex;
    use tables::Cursor;

    /// Texts near the limits of the classes: each character alone, and among letters.
    fn texts_with_every_character() -> impl Iterator<Item = String> {
        // Every tenth of the thousands of Chinese and Korean characters is enough.
        let (before, after) = ('\0'..'\u{3400}', '\u{e000}'..='\u{ffff}');
        let unspaced = ('\u{3400}'..'\u{e000}').step_by(10);
        let characters = before.chain(unspaced).chain(after);
        let characters = characters.chain('\u{1f300}'..='\u{1f6ff}');
        characters.flat_map(|c| {
            [
                format!("{c}"),
                format!("a{c}b"),
                format!("{c}1 "),
                format!("x{c}"),
            ]
        })
    }

    fn is_match(pattern: &Regex, text: &str) -> bool {
        pattern.is_match(text)
    }

    /// Normalization changes some characters, so these comparisons are of normalized texts.
    #[test]
    fn patterns_of_names_equal_their_parsers_for_every_character() {
        let (name, prefix, words) = (name(), name_prefix(), search_words());
        let [name, prefix, words] = [name, prefix, words].map(|text| Regex::new(&text).unwrap());
        let (written, stray) = (Regex::new(&written_name()), Regex::new(&stray_joiner()));
        let (written, stray) = (written.unwrap(), stray.unwrap());
        for text in texts_with_every_character() {
            let parsed = Name::new(&text, Normalize::NONE);
            let joins_letters = !is_match(&stray, &text);
            let is_written = is_match(&written, &text) && joins_letters;
            assert_eq!(is_written, parsed.is_some(), "{text:?}");
            let is_stored = is_match(&name, &text) && joins_letters;
            assert_eq!(
                is_stored,
                parsed.is_some_and(|name| name.as_str() == text),
                "{text:?}"
            );
            let accepts_prefix = Prefix::new(&text, Normalize::NONE).is_some();
            assert_eq!(is_match(&prefix, &text), accepts_prefix, "{text:?}");
            let accepts_words = SearchWords::new(&text, Normalize::NONE).is_some();
            assert_eq!(is_match(&words, &text), accepts_words, "{text:?}");
        }
    }

    #[test]
    fn the_pattern_of_a_moment_accepts_the_days_of_each_month() {
        let pattern = Regex::new(&moment()).unwrap();
        let days = (0..=13).flat_map(|month| (0..=32).map(move |day| (2026, month, day)));
        let leap_days = (0..=9999).map(|year| (year, 2, 29));
        for (year, month, day) in days.chain(leap_days) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            let is_moment = Moment::parse(&text).is_some();
            assert_eq!(pattern.is_match(&text), is_moment, "{text}");
        }
    }

    const KINDS: [CursorKind; 5] = [
        CursorKind::Id,
        CursorKind::List,
        CursorKind::Population,
        CursorKind::Change,
        CursorKind::Changes,
    ];

    fn accepts(kind: CursorKind, cursor: &Cursor) -> bool {
        match cursor {
            Cursor::Id(_) => {
                [CursorKind::Id, CursorKind::List, CursorKind::Population].contains(&kind)
            }
            Cursor::Name { .. } => kind == CursorKind::List,
            Cursor::Population(..) => kind == CursorKind::Population,
            Cursor::Change(_) => kind == CursorKind::Change,
            Cursor::Changes(..) => kind == CursorKind::Changes,
        }
    }

    /// Compares the pattern of each kind with the parser. A pattern cannot tell whether the bytes
    /// of a name are UTF-8 and how long it is.
    fn assert_cursor_patterns(plain: &str) {
        let digits = plain.bytes().map(|byte| format!("{byte:02x}"));
        let text = digits.collect::<Vec<_>>().concat();
        let parsed = Cursor::parse(&text);
        for kind in KINDS {
            let is_match = Regex::new(&cursor(kind)).unwrap().is_match(&text);
            let is_accepted = parsed.as_ref().is_some_and(|cursor| accepts(kind, cursor));
            assert_eq!(is_match, is_accepted, "{kind:?} {plain}");
        }
    }

    #[test]
    fn the_pattern_of_a_cursor_has_the_limits_of_its_parser() {
        let digits = Cursor::MAX_NUMBER_DIGITS;
        for number in [
            "0",
            "1",
            "09",
            "",
            "-1",
            &"9".repeat(digits),
            &"1".repeat(digits + 1),
        ] {
            for plain in [
                format!("i{number}"),
                format!("n{number}:ana\u{1}Ana"),
                format!("l{number}.7"),
                format!("d7.{number}"),
                format!("t{number}.7"),
                format!("c{number}.1f09ab34"),
                format!("c{number}.1f09ab34-7.1f09ab34"),
                format!("c7.1f09ab34-{number}.1f09ab34"),
            ] {
                assert_cursor_patterns(&plain);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_pattern_of_a_cursor_equals_its_parser(
            plain in "[inldtpc](0|[1-9][0-9]{0,17})([.:-](0|[1-9][0-9]{0,3}|[0-9a-g]{7,9})){0,4}",
        ) {
            assert_cursor_patterns(&plain);
        }

        #[test]
        fn the_pattern_of_a_moment_equals_its_parser(
            time in "[0-9]{4}-[01][0-9]-[0-3][0-9](T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,10})?Z?)?",
            other in "[0-9TZ:.\\-é]{0,24}",
            at in -62_167_219_200_000_i64..253_402_300_800_000,
        ) {
            let pattern = Regex::new(&moment()).unwrap();
            for text in [time, other, moments::format(at)] {
                prop_assert_eq!(pattern.is_match(&text), Moment::parse(&text).is_some(), "{}", text);
            }
        }
    }
}
