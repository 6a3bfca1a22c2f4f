//! Builds a page of statistics from the responses of both services.
//!
//! In order of id, a page is a merge of two ranges. In order of population, the people service
//! gives the order and the places service gives the names. The people service does not count
//! empty places, so those are found by scanning all places past all populations. They are at one
//! end of the order. A page has one part or two, and its cursor tells which part it ended in.
//!
//! Each step reads a bounded amount, so a page of few steps may hold fewer rows than its limit.
//! If a place is created, deleted or changes size during a walk over pages, the walk may show it
//! twice or never, as in any order of a value that changes. With `asOf` nothing changes.

use std::collections::HashMap;

use domain::PlaceId;
use tables::Cursor;
use tables::page::{MAX_PAGE_SIZE, PageSize};
use tables::population::{Measure, Order, PopulationQuery, Position};

use super::{Place, Population, Row};

/// Records of a service, and whether more follow.
#[derive(Debug)]
pub struct Part<T> {
    /// The records.
    pub records: Vec<T>,
    /// Whether there are more.
    pub has_more: bool,
}

/// The source of the next rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// All places, by id.
    Places,
    /// The empty places, by id.
    EmptyPlaces,
    /// The populations, in the requested order.
    Populations,
}

/// A page that is being built.
#[derive(Debug)]
pub struct StatisticsPageBuilder {
    query: PopulationQuery,
    /// The source of the next rows: none after the last row.
    source: Option<Source>,
    after: Option<Position>,
    rows: Vec<Row>,
}

impl StatisticsPageBuilder {
    /// An empty page.
    #[must_use]
    pub fn new(query: PopulationQuery) -> Self {
        let is_counted = query.after.is_some_and(|after| after.number > 0);
        let is_after_all = query
            .after
            .is_some_and(|after| after.place == PlaceId::MAX_ID);
        let source = match (query.order, query.least) {
            (Order::Id, None) => Source::Places,
            (Order::Up(_), None) if !is_counted && !is_after_all => Source::EmptyPlaces,
            (Order::Down(_), None) if !is_counted && query.after.is_some() => Source::EmptyPlaces,
            _ => Source::Populations,
        };
        Self {
            source: Some(source),
            after: query.after,
            rows: Vec::new(),
            query,
        }
    }

    /// What to query both services for at once, if the page wants more: places, and populations.
    #[must_use]
    pub fn paths(&self) -> Option<[String; 2]> {
        let left = usize::from(self.query.limit.get()) - self.rows.len();
        let limit = PageSize::new(i64::try_from(left).ok()?)?;
        let after = self.after.map_or(0, |after| after.place);
        let by_id = |limit| {
            let populations = PopulationQuery {
                limit,
                after: Some(Position {
                    number: 0,
                    place: after,
                }),
                as_of: self.query.as_of.clone(),
                ..PopulationQuery::default()
            };
            let page = format!("limit={}&after={}", limit.get(), Cursor::Id(after));
            [self.places(&page), populations.path()]
        };
        Some(match self.source? {
            Source::Places => by_id(limit),
            Source::EmptyPlaces => by_id(PageSize::MAX),
            Source::Populations => {
                let people = PopulationQuery {
                    limit,
                    after: self.after,
                    least: self.least(),
                    ..self.query.clone()
                };
                // The populations name the places. This request only reads the change sequence.
                [self.places("limit=1"), people.path()]
            }
        })
    }

    /// The path of the names of these populations, if they are needed.
    #[must_use]
    pub fn names(&self, populations: &[Population]) -> Option<String> {
        if self.source != Some(Source::Populations) || populations.is_empty() {
            return None;
        }
        let ids: Vec<String> = populations
            .iter()
            .map(|one| one.place_id.to_string())
            .collect();
        let page = format!("limit={MAX_PAGE_SIZE}&ids={}", ids.join(","));
        Some(self.places(&page))
    }

