//! `/ui/places/{id}`: the page of a place. The module `forms` has the forms that change a place.

mod forms;
mod saved_data;

use domain::{PlaceId, id};
use edge::{Error, Request, Response};
use futures_util::future::{join, join5};
use http_semantics::Problem;
use pages::api::{Change, PlaceView, Population, last_state};
use pages::chart::Point;
use pages::list::{Neighbours, Total};
use pages::people::{People, PeopleQuery};
use pages::place::PlacePage;
use pages::place_history::{PlaceHistory, PopulationChange, other_places};
use pages::{Notice, selection};
use tables::ChangeSeqs;

use super::people::{PeoplePage, people_page};
use super::reads::{Unparsed, history_path, or_notice, places_by_id, shown_population};
use super::saved::Complete;
use super::{flash, html};
use crate::backends::Backends;

use saved_data::PlaceData;

pub use forms::{change_place, create_place, new_place, place_action};

/// The page of a place with its people. A removed place has a page, too. If a backend is down, its
/// part is what the page last showed.
///
/// # Errors
/// A place that never existed.
pub async fn place(request: Request) -> Result<Response, Error> {
    let id: PlaceId = request.id()?;
    let backends = Backends::new(&request.env)?;
    let query = people_query(id, &request.query);
    let requested_at = edge::now();
    let reads = Reads::load(&backends, id, &query).await;
    if let Some(complete) = reads.complete()
        && query.shows_the_present()
    {
        complete.save::<PlaceData>(&request, &query.list.to_text(), requested_at);
    }
    let mut page = PlacePage {
        place: PlaceView {
            id: id.get(),
            name: format!("Place {id}"),
        },
        is_removed: false,
        population: None,
        people: People {
            query,
            people: None,
            places: Vec::new(),
            neighbours: Neighbours::default(),
            notices: Vec::new(),
        },
        series: None,
        history: PlaceHistory::default(),
        notices: Vec::new(),
    };
    let missing = show(reads.parse(&backends, &page.people.query), &mut page, id)?;
    if !missing.is_empty() {
        show_saved(&request, missing, &mut page, id).await;
    }
    let done = flash(
        &request.query,
        &page.place.name,
        "/ui/places/new".to_owned(),
    );
    let moved = match selection::destination(&request.query) {
        Some(id) => places_by_id(&backends, vec![id]).await.unwrap_or_default(),
        None => Vec::new(),
    };
    page.notices = [done, page.notices].concat();
    if let Some(done) = selection::notice(&request.query, &moved) {
        page.notices.insert(0, done);
    }
    Ok(html(200, page.to_html()))
}

/// The query for the people of a place.
fn people_query(id: PlaceId, query: &str) -> PeopleQuery {
    PeopleQuery::parse(Some(id.get()), query, edge::now(), edge::NORMALIZE)
}

/// A part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Population,
    People,
    Series,
    History,
    PopulationChanges,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Name => "name of the place",
            Self::Population => "population",
            Self::People => "list of people",
            Self::Series => "chart",
            Self::History => "history",
            Self::PopulationChanges => "history of the people",
        }
    }
}

/// The responses that the page is made of.
struct Reads {
    place: Result<Option<Unparsed>, Error>,
    population: Result<Unparsed, Error>,
    people: Result<Unparsed, Error>,
    series: Result<Unparsed, Error>,
    history: Result<Option<Unparsed>, Error>,
    population_changes: Result<Moves, Error>,
}

/// The changes of the population, and the other places that they name.
struct Moves {
    changes: Unparsed,
    places: Option<Unparsed>,
}

/// The results of the reads. The history is none if the place never existed.
struct Parsed {
    place: Result<Option<PlaceView>, Error>,
    population: Result<Vec<Population>, Error>,
    people: Result<PeoplePage, Error>,
    series: Result<Vec<Point>, Error>,
    history: Result<Option<Vec<Change<PlaceView>>>, Error>,
    population_changes: Result<(Vec<PopulationChange>, Vec<PlaceView>), Error>,
}

