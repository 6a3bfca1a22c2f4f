//! Renders a page of statistics as JSON, NDJSON or CSV.

use http_semantics::media::ListFraming;
use http_semantics::{MediaType, csv};
use serde::Serialize;

use super::{King, Row};

/// The header row of the CSV.
pub const COLUMNS: &str = "id,name,total,living,dead,share,kingId,kingName\r\n";

/// One record of the page, in the order of its JSON members.
struct Record<'a> {
    id: Option<i64>,
    name: Option<&'a str>,
    total: i64,
    living: i64,
    dead: i64,
    /// In decimals.
    share: String,
    king: Option<&'a King>,
}

/// Renders rows as a page, or as a part of an export. A share is the living of a place as a part of `all_living`. The last page ends
/// with a record for the dead without a place.
#[must_use]
pub fn render(
    rows: &[Row],
    all_living: i64,
    dead_without_place: Option<i64>,
    format: MediaType,
    frame: ListFraming,
) -> String {
    let with_place = |row| Record::new(Some(row), 0, all_living);
    let without_place = dead_without_place.map(|dead| Record::new(None, dead, all_living));
    let records = rows.iter().map(with_place).chain(without_place);
    let records: Vec<String> = records
        .map(|record| match format {
            MediaType::Csv => record.to_csv(),
            MediaType::Json | MediaType::NdJson => record.to_json(),
        })
        .collect();
    let end = frame.end(records.is_empty());
    [frame.open, &records.join(frame.between), end].concat()
}

impl<'a> Record<'a> {
    fn new(row: Option<&'a Row>, dead_without_place: i64, all_living: i64) -> Self {
        let population = row.and_then(|row| row.population.as_ref());
        let living = population.map_or(0, |population| population.living);
        let dead = population.map_or(dead_without_place, |population| population.dead);
        Self {
            id: row.map(|row| row.place.id),
            name: row.map(|row| row.place.name.as_str()),
            total: living + dead,
            living,
            dead,
            share: share(living, all_living),
            king: population.and_then(|population| population.king.as_ref()),
        }
    }

    fn to_json(&self) -> String {
        let (id, name, king) = (json(&self.id), json(&self.name), json(&self.king));
        let (total, living, dead, share) = (self.total, self.living, self.dead, &self.share);
        format!(
            "{{\"id\":{id},\"name\":{name},\"total\":{total},\"living\":{living},\"dead\":{dead},\
             \"share\":{share},\"king\":{king}}}"
        )
    }

    fn to_csv(&self) -> String {
        let number = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
        let (id, name) = (number(self.id), self.name.map(cell).unwrap_or_default());
        let (total, living, dead, share) = (self.total, self.living, self.dead, &self.share);
        let king_id = number(self.king.map(|king| king.id));
        let king = self.king.and_then(|king| king.name.as_deref());
        let king = king.map(cell).unwrap_or_default();
        format!("{id},{name},{total},{living},{dead},{share},{king_id},{king}")
    }
}

/// A CSV cell (RFC 4180) that no spreadsheet evaluates as a formula.
fn cell(text: &str) -> String {
    let text = csv::escape_formula(text);
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into_owned()
    }
}

/// Plain values in memory can always be serialized.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// A part of a whole, rounded to six decimals, without an exponent or zeros at the end. It is 0 if the
/// whole is 0. The code that formats floats would be 13 KB of the worker.
fn share(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "0".to_owned();
    }
    let (part, whole) = (i128::from(part), i128::from(whole));
    let millionths = (part * 2_000_000 + whole) / (2 * whole);
    let share = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    share.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_and_has_no_exponent() {
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
    fn every_share_has_at_most_six_decimals() {
        for millionths in 0..=1_000_000 {
            let text = share(millionths, 1_000_000);
            let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
            let padded: i64 = format!("{whole}{decimals:0<6}").parse().unwrap();
            assert_eq!(padded, millionths, "{text}");
        }
    }

    #[test]
    fn a_cell_is_quoted_and_its_formula_is_escaped() {
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
