//! The parsers of paths and query parameters.

use domain::name::Normalize;
use domain::param::parse_positive_integer;
use domain::{Moment, Param, PersonId};
use http_semantics::{Params, path};
use proptest::{prop_assert, prop_assert_eq};
use tables::population::PopulationQuery;
use tables::schema::PERSON;
use tables::{Cursor, ListQuery, page};

use super::{rejected, text};
use crate::Verdict::{Accepted, Rejected};
use crate::{Checked, Target};

pub const TARGETS: &[Target] = &[
    text("id", &["1", "9007199254740991", "0", "01", "-1", "x"], id),
    text(
        "cursor",
        &["6931", "6e61", "6e610031", "6970303a31", "zz", "69"],
        cursor,
    ),
    text(
        "moment",
        &[
            "2026-02-28T23:59:59Z",
            "2026-01-01T00:00:00.123+14:00",
            "1700000000000",
            "x",
        ],
        moment,
    ),
    text(
        "URL",
        &[
            "https://h/v1/places/1?limit=2",
            "/v1/places/",
            "http://h",
            "?",
            "//",
        ],
        url,
    ),
    text(
        "query of a list",
        &[
            "limit=10&after=6931&sort=name&name=Ve",
            "isAlive=true&placeId=3&isKing=false&sort=-id",
            "count=true&limit=1000",
            "limit=0",
            "limit=1&limit=1",
        ],
        list,
    ),
    text(
        "query of statistics",
        &[
            "limit=100&sort=-living&min=3",
            "asOf=2026-01-01T00:00:00Z&after=6931",
            "sort=share",
        ],
        statistics,
    ),
];

/// Ids are the canonical whole numbers from 1 to 2^53 - 1.
fn id(text: &str) -> Checked {
    let id = PersonId::parse(text);
    let is_id = parse_positive_integer(text).is_some_and(|number| (1..1 << 53).contains(&number));
    prop_assert_eq!(id.is_some(), is_id);
    let Some(id) = id else {
        return Ok(Rejected);
    };
    prop_assert_eq!(id.get().to_string(), text);
    Ok(Accepted)
}

fn cursor(text: &str) -> Checked {
    let Some(cursor) = Cursor::parse(text) else {
        return Ok(Rejected);
    };
    prop_assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
    Ok(Accepted)
}

fn moment(text: &str) -> Checked {
    let Some(moment) = Moment::parse(text) else {
        return Ok(Rejected);
    };
    let again = Moment::parse(&moment.to_string());
    let again = again.map(|moment| moment.milliseconds());
    prop_assert_eq!(again, Some(moment.milliseconds()));
    Ok(Accepted)
}

/// Path and query are parts of the URL, and an accepted URL has one reading.
fn url(text: &str) -> Checked {
    let (path, query) = path::path_and_query(text);
    let canonical = path::canonical(path);
    prop_assert!(canonical == "/" || text.contains(canonical), "{canonical}");
    prop_assert!(text.contains(query), "{query}");
    if path::checked_path_and_query(text).is_none() {
        return Ok(Rejected);
    }
    let is_plain = |part: &str| part.is_ascii() && !part.contains(['#', ' ', '\n']);
    prop_assert!(is_plain(path) && !path.contains(['\\', '?']), "{path}");
    prop_assert!(!query.contains('#'), "{query}");
    Ok(Accepted)
}

/// The link to the next page of an accepted query is accepted, too.
fn list(text: &str) -> Checked {
    let parse = |query: &str| {
        let params = Params::parse(query, &PERSON.list_parameters)?;
        ListQuery::from_params(&PERSON, &params, Normalize::NONE)
    };
    if let Err(problem) = parse(text) {
        return rejected(&problem);
    }
    // The cursors of a page ordered by id, and of one ordered by name.
    let name = Cursor::Name {
        key: "ve".to_owned(),
        name: "Ve".to_owned(),
        id: 1,
    };
    let is_link_accepted = |cursor: &Cursor| {
        let link = page::next_link("/v1/people", text, &cursor.to_string());
        let (_, rest) = link.split_once('?')?;
        let (query, _) = rest.split_once('>')?;
        parse(query).ok()
    };
    let mut cursors = [Cursor::Id(1), name].into_iter();
    prop_assert!(cursors.any(|cursor| is_link_accepted(&cursor).is_some()));
    Ok(Accepted)
}

fn statistics(text: &str) -> Checked {
    const NOW: i64 = 1_790_000_000_000;
    let query = Params::parse(text, PopulationQuery::PARAMETERS)
        .and_then(|params| PopulationQuery::from_params(&params, NOW));
    match query {
        Ok(_) => Ok(Accepted),
        Err(problem) => rejected(&problem),
    }
}
