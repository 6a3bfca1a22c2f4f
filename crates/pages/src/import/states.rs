//! Counts the people of a file of whom it says whether they are alive. The others are recorded as
//! dead.

use http_semantics::csv;

use super::media_type;

const STATE: &str = "isAlive";

/// How many people of a file have a state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct States {
    /// Whether it is a CSV file without the column.
    pub lacks_column: bool,
    /// The number of records with a state.
    pub known: i64,
}

impl States {
    /// Counts the states of a file. If the file only changes given columns, a person without a state
    /// keeps the old one, but an empty cell of CSV empties it. None if nobody can become dead.
    pub fn count(file: &[u8], is_patch: bool) -> Option<Self> {
        let text = std::str::from_utf8(file).ok()?;
        if media_type(file) != "text/csv" {
            let known = text.matches("\"isAlive\"").count();
            return (!is_patch).then(|| Self::new(false, known));
        }
        let text = text.trim_start_matches('\u{feff}');
        let separator = csv::detect_separator(text);
        let (header, mut rest) = csv::parse_record(text, separator)?;
        let column = header
            .iter()
            .position(|cell| cell.trim().eq_ignore_ascii_case(STATE));
        let Some(column) = column else {
            return (!is_patch).then(|| Self::new(true, 0));
        };
        let mut known = 0;
        while !rest.is_empty()
            && let Some((cells, after)) = csv::parse_record(rest, separator)
        {
            known += usize::from(cells.get(column).is_some_and(|cell| !cell.is_empty()));
            rest = after;
        }
        Some(Self::new(false, known))
    }

    fn new(lacks_column: bool, known: usize) -> Self {
        Self {
            lacks_column,
            known: i64::try_from(known).unwrap_or(i64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_counted_in_every_format() {
        let known = |lacks_column, known| {
            Some(States {
                lacks_column,
                known,
            })
        };
        for (file, insert, patch) in [
            ("name,place\na,b\n", known(true, 0), None),
            (
                "\u{feff}name;ISALIVE\n\"a\nb\";yes\n\nc;\n#complete\n",
                known(false, 1),
                known(false, 1),
            ),
            (
                r#"[{"name":"a\"isAlive\"","isAlive":true},{"name":"b"}]"#,
                known(false, 1),
                None,
            ),
            (
                "{\"isAlive\":false}\n{\"name\":\"b\"}",
                known(false, 1),
                None,
            ),
        ] {
            assert_eq!(States::count(file.as_bytes(), false), insert, "{file}");
            assert_eq!(States::count(file.as_bytes(), true), patch, "{file}");
        }
        assert_eq!(States::count(b"\xff", false), None);
    }
}
