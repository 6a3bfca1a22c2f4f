//! What stands in addresses.

use domain::param::parse_positive_integer;
use domain::{Moment, Param, PersonId};
use http_semantics::{Params, Problem, path};
use tables::ListQuery;
use tables::population::PopulationQuery;
use tables::schema::PERSON;
use tables::{Cursor, page};

use super::{same, text};
use crate::{Target, Verdict};

pub const TARGETS: &[Target] = &[
    Target {
        name: "id",
        seeds: &["1", "9007199254740991", "0", "01", "-1", "x"],
        check: id,
    },
    Target {
        name: "cursor",
        seeds: &["6931", "6e61", "6e610031", "6970303a31", "zz", "69"],
        check: cursor,
    },
    Target {
        name: "moment",
        seeds: &[
            "2026-02-28T23:59:59Z",
            "2026-01-01T00:00:00.123+14:00",
            "1700000000000",
            "x",
        ],
        check: moment,
    },
    Target {
        name: "path",
        seeds: &[
            "https://h/v1/places/1?limit=2",
            "/v1/places/",
            "http://h",
            "?",
            "//",
        ],
        check: address,
    },
    Target {
        name: "query of a list",
        seeds: &[
            "limit=10&after=6931&sort=name&name=Ve",
            "isAlive=true&placeId=3&isKing=false&sort=-id",
            "count=true&limit=1000",
            "limit=0",
            "limit=1&limit=1",
        ],
        check: list,
    },
    Target {
        name: "query of statistics",
        seeds: &[
            "limit=100&sort=-living&min=3",
            "asOf=2026-01-01T00:00:00Z&after=6931",
            "sort=share",
        ],
        check: statistics,
    },
];

fn id(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(id) = PersonId::parse(&text) else {
        let is_one = parse_positive_integer(&text).is_some_and(|id| (1..1 << 53).contains(&id));
        return if is_one {
            Err("an id was refused".to_owned())
        } else {
            Ok(Verdict::Refused(text.into_owned()))
        };
    };
    same(
        "written anew",
        &id.get().to_string().as_str(),
        &text.as_ref(),
    )?;
    Ok(Verdict::Taken(text.into_owned()))
}

fn cursor(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(cursor) = Cursor::parse(&text) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    same(
        "read again",
        &Cursor::parse(&cursor.to_string()),
        &Some(cursor.clone()),
    )?;
    Ok(Verdict::Taken(format!("{cursor:?}")))
}

fn moment(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let Some(moment) = Moment::parse(&text) else {
        return Ok(Verdict::Refused(text.into_owned()));
    };
    let again = Moment::parse(&moment.to_string());
    let again = again.map(|moment| moment.milliseconds());
    same("read again", &again, &Some(moment.milliseconds()))?;
    Ok(Verdict::Taken(text.into_owned()))
}

fn address(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let (path, query) = path::path_and_query(&text);
    let canonical = path::canonical(path);
    let is_part = canonical == "/" || text.contains(canonical);
    if !is_part || !text.contains(query) {
        return Err(format!("{canonical}?{query} is no part of it"));
    }
    if path::checked_path_and_query(&text).is_none() {
        return Ok(Verdict::Refused(text.into_owned()));
    }
    let ambiguous = |part: &str| part.contains(['#', ' ', '\n']) || !part.is_ascii();
    if ambiguous(path) || path.contains(['\\', '?']) || query.contains('#') {
        return Err(format!("{path}?{query} can be read differently"));
    }
    Ok(Verdict::Taken(format!("{canonical}?{query}")))
}

fn list(input: &[u8]) -> Result<Verdict, String> {
    let text = text(input);
    let asked = |query: &str| {
        ListQuery::from_params(&PERSON, &Params::parse(query, &PERSON.list_parameters)?)
    };
    match asked(&text) {
        Err(problem) => refused(&problem),
        Ok(list) => {
            // Of an order by id, and of one by name.
            let ends = [
                Cursor::Id(1),
                Cursor::Name {
                    key: "ve".to_owned(),
                    id: 1,
                },
            ];
            let goes_on = |end: &Cursor| {
                let link = page::next_link("/v1/people", &text, &end.to_string());
                let query = link
                    .split_once('?')
                    .and_then(|(_, rest)| rest.split_once('>'));
                query.is_some_and(|(query, _)| asked(query).is_ok())
            };
            if !ends.iter().any(goes_on) {
                return Err("its own next link is refused".to_owned());
            }
            Ok(Verdict::Taken(format!("{list:?}")))
        }
    }
}

fn statistics(input: &[u8]) -> Result<Verdict, String> {
    const NOW: i64 = 1_790_000_000_000;
    let text = text(input);
    let read = Params::parse(&text, PopulationQuery::PARAMETERS)
        .and_then(|params| PopulationQuery::from_params(&params, NOW));
    match read {
        Err(problem) => refused(&problem),
        Ok(asked) => Ok(Verdict::Taken(format!("{asked:?}"))),
    }
}

/// A problem must be whole whatever it is about.
pub fn refused(problem: &Problem) -> Result<Verdict, String> {
    let json = problem.to_json();
    let read: Result<serde_json::Value, _> = serde_json::from_str(&json);
    let status = read.ok().and_then(|read| read.get("status")?.as_u64());
    same(
        "the status told",
        &status,
        &Some(u64::from(problem.status())),
    )?;
    if !(400..500).contains(&problem.status()) {
        return Err(format!("an input's fault is no {}", problem.status()));
    }
    Ok(Verdict::Refused(json))
}
