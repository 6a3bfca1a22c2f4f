//! Reads the statistics of places from both backends.

mod export;
mod series;

use edge::{Body, Calls, Error, NORMALIZE, Response, ServiceClient};
use futures_util::future::join;
use http_semantics::{MediaType, Problem, Tag, Validator};
use tables::list::MAX_MATCHES;
use tables::page::{PageSize, Sort};
use tables::population::{Order, PopulationQuery};
use tables::{ChangeSeqs, Cursor, page};

use crate::backends::{
    Backends, Parts, change_seq, header, list_is_unchanged, list_tags, number_header,
};
use crate::domain::statistics::{
    self, COLUMNS, NamedPlace, Part, Plan, Population, Row, StatisticsPageBuilder, StatisticsQuery,
    with_names, with_populations,
};
use crate::service::cache::parts;
use crate::service::read_ahead::{self, ReadAhead};

pub use export::export;
pub use series::series;

/// The maximum number of steps of a page. Each step calls both backends, and the platform limits
/// the calls of a request.
const MAX_STEPS: usize = 8;

/// The calls of a step: a page of each backend, and the names of places.
const STEP: Calls = Calls::services(3);

/// A page of the API. The link to the next page repeats `raw_query`. `known` are the change sequences
/// of the page that the client or the cache has.
///
/// # Errors
/// A backend that failed, or too many matches to sort.
pub async fn list(
    backends: &Backends,
    query: &StatisticsQuery,
    raw_query: &str,
    format: MediaType,
    known: Option<[Validator; 2]>,
) -> Result<Response, Error> {
    let page = match (load_if_changed(backends, query, known).await?, known) {
        (Some(page), _) => page,
        (None, Some(known)) => return Ok(list_is_unchanged(format, known)),
        (None, None) => return Err(Problem::internal().into()),
    };
    let dead = page.dead_without_place(query);
    let frame = format.framing_with_header(COLUMNS);
    let body = statistics::render(&page.rows, page.totals.living, dead, format, frame);
    let path = "/v1/statistics/places";
    let next = page
        .next
        .map(|after| page::next_link(path, raw_query, &after.to_string()));
    let tag = page.change_seqs;
    let tag = tag.map(|seqs| Tag::from_change_seqs(format, &[seqs.places, seqs.people]));
    Ok(Response::ok(format.content_type(), Body::Text(body))
        .with_change_seqs(page.change_seqs.filter(|_| query.as_of.is_none()))
        .header_if("etag", tag.map(|tag| tag.to_string()))
        .header_if("link", next))
}

/// A page of places with their populations, and the totals.
pub struct StatisticsPage {
    /// The places.
    pub rows: Vec<Row>,
    /// The cursor of the next page.
    pub next: Option<Cursor>,
    /// The totals.
    pub totals: Totals,
    /// The change sequences at which its first step was read.
    pub change_seqs: Option<ChangeSeqs>,
}

impl StatisticsPage {
    /// The number of the dead without a place, if the page has a record of them: the last page, unless it
    /// is the result of a search, because a search finds names of places.
    #[must_use]
    pub fn dead_without_place(&self, query: &StatisticsQuery) -> Option<i64> {
        let is_last = self.next.is_none() && query.search.is_none();
        is_last.then_some(self.totals.dead_without_place)
    }
}

/// The number of all people, and of those of the largest place.
#[derive(Clone, Copy)]
pub struct Totals {
    /// The living.
    pub living: i64,
    /// The dead.
    pub dead: i64,
    /// The dead without a place.
    pub dead_without_place: i64,
    /// The total of the place with the most people. None as of a time, or without people.
    pub largest: Option<i64>,
}

impl Totals {
    /// The totals in the headers of the people service's response.
    #[must_use]
    pub fn from_headers(populations: &web_sys::Response) -> Self {
        Self {
            living: number_header(populations, "x-total-living"),
            dead: number_header(populations, "x-total-dead"),
            dead_without_place: number_header(populations, "x-total-nowhere"),
            largest: header(populations, "x-largest-total").and_then(|text| text.parse().ok()),
        }
    }
}

/// A page of statistics.
///
/// # Errors
/// A backend that failed, or too many matches to sort.
pub async fn load(backends: &Backends, query: &StatisticsQuery) -> Result<StatisticsPage, Error> {
    let page = load_if_changed(backends, query, None).await?;
    Ok(page.ok_or_else(Problem::internal)?)
}

/// As [`load`]. None if nothing has changed since the change sequences `known`, which only a page of
/// ranges checks.
async fn load_if_changed(
    backends: &Backends,
    query: &StatisticsQuery,
    known: Option<[Validator; 2]>,
) -> Result<Option<StatisticsPage>, Error> {
    match query.plan() {
        Plan::Ranges(populations) => from_ranges(backends, populations, known).await,
        Plan::Places(sort) => from_places(backends, query, sort).await.map(Some),
        Plan::Matches(order) => from_matches(backends, query, order).await.map(Some),
    }
}

