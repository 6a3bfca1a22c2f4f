//! Adds the place to each person of a response (`expand=place`). Only the gateway can do this,
//! because it reads both services.

use std::collections::HashMap;

use http_semantics::from_json::present;
use http_semantics::{MediaType, Problem, csv, from_json};

use super::MalformedResponse;
use super::statistics::NamedPlace;

/// The parameter.
pub const EXPAND: &str = "expand";

/// The query without `expand=place`. None if it does not have this parameter. No parameter is
/// repeated.
///
/// # Errors
/// Another value.
pub fn without_expand(query: &str) -> Result<Option<String>, Problem> {
    let mut rest = Vec::new();
    let mut expands = false;
    for pair in query.split('&') {
        match form_urlencoded::parse(pair.as_bytes()).next() {
            Some((name, value)) if name == EXPAND && value == "place" => expands = true,
            Some((name, _)) if name == EXPAND => {
                return Err(Problem::invalid_parameter(EXPAND, "place"));
            }
            _ => rest.push(pair),
        }
    }
    Ok(expands.then(|| rest.join("&")))
}

/// The names of places.
pub type Names = HashMap<i64, String>;

/// The names of places that the places service sent.
#[must_use]
pub fn names(places: Vec<NamedPlace>) -> Names {
    let places = places.into_iter();
    places.map(|place| (place.id, place.name)).collect()
}

/// The places of people, each once, in order of id.
pub(super) fn places_of(records: &[Record<'_>]) -> Vec<i64> {
    let mut places: Vec<i64> = records.iter().filter_map(|record| record.place).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// A page of people whose places are to be added. No person is parsed completely: the place is added
/// at the end of each record.
#[derive(Debug)]
pub struct PeoplePage<'a> {
    format: MediaType,
    header: &'a str,
    records: Vec<Record<'a>>,
}

/// A person, in JSON without the closing brace.
#[derive(Debug)]
pub(super) struct Record<'a> {
    text: &'a str,
    pub(super) id: i64,
    pub(super) place: Option<i64>,
}

/// The members of a person that identify the person and the place.
struct References {
    id: i64,
    place_id: Option<i64>,
}

from_json! {
    References { id, place_id: present("placeId") }
}

impl<'a> Record<'a> {
    /// Parses a JSON object.
    pub(super) fn from_json(text: &'a str) -> Option<Self> {
        let References { id, place_id } = from_json::parse(text.as_bytes())?;
        Some(Self {
            text: text.strip_suffix('}')?,
            id,
            place: place_id,
        })
    }

    /// Parses a line of CSV, of which the first cell is the id. `place` is the position of the place.
    pub(super) fn from_csv(text: &'a str, place: usize) -> Option<Self> {
        let (cells, _) = csv::parse_record(text, ',')?;
        let place = match cells.get(place)?.as_ref() {
            "" => None,
            id => Some(id.parse().ok()?),
        };
        let id = cells.first()?.parse().ok()?;
        Some(Self { text, id, place })
    }

    /// The record with the place.
    pub(super) fn with_place(&self, format: MediaType, names: &Names) -> String {
        let Self { text, place, .. } = self;
        let place = place.and_then(|id| names.get(&id).map(|name| (id, name)));
        match (format, place) {
            (MediaType::Csv, None) => format!("{text},"),
            (MediaType::Csv, Some((_, name))) => {
                let name = csv::escape_formula(name).replace('"', "\"\"");
                format!("{text},\"{name}\"")
            }
            (_, None) => format!("{text},\"place\":null}}"),
            (_, Some((id, name))) => {
                let name = serde_json::Value::from(name.as_str());
                format!("{text},\"place\":{{\"id\":{id},\"name\":{name}}}}}")
            }
        }
    }
}

impl<'a> PeoplePage<'a> {
    /// Parses the response of the people service: CSV for CSV, and otherwise a JSON array with one
    /// record per line.
    ///
    /// # Errors
    /// A malformed response.
    pub fn parse(body: &'a [u8], format: MediaType) -> Result<Self, MalformedResponse> {
        let body = std::str::from_utf8(body).ok();
        let page = body.and_then(|body| match format {
            MediaType::Csv => Self::from_csv(body),
            MediaType::Json | MediaType::NdJson => Self::from_array(body, format),
        });
        page.ok_or(MalformedResponse::People)
    }

    /// A page with a single person.
    ///
    /// # Errors
    /// A malformed person.
    pub fn from_person(body: &'a [u8]) -> Result<Self, MalformedResponse> {
        let record = std::str::from_utf8(body).ok().and_then(Record::from_json);
        Ok(Self {
            format: MediaType::Json,
            header: "",
            records: vec![record.ok_or(MalformedResponse::People)?],
        })
    }

    fn from_array(body: &'a str, format: MediaType) -> Option<Self> {
        let lines = body.strip_prefix('[')?.strip_suffix(']')?;
        let lines = lines.split(",\n").filter(|_| !lines.is_empty());
        Some(Self {
            format,
            header: "",
            records: lines.map(Record::from_json).collect::<Option<_>>()?,
        })
    }

