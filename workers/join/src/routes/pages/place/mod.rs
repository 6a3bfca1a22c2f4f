//! `/ui/places/{id}`, and in `forms` the forms that change a place.

mod forms;
mod saved_data;

use domain::PlaceId;
use edge::{Error, Request, Response};
use futures_util::future::join5;
use http_semantics::Problem;
use pages::api::{Change, PlaceView, Population};
use pages::chart::Point;
use pages::list::{Neighbours, Total};
use pages::people::{People, PeopleQuery};
use pages::place::PlacePage;
use pages::{Notice, selection};
use tables::ChangeSeqs;

use super::people::{PeoplePage, people_page};
use super::reads::{Unparsed, history_path, or_notice, places_by_id, shown_population};
use super::saved::Complete;
use super::{flash, html};
use crate::backends::Backends;

use saved_data::PlaceData;

pub use forms::{change_place, create_place, new_place, place_action};

/// The page of a place with its people. If a backend is down, its part is what the page last showed.
///
/// # Errors
/// A place that does not exist.
pub async fn place(request: Request) -> Result<Response, Error> {
    let id: PlaceId = request.id()?;
    let backends = Backends::new(&request.env)?;
    let query = people_query(id, &request.query);
    let requested_at = edge::now();
    let reads = Reads::load(&backends, id, &query).await;
    if let Some(complete) = reads.complete()
        && query.period.as_of.is_none()
    {
        complete.save::<PlaceData>(&request, &query.list.to_text(), requested_at);
    }
    let mut page = PlacePage {
        place: PlaceView {
            id: id.get(),
            name: format!("Place {id}"),
        },
        population: None,
        people: People {
            query,
            people: None,
            places: Vec::new(),
            neighbours: Neighbours::default(),
            notices: Vec::new(),
        },
        series: None,
        history: Vec::new(),
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
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Name => "name of the place",
            Self::Population => "population",
            Self::People => "list of people",
            Self::Series => "chart",
            Self::History => "history",
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
}

/// The results of the reads. The history is none if the place never existed.
struct Parsed {
    place: Result<Option<PlaceView>, Error>,
    population: Result<Vec<Population>, Error>,
    people: Result<PeoplePage, Error>,
    series: Result<Vec<Point>, Error>,
    history: Result<Option<Vec<Change<PlaceView>>>, Error>,
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
        let (place, people, population, series, history) = join5(
            Unparsed::load(&backends.places, &path),
            Unparsed::load_list(&backends.people, &people_path),
            Unparsed::load_list(&backends.people, &population_path),
            Unparsed::load_list(&backends.people, &series_path),
            Unparsed::load(&backends.places, &history_path),
        )
        .await;
        Self {
            place,
            population,
            people,
            series,
            history,
        }
    }

    /// The data of the page, if it is complete.
    fn complete(&self) -> Option<Complete<impl FnOnce() -> String>> {
        let (Ok(Some(place)), Ok(population), Ok(people), Ok(series), Ok(Some(history))) = (
            &self.place,
            &self.population,
            &self.people,
            &self.series,
            &self.history,
        ) else {
            return None;
        };
        // The lists are read separately, so the lower sequence is the one that both contain.
        let people_seq = population.change_seq.zip(people.change_seq);
        let people_seq = people_seq.and_then(|(one, other)| one.earlier(other));
        let change_seqs = place.change_seq.zip(people_seq);
        let change_seqs = change_seqs.map(|(places, people)| ChangeSeqs { places, people });
        let render = || {
            let next = people.next.as_ref().map(|next| format!("\"{next}\""));
            let total = people.total.filter(|total| !total.is_minimum);
            let total = total.map(|total| total.count.to_string());
            format!(
                r#"{{"place":{},"population":{},"people":{},"next":{},"total":{},"series":{},"history":{}}}"#,
                place.text(),
                population.text(),
                people.text(),
                next.as_deref().unwrap_or("null"),
                total.as_deref().unwrap_or("null"),
                series.text(),
                history.text(),
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
        }
    }
}

/// Shows the parts that were read. Returns the others.
///
/// # Errors
/// A place that does not exist.
fn show(parsed: Parsed, page: &mut PlacePage, id: PlaceId) -> Result<Vec<(Part, Error)>, Error> {
    let mut missing = Vec::new();
    match parsed.place {
        Ok(Some(place)) => page.place = place,
        Ok(None) => return Err(Problem::not_found("place", id.get()).into()),
        Err(error) => missing.push((Part::Name, error)),
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
        Ok(history) => page.history = history.unwrap_or_default(),
        Err(error) => missing.push((Part::History, error)),
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
    // A place that was saved by the API has no chart.
    parts.retain(|part| *part != Part::Series || saved.data.series.is_some());
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
        page.history = data.history;
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
