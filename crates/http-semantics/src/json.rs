//! A strict parser for JSON objects. It rejects duplicate names, and its errors have a line and a
//! column.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::Problem;

/// A JSON object without duplicate names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object(pub Map<String, Value>);

/// Inserts one member after the other. The `collect` of a map would compile a sort into each worker.
impl<'a> FromIterator<(&'a str, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (&'a str, Value)>>(members: I) -> Self {
        let mut map = Map::new();
        for (name, value) in members {
            map.insert(name.to_owned(), value);
        }
        Self(map)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a repeated name"));
                    }
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl Object {
    /// Parses a body that is one object.
    ///
    /// # Errors
    /// A malformed body, with the line and the column.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let object = parse(body, "a JSON object with each name once")?;
        check_fractions(body)?;
        Ok(object)
    }

    /// The object after a merge patch (RFC 7396). A `null` stays in it. The parser of a record
    /// treats it as an absent field, and rejects it for a field that cannot be removed. Nested
    /// objects are not merged, because records have none.
    #[must_use]
    pub fn merge_patched(mut self, patch: Self) -> Self {
        for (name, value) in patch.0 {
            self.0.insert(name, value);
        }
        self
    }
}

/// Parses a body. `expected` ends the sentence "the body is not …".
///
/// # Errors
/// A malformed body, with the line and the column.
pub fn parse<T: DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::malformed_body(expected, error.line(), error.column()))
}

/// The numbers that are valid, to end the sentence "the body must be …".
pub const EXACT_NUMBERS: &str = "JSON whose fractions have at most 15 significant digits";

/// Checks that no number of a valid JSON text loses its fraction when it is parsed.
///
/// # Errors
/// The first such number, with its line and column.
pub fn check_fractions(json: &[u8]) -> Result<(), Problem> {
    let Some(at) = find_lost_fraction(json) else {
        return Ok(());
    };
    let before = json.get(..at).unwrap_or_default();
    let mut lines = before.split(|byte| *byte == b'\n');
    let column = lines.next_back().map_or(0, <[u8]>::len) + 1;
    let line = lines.count() + 1;
    Err(Problem::malformed_body(EXACT_NUMBERS, line, column))
}

/// The bytes of a JSON text that are not part of a string, with their positions. Up to the first
/// error of the text, only strings have backslashes.
pub fn outside_of_strings(json: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let (mut is_in_string, mut is_escaped) = (false, false);
    let bytes = json.iter().copied().enumerate();
    bytes.filter(move |(_, byte)| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_in_string = !is_in_string,
            _ => return !is_in_string,
        }
        false
    })
}

/// The number of objects and arrays in a JSON text, at least of those before its first error. Each
/// takes hundreds of bytes of memory when it is parsed.
#[must_use]
pub fn count_containers(json: &[u8]) -> usize {
    let bytes = outside_of_strings(json);
    bytes
        .filter(|(_, byte)| matches!(byte, b'{' | b'['))
        .count()
}

/// The number of significant digits that every floating-point number keeps.
const EXACT_DIGITS: usize = 15;

/// The position of the first number in a valid JSON text whose fraction could be lost when it is
/// read as a floating-point number: `1.000000000000000005` would be read as 1.
#[must_use]
pub fn find_lost_fraction(json: &[u8]) -> Option<usize> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let mut end_of_number = 0;
    for (at, byte) in outside_of_strings(json) {
        if at < end_of_number || !matches!(byte, b'-' | b'0'..=b'9') {
            continue;
        }
        let rest = json.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        let number = rest.get(..length).unwrap_or_default();
        if loses_fraction(number) {
            return Some(at);
        }
        end_of_number = at + length;
    }
    None
}

/// Whether a number has a fraction, and more significant digits than a floating-point number keeps.
fn loses_fraction(number: &[u8]) -> bool {
    let is_exponent = |byte: &u8| byte.eq_ignore_ascii_case(&b'e');
    let mantissa = number.split(is_exponent).next().unwrap_or_default();
    let exponent = number.get(mantissa.len() + 1..).unwrap_or_default();
    // The positions of the decimal point and of the non-zero digits among all digits.
    let (mut digits, mut point, mut first, mut last) = (0, None, None, 0);
    for byte in mantissa {
        match byte {
            b'.' => point = Some(digits),
            b'1'..=b'9' => {
                digits += 1;
                first = first.or(Some(digits));
                last = digits;
            }
            b'0' => digits += 1,
            _ => {}
        }
    }
    let significant = first.map_or(0, |first| last + 1 - first);
    if significant <= EXACT_DIGITS {
        return false;
    }
    let shift = exponent.strip_prefix(b"-").unwrap_or(exponent);
    let shift = shift.iter().filter(|byte| byte.is_ascii_digit());
    let shift = shift.fold(0_usize, |shift, digit| {
        shift
            .saturating_mul(10)
            .saturating_add(usize::from(digit - b'0'))
    });
    let point = point.unwrap_or(digits);
    let point = if exponent.starts_with(b"-") {
        point.saturating_sub(shift)
    } else {
        point.saturating_add(shift)
    };
    last > point
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_arrays_outside_of_strings_are_counted() {
        for (json, count) in [
            ("1", 0),
            ("{}", 1),
            (r#"[{"a":[]},"[{",{"\\":"\"[","b":{}}]"#, 5),
        ] {
            assert_eq!(count_containers(json.as_bytes()), count, "{json}");
        }
    }

    #[test]
    fn a_number_that_would_lose_its_fraction_is_rejected() {
        for number in [
            "1.000000000000000005",
            "-1.000000000000000005",
            "10000000000000000.5e-1",
            "4503599627370497.5",
            "0.99999999999999999999",
            "10.00000000000000005E+0",
            "1234567890123456e-99999999999999999999",
        ] {
            let body = format!("{{\"a\\\"\":\"1.000000000000000005\",\n \"b\":{number}}}");
            let problem = Problem::malformed_body(EXACT_NUMBERS, 2, 6);
            assert_eq!(Object::parse(body.as_bytes()), Err(problem), "{number}");
        }
        for number in [
            "0",
            "-1",
            "1.5",
            "7.0",
            "7.000000000000000000000",
            "70e-1",
            "0.7e1",
            "1E2",
            "1e+2",
            "0e-400",
            "0.0e-99999999999999999999",
            "0.1",
            "9007199254740993",
            "1e300",
            "15e-1",
            "12345678901234567890",
            "0.0000000000000000000015",
            "1.50000000000000000000",
            "1.2345678901234567e16",
            "123456789012345600e-2",
        ] {
            let body = format!("{{\"a\\\"\":[{number}],\"b\":{{\"c\":{number}}}}}");
            assert!(Object::parse(body.as_bytes()).is_ok(), "{number}");
        }
    }

    #[test]
    fn an_error_has_a_line_and_a_column() {
        for (body, line, column) in [
            ("", 1, 0),
            ("{\"a\":1,\n\"b\":}", 2, 5),
            ("{\"a\":1,\"a\":2}", 1, 13),
            ("[]", 1, 0),
            ("{} {}", 1, 4),
            ("{\"a\":NaN}", 1, 6),
            ("\u{feff}{}", 1, 1),
            ("{\"a\":\"\\ud800\"}", 1, 13),
        ] {
            let expected =
                Problem::malformed_body("a JSON object with each name once", line, column);
            assert_eq!(Object::parse(body.as_bytes()), Err(expected), "{body}");
        }
        assert!(Object::parse(b"{\"a\":\"\xff\"}").is_err());
        assert!(Object::parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
