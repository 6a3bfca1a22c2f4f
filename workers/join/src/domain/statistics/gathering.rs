//! A page of statistics on its way.
//!
//! In order of id it is a merge of two ranges, like the join. In order of population only the
//! owner of people can say who is next, and the owner of places gives the names; but nobody
//! counts the places of nobody, so those are found by walking all places past all populations.
//! They stand together, at one end of the order: so a page is made of one part or two, and its
//! cursor tells which one it ended in.
//!
//! Each step asks for so much at most, and a page of few steps may hold less than it could.
//! With a place that comes, goes or grows meanwhile a walk over pages meets it twice or never,
//! as in any order by what changes: as of a time, nothing does.

use std::collections::HashMap;

use domain::PlaceId;
use tables::Cursor;
use tables::page::Limit;
use tables::population::{Measure, Order, Populations, Position};

use super::{Place, Population, Row};

/// Some records of a service, and whether more stand behind them.
#[derive(Debug)]
pub struct Part<T> {
    /// The records.
    pub records: Vec<T>,
    /// Whether there are more.
    pub has_more: bool,
}

/// What the rows of a step are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// All places, by id.
    Places,
    /// The places where nobody is counted, by id.
    Nobody,
    /// The populations, in the order asked for.
    People,
}

/// A page on its way.
#[derive(Debug)]
pub struct Gathering {
    ask: Populations,
    /// Where the next rows come from; none behind the last.
    source: Option<Source>,
    after: Option<Position>,
    rows: Vec<Row>,
}

impl Gathering {
    /// The beginning of a page.
    #[must_use]
    pub fn of(ask: Populations) -> Self {
        let is_counted = ask.after.is_some_and(|after| after.number > 0);
        let is_behind_all = ask.after.is_some_and(|after| after.place == PlaceId::MOST);
        let source = match (ask.order, ask.least) {
            (Order::Id, None) => Source::Places,
            (Order::Up(_), None) if !is_counted && !is_behind_all => Source::Nobody,
            (Order::Down(_), None) if !is_counted && ask.after.is_some() => Source::Nobody,
            _ => Source::People,
        };
        Self {
            source: Some(source),
            after: ask.after,
            rows: Vec::new(),
            ask,
        }
    }

    /// What to ask both services for at once, if the page wants more: places, and populations.
    #[must_use]
    pub fn paths(&self) -> Option<[String; 2]> {
        let left = usize::from(self.ask.limit.get()) - self.rows.len();
        let limit = Limit::new(i64::try_from(left).ok()?)?;
        let after = self.after.map_or(0, |after| after.place);
        let by_id = |limit| {
            let populations = Populations {
                limit,
                after: Some(Position {
                    number: 0,
                    place: after,
                }),
                as_of: self.ask.as_of.clone(),
                ..Populations::default()
            };
            let page = format!("limit={}&after={}", limit.get(), Cursor::Id(after));
            [self.places(&page), populations.path()]
        };
        Some(match self.source? {
            Source::Places => by_id(limit),
            Source::Nobody => by_id(Limit::new(1000)?),
            Source::People => {
                let people = Populations {
                    limit,
                    after: self.after,
                    least: self.least(),
                    ..self.ask.clone()
                };
                // Which places, the answer tells; this says how far their register is.
                [self.places("limit=1"), people.path()]
            }
        })
    }

    /// The path of the names that populations still want.
    #[must_use]
    pub fn names(&self, people: &[Population]) -> Option<String> {
        if self.source != Some(Source::People) || people.is_empty() {
            return None;
        }
        let ids: Vec<String> = people.iter().map(|one| one.place_id.to_string()).collect();
        Some(self.places(&format!("limit=1000&ids={}", ids.join(","))))
    }

    /// Takes what the services answered.
    pub fn take(&mut self, places: Part<Place>, people: Part<Population>) {
        let (rows, next) = if self.source == Some(Source::People) {
            let next = people.records.last().filter(|_| people.has_more);
            let next = next.map(|last| self.position(last));
            (named(places.records, people.records), next)
        } else {
            self.walked(places, people)
        };
        self.rows.extend(rows);
        match next {
            Some(after) => self.after = Some(after),
            None => self.turn(),
        }
    }