/// A page that is merged from ranges of both services.
async fn from_ranges(
    backends: &Backends,
    query: PopulationQuery,
    mut known: Option<[Validator; 2]>,
) -> Result<Option<StatisticsPage>, Error> {
    let mut builder = StatisticsPageBuilder::new(query);
    let mut first = None;
    for step in 1..=MAX_STEPS {
        let ahead = read_ahead::PLACES.with(ReadAhead::size);
        let Some(paths) = builder.paths(ahead) else {
            break;
        };
        let Some(mut read) = read_step(backends, &paths, known.take()).await? else {
            return Ok(None);
        };
        if builder.reads_places_ahead() {
            let has_more = read.places.next.is_some();
            read_ahead::PLACES.with(|places| places.remember(has_more));
        }
        let populations = read.populations.part;
        for path in builder.names_paths(&read.places, &populations.records) {
            let named = read_places(backends, &path).await?;
            read.places.records.extend(named);
        }
        builder.add_step(read.places, populations);
        first.get_or_insert((read.populations.totals, read.change_seqs));
        if !may_continue(backends, step) {
            break;
        }
    }
    let (rows, next) = builder.into_page();
    let (totals, change_seqs) = first.ok_or_else(Problem::internal)?;
    Ok(Some(StatisticsPage {
        rows,
        next,
        totals,
        change_seqs,
    }))
}

/// A page in an order of places. Places with fewer living people than the minimum are skipped.
async fn from_places(
    backends: &Backends,
    query: &StatisticsQuery,
    sort: Sort,
) -> Result<StatisticsPage, Error> {
    let limit = usize::from(query.limit.get());
    let mut after = query.after.clone();
    let mut rows: Vec<Row> = Vec::new();
    let mut first = None;
    for step in 1..=MAX_STEPS {
        let size = if query.least.is_some() {
            PageSize::MAX
        } else {
            query.limit
        };
        let cursor = after.as_ref().map(ToString::to_string);
        let mut parameters = vec![("sort", sort.name())];
        parameters.extend(cursor.as_deref().map(|cursor| ("after", cursor)));
        let path = query.places_path(size, &parameters);
        let read = read_with_all(backends, query, path).await?;
        let (places, mut listed) = (read.places, read.populations);
        if listed.part.next.is_some() {
            let ids: Vec<String> = places
                .records
                .iter()
                .map(|place| place.id.to_string())
                .collect();
            let ids = ["[", &ids.join(","), "]"].concat();
            let populations = PopulationQuery {
                limit: PageSize::MAX,
                ..all_populations(query)
            };
            listed = read_listed(backends, &populations, ids.as_bytes()).await?;
        }
        first.get_or_insert((listed.totals, read.change_seqs));
        let min_living = query.least.unwrap_or_default();
        rows.extend(with_populations(
            places.records,
            listed.part.records,
            min_living,
        ));
        after = if rows.len() > limit {
            rows.truncate(limit);
            let last = rows.last().map(|row| &row.place);
            last.map(|last| StatisticsQuery::cursor_after(last, sort, NORMALIZE))
        } else {
            places.next
        };
        if after.is_none() || rows.len() == limit || !may_continue(backends, step) {
            break;
        }
    }
    let (totals, change_seqs) = first.ok_or_else(Problem::internal)?;
    Ok(StatisticsPage {
        rows,
        next: after,
        totals,
        change_seqs,
    })
}

/// A page in an order of populations: the people service sorts all matches. If all places that match
/// and all populations are few, the gateway sorts them.
async fn from_matches(
    backends: &Backends,
    query: &StatisticsQuery,
    order: Order,
) -> Result<StatisticsPage, Error> {
    let path = query.places_path(PageSize::default(), &[]);
    let matches = query.matches_path();
    let (read, response) = join(
        read_with_all(backends, query, path),
        backends.places.get(&matches),
    )
    .await;
    let response = matches_of(&backends.places, response?)?;
    let Step {
        mut places,
        populations: mut listed,
        change_seqs,
    } = read?;
    let change_seqs = change_seqs.zip(change_seq(&response));
    let change_seqs = change_seqs.and_then(|(seqs, matches)| seqs.with_places_at(matches));
    let populations = query.populations(order);
    let (rows, next) = if places.next.is_none() && listed.part.next.is_none() {
        let min_living = query.least.unwrap_or_default();
        let rows = with_populations(places.records, listed.part.records, min_living);
        let (rows, next) = statistics::in_order(rows, &populations);
        (rows, next.map(|next| populations.cursor(next)))
    } else {
        let ids = backends.places.bytes(&response).await?;
        listed = read_listed(backends, &populations, &ids).await?;
        let found = listed.part.records;
        for ids in statistics::missing_places(&places, &found) {
            let path = query.places_path(PageSize::MAX, &[("ids", &ids)]);
            places.records.extend(read_places(backends, &path).await?);
        }
        (with_names(places.records, found), listed.part.next)
    };
    Ok(StatisticsPage {
        rows,
        next,
        totals: listed.totals,
        change_seqs,
    })
}

