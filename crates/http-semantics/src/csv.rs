//! CSV (RFC 4180): one record at a time out of a text, and cells that no spreadsheet runs.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, whoever
//! wrote it. So a text that begins so goes out behind an apostrophe, which makes it a text
//! everywhere, and an apostrophe in front of such a beginning is taken off on the way in. One
//! that had apostrophes there already gets one more: what goes out comes back as it was.

use std::borrow::Cow;

/// What a formula begins with, in the full width of East Asian keyboards too.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// The SQL expression of a cell in quotes, escaped as [`escape_formula`] does. The text must not contain
/// line ends. Null if the column is null.
#[must_use]
pub fn sql_text_cell(column: &str) -> String {
    // Most texts begin with a letter, and need no closer look.
    const CELL: &str = "'\"' || iif({column} >= 'A' AND {column} < '＋' \
        OR ltrim({column}, '''') NOT GLOB '[=+@＝＋－＠-]*', '', '''') \
        || replace({column}, '\"', '\"\"') || '\"'";
    CELL.replace("{column}", column)
}

/// Whether a spreadsheet could take the text for a formula, once apostrophes are taken off.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

/// The text as no spreadsheet runs it.
#[must_use]
pub fn escape_formula(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// The text that was [`escape_formula`].
#[must_use]
pub fn unescape_formula(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(behind) if is_formula(behind) => behind,
        _ => text,
    }
}

/// The first record of a text: its cells, and what is behind its line end. None where the
/// quotes are not as they must be: one within a cell without quotes, or one left open, which
/// is how a file ends that was broken off.
#[must_use]
pub fn parse_record(text: &str) -> Option<(Vec<Cow<'_, str>>, &str)> {
    let (mut cells, mut rest) = (Vec::new(), text);
    loop {
        let (cell, behind) = match rest.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => plain(rest)?,
        };
        cells.push(cell);
        if let Some(next) = behind.strip_prefix(',') {
            rest = next;
            continue;
        }
        let end = behind.strip_prefix('\r').unwrap_or(behind);
        return match end.strip_prefix('\n') {
            Some(next) => Some((cells, next)),
            None => end.is_empty().then_some((cells, end)),
        };
    }
}

fn plain(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find([',', '\n', '"']).unwrap_or(text.len());
    let (cell, behind) = text.split_at(end);
    let is_last = !behind.starts_with(',');
    let shorter = cell.strip_suffix('\r').filter(|_| is_last).unwrap_or(cell);
    (!behind.starts_with('"')).then_some((shorter.into(), behind))
}

fn quoted(inside: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut cell = Cow::Borrowed("");
    let mut rest = inside;
    loop {
        let (part, behind) = rest.split_once('"')?;
        let Some(next) = behind.strip_prefix('"') else {
            cell += part;
            return Some((cell, behind));
        };
        cell += part;
        cell += "\"";
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_are_cut_as_rfc_4180_says() {
        for (text, cells, rest) in [
            ("a,b\r\nc", &["a", "b"][..], "c"),
            ("a,\n", &["a", ""], ""),
            (",", &["", ""], ""),
            ("\"a,\"\"b\"\"\r\nc\",d", &["a,\"b\"\r\nc", "d"], ""),
            ("\"\"\r\n", &[""], ""),
            ("ñ", &["ñ"], ""),
        ] {
            let (found, behind) = parse_record(text).unwrap();
            assert_eq!(
                (&found[..], behind),
                (
                    &cells.iter().map(|c| Cow::from(*c)).collect::<Vec<_>>()[..],
                    rest
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn quotes_are_closed_and_around_a_whole_cell() {
        for text in [
            "\"a",
            "a\"b",
            "\"a\"b",
            "a,\"",
            "\"a\"\"",
            "a\"",
            "1,\"{\"\"type\"\":",
        ] {
            assert_eq!(parse_record(text), None, "{text}");
        }
    }

    #[test]
    fn a_formula_gets_an_apostrophe_and_nothing_else_does() {
        for (text, out) in [
            ("=1+1", "'=1+1"),
            ("'=1", "''=1"),
            ("＝1", "'＝1"),
            ("-a", "'-a"),
            ("'n", "'n"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(escape_formula(text), out);
        }
        assert_eq!(
            unescape_formula("=1"),
            "=1",
            "who wrote no apostrophe meant none"
        );
    }

    fn written(cells: &[String]) -> String {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
    }

    proptest! {
        #[test]
        fn what_goes_out_comes_back_and_is_no_formula(text in "['=+@＝＋－＠a-]{0,6}|\\PC*") {
            let out = escape_formula(&text);
            prop_assert_eq!(unescape_formula(&out), &text);
            prop_assert!(!out.starts_with(FORMULA));
        }

        #[test]
        fn what_is_written_is_read(cells in prop::collection::vec("[a,\"\r\nñ]{0,5}", 1..5)) {
            let text = written(&cells) + "rest";
            let (read, rest) = parse_record(&text).unwrap();
            prop_assert_eq!(read, cells);
            prop_assert_eq!(rest, "rest");
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a,\"\r\n]{0,30}|\\PC*") {
            let _ = parse_record(&text);
        }
    }
}