impl Reads {
    async fn load(backends: &Backends, id: PlaceId, query: &PeopleQuery) -> Self {
        let path = format!("/v1/places/{id}");
        let (people_path, history_path) = (query.api_path(), history_path(&path));
        let as_of = query.period.as_of.as_ref();
        let as_of = as_of
            .map(|time| format!("&asOf={time}"))
            .unwrap_or_default();
        let population_path = format!("/v1/people/population?ids={id}{as_of}");
        let series_path = query.period.series_path(Some(id.get()));
        let ((place, people, population, series, history), population_changes) = join(
            join5(
                Unparsed::load(&backends.places, &path),
                Unparsed::load_list(&backends.people, &people_path),
                Unparsed::load_list(&backends.people, &population_path),
                Unparsed::load_list(&backends.people, &series_path),
                Unparsed::load(&backends.places, &history_path),
            ),
            Moves::load(backends, id, query),
        )
        .await;
        Self {
            place,
            population,
            people,
            series,
            history,
            population_changes,
        }
    }

    /// The data of the page, if it is complete.
    fn complete(&self) -> Option<Complete<impl FnOnce() -> String>> {
        let (Ok(Some(place)), Ok(population), Ok(people), Ok(series), Ok(Some(history)), Ok(moves)) = (
            &self.place,
            &self.population,
            &self.people,
            &self.series,
            &self.history,
            &self.population_changes,
        ) else {
            return None;
        };
        // The lists are read separately, so the lowest sequence is the one that all contain.
        let others = [people.change_seq, moves.changes.change_seq];
        let people_seq = others
            .into_iter()
            .fold(population.change_seq, |one, other| {
                let (one, other) = one.zip(other)?;
                one.earlier(other)
            });
        let change_seqs = place.change_seq.zip(people_seq);
        let change_seqs = change_seqs.map(|(places, people)| ChangeSeqs { places, people });
        let render = || {
            let next = people.next.as_ref().map(|next| format!("\"{next}\""));
            let total = people.total.filter(|total| !total.is_minimum);
            let total = total.map(|total| total.count.to_string());
            format!(
                r#"{{"place":{},"population":{},"people":{},"next":{},"total":{},"series":{},"history":{},"populationChanges":{},"otherPlaces":{}}}"#,
                place.text(),
                population.text(),
                people.text(),
                next.as_deref().unwrap_or("null"),
                total.as_deref().unwrap_or("null"),
                series.text(),
                history.text(),
                moves.changes.text(),
                moves.places.as_ref().map_or("[]".into(), Unparsed::text),
            )
        };
        Some(Complete {
            change_seqs,
            render,
        })
    }

    fn parse(self, backends: &Backends, query: &PeopleQuery) -> Parsed {
        let Backends { places, people, .. } = backends;
        Parsed {
            place: self
                .place
                .and_then(|place| place.map(|place| place.parse(places)).transpose()),
            population: self
                .population
                .and_then(|population| population.parse(people)),
            people: self.people.and_then(|list| {
                Ok(people_page(
                    list.parse(people)?,
                    list.next,
                    list.total,
                    query,
                ))
            }),
            series: self.series.and_then(|series| series.parse(people)),
            history: self
                .history
                .and_then(|history| history.map(|history| history.parse(places)).transpose()),
            population_changes: self.population_changes.and_then(|moves| {
                let places = moves.places.map(|list| list.parse(places)).transpose()?;
                Ok((moves.changes.parse(people)?, places.unwrap_or_default()))
            }),
        }
    }
}

impl Moves {
    /// Only moves need the names of other places. A place whose name cannot be read has its number.
    async fn load(backends: &Backends, place: PlaceId, query: &PeopleQuery) -> Result<Self, Error> {
        let path = query.population_changes_path(place.get());
        let changes = Unparsed::load_list(&backends.people, &path).await?;
        let parsed: Vec<PopulationChange> = changes.parse(&backends.people)?;
        let ids = id::lists(other_places(&parsed, place.get()));
        let places = match ids.first() {
            Some(ids) => {
                let path = format!("/v1/places?limit=1000&ids={ids}");
                Unparsed::load_list(&backends.places, &path).await.ok()
            }
            None => None,
        };
        Ok(Self { changes, places })
    }
}

