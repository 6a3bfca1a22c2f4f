//! How the populations of places are asked for: the owner of people reads the query that the
//! entry point writes.

use crate::Cursor;
use crate::page::PageSize;
use domain::ids::Ids;
use domain::{Moment, PlaceId};
use domain::{Param, param::parse_positive_integer};
use http_semantics::Problem;
use http_semantics::params::{Params, parse_as_of};

/// What a place is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Its living people.
    Living,
    /// All its people.
    Total,
}

/// The order of the places; equals are in order of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By id.
    #[default]
    Id,
    /// The fewest first.
    Up(Measure),
    /// The most first.
    Down(Measure),
}

impl Order {
    /// The orders there are, with their spelling in a query.
    pub const ALL: [(&'static str, Self); 5] = [
        ("id", Self::Id),
        ("living", Self::Up(Measure::Living)),
        ("-living", Self::Down(Measure::Living)),
        ("total", Self::Up(Measure::Total)),
        ("-total", Self::Down(Measure::Total)),
    ];

    /// The spelling in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(_, order)| *order == self);
        known.map_or("id", |(name, _)| name)
    }

    /// What it counts by, if it does.
    #[must_use]
    pub fn measure(self) -> Option<Measure> {
        match self {
            Self::Id => None,
            Self::Up(measure) | Self::Down(measure) => Some(measure),
        }
    }
}

impl Param for Order {
    const EXPECTED: &'static str = "id, living, -living, total or -total";

    fn parse(text: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known.map(|(_, order)| *order)
    }
}

/// The least living people of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinLiving(pub i64);

impl MinLiving {
    /// The most.
    pub const MAX: i64 = PlaceId::MAX_ID;
}

impl Param for MinLiving {
    const EXPECTED: &'static str = "a whole number from 1 to 9007199254740991";

    fn parse(text: &str) -> Option<Self> {
        parse_positive_integer(text)
            .filter(|least| *least <= Self::MAX)
            .map(Self)
    }
}

/// Where a page goes on: behind a place, and behind all with a smaller number where the order
/// is one of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// What the place is counted at.
    pub number: i64,
    /// The place.
    pub place: i64,
}

/// Which populations, in which order, how many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PopulationQuery {
    /// The most.
    pub limit: PageSize,
    /// The end of the page before.
    pub after: Option<Position>,
    /// The order.
    pub order: Order,
    /// Only places with at least so many living.
    pub least: Option<i64>,
    /// The time, if it is not now.
    pub as_of: Option<Moment>,
    /// Only these places, in order of id.
    pub ids: Option<Ids>,
}

impl PopulationQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "sort", "least", "asOf", "ids"];

    /// Reads the query; `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// A value that cannot be used, or a cursor of another order.
    pub fn from_params(params: &Params, now: i64) -> Result<Self, Problem> {
        let order: Order = params.get("sort")?.unwrap_or_default();
        let position = |cursor: Cursor| {
            Self::behind(order, &cursor)
                .ok_or_else(|| Problem::invalid_parameter("after", Cursor::EXPECTED))
        };
        let ids: Option<Ids> = params.get("ids")?;
        if ids.is_some() && order != Order::Id {
            return Err(Problem::invalid_parameter("sort", "id beside `ids`"));
        }
        Ok(Self {
            limit: params.get("limit")?.unwrap_or_default(),
            after: params.get("after")?.map(position).transpose()?,
            ids,
            order,
            least: params
                .get::<MinLiving>("least")?
                .map(|MinLiving(least)| least),
            as_of: parse_as_of(params, now)?,
        })
    }

    /// The position of a cursor, if it is one of this order.
    #[must_use]
    pub fn behind(order: Order, cursor: &Cursor) -> Option<Position> {
        match (order.measure(), cursor) {
            (None, Cursor::Id(place)) => Some(Position {
                number: 0,
                place: *place,
            }),
            (Some(_), Cursor::Pair(number, place)) => Some(Position {
                number: *number,
                place: *place,
            }),
            _ => None,
        }
    }

    /// The cursor of a position in this order.
    #[must_use]
    pub fn cursor(&self, position: Position) -> Cursor {
        match self.order.measure() {
            None => Cursor::Id(position.place),
            Some(_) => Cursor::Pair(position.number, position.place),
        }
    }

    /// The path of the query.
    #[must_use]
    pub fn path(&self) -> String {
        let parameter = |name, value: Option<String>| {
            let parameter = value.map(|value| format!("&{name}={value}"));
            parameter.unwrap_or_default()
        };
        let after = self.after.map(|after| self.cursor(after).to_string());
        [
            format!("/v1/people/population?limit={}", self.limit.get()),
            parameter("sort", Some(self.order.name().to_owned())),
            parameter("after", after),
            parameter("least", self.least.map(|least| least.to_string())),
            parameter("asOf", self.as_of.as_ref().map(ToString::to_string)),
            parameter("ids", self.ids.as_ref().map(ToString::to_string)),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 2_000_000_000_000;

    fn read(query: &str) -> Result<PopulationQuery, Problem> {
        PopulationQuery::from_params(&Params::parse(query, PopulationQuery::PARAMETERS)?, NOW)
    }

    #[test]
    fn a_query_is_read_as_it_is_written() -> Result<(), Problem> {
        for (_, order) in Order::ALL {
            let asked = PopulationQuery {
                limit: PageSize::default(),
                after: Some(Position {
                    number: if order == Order::Id { 0 } else { 7 },
                    place: 3,
                }),
                order,
                least: Some(2),
                as_of: Moment::parse("2026-01-31T12:00:00.5Z"),
                ids: (order == Order::Id).then(|| Ids::parse("3,7")).flatten(),
            };
            let path = asked.path();
            let (_, query) = path.split_once('?').unwrap_or_default();
            assert_eq!(read(query)?, asked);
        }
        assert_eq!(read("")?, PopulationQuery::default());
        Ok(())
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, parameter) in [
            ("limit=0", "limit"),
            ("sort=name", "sort"),
            ("sort=-id", "sort"),
            ("sort=living&ids=3", "sort"),
            ("ids=0", "ids"),
            ("least=0", "least"),
            ("least=9007199254740992", "least"),
            ("least=-1", "least"),
            ("asOf=2033-05-18T03:33:21Z", "asOf"),
            ("asOf=yesterday", "asOf"),
            ("after=7037", "after"),
            ("after=70372e33", "after"),
            ("sort=living&after=6933", "after"),
            ("sort=living&after=6e313a61", "after"),
        ] {
            let problem = read(query).map_or_else(|problem| problem.to_json(), |_| String::new());
            assert!(
                problem.contains(&format!("\"parameter\":\"{parameter}\"")),
                "{query}: {problem}"
            );
        }
    }
}