    /// Adds the responses of a step.
    pub fn add(&mut self, places: Part<Place>, populations: Part<Population>) {
        let (rows, next) = if self.source == Some(Source::Populations) {
            let next = populations.records.last().filter(|_| populations.has_more);
            let next = next.map(|last| self.position(last));
            (with_names(places.records, populations.records), next)
        } else {
            self.merge_ranges(places, populations)
        };
        self.rows.extend(rows);
        match next {
            Some(after) => self.after = Some(after),
            None => self.next_source(),
        }
    }

    /// The rows, and the cursor of the next page, if there is one.
    #[must_use]
    pub fn into_page(self) -> (Vec<Row>, Option<Cursor>) {
        let next = self.source.and(self.after);
        let cursor = next.map(|after| self.query.cursor(after));
        (self.rows, cursor)
    }

    /// Empty places are not among the populations, so an order by the living starts at 1.
    fn least(&self) -> Option<i64> {
        let is_by_living = self.query.order.measure() == Some(Measure::Living);
        self.query.least.or(is_by_living.then_some(1))
    }

    fn places(&self, query: &str) -> String {
        match &self.query.as_of {
            None => format!("/v1/places?{query}"),
            Some(moment) => format!("/v1/places/as-of?asOf={moment}&{query}"),
        }
    }

    fn position(&self, population: &Population) -> Position {
        Position {
            number: self.number(population),
            place: population.place_id,
        }
    }

    fn number(&self, population: &Population) -> i64 {
        match self.query.order.measure() {
            None => 0,
            Some(Measure::Living) => population.living,
            Some(Measure::Total) => population.living + population.dead,
        }
    }

    /// The rows of both ranges up to the end of the shorter one, and the next position.
    fn merge_ranges(
        &self,
        places: Part<Place>,
        populations: Part<Population>,
    ) -> (Vec<Row>, Option<Position>) {
        let end = |last: Option<i64>, has_more: bool| last.filter(|_| has_more);
        let last_place = places.records.last().map(|place| place.id);
        let last_population = populations.records.last().map(|one| one.place_id);
        let ends = [
            end(last_place, places.has_more),
            end(last_population, populations.has_more),
        ];
        let through = ends.into_iter().flatten().min();
        let mut rows = merged(places.records, populations.records, through);
        if self.source == Some(Source::EmptyPlaces) {
            rows.retain(|row| {
                row.population
                    .as_ref()
                    .is_none_or(|one| self.number(one) == 0)
            });
        }
        let left = usize::from(self.query.limit.get()) - self.rows.len();
        let last_shown = if rows.len() > left {
            rows.truncate(left);
            rows.last().map(|row| row.place.id)
        } else {
            through
        };
        let next = last_shown.map(|place| Position { number: 0, place });
        (rows, next)
    }

    /// Continues with the other part of the order, if there is one.
    fn next_source(&mut self) {
        let (source, place) = match (self.source, self.query.order, self.query.least) {
            (Some(Source::EmptyPlaces), Order::Up(_), _) => {
                (Some(Source::Populations), PlaceId::MAX_ID)
            }
            (Some(Source::Populations), Order::Down(_), None) => (Some(Source::EmptyPlaces), 0),
            _ => (None, 0),
        };
        self.source = source;
        self.after = Some(Position { number: 0, place });
    }
}

/// Merges places and populations, both in order of id, up to the place `through`, to which both
/// are complete. A population without a place is skipped.
fn merged(places: Vec<Place>, populations: Vec<Population>, through: Option<i64>) -> Vec<Row> {
    let mut populations = populations.into_iter().peekable();
    let known = places
        .into_iter()
        .take_while(|place| through.is_none_or(|last| place.id <= last));
    let row = |place: Place| {
        while populations.next_if(|one| one.place_id < place.id).is_some() {}
        let population = populations.next_if(|one| one.place_id == place.id);
        Row { place, population }
    };
    known.map(row).collect()
}

/// The populations in their order, with the names of the places. A population without a place is
/// skipped.
fn with_names(places: Vec<Place>, populations: Vec<Population>) -> Vec<Row> {
    let mut places: HashMap<i64, Place> =
        places.into_iter().map(|place| (place.id, place)).collect();
    let row = |one: Population| {
        let place = places.remove(&one.place_id)?;
        let population = Some(one);
        Some(Row { place, population })
    };
    populations.into_iter().filter_map(row).collect()
}
