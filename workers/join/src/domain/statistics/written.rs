//! Statistics in the form that was asked for: JSON, a record a line, or a table.

use http_semantics::{Format, csv};

use super::{King, Row};

/// The first row of a table.
pub const COLUMNS: &str = "id,name,total,living,dead,share,kingId,kingName\r\n";

/// A page of statistics as a text.
#[derive(Debug)]
pub struct Written {
    text: String,
    format: Format,
    is_empty: bool,
    /// How many live in all.
    everyone: i64,
}

/// One record, whatever its form.
struct Record<'a> {
    place: Option<(i64, &'a str)>,
    living: i64,
    dead: i64,
    king: Option<&'a King>,
}

impl Written {
    /// The page of some rows, where `everyone` is how many live in all.
    #[must_use]
    pub fn of(rows: &[Row], everyone: i64, format: Format) -> Self {
        let mut written = Self {
            text: String::new(),
            format,
            is_empty: true,
            everyone,
        };
        for Row { place, people } in rows {
            written.push(&Record {
                place: Some((place.id, &place.name)),
                living: people.as_ref().map_or(0, |one| one.living),
                dead: people.as_ref().map_or(0, |one| one.dead),
                king: people.as_ref().and_then(|one| one.king.as_ref()),
            });
        }
        written
    }

    /// Adds those of no place, who are all dead.
    pub fn push_nowhere(&mut self, dead: i64) {
        self.push(&Record {
            place: None,
            living: 0,
            dead,
            king: None,
        });
    }

    /// The whole text.
    #[must_use]
    pub fn into_text(mut self) -> String {
        let frame = self.format.frame_below(COLUMNS);
        if self.is_empty {
            self.text.push_str(frame.open);
        }
        self.text.push_str(frame.end(self.is_empty));
        self.text
    }

    fn push(&mut self, record: &Record) {
        let frame = self.format.frame_below(COLUMNS);
        let before = if self.is_empty {
            frame.open
        } else {
            frame.between
        };
        self.is_empty = false;
        let share = share(record.living, self.everyone);
        let record = if self.format == Format::Csv {
            record.to_csv(&share)
        } else {
            record.to_json(&share)
        };
        self.text.push_str(before);
        self.text.push_str(&record);
    }
}

impl Record<'_> {
    fn to_json(&self, share: &str) -> String {
        let null = || "null".to_owned();
        let (living, dead) = (self.living, self.dead);
        let id = self.place.map_or_else(null, |(id, _)| id.to_string());
        let name = self.place.map_or_else(null, |(_, name)| name.to_owned());
        let king = self.king.map_or_else(null, |king| {
            format!("{{\"id\":{},\"name\":{}}}", king.id, king.name)
        });
        let total = living + dead;
        format!(
            "{{\"id\":{id},\"name\":{name},\"total\":{total},\"living\":{living},\
             \"dead\":{dead},\"share\":{share},\"king\":{king}}}"
        )
    }

    fn to_csv(&self, share: &str) -> String {
        let (living, dead) = (self.living, self.dead);
        let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
        let (id, name) = self.place.unzip();
        let name = name.map(|name| cell(&unquoted(name))).unwrap_or_default();
        let king = self
            .king
            .map(|king| cell(&unquoted(&king.name)))
            .unwrap_or_default();
        let (id, king_id) = (number(id), number(self.king.map(|king| king.id)));
        let total = living + dead;
        format!("{id},{name},{total},{living},{dead},{share},{king_id},{king}")
    }
}

/// The text that a JSON one stands for. A name has no control characters, so that a quote and a
/// backslash are all that `SQLite` escapes in it.
fn unquoted(json: &str) -> String {
    let inside = json
        .strip_prefix('"')
        .and_then(|json| json.strip_suffix('"'));
    let mut escaped = false;
    let is_text = |character: &char| {
        escaped = *character == '\\' && !escaped;
        !escaped
    };
    inside.unwrap_or_default().chars().filter(is_text).collect()
}

/// A text as a cell (RFC 4180), which no spreadsheet takes for a formula.
fn cell(text: &str) -> String {
    let text = csv::armoured(text);
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

/// A part of a whole as a plain number of at most six decimals; nothing is no part of nothing.
fn share(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "0".to_owned();
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    let millionths = (part * 2_000_000 + whole) / (2 * whole);
    let decimals = format!("{:06}", millionths % 1_000_000);
    let text = format!("{}.{decimals}", millionths / 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_plain_number() {
        for (part, whole, text) in [
            (0, 0, "0"),
            (0, 7, "0"),
            (7, 7, "1"),
            (1, 2, "0.5"),
            (1, 10, "0.1"),
            (2, 3, "0.666667"),
            (1, 3_000_000, "0"),
            (1, 1_000_000, "0.000001"),
            (1_999_999, 2_000_000, "1"),
        ] {
            assert_eq!(share(part, whole), text, "{part} of {whole}");
        }
    }

    #[test]
    fn a_text_is_what_its_json_stands_for() {
        for (json, text) in [
            (r#""""#, ""),
            (r#""Ñandú 🐉""#, "Ñandú 🐉"),
            (r#""\"a\" \\ \\\"""#, r#""a" \ \""#),
        ] {
            assert_eq!(unquoted(json), text, "{json}");
        }
    }

    #[test]
    fn a_cell_is_no_formula_and_breaks_no_row() {
        for (text, expected) in [
            ("Cala 'Tranquila'", "Cala 'Tranquila'"),
            ("'s-Hertogenbosch", "'s-Hertogenbosch"),
            ("a,b", "\"a,b\""),
            ("Torre \"Alta\"", "\"Torre \"\"Alta\"\"\""),
            ("=1+1", "'=1+1"),
            ("'=1+1", "''=1+1"),
            ("@x,y", "\"'@x,y\""),
            ("＋1", "'＋1"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(cell(text), expected, "{text}");
        }
    }
}
