//! Builds a page of statistics from the responses of both backends.
//!
//! | order | source of the rows |
//! |---|---|
//! | by id | a merge join of places and populations |
//! | by population | the populations in this order, and then the names of their places |
//! | by population, places without people | a merge join that keeps only these places |
//!
//! The people service does not know the places without people. They come first in an ascending
//! order and last in a descending order. So a page may read two sources, and its cursor says in
//! which of them it ended. If the first step has read all places and all populations, they are sorted here
//! ([`in_order`]), and the page is complete.
//!
//! Each step reads a limited number of records, so a page may have fewer rows than its limit. While
//! a client reads the pages of an order by population, a population may change. Then the client may
//! see its place twice or never. This is true of any order by a value that changes. With `asOf`, no
//! value changes.

use std::collections::HashMap;

use domain::{PlaceId, id};
use tables::Cursor;
use tables::page::PageSize;
use tables::population::{Order, PopulationQuery, Position};

use super::{NamedPlace, Population, Row};

/// A page of a backend's records.
#[derive(Debug)]
pub struct Part<T> {
    /// The records.
    pub records: Vec<T>,
    /// The cursor of the next page. A backend that has skipped many records sends a short page, so
    /// the cursor may be far after the last record.
    pub next: Option<Cursor>,
}

/// The source of the next rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// All places, by id.
    Places,
    /// The places without people, by id.
    EmptyPlaces,
    /// The populations, in the requested order.
    PopulationQuery,
}

/// The position after all places without people in an ascending order: no place has a higher id.
const AFTER_EMPTY_PLACES: Position = Position {
    number: 0,
    place: PlaceId::MAX_ID,
};

/// The position before all places without people in a descending order: no place has this id.
const BEFORE_EMPTY_PLACES: Position = Position {
    number: 0,
    place: 0,
};

/// A page that is being built.
#[derive(Debug)]
pub struct StatisticsPageBuilder {
    query: PopulationQuery,
    /// The source of the next rows. None after the last row.
    source: Option<Source>,
    after: Option<Position>,
    rows: Vec<Row>,
}

impl StatisticsPageBuilder {
    /// An empty page.
    #[must_use]
    pub fn new(query: PopulationQuery) -> Self {
        // In an order by population, the cursor of a place without people has the number 0.
        let after_empty = query.after.is_some_and(|after| after.number == 0);
        let source = match (query.order, query.least) {
            (Order::Id | Order::IdDown, None) => Source::Places,
            (Order::Up(_), None) if query.after.is_none() => Source::EmptyPlaces,
            (Order::Up(_), None) if after_empty && query.after != Some(AFTER_EMPTY_PLACES) => {
                Source::EmptyPlaces
            }
            (Order::Down(_), None) if after_empty => Source::EmptyPlaces,
            _ => Source::PopulationQuery,
        };
        Self {
            source: Some(source),
            after: query.after,
            rows: Vec::new(),
            query,
        }
    }

    /// Whether the next step reads populations, whose places are not known yet. It then reads the first
    /// places ahead.
    #[must_use]
    pub fn reads_places_ahead(&self) -> bool {
        self.source == Some(Source::PopulationQuery)
    }

    /// The paths of the next step, for both backends in parallel. None if the page is complete. `ahead` is
    /// the number of places to read ahead.
    #[must_use]
    pub fn paths(&self, ahead: PageSize) -> Option<[String; 2]> {
        let limit = PageSize::new(i64::try_from(self.missing_rows()).ok()?)?;
        let after = self.after.map(|after| after.place).filter(|id| *id > 0);
        let order = if self.query.order.is_descending() {
            Order::IdDown
        } else {
            Order::Id
        };
        let by_id = |limit| {
            let populations = PopulationQuery {
                limit,
                after: after.map(|place| Position { number: 0, place }),
                as_of: self.query.as_of.clone(),
                order,
                ..PopulationQuery::default()
            };
            let sort = if order == Order::IdDown {
                "&sort=-id"
            } else {
                ""
            };
            let after = after.map(|after| format!("&after={}", Cursor::Id(after)));
            let after = after.unwrap_or_default();
            let page = format!("limit={}{sort}{after}", limit.get());
            [self.places_path(&page), populations.path()]
        };
        Some(match self.source? {
            Source::Places => by_id(limit),
            Source::EmptyPlaces => by_id(PageSize::new(1000)?),
            Source::PopulationQuery => {
                let people = PopulationQuery {
                    limit,
                    after: self.after,
                    ..self.query.clone()
                };
                let ahead = format!("limit={}", ahead.get());
                [self.places_path(&ahead), people.path()]
            }
        })
    }

