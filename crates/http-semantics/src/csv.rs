//! CSV (RFC 4180): parses one record at a time, and escapes formulas. The parser also accepts `;`
//! or a tab between cells. In languages whose decimal separator is a comma, spreadsheets write `;`.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula (CSV injection). So
//! an export puts an apostrophe before such a text, and an import removes it. If a text already
//! begins with apostrophes and one of these characters, it gets one more apostrophe. So every
//! exported text is imported unchanged.
//!
//! If the decimal separator is a comma, a spreadsheet separates cells only by `;`. It then splits a
//! text such as `x;=1+1` into two cells, of which the second is a formula. So if a text contains a
//! formula after a `;`, the export puts an apostrophe after each `;`.

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
        || replace(iif(instr({column}, ';') AND replace(replace(replace({column}, \
        '''', ''), ' ', ''), '\"', '') GLOB '*;[=+@＝＋－＠-]*', \
        replace({column}, ';', ';'''), {column}), '\"', '\"\"') || '\"'";
    CELL.replace("{column}", column)
}

/// Whether a text is a formula after its leading apostrophes.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA_STARTS)
}

/// Whether a part of a text after a `;` is a formula. A spreadsheet ignores a quote at the start of a
/// cell, and perhaps a space.
fn has_formula_after_semicolon(text: &str) -> bool {
    let is_ignored = |c: char| ['\'', ' ', '"'].contains(&c);
    let mut later_cells = text.split(';').skip(1);
    later_cells.any(|cell| {
        cell.trim_start_matches(is_ignored)
            .starts_with(FORMULA_STARTS)
    })
}

/// The text with an apostrophe before a formula.
#[must_use]
pub fn escape_formula(text: &str) -> Cow<'_, str> {
    let mut escaped = Cow::from(text);
    if has_formula_after_semicolon(text) {
        escaped = escaped.replace(';', ";'").into();
    }
    if is_formula(text) {
        escaped = format!("'{escaped}").into();
    }
    escaped
}

/// The inverse of [`escape_formula`]. A text that it never returns is unchanged.
#[must_use]
pub fn unescape_formula(text: &str) -> Cow<'_, str> {
    let unescaped = match text.strip_prefix('\'') {
        Some(formula) if is_formula(formula) => formula,
        _ => text,
    };
    let mut later_cells = unescaped.split(';').skip(1);
    if has_formula_after_semicolon(unescaped) && later_cells.all(|cell| cell.starts_with('\'')) {
        unescaped.replace(";'", ";").into()
    } else {
        unescaped.into()
    }
}

/// The characters that can separate cells.
const SEPARATORS: [char; 3] = [',', ';', '\t'];

/// The separator of a text: the one that is most frequent in the first line, outside of quotes. A
/// comma, if there is none.
#[must_use]
pub fn detect_separator(text: &str) -> char {
    let line = text.lines().next().unwrap_or_default();
    let count = |separator: char| {
        let unquoted = line.split('"').step_by(2);
        unquoted
            .map(|part| part.matches(separator).count())
            .sum::<usize>()
    };
    let mut found = (',', count(','));
    for separator in SEPARATORS {
        if count(separator) > found.1 {
            found = (separator, count(separator));
        }
    }
    found.0
}

/// The maximum number of cells of a record: the columns of a spreadsheet.
const MAX_CELLS: usize = 16_384;