    /// The rows, and the cursor of the page behind them, if there is one.
    #[must_use]
    pub fn into_page(self) -> (Vec<Row>, Option<Cursor>) {
        let next = self.source.and(self.after);
        let cursor = next.map(|after| self.ask.cursor(after));
        (self.rows, cursor)
    }

    /// Where nobody lives is no matter of the populations, but at the end of all of them.
    fn least(&self) -> Option<i64> {
        let is_by_living = self.ask.order.measure() == Some(Measure::Living);
        self.ask.least.or(is_by_living.then_some(1))
    }

    fn places(&self, query: &str) -> String {
        match &self.ask.as_of {
            None => format!("/v1/places?{query}"),
            Some(moment) => format!("/v1/places/as-of?asOf={moment}&{query}"),
        }
    }

    fn position(&self, people: &Population) -> Position {
        Position {
            number: self.number(people),
            place: people.place_id,
        }
    }

    fn number(&self, people: &Population) -> i64 {
        match self.ask.order.measure() {
            None => 0,
            Some(Measure::Living) => people.living,
            Some(Measure::Total) => people.living + people.dead,
        }
    }

    /// The rows of both ranges as far as both reach, and where the walk goes on.
    fn walked(
        &self,
        places: Part<Place>,
        people: Part<Population>,
    ) -> (Vec<Row>, Option<Position>) {
        let end = |last: Option<i64>, has_more: bool| last.filter(|_| has_more);
        let last_place = places.records.last().map(|place| place.id);
        let last_population = people.records.last().map(|one| one.place_id);
        let ends = [
            end(last_place, places.has_more),
            end(last_population, people.has_more),
        ];
        let through = ends.into_iter().flatten().min();
        let mut rows = merged(places.records, people.records, through);
        if self.source == Some(Source::Nobody) {
            rows.retain(|row| row.people.as_ref().is_none_or(|one| self.number(one) == 0));
        }
        let left = usize::from(self.ask.limit.get()) - self.rows.len();
        let last_shown = if rows.len() > left {
            rows.truncate(left);
            rows.last().map(|row| row.place.id)
        } else {
            through
        };
        let next = last_shown.map(|place| Position { number: 0, place });
        (rows, next)
    }

    /// Goes on to the other part of the order, where there is one left.
    fn turn(&mut self) {
        let (source, place) = match (self.source, self.ask.order, self.ask.least) {
            (Some(Source::Nobody), Order::Up(_), _) => (Some(Source::People), PlaceId::MOST),
            (Some(Source::People), Order::Down(_), None) => (Some(Source::Nobody), 0),
            _ => (None, 0),
        };
        self.source = source;
        self.after = Some(Position { number: 0, place });
    }
}

/// The merge of places and populations, both in order of id, up to the place `through` which
/// both are known. A population without a place is passed over.
fn merged(places: Vec<Place>, people: Vec<Population>, through: Option<i64>) -> Vec<Row> {
    let mut people = people.into_iter().peekable();
    let known = places
        .into_iter()
        .take_while(|place| through.is_none_or(|last| place.id <= last));
    let row = |place: Place| {
        while people.next_if(|one| one.place_id < place.id).is_some() {}
        let people = people.next_if(|one| one.place_id == place.id);
        Row { place, people }
    };
    known.map(row).collect()
}

/// The populations in their order, with the places' names; those without a place passed over.
fn named(places: Vec<Place>, people: Vec<Population>) -> Vec<Row> {
    let mut places: HashMap<i64, Place> =
        places.into_iter().map(|place| (place.id, place)).collect();
    let row = |one: Population| {
        let place = places.remove(&one.place_id)?;
        let people = Some(one);
        Some(Row { place, people })
    };
    people.into_iter().filter_map(row).collect()
}
