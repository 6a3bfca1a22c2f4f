//! Adds the place at the end of each line of an export of people (`expand=place`).

use http_semantics::MediaType;
use http_semantics::export_format::{end_line, is_end_line};
use tables::schema::PERSON_TABLE;

use super::MalformedResponse;
use super::expansion::{Names, Record, places_of};

/// The number of bytes of an export that are processed together. So the places of some hundred
/// people are read at once.
const PART_BYTES: usize = 64 * 1024;

/// The bytes of an export that have not been processed.
#[derive(Debug, Default)]
pub struct LineBuffer(Vec<u8>);

impl LineBuffer {
    /// Adds a chunk.
    pub fn push(&mut self, chunk: &[u8]) {
        self.0.extend_from_slice(chunk);
    }

    /// Whether there is enough for a part.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.0.len() >= PART_BYTES
    }

    /// Takes the complete lines of a part.
    pub fn take_lines(&mut self) -> Vec<u8> {
        let is_end = |byte: &u8| *byte == b'\n';
        let after_part = self.0.iter().skip(PART_BYTES).position(is_end);
        let last = match after_part {
            Some(position) => Some(PART_BYTES + position),
            None => self.0.iter().rposition(is_end),
        };
        let rest = self.0.split_off(last.map_or(0, |last| last + 1));
        std::mem::replace(&mut self.0, rest)
    }
}

/// Complete lines of an export.
#[derive(Debug)]
pub struct ExportPart<'a> {
    format: MediaType,
    has_header: bool,
    records: Vec<Record<'a>>,
    is_complete: Option<bool>,
}

impl<'a> ExportPart<'a> {
    /// Parses lines, which may begin with the header of CSV and end with the last line of the export.
    ///
    /// # Errors
    /// No lines, a malformed line, or one after the last line. Without its last line, an export has
    /// broken off.
    pub fn parse(lines: &'a [u8], format: MediaType) -> Result<Self, MalformedResponse> {
        let lines = std::str::from_utf8(lines).ok();
        let lines = lines.filter(|lines| !lines.is_empty());
        let part = lines.and_then(|lines| Self::from_lines(lines, format));
        part.ok_or(MalformedResponse::People)
    }

    fn from_lines(lines: &'a str, format: MediaType) -> Option<Self> {
        let (columns, is_csv) = (columns(), format == MediaType::Csv);
        let place = columns.iter().position(|column| *column == "placeId")?;
        let header = columns.join(",");
        let mut part = Self {
            format,
            has_header: false,
            records: Vec::new(),
            is_complete: None,
        };
        for line in lines.split_inclusive('\n') {
            let text = line.strip_suffix(line_end(format))?;
            if part.is_complete.is_some() {
                return None;
            }
            if is_end_line(is_csv, text) {
                part.is_complete = Some(line == end_line(format, None));
            } else if is_csv && text == header {
                part.has_header = true;
            } else if is_csv {
                part.records.push(Record::from_csv(text, place)?);
            } else {
                part.records.push(Record::from_json(text)?);
            }
        }
        Some(part)
    }

    /// The places of the people.
    #[must_use]
    pub fn places(&self) -> Vec<i64> {
        places_of(&self.records)
    }

    /// The id of the last person, if there are any people.
    #[must_use]
    pub fn last_id(&self) -> Option<i64> {
        self.records.last().map(|record| record.id)
    }

    /// Whether the export is complete, if these lines contain its last line.
    #[must_use]
    pub fn is_complete(&self) -> Option<bool> {
        self.is_complete
    }

    /// The lines with the places, without the last line of the export.
    #[must_use]
    pub fn with_places(&self, names: &Names) -> String {
        let line_end = line_end(self.format);
        let mut lines = String::new();
        if self.has_header {
            lines.extend([columns().join(",").as_str(), ",placeName", line_end]);
        }
        for record in &self.records {
            lines.extend([record.with_place(self.format, names).as_str(), line_end]);
        }
        lines
    }
}

/// The columns of CSV.
fn columns() -> Vec<&'static str> {
    PERSON_TABLE.visible().map(|column| column.json).collect()
}