/// The cells of the first record of a text, and the text after the record.
///
/// None if the record is malformed: a quote within an unquoted cell, a quote that is not closed, or more
/// than 16,384 cells.
/// A truncated export ends with an open quote.
#[must_use]
pub fn parse_record(text: &str, separator: char) -> Option<(Vec<Cow<'_, str>>, &str)> {
    let (mut cells, mut rest) = (Vec::new(), text);
    loop {
        let (cell, after_cell) = match rest.strip_prefix('"') {
            Some(inside) => parse_quoted_cell(inside)?,
            None => parse_plain_cell(rest, separator)?,
        };
        cells.push(cell);
        if let Some(next_cell) = after_cell.strip_prefix(separator) {
            if cells.len() == MAX_CELLS {
                return None;
            }
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

fn parse_plain_cell(text: &str, separator: char) -> Option<(Cow<'_, str>, &str)> {
    // These characters are ASCII, so no byte of another character equals them. Comparing bytes is
    // faster than comparing characters.
    let ends_cell = |byte| matches!(byte, b'\n' | b'"') || char::from(byte) == separator;
    let end = text.bytes().position(ends_cell).unwrap_or(text.len());
    let (cell, after_cell) = text.split_at(end);
    let is_last = !after_cell.starts_with(separator);
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
            let (parsed, after_record) = parse_record(text, ',').unwrap();
            assert_eq!(parsed, cells, "{text}");
            assert_eq!(after_record, rest, "{text}");
        }
    }

    #[test]
    fn other_separators_are_detected_in_the_first_line() {
        for (text, separator) in [
            ("id,name\n1;2;3", ','),
            ("id;name;isAlive\r\n1,5;a", ';'),
            ("id\tname", '\t'),
            ("\"a;b;c\",d", ','),
            ("\"a,b,c\";d", ';'),
            ("name", ','),
            ("", ','),
        ] {
            assert_eq!(detect_separator(text), separator, "{text}");
        }
        let (cells, rest) = parse_record("1;\"a;\"\"b\";c,d\r\n2", ';').unwrap();
        assert_eq!(
            (cells.as_slice(), rest),
            (&["1", "a;\"b", "c,d"].map(Cow::from)[..], "2")
        );
    }

    #[test]
    fn a_record_has_at_most_the_cells_of_a_row_of_a_spreadsheet() {
        let longest = ",".repeat(16_383);
        assert_eq!(parse_record(&longest, ',').unwrap().0.len(), 16_384);
        assert_eq!(parse_record(&format!("{longest},"), ','), None);
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
            assert_eq!(parse_record(text, ','), None, "{text}");
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
            ("x;=1+1;y", "x;'=1+1;'y"),
            ("=1;=2", "'=1;'=2"),
            (";-1", ";'-1"),
            ("x; '\"@y", "x;' '\"@y"),
            ("x;'=1", "x;''=1"),
            ("x;y", "x;y"),
            ("x;y=1;'z", "x;y=1;'z"),
            ("", ""),
        ] {
            assert_eq!(escape_formula(text), escaped);
        }
    }

    #[test]
    fn a_formula_without_an_apostrophe_is_imported_unchanged() {
        for text in ["=1", "x;=1", "x;'y;=1", "x;'y", "'x;'y"] {
            assert_eq!(unescape_formula(text), text);
        }
    }

    fn render(cells: &[String]) -> String {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\r\n"
    }

    proptest! {
        #[test]
        fn a_cell_of_sql_is_escaped_like_a_text(
            text in "['=+@＝＋－＠a-]{0,6}|[;'\"= a-]{0,8}|\\PC*",
        ) {
            let database = rusqlite::Connection::open_in_memory().unwrap();
            let query = format!("SELECT {} FROM (SELECT ?1 AS name)", sql_text_cell("name"));
            let cell: String = database.query_row(&query, [&text], |row| row.get(0)).unwrap();
            prop_assert_eq!(cell, format!("\"{}\"", escape_formula(&text).replace('"', "\"\"")));
        }

        #[test]
        fn an_escaped_text_is_no_formula_and_unescapes_to_itself(
            text in "['=+@＝＋－＠a-]{0,6}|[;'\"= a-]{0,8}|\\PC*",
        ) {
            let escaped = escape_formula(&text);
            prop_assert_eq!(unescape_formula(&escaped), text.as_str());
            prop_assert!(!escaped.starts_with(FORMULA_STARTS));
            // The later cells that a spreadsheet shows if it separates cells by `;`.
            for cell in escaped.replace('"', "\"\"").split(';').skip(1) {
                let shown = cell.trim_start_matches(['"', ' ']);
                prop_assert!(!shown.starts_with(FORMULA_STARTS), "{}", cell);
            }
        }

        #[test]
        fn a_rendered_record_parses_to_the_same_cells(
            cells in prop::collection::vec("[a,\"\r\nñ]{0,5}", 1..5),
        ) {
            let text = render(&cells) + "rest";
            let (parsed, rest) = parse_record(&text, ',').unwrap();
            prop_assert_eq!(parsed, cells);
            prop_assert_eq!(rest, "rest");
        }

        #[test]
        fn no_text_makes_the_csv_parser_panic(text in "[a,\"\r\n]{0,30}|\\PC*") {
            for separator in SEPARATORS {
                let _ = parse_record(&text, separator);
            }
            let _ = detect_separator(&text);
        }
    }
}