/// Whether a page may take another step.
fn may_continue(backends: &Backends, step: usize) -> bool {
    step < MAX_STEPS && backends.quota.has(STEP)
}

/// The response of a service, which may reject a query with too many matches.
fn matches_of(
    service: &ServiceClient,
    response: web_sys::Response,
) -> Result<web_sys::Response, Error> {
    if response.status() == 422 {
        return Err(Problem::too_many_matches(MAX_MATCHES).into());
    }
    service.require_ok(response)
}

/// The places and populations of a step, and its change sequences.
struct Step {
    places: Part<NamedPlace>,
    populations: Listed,
    change_seqs: Option<ChangeSeqs>,
}

/// Reads a path of each service in parallel. None if nothing has changed since the change sequences
/// `known`.
async fn read_step(
    backends: &Backends,
    paths: &[String; 2],
    known: Option<[Validator; 2]>,
) -> Result<Option<Step>, Error> {
    let tags = known.map(list_tags);
    let parts = backends.fetch(paths, tags.as_ref(), false).await?;
    let Parts::Read(places, people) = parts else {
        return Ok(None);
    };
    let places = matches_of(&backends.places, places)?;
    let people = matches_of(&backends.people, people?)?;
    let (place_bytes, people_bytes) = backends.bytes_of_both(&places, &people).await?;
    let [place_path, people_path] = paths;
    parts::store(place_path, &places, &place_bytes);
    parts::store(people_path, &people, &people_bytes);
    let records = statistics::places(&place_bytes);
    let seqs = change_seq(&places).zip(change_seq(&people));
    Ok(Some(Step {
        places: Part {
            records: records.map_err(|malformed| backends.malformed_response(malformed))?,
            next: next_cursor(&places),
        },
        populations: Listed::parse(backends, &people, &people_bytes)?,
        change_seqs: seqs.map(|(places, people)| ChangeSeqs { places, people }),
    }))
}

/// Reads places together with the populations of all places, if these are few. So the populations of
/// the places need no second step.
async fn read_with_all(
    backends: &Backends,
    query: &StatisticsQuery,
    places_path: String,
) -> Result<Step, Error> {
    let paths = [places_path, all_populations(query).path()];
    let step = read_step(backends, &paths, None).await?;
    let step = step.ok_or_else(Problem::internal)?;
    let has_more = step.populations.part.next.is_some();
    read_ahead::POPULATIONS.with(|populations| populations.remember(has_more));
    Ok(step)
}

/// The first populations. If there is no page after them, they are all.
fn all_populations(query: &StatisticsQuery) -> PopulationQuery {
    PopulationQuery {
        as_of: query.as_of.clone(),
        limit: read_ahead::POPULATIONS.with(ReadAhead::size),
        ..PopulationQuery::default()
    }
}

async fn read_places(backends: &Backends, path: &str) -> Result<Vec<NamedPlace>, Error> {
    let response = backends.places.get_ok(path).await?;
    let bytes = backends.places.bytes(&response).await?;
    statistics::places(&bytes).map_err(|malformed| backends.malformed_response(malformed))
}

/// A page of populations.
struct Listed {
    part: Part<Population>,
    totals: Totals,
}

impl Listed {
    fn parse(
        backends: &Backends,
        response: &web_sys::Response,
        body: &[u8],
    ) -> Result<Self, Error> {
        let records = statistics::populations(body);
        let records = records.map_err(|malformed| backends.malformed_response(malformed))?;
        let next = next_cursor(response);
        Ok(Self {
            part: Part { records, next },
            totals: Totals::from_headers(response),
        })
    }
}

/// Reads the populations of the places whose ids are a JSON array.
async fn read_listed(
    backends: &Backends,
    query: &PopulationQuery,
    ids: &[u8],
) -> Result<Listed, Error> {
    let path = StatisticsQuery::listed_path(query);
    let response = backends.people.post_query(&path, ids).await?;
    let response = backends.people.require_ok(response)?;
    let bytes = backends.people.bytes(&response).await?;
    Listed::parse(backends, &response, &bytes)
}

/// The cursor of the next page of a service.
fn next_cursor(response: &web_sys::Response) -> Option<Cursor> {
    page::next_cursor(&header(response, "link")?)
}