    /// The paths of the places of these populations whose names are needed, besides `places`.
    #[must_use]
    pub fn names_paths(
        &self,
        places: &Part<NamedPlace>,
        populations: &[Population],
    ) -> Vec<String> {
        if !self.reads_places_ahead() {
            return Vec::new();
        }
        let lists = missing_places(places, populations).into_iter();
        lists
            .map(|ids| self.places_path(&format!("limit=1000&ids={ids}")))
            .collect()
    }

    /// Adds the responses of a step.
    pub fn add_step(&mut self, places: Part<NamedPlace>, populations: Part<Population>) {
        if self.is_everything(&places, &populations) {
            let rows = with_populations(places.records, populations.records, 0);
            (self.rows, self.after) = in_order(rows, &self.query);
            if self.after.is_none() {
                self.source = None;
            }
            return;
        }
        let (rows, next) = if self.reads_places_ahead() {
            let Part { mut records, next } = populations;
            let order = self.query.order;
            let mut next = next.and_then(|next| PopulationQuery::position_of(order, &next));
            if order.measure().is_some() {
                // Places without people who count come from `Source::EmptyPlaces`. They follow all
                // others, or the page begins after them.
                records.retain(|population| sort_value(order, population) > 0);
                next = next.filter(|next| next.number > 0);
            }
            (with_names(places.records, records), next)
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

    /// The number of rows that the page may still have.
    fn missing_rows(&self) -> usize {
        usize::from(self.query.limit.get()) - self.rows.len()
    }

    /// Whether the first step of an order by population has read all places and all populations.
    fn is_everything(&self, places: &Part<NamedPlace>, populations: &Part<Population>) -> bool {
        self.query.order.measure().is_some()
            && self.query.least.is_none()
            && self.after.is_none()
            && places.next.is_none()
            && populations.next.is_none()
    }

    fn places_path(&self, query: &str) -> String {
        match &self.query.as_of {
            None => format!("/v1/places?{query}"),
            Some(time) => format!("/v1/places/as-of?asOf={time}&{query}"),
        }
    }

    /// The rows of both ranges, up to the end of the range that ends first, and the next position.
    fn merge_ranges(
        &self,
        places: Part<NamedPlace>,
        populations: Part<Population>,
    ) -> (Vec<Row>, Option<Position>) {
        let ends = [places.next, populations.next];
        let is_descending = self.query.order.is_descending();
        let ends = ends.into_iter().flatten().map(|next| next.id());
        let through = if is_descending {
            ends.max()
        } else {
            ends.min()
        };
        let is_before = |one: i64, other: i64| {
            if is_descending {
                one > other
            } else {
                one < other
            }
        };
        let mut rows = merge_join(places.records, populations.records, through, is_before);
        if self.source == Some(Source::EmptyPlaces) {
            rows.retain(|row| {
                let population = row.population.as_ref();
                population.is_none_or(|population| sort_value(self.query.order, population) == 0)
            });
        }
        let last_row = if rows.len() > self.missing_rows() {
            rows.truncate(self.missing_rows());
            rows.last().map(|row| row.place.id)
        } else {
            through
        };
        let next = last_row.map(|place| Position { number: 0, place });
        (rows, next)
    }

    /// Continues with the other source of the order, if there is one.
    fn next_source(&mut self) {
        (self.source, self.after) = match (self.source, self.query.order, self.query.least) {
            (Some(Source::EmptyPlaces), Order::Up(_), _) => {
                (Some(Source::PopulationQuery), Some(AFTER_EMPTY_PLACES))
            }
            (Some(Source::PopulationQuery), Order::Down(_), None) => {
                (Some(Source::EmptyPlaces), Some(BEFORE_EMPTY_PLACES))
            }
            _ => (None, None),
        };
    }
}

/// Joins places and populations, both in the order `is_before`, up to the place `through`. Both
/// inputs are complete up to there. A population without a place is skipped.
fn merge_join(
    places: Vec<NamedPlace>,
    populations: Vec<Population>,
    through: Option<i64>,
    is_before: impl Fn(i64, i64) -> bool,
) -> Vec<Row> {
    let mut populations = populations.into_iter().peekable();
    let places = places
        .into_iter()
        .take_while(|place| through.is_none_or(|last| !is_before(last, place.id)));
    let row = |place: NamedPlace| {
        while populations
            .next_if(|next| is_before(next.place_id, place.id))
            .is_some()
        {}
        let population = populations.next_if(|next| next.place_id == place.id);
        Row { place, population }
    };
    places.map(row).collect()
}

/// The places in their order, with their populations. Places with fewer living people are left out.
#[must_use]
pub fn with_populations(
    places: Vec<NamedPlace>,
    populations: Vec<Population>,
    min_living: i64,
) -> Vec<Row> {
    let ids = populations.into_iter().map(|found| (found.place_id, found));
    let mut populations: HashMap<i64, Population> = ids.collect();
    let row = |place: NamedPlace| {
        let population = populations.remove(&place.id);
        let living = population
            .as_ref()
            .map_or(0, |population| population.living);
        (living >= min_living).then_some(Row { place, population })
    };
    places.into_iter().filter_map(row).collect()
}

/// The populations in their order, with the names of the places. A population without a place is
/// skipped.
#[must_use]
pub fn with_names(places: Vec<NamedPlace>, populations: Vec<Population>) -> Vec<Row> {
    let mut places: HashMap<i64, NamedPlace> =
        places.into_iter().map(|place| (place.id, place)).collect();
    let row = |population: Population| {
        Some(Row {
            place: places.remove(&population.place_id)?,
            population: Some(population),
        })
    };
    populations.into_iter().filter_map(row).collect()
}

/// The page of a query in an order by population, of all places, and the position before the next page.
#[must_use]
pub fn in_order(all: Vec<Row>, query: &PopulationQuery) -> (Vec<Row>, Option<Position>) {
    let limit = usize::from(query.limit.get());
    let is_descending = query.order.is_descending();
    let key = |row: &Row| {
        let population = row.population.as_ref();
        let number = population.map_or(0, |population| sort_value(query.order, population));
        (number, row.place.id)
    };
    let is_before = |one, other| {
        if is_descending {
            one > other
        } else {
            one < other
        }
    };
    let after = query.after.map(|after| (after.number, after.place));
    // The first rows, with one after the page. They are few, and to insert takes less code than to sort.
    let mut rows: Vec<Row> = Vec::new();
    for row in all {
        let this = key(&row);
        if after.is_none_or(|after| is_before(after, this)) {
            let at = rows.partition_point(|other| is_before(key(other), this));
            rows.insert(at, row);
            rows.truncate(limit + 1);
        }
    }
    if rows.len() <= limit {
        return (rows, None);
    }
    rows.truncate(limit);
    let next = rows.last().map(key);
    let next = next.map(|(number, place)| Position { number, place });
    (rows, next)
}

/// Lists of the ids of the populations whose places are not among those that have been read.
#[must_use]
pub fn missing_places(places: &Part<NamedPlace>, populations: &[Population]) -> Vec<String> {
    if places.next.is_none() {
        return Vec::new();
    }
    let ids = populations.iter().map(|population| population.place_id);
    id::lists(ids.filter(|id| places.records.iter().all(|place| place.id != *id)))
}

/// The number that an order sorts by.
fn sort_value(order: Order, population: &Population) -> i64 {
    let measure = order.measure();
    measure.map_or(0, |measure| measure.of(population.living, population.dead))
}
