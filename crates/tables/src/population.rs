//! The query for the populations of places. The gateway renders the query as a URL, and the people
//! worker parses it. So both use one definition.

use crate::Cursor;
use crate::page::PageSize;
use domain::Moment;
use domain::id::Ids;
use domain::{Param, param::PositiveInteger};
use http_semantics::Problem;
use http_semantics::params::{Params, parse_moment};

/// The number that places are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// The number of living people.
    Living,
    /// The number of dead people.
    Dead,
    /// The number of people.
    Total,
}

impl Measure {
    /// All numbers.
    pub const ALL: [Self; 3] = [Self::Living, Self::Dead, Self::Total];

    /// The first letter of a cursor in the order of the number.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Living => 'l',
            Self::Dead => 'd',
            Self::Total => 't',
        }
    }

    /// The number, from the numbers of living and dead people.
    #[must_use]
    pub fn of(self, living: i64, dead: i64) -> i64 {
        match self {
            Self::Living => living,
            Self::Dead => dead,
            Self::Total => living + dead,
        }
    }
}

/// The order of the places. Places with equal numbers are sorted by id. A descending order is the
/// reverse of the ascending one, so one index serves both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By id.
    #[default]
    Id,
    /// By id, the greatest first.
    IdDown,
    /// By number, the smallest first.
    Up(Measure),
    /// By number, the greatest first.
    Down(Measure),
}

impl Order {
    /// All orders, with their names in a query.
    pub const ALL: [(&'static str, Self); 8] = [
        ("id", Self::Id),
        ("-id", Self::IdDown),
        ("living", Self::Up(Measure::Living)),
        ("-living", Self::Down(Measure::Living)),
        ("dead", Self::Up(Measure::Dead)),
        ("-dead", Self::Down(Measure::Dead)),
        ("total", Self::Up(Measure::Total)),
        ("-total", Self::Down(Measure::Total)),
    ];

    /// Whether the greatest comes first.
    #[must_use]
    pub fn is_descending(self) -> bool {
        matches!(self, Self::IdDown | Self::Down(_))
    }

    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = Self::ALL.iter().find(|(_, order)| *order == self);
        known.map_or("id", |(name, _)| name)
    }

    /// The number that the order sorts by, unless it sorts by id.
    #[must_use]
    pub fn measure(self) -> Option<Measure> {
        match self {
            Self::Id | Self::IdDown => None,
            Self::Up(measure) | Self::Down(measure) => Some(measure),
        }
    }
}

impl Param for Order {
    const EXPECTED: &'static str = "id, -id, living, -living, dead, -dead, total or -total";

    fn parse(text: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known.map(|(_, order)| *order)
    }
}

/// The position of a place in an order: a page begins after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The number of people that the order sorts by, or 0 if it sorts by id.
    pub number: i64,
    /// The id of the place.
    pub place: i64,
}

/// A query for populations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PopulationQuery {
    /// The maximum number of places.
    pub limit: PageSize,
    /// The last place of the page before.
    pub after: Option<Position>,
    /// The order.
    pub order: Order,
    /// The minimum number of living people.
    pub least: Option<i64>,
    /// The time, if not now.
    pub as_of: Option<Moment>,
    /// The only places to include.
    pub ids: Option<Ids>,
}

impl PopulationQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "sort", "least", "asOf", "ids"];

    /// Parses the query. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// An invalid value, or a cursor of another order.
    pub fn from_params(params: &Params, now: i64) -> Result<Self, Problem> {
        let order: Order = params.get("sort")?.unwrap_or_default();
        let position = |cursor: Cursor| {
            Self::position_of(order, &cursor)
                .ok_or_else(|| Problem::invalid_parameter("after", Cursor::EXPECTED))
        };
        let ids: Option<Ids> = params.get("ids")?;
        Ok(Self {
            limit: params.get("limit")?.unwrap_or_default(),
            after: params.get("after")?.map(position).transpose()?,
            ids,
            order,
            least: params.get("least")?.map(PositiveInteger::get),
            as_of: parse_moment(params, "asOf", now)?,
        })
    }

    /// The position of a cursor, if the cursor belongs to the order.
    #[must_use]
    pub fn position_of(order: Order, cursor: &Cursor) -> Option<Position> {
        match (order.measure(), cursor) {
            (None, Cursor::Id(place)) => Some(Position {
                number: 0,
                place: *place,
            }),
            (Some(expected), Cursor::Population(measure, number, place)) => (expected == *measure)
                .then_some(Position {
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
            Some(measure) => Cursor::Population(measure, position.number, position.place),
        }
    }

    /// The path and query of the request to the people backend.
    #[must_use]
    pub fn path(&self) -> String {
        ["/v1/people/population?", &self.to_query()].concat()
    }

    /// The query of the request to the people backend.
    #[must_use]
    pub fn to_query(&self) -> String {
        let parameter = |name, value: Option<String>| {
            let parameter = value.map(|value| format!("&{name}={value}"));
            parameter.unwrap_or_default()
        };
        let after = self.after.map(|after| self.cursor(after).to_string());
        [
            format!("limit={}", self.limit.get()),
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

    fn parse(query: &str) -> Result<PopulationQuery, Problem> {
        PopulationQuery::from_params(&Params::parse(query, PopulationQuery::PARAMETERS)?, NOW)
    }

    #[test]
    fn a_rendered_query_parses_to_the_same_query() -> Result<(), Problem> {
        for (_, order) in Order::ALL {
            let original = PopulationQuery {
                limit: PageSize::default(),
                after: Some(Position {
                    number: if order.measure().is_none() { 0 } else { 7 },
                    place: 3,
                }),
                order,
                least: Some(2),
                as_of: Moment::parse("2026-01-31T12:00:00.5Z"),
                ids: Ids::parse("3,7"),
            };
            let path = original.path();
            let (_, query) = path.split_once('?').unwrap_or_default();
            assert_eq!(parse(query)?, original);
        }
        assert_eq!(parse("")?, PopulationQuery::default());
        Ok(())
    }

    #[test]
    fn an_order_has_a_number_and_a_direction() {
        for (name, number, is_descending) in [
            ("id", None, false),
            ("-id", None, true),
            ("living", Some(5), false),
            ("-living", Some(5), true),
            ("dead", Some(3), false),
            ("-dead", Some(3), true),
            ("total", Some(8), false),
            ("-total", Some(8), true),
        ] {
            let order = Order::parse(name).unwrap();
            let found = order.measure().map(|measure| measure.of(5, 3));
            assert_eq!((found, order.is_descending()), (number, is_descending));
        }
    }

    #[test]
    fn an_invalid_parameter_is_named() {
        for (query, parameter) in [
            ("limit=0", "limit"),
            ("sort=name", "sort"),
            ("ids=0", "ids"),
            ("least=0", "least"),
            ("least=9007199254740992", "least"),
            ("least=-1", "least"),
            ("asOf=2033-05-18T03:33:21Z", "asOf"),
            ("asOf=yesterday", "asOf"),
            ("after=6c37", "after"),
            ("after=6c372e33", "after"),
            ("sort=dead&after=6c372e33", "after"),
            ("sort=total&after=64372e33", "after"),
            ("sort=-living&after=74372e33", "after"),
            ("sort=living&after=6933", "after"),
            ("sort=living&after=6e313a61", "after"),
        ] {
            let problem = parse(query).map_or_else(|problem| problem.to_json(), |_| String::new());
            assert!(
                problem.contains(&format!("\"parameter\":\"{parameter}\"")),
                "{query}: {problem}"
            );
        }
    }
}
