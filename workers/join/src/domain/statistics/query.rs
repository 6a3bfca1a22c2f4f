//! Parses the query of the statistics, and decides which reads its order needs ([`Plan`]).

use domain::name::{Normalize, SearchWords, case_key, search_key};
use domain::param::PositiveInteger;
use domain::{Moment, Param};
use http_semantics::params::parse_moment;
use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::{PageSize, Sort, SortKey};
use tables::population::{Measure, Order, PopulationQuery};

use super::NamedPlace;

/// The order of the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatisticsSort {
    /// By name.
    Name {
        /// Whether the greatest comes first.
        descending: bool,
    },
    /// By id or by a number of people.
    Population(Order),
}

impl Default for StatisticsSort {
    fn default() -> Self {
        Self::Population(Order::Id)
    }
}

impl StatisticsSort {
    /// All orders, with their names in a query. A share is the number of the living, divided by the
    /// same number for all places.
    pub const ALL: [(&'static str, Self); 12] = [
        ("id", Self::Population(Order::Id)),
        ("-id", Self::Population(Order::IdDown)),
        ("name", Self::Name { descending: false }),
        ("-name", Self::Name { descending: true }),
        ("living", Self::Population(Order::Up(Measure::Living))),
        ("-living", Self::Population(Order::Down(Measure::Living))),
        ("dead", Self::Population(Order::Up(Measure::Dead))),
        ("-dead", Self::Population(Order::Down(Measure::Dead))),
        ("total", Self::Population(Order::Up(Measure::Total))),
        ("-total", Self::Population(Order::Down(Measure::Total))),
        ("share", Self::Population(Order::Up(Measure::Living))),
        ("-share", Self::Population(Order::Down(Measure::Living))),
    ];

    /// Whether a cursor is one of this order.
    #[must_use]
    pub fn accepts(self, cursor: &Cursor) -> bool {
        match self {
            Self::Name { .. } => matches!(cursor, Cursor::Name { .. }),
            Self::Population(order) => PopulationQuery::position_of(order, cursor).is_some(),
        }
    }
}

impl Param for StatisticsSort {
    const EXPECTED: &'static str =
        "id, name, living, dead, total or share, or one of them after a minus sign";

    fn parse(text: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known.map(|(_, sort)| *sort)
    }
}

/// The query of `GET /v1/statistics/places`.
#[derive(Debug, Clone, Default)]
pub struct StatisticsQuery {
    /// The maximum number of places.
    pub limit: PageSize,
    /// The last place of the page before.
    pub after: Option<Cursor>,
    /// The order.
    pub sort: StatisticsSort,
    /// The minimum number of living people.
    pub least: Option<i64>,
    /// The time, if not now.
    pub as_of: Option<Moment>,
    /// The text of a search in the names.
    pub search: Option<String>,
}

/// The reads that make a page.
#[derive(Debug)]
pub enum Plan {
    /// Ranges of both services, merged ([`super::StatisticsPageBuilder`]).
    Ranges(PopulationQuery),
    /// Pages of places in the order of the query, then their populations.
    Places(Sort),
    /// The ids of all matches, then the page of their populations in an order that only the people
    /// service knows, then the names. If all places that match and all populations are few, only these.
    Matches(Order),
}

impl StatisticsQuery {
    /// The parameters of a page.
    pub const PARAMETERS: &[&str] = &["limit", "after", "sort", "q", "least", "asOf", "format"];

    /// The parameters of an export.
    pub const EXPORT_PARAMETERS: &[&str] = &["after", "q", "least", "asOf", "format"];

    /// Parses the query. `now` is in milliseconds since 1970.
    ///
    /// # Errors
    /// An invalid value, or a cursor of another order.
    pub fn from_params(params: &Params, now: i64, normalize: Normalize) -> Result<Self, Problem> {
        let sort: StatisticsSort = params.get("sort")?.unwrap_or_default();
        let after: Option<Cursor> = params.get("after")?;
        if after.as_ref().is_some_and(|cursor| !sort.accepts(cursor)) {
            return Err(Problem::invalid_parameter("after", Cursor::EXPECTED));
        }
        let is_search = |text: &str| SearchWords::new(text, normalize).is_some();
        let search = |text: &str| is_search(text).then(|| text.to_owned());
        Ok(Self {
            limit: params.get("limit")?.unwrap_or_default(),
            after,
            sort,
            least: params.get("least")?.map(PositiveInteger::get),
            as_of: parse_moment(params, "asOf", now)?,
            search: params.parse_value("q", SearchWords::EXPECTED, search)?,
        })
    }

    /// The reads of a page.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let places = |key, descending| Plan::Places(Sort { key, descending });
        match self.sort {
            StatisticsSort::Name { descending } => places(SortKey::Name, descending),
            StatisticsSort::Population(order) => match order.measure() {
                None if self.search.is_some() => places(SortKey::Id, order.is_descending()),
                // No index has the numbers of the dead.
                Some(Measure::Dead) => Plan::Matches(order),
                Some(_) if self.search.is_some() => Plan::Matches(order),
                _ => Plan::Ranges(self.populations(order)),
            },
        }
    }

