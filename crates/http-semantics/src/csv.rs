//! CSV (RFC 4180): a parser for one record at a time, and the escaping of formulas.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula (CSV injection).
//! So an export puts an apostrophe before such a text, and an import removes it. A text that
//! already begins with apostrophes and one of these characters gets one more apostrophe. So every
//! exported text is imported unchanged.

use std::borrow::Cow;

/// The first characters of formulas. Spreadsheets also accept the full-width ones of East Asian
/// keyboards.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// The SQL expression of a quoted cell, escaped like [`escape_formula`]. The text must not contain
/// line breaks. Null if the column is null.
#[must_use]
pub fn sql_text_cell(column: &str) -> String {
    // Most texts begin with a letter: the first comparison is enough for them.
    const CELL: &str = "'\"' || iif({column} >= 'A' AND {column} < '＋' \
        OR ltrim({column}, '''') NOT GLOB '[=+@＝＋－＠-]*', '', '''') \
        || replace({column}, '\"', '\"\"') || '\"'";
    CELL.replace("{column}", column)
}

/// Whether a text is a formula after its leading apostrophes.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA_STARTS)
}

/// The text with an apostrophe before a formula.
#[must_use]
pub fn escape_formula(text: &str) -> Cow<'_, str> {
    if is_formula(text) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// The inverse of [`escape_formula`].
#[must_use]
pub fn unescape_formula(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(formula) if is_formula(formula) => formula,
        _ => text,
    }
}

/// The cells of the first record of a text, and the text after the record.
///
/// None if the record is malformed: a quote within an unquoted cell, or a quote that is not closed.
/// A truncated export ends with an open quote.
#[must_use]
pub fn parse_record(text: &str) -> Option<(Vec<Cow<'_, str>>, &str)> {
    let (mut cells, mut rest) = (Vec::new(), text);
    loop {
        let (cell, after_cell) = match rest.strip_prefix('"') {
            Some(inside) => parse_quoted_cell(inside)?,
            None => parse_plain_cell(rest)?,
        };
        cells.push(cell);
        if let Some(next_cell) = after_cell.strip_prefix(',') {
            rest = next_cell;
            continue;
        }
        let end = after_cell.strip_prefix('\r').unwrap_or(after_cell);
        return match end.strip_prefix('\n') {
            Some(next_record) => Some((cells, next_record)),
            None => end.is_empty().then_some((cells, end)),
        };
    }
}

fn parse_plain_cell(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find([',', '\n', '"']).unwrap_or(text.len());
    let (cell, after_cell) = text.split_at(end);
    let is_last = !after_cell.starts_with(',');
    let cell = cell.strip_suffix('\r').filter(|_| is_last).unwrap_or(cell);
    (!after_cell.starts_with('"')).then_some((cell.into(), after_cell))
}

/// Parses a cell after its opening quote. Two quotes within the cell are one.
fn parse_quoted_cell(inside: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut cell = Cow::Borrowed("");
    let mut rest = inside;
    loop {
        let (part, after_quote) = rest.split_once('"')?;
        cell += part;
        let Some(next) = after_quote.strip_prefix('"') else {
            return Some((cell, after_quote));
        };
        cell += "\"";
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_is_split_into_cells() {
        for (text, cells, rest) in [
            ("a,b\r\nc", &["a", "b"][..], "c"),
            ("a,\n", &["a", ""], ""),
            (",", &["", ""], ""),
            ("\"a,\"\"b\"\"\r\nc\",d", &["a,\"b\"\r\nc", "d"], ""),
            ("\"\"\r\n", &[""], ""),
            ("ñ", &["ñ"], ""),
        ] {
            let (parsed, after_record) = parse_record(text).unwrap();
            assert_eq!(parsed, cells, "{text}");
            assert_eq!(after_record, rest, "{text}");
        }
    }

    #[test]
    fn a_record_with_an_open_or_misplaced_quote_is_rejected() {
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
        for (text, escaped) in [
            ("=1+1", "'=1+1"),
            ("'=1", "''=1"),
            ("＝1", "'＝1"),
            ("-a", "'-a"),
            ("'n", "'n"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(escape_formula(text), escaped);
        }
    }

    #[test]
    fn a_formula_without_an_apostrophe_is_imported_unchanged() {
        assert_eq!(unescape_formula("=1"), "=1");
    }

    fn render(cells: &[String]) -> String {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
    }

    proptest! {
        #[test]
        fn an_escaped_text_is_no_formula_and_unescapes_to_itself(
            text in "['=+@＝＋－＠a-]{0,6}|\\PC*",
        ) {
            let escaped = escape_formula(&text);
            prop_assert_eq!(unescape_formula(&escaped), &text);
            prop_assert!(!escaped.starts_with(FORMULA_STARTS));
        }

        #[test]
        fn a_rendered_record_parses_to_the_same_cells(
            cells in prop::collection::vec("[a,\"\r\nñ]{0,5}", 1..5),
        ) {
            let text = render(&cells) + "rest";
            let (parsed, rest) = parse_record(&text).unwrap();
            prop_assert_eq!(parsed, cells);
            prop_assert_eq!(rest, "rest");
        }

        #[test]
        fn no_text_makes_the_csv_parser_panic(text in "[a,\"\r\n]{0,30}|\\PC*") {
            let _ = parse_record(&text);
        }
    }
}