    fn from_csv(body: &'a str) -> Option<Self> {
        let mut lines = body.strip_suffix("\r\n")?.split("\r\n");
        let header = lines.next()?;
        let position = header.split(',').position(|column| column == "placeId")?;
        let records = lines.map(|text| Record::from_csv(text, position));
        Some(Self {
            format: MediaType::Csv,
            header,
            records: records.collect::<Option<_>>()?,
        })
    }

    /// The places that the people belong to.
    #[must_use]
    pub fn places(&self) -> Vec<i64> {
        places_of(&self.records)
    }

    /// The page with the places. A place without a name does not exist.
    #[must_use]
    pub fn with_places(&self, names: &Names) -> String {
        let framing = self.format.framing();
        let records = self.records.iter();
        let records: Vec<String> = records
            .map(|record| record.with_place(self.format, names))
            .collect();
        let end = framing.end(records.is_empty());
        let records = records.join(framing.between);
        match self.format {
            MediaType::Csv => format!("{},placeName\r\n{records}{end}", self.header),
            MediaType::Json | MediaType::NdJson => [framing.open, &records, end].concat(),
        }
    }

    /// The single person of [`Self::from_person`] with the place.
    #[must_use]
    pub fn person(&self, names: &Names) -> String {
        let record = self.records.first();
        record
            .map(|record| record.with_place(self.format, names))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let place = |id, name: &str| NamedPlace {
            id,
            name: name.to_owned(),
        };
        super::names(vec![place(1, "=a \"b\""), place(3, "c")])
    }

    #[test]
    fn the_parameter_is_removed_from_the_query() {
        let rest = |query| without_expand(query).map_err(|problem| problem.detail().to_owned());
        assert_eq!(rest("limit=2&name=expand"), Ok(None));
        assert_eq!(
            rest("limit=2&expand=place&q=a%20b"),
            Ok(Some("limit=2&q=a%20b".to_owned()))
        );
        assert_eq!(rest("%65xpand=place"), Ok(Some(String::new())));
        assert_eq!(
            rest("expand=king"),
            Err("`expand` must be place.".to_owned())
        );
    }

    #[test]
    fn each_person_gets_the_place_or_null() {
        let array = "[{\"id\":1,\"name\":\"],\\n[\",\"placeId\":1},\n{\"id\":2,\"placeId\":null},\n{\"id\":3,\"placeId\":9}]";
        let page = PeoplePage::parse(array.as_bytes(), MediaType::Json).unwrap();
        assert_eq!(page.places(), [1, 9]);
        let expected = "[{\"id\":1,\"name\":\"],\\n[\",\"placeId\":1,\"place\":{\"id\":1,\"name\":\"=a \\\"b\\\"\"}},\n\
            {\"id\":2,\"placeId\":null,\"place\":null},\n{\"id\":3,\"placeId\":9,\"place\":null}]";
        assert_eq!(page.with_places(&names()), expected);
        let lines = PeoplePage::parse(array.as_bytes(), MediaType::NdJson).unwrap();
        assert_eq!(lines.with_places(&names()).lines().count(), 3);
        let table = "id,name,placeId\r\n1,\"x,\"\"y\",1\r\n2,\"z\",\r\n";
        let page = PeoplePage::parse(table.as_bytes(), MediaType::Csv).unwrap();
        let expected =
            "id,name,placeId,placeName\r\n1,\"x,\"\"y\",1,\"'=a \"\"b\"\"\"\r\n2,\"z\",,\r\n";
        assert_eq!(page.with_places(&names()), expected);
        let person = PeoplePage::from_person(br#"{"id":1,"placeId":3}"#).unwrap();
        assert_eq!(
            person.person(&names()),
            r#"{"id":1,"placeId":3,"place":{"id":3,"name":"c"}}"#
        );
    }

    #[test]
    fn an_empty_page_stays_empty() {
        for (body, format, expected) in [
            ("[]", MediaType::Json, "[]"),
            ("[]", MediaType::NdJson, ""),
            ("id,placeId\r\n", MediaType::Csv, "id,placeId,placeName\r\n"),
        ] {
            let page = PeoplePage::parse(body.as_bytes(), format).unwrap();
            assert_eq!(page.with_places(&names()), expected);
        }
    }

    #[test]
    fn a_malformed_page_is_rejected() {
        let array = "[{\"id\":1,\"placeId\":1},\n{\"id\":2,\"placeId\":null}]";
        for end in 0..array.len() {
            let page = PeoplePage::parse(&array.as_bytes()[..end], MediaType::Json);
            assert_eq!(page.err(), Some(MalformedResponse::People), "{end}");
        }
        for table in [
            "",
            "id,placeId",
            "id\r\n1\r\n",
            "id,placeId\r\n1\r\n",
            "id,placeId\r\n1,x\r\n",
            "id,placeId\r\n1,\"2\r\n",
        ] {
            let page = PeoplePage::parse(table.as_bytes(), MediaType::Csv);
            assert_eq!(page.err(), Some(MalformedResponse::People), "{table}");
        }
    }
}