/// Shows the parts that were read. Returns the others.
///
/// # Errors
/// A place that never existed.
fn show(parsed: Parsed, page: &mut PlacePage, id: PlaceId) -> Result<Vec<(Part, Error)>, Error> {
    let mut missing = Vec::new();
    match (parsed.place, &parsed.history) {
        (Ok(Some(place)), _) => page.place = place,
        (Ok(None), Ok(Some(history))) => {
            if let Some(last) = last_state(history) {
                page.place = last.clone();
            }
            page.is_removed = true;
        }
        (Ok(None), _) => return Err(Problem::not_found("place", id.get()).into()),
        (Err(error), _) => missing.push((Part::Name, error)),
    }
    match parsed.population {
        Ok(populations) => page.population = Some(shown_population(id.get(), populations)),
        Err(error) => missing.push((Part::Population, error)),
    }
    match parsed.people {
        Ok(people) => show_people(page, people),
        Err(error) => missing.push((Part::People, error)),
    }
    match parsed.series {
        Ok(series) => page.series = Some(series),
        Err(error) => missing.push((Part::Series, error)),
    }
    match parsed.history {
        Ok(history) => page.history.changes = history.unwrap_or_default(),
        Err(error) => missing.push((Part::History, error)),
    }
    match parsed.population_changes {
        Ok((changes, places)) => {
            page.history.population_changes = Some(changes);
            page.history.places = places;
        }
        Err(error) => missing.push((Part::PopulationChanges, error)),
    }
    Ok(missing)
}

fn show_people(page: &mut PlacePage, (people, neighbours): PeoplePage) {
    (page.people.people, page.people.neighbours) = (Some(people), neighbours);
}

/// Shows the missing parts as the page last showed them, with one notice. Without such data, a notice
/// says which part is missing.
async fn show_saved(
    request: &Request,
    missing: Vec<(Part, Error)>,
    page: &mut PlacePage,
    id: PlaceId,
) {
    let Some((saved, is_of_query)) = saved_data::load(request, &page.people.query, id).await else {
        for (part, error) in missing {
            // The page itself says that the population is missing. It needs no history.
            if let Part::Name | Part::People = part {
                let _: Option<()> = or_notice(Err(error), &subject(&[part]), &mut page.notices);
            }
        }
        return;
    };
    let (mut parts, errors): (Vec<Part>, Vec<Error>) = missing.into_iter().unzip();
    // A place that was saved by the API has no chart and no history of its people.
    parts.retain(|part| match part {
        Part::Series => saved.data.series.is_some(),
        Part::PopulationChanges => saved.data.population_changes.is_some(),
        _ => true,
    });
    if parts.is_empty() {
        return;
    }
    let mut notice = saved.notice(errors, &subject(&parts));
    let data = saved.data;
    if parts.contains(&Part::Name) {
        page.place.name = data.place.name;
    }
    if parts.contains(&Part::Population) {
        page.population = data
            .population
            .map(|populations| shown_population(id.get(), populations));
    }
    if parts.contains(&Part::People) {
        if !is_of_query {
            page.people.query = people_query(id, "");
            notice.push_str(" The list has all people by name, because this search is not saved.");
        }
        let total = data.total.map(|count| Total {
            count,
            is_minimum: false,
        });
        let people = people_page(data.people, data.next, total, &page.people.query);
        show_people(page, people);
    }
    if parts.contains(&Part::Series) {
        page.series = data.series;
    }
    if parts.contains(&Part::History) {
        page.history.changes = data.history;
    }
    if parts.contains(&Part::PopulationChanges) {
        page.history.population_changes = data.population_changes;
    }
    if page.history.places.is_empty() {
        page.history.places = data.other_places;
    }
    page.notices.push(Notice::Warning(notice));
}

/// The subject and verb of a notice: "The population and the list of people are".
fn subject(parts: &[Part]) -> String {
    let mut text = String::from("The ");
    for (n, part) in parts.iter().enumerate() {
        text.push_str(match n {
            0 => "",
            _ if n + 1 == parts.len() => " and the ",
            _ => ", the ",
        });
        text.push_str(part.name());
    }
    text + if parts.len() == 1 { " is" } else { " are" }
}

/// The data of the page with a query, for the scheduled refresh of its snapshot. None if a backend
/// failed, or if the place does not exist.
pub async fn data(backends: &Backends, id: PlaceId, query: &str) -> Option<Response> {
    let query = people_query(id, query);
    let reads = Reads::load(backends, id, &query).await;
    reads.complete()?.into_response::<PlaceData>()
}