    /// The query for the populations in an order.
    #[must_use]
    pub fn populations(&self, order: Order) -> PopulationQuery {
        let after = self.after.as_ref();
        PopulationQuery {
            limit: self.limit,
            after: after.and_then(|after| PopulationQuery::position_of(order, after)),
            order,
            least: self.least,
            as_of: self.as_of.clone(),
            ids: None,
        }
    }

    /// The path of the populations of listed places.
    #[must_use]
    pub fn listed_path(populations: &PopulationQuery) -> String {
        ["/internal/population?", &populations.to_query()].concat()
    }

    /// The path of the ids of all matches.
    #[must_use]
    pub fn matches_path(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(time) = &self.as_of {
            query.append_pair("asOf", &time.to_string());
        }
        if let Some(text) = &self.search {
            query.append_pair("q", text);
        }
        ["/internal/matches?", &query.finish()].concat()
    }

    /// The path of a page of the places that match.
    #[must_use]
    pub fn places_path(&self, limit: PageSize, parameters: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let path = match &self.as_of {
            None => "/v1/places?",
            Some(time) => {
                query.append_pair("asOf", &time.to_string());
                "/v1/places/as-of?"
            }
        };
        query.append_pair("limit", &limit.get().to_string());
        if let Some(text) = &self.search {
            query.append_pair("q", text);
        }
        query.extend_pairs(parameters);
        [path, &query.finish()].concat()
    }

    /// The cursor after a place, in an order of places.
    #[must_use]
    pub fn cursor_after(place: &NamedPlace, sort: Sort, normalize: Normalize) -> Cursor {
        match sort.key {
            SortKey::Id => Cursor::Id(place.id),
            SortKey::Name => Cursor::Name {
                key: search_key(&case_key(&place.name, normalize), normalize),
                name: place.name.clone(),
                id: place.id,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<StatisticsQuery, Problem> {
        let params = Params::parse(query, StatisticsQuery::PARAMETERS)?;
        StatisticsQuery::from_params(&params, 4_000_000_000_000, Normalize::NONE)
    }

    #[test]
    fn only_orders_with_an_index_and_without_a_search_are_merged_from_ranges() {
        for (sort, _) in StatisticsSort::ALL {
            for filter in ["", "&least=2", "&q=ana", "&q=ana&asOf=2026-01-31"] {
                let query = format!("sort={sort}{filter}");
                let plan = parse(&query).unwrap().plan();
                let (key, is_search) = (sort.trim_start_matches('-'), filter.contains("q="));
                let is_expected = match plan {
                    Plan::Ranges(_) => key != "name" && key != "dead" && !is_search,
                    Plan::Places(_) => key == "name" || key == "id" && is_search,
                    Plan::Matches(_) => key == "dead" || key != "id" && key != "name" && is_search,
                };
                assert!(is_expected, "{query}: {plan:?}");
            }
        }
    }

    #[test]
    fn every_read_of_places_has_the_search_and_the_time() {
        let query = parse("q=M%C3%A1s+all%26&asOf=2026-01-31T12:00:00Z").unwrap();
        let filters = "asOf=2026-01-31T12%3A00%3A00Z";
        let search = "q=M%C3%A1s+all%26";
        let path = query.places_path(PageSize::MAX, &[("sort", "-name"), ("ids", "1,2")]);
        let expected = "limit=1000&q=M%C3%A1s+all%26&sort=-name&ids=1%2C2";
        assert_eq!(path, format!("/v1/places/as-of?{filters}&{expected}"));
        assert_eq!(
            query.matches_path(),
            format!("/internal/matches?{filters}&{search}")
        );
        let present = parse("q=a").unwrap().places_path(PageSize::MAX, &[]);
        assert_eq!(present, "/v1/places?limit=1000&q=a");
    }

    #[test]
    fn a_cursor_of_another_order_is_rejected() {
        let place = NamedPlace {
            id: 3,
            name: "A".to_owned(),
        };
        let cursor = |key| {
            let sort = Sort {
                key,
                descending: false,
            };
            StatisticsQuery::cursor_after(&place, sort, Normalize::NONE)
        };
        let cursors = [
            ("id", cursor(SortKey::Id)),
            ("name", cursor(SortKey::Name)),
            ("share", Cursor::Population(Measure::Living, 7, 3)),
            ("dead", Cursor::Population(Measure::Dead, 7, 3)),
            ("total", Cursor::Population(Measure::Total, 7, 3)),
        ];
        for (sort, cursor) in &cursors {
            for (other, _) in &cursors {
                let is_accepted = parse(&format!("sort={other}&after={cursor}")).is_ok();
                assert_eq!(is_accepted, sort == other, "{cursor} in {other}");
                // The pages read the previous page in the reverse order.
                let is_accepted = parse(&format!("sort=-{other}&after={cursor}")).is_ok();
                assert_eq!(is_accepted, sort == other, "{cursor} in -{other}");
            }
        }
    }
}