fn line_end(format: MediaType) -> &'static str {
    match format {
        MediaType::Csv => "\r\n",
        MediaType::Json | MediaType::NdJson => "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TABLE: &str =
        "id,name,isAlive,placeId,isKing\r\n1,\"x,\"\"y\",true,7,false\r\n2,\"z\",false,,false\r\n";

    fn names() -> Names {
        Names::from([(7, "a \"b\"".to_owned())])
    }

    fn expand(lines: &str, format: MediaType) -> Option<String> {
        let part = ExportPart::parse(lines.as_bytes(), format).ok()?;
        Some(part.with_places(&names()))
    }

    #[test]
    fn each_line_of_an_export_gets_the_place() {
        let expanded = "id,name,isAlive,placeId,isKing,placeName\r\n\
            1,\"x,\"\"y\",true,7,false,\"a \"\"b\"\"\"\r\n2,\"z\",false,,false,\r\n";
        assert_eq!(expand(TABLE, MediaType::Csv).as_deref(), Some(expanded));
        let (_, rest) = TABLE.split_once('\n').unwrap();
        let (_, expanded) = expanded.split_once('\n').unwrap();
        assert_eq!(expand(rest, MediaType::Csv).as_deref(), Some(expanded));
        let lines = "{\"id\":1,\"placeId\":7}\n{\"id\":2,\"placeId\":null}\n";
        let expanded = "{\"id\":1,\"placeId\":7,\"place\":{\"id\":7,\"name\":\"a \\\"b\\\"\"}}\n\
            {\"id\":2,\"placeId\":null,\"place\":null}\n";
        assert_eq!(expand(lines, MediaType::NdJson).as_deref(), Some(expanded));
        let part = ExportPart::parse(lines.as_bytes(), MediaType::NdJson).unwrap();
        assert_eq!((part.places(), part.last_id()), (vec![7], Some(2)));
    }

    #[test]
    fn the_last_line_says_whether_the_export_is_complete() {
        for (format, record) in [
            (MediaType::Csv, "3,\"x\",false,,false\r\n"),
            (MediaType::NdJson, "{\"id\":3,\"placeId\":null}\n"),
        ] {
            for next in [None, Some("/v1/people/export?after=6933")] {
                let lines = format!("{record}{}", end_line(format, next));
                let part = ExportPart::parse(lines.as_bytes(), format).unwrap();
                assert_eq!(part.is_complete(), Some(next.is_none()));
                assert_eq!(part.last_id(), Some(3));
                let more = format!("{lines}{record}");
                assert!(ExportPart::parse(more.as_bytes(), format).is_err());
            }
            let part = ExportPart::parse(record.as_bytes(), format).unwrap();
            assert_eq!(part.is_complete(), None);
        }
    }

    #[test]
    fn a_broken_off_export_is_rejected() {
        for lines in [
            "",
            "1",
            "1,\"x\",true,7,false",
            "1,\"x\r\n",
            "x\r\n",
            "\"{\r\n",
        ] {
            assert_eq!(expand(lines, MediaType::Csv), None, "{lines}");
        }
        for lines in ["", "{\"id\":1,\"placeId\":7}", "{\"id\":1,\n", "\n"] {
            assert_eq!(expand(lines, MediaType::NdJson), None, "{lines}");
        }
    }

    #[test]
    fn a_part_has_64_kilobytes_and_the_rest_of_its_last_line() {
        let mut buffer = LineBuffer::default();
        buffer.push(&vec![b'x'; 64 * 1024 - 1]);
        assert!(!buffer.is_full());
        buffer.push(b"x");
        assert!(buffer.is_full());
        assert_eq!(buffer.take_lines(), b"");
        buffer.push(b"yz\n1\n2");
        assert_eq!(buffer.take_lines().len(), 64 * 1024 + 3);
        assert_eq!(buffer.take_lines(), b"1\n");
        assert_eq!(buffer.0, b"2");
    }

    proptest! {
        #[test]
        fn the_parts_of_an_export_are_its_complete_lines(
            lines in prop::collection::vec(0..40_000usize, 0..12),
            chunk in 1..50_000usize,
            rest in 0..3usize,
        ) {
            let lines: String = lines.iter().map(|length| "x".repeat(*length) + "\n").collect();
            let export = lines.clone() + &"y".repeat(rest);
            let (mut buffer, mut taken) = (LineBuffer::default(), Vec::new());
            for chunk in export.as_bytes().chunks(chunk) {
                buffer.push(chunk);
                while buffer.is_full() {
                    let part = buffer.take_lines();
                    if part.is_empty() {
                        break;
                    }
                    prop_assert!(part.ends_with(b"\n"));
                    taken.extend(part);
                }
            }
            taken.extend(buffer.take_lines());
            prop_assert_eq!(taken, lines.into_bytes());
            prop_assert_eq!(buffer.0.len(), rest);
        }
    }
}
