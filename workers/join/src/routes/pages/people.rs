//! `GET /ui/people`: the page of a search for people.

use edge::{Error, NORMALIZE, Request, Response};
use futures_util::future::join;
use http_semantics::problem::Kind;
use pages::api::{PersonView, PlaceView};
use pages::list::{Neighbours, Total};
use pages::people::{People, PeopleQuery};
use pages::{Notice, from_json, selection};
use serde_json::json;
use tables::ChangeSeqs;

use super::html;
use super::reads::{
    PlacesWithSeq, Unparsed, first_places, or_notice, place_names, places_with_seq,
};
use super::saved::{Complete, Saved};
use crate::backends::Backends;

/// A page of people, and the pages before and after.
pub type PeoplePage = (Vec<PersonView>, Neighbours);

/// A page of people, from the list and the cursor of the API. A list that was read in the reverse order is turned.
pub fn people_page(
    mut people: Vec<PersonView>,
    next: Option<String>,
    total: Option<Total>,
    query: &PeopleQuery,
) -> PeoplePage {
    if query.list.is_before {
        people.reverse();
    }
    let neighbours = query.neighbours(&people, next, total, NORMALIZE);
    (people, neighbours)
}

/// The data of the page, which it shows while a backend is down.
struct PeopleData {
    people: Vec<PersonView>,
    next: Option<String>,
    total: Option<i64>,
    places: Vec<(i64, String)>,
}

from_json! {
    PeopleData { people, next, total, places }
}

const TOO_MANY_TO_SORT: &str = "Too many people match to sort them by name. They are in the order \
                                in which they were added. Search for more or longer words.";

/// The results of the reads that the page is made of.
struct Reads {
    list: Result<(Unparsed, Vec<PersonView>), Error>,
    places: Result<PlacesWithSeq, Error>,
}

impl Reads {
    /// `destination` is the place that people were moved to, whose name the page also shows.
    async fn load(backends: &Backends, query: &PeopleQuery, destination: Option<i64>) -> Self {
        let path = query.api_path();
        let list = Unparsed::load_list(&backends.people, &path);
        let (list, first_places) = join(list, first_places(backends)).await;
        let list = list.and_then(|list| {
            let people: Vec<PersonView> = list.parse(&backends.people)?;
            Ok((list, people))
        });
        let people = list.iter().flat_map(|(_, people)| people);
        let mut ids: Vec<i64> = people.filter_map(|person| person.place_id).collect();
        ids.extend(destination);
        Self {
            places: places_with_seq(backends, first_places, ids).await,
            list,
        }
    }

    fn has_too_many_matches(&self) -> bool {
        match &self.list {
            Err(Error::Problem(problem)) => problem.kind() == Kind::TooManyMatches,
            _ => false,
        }
    }

    /// The data of the page, if it is complete.
    fn complete(&self) -> Option<Complete<impl FnOnce() -> String>> {
        let (Ok((list, _)), Ok((places, seq))) = (&self.list, &self.places) else {
            return None;
        };
        let change_seqs = seq.zip(list.change_seq);
        let render = || {
            let total = list.total.filter(|total| !total.is_minimum);
            let (next, total) = (json!(list.next), json!(total.map(|total| total.count)));
            let (people, places) = (list.text(), pairs(places));
            format!(r#"{{"people":{people},"next":{next},"total":{total},"places":[{places}]}}"#)
        };
        Some(Complete {
            change_seqs: change_seqs.map(|(places, people)| ChangeSeqs { places, people }),
            render,
        })
    }
}

/// The data of the page with a query, for the scheduled refresh of its snapshot. None if a backend
/// failed.
pub async fn people_data(backends: &Backends, query: &str) -> Option<Response> {
    let reads = Reads::load(backends, &parse(query), None).await;
    reads.complete()?.into_response::<PeopleData>()
}

fn parse(query: &str) -> PeopleQuery {
    PeopleQuery::parse(None, query, edge::now(), NORMALIZE)
}

/// A search for people. While a backend is down, the page shows what it last showed.
///
/// # Errors
/// A worker without its bindings.
pub async fn people(request: Request) -> Result<Response, Error> {
    if let Some(page) = PeopleQuery::page_of_place(&request.query, edge::now(), NORMALIZE) {
        return Ok(Response::see_other(page));
    }
    let backends = Backends::new(&request.env)?;
    let mut query = parse(&request.query);
    let requested_at = edge::now();
    let destination = selection::destination(&request.query);
    let mut notices = Vec::new();
    let mut reads = Reads::load(&backends, &query, destination).await;
    if reads.has_too_many_matches() {
        query.list.form.set("sort", "id");
        notices.push(Notice::Warning(TOO_MANY_TO_SORT.to_owned()));
        reads = Reads::load(&backends, &query, destination).await;
    }
    if let Some(complete) = reads.complete() {
        complete.save::<PeopleData>(&request, &query.list.to_text(), requested_at);
    }
    let (list, places) = (reads.list, reads.places);
    let has_failed = list.is_err() || places.is_err();
    let saved = if has_failed {
        saved(&request, &query, list.is_err()).await
    } else {
        None
    };
    let (people, places) = match (list, saved) {
        (Ok((list, people)), saved) => {
            let people = people_page(people, list.next, list.total, &query);
            let saved = saved.map(|(saved, _)| saved.map(|data| data.places));
            (Some(people), place_names(places, saved, &mut notices))
        }
        (Err(error), Some((saved, is_of_query))) => {
            let mut notice = saved.notice(vec![error], "These people are");
            if !is_of_query {
                query = parse("");
                notice.push_str(" All are listed by name, because this search is not saved.");
            }
            notices.push(Notice::Warning(notice));
            let PeopleData {
                people,
                next,
                total,
                places,
            } = saved.data;
            let total = total.map(|count| Total {
                count,
                is_minimum: false,
            });
            let people = people_page(people, next, total, &query);
            (Some(people), place_views(places))
        }
        (Err(error), None) => {
            let people = or_notice(Err(error), "The list of people is", &mut notices);
            (people, Vec::new())
        }
    };
    if let Some(done) = selection::notice(&request.query, &places) {
        notices.insert(0, done);
    }
    let (people, neighbours) = people.unzip();
    let page = People {
        query,
        people,
        places,
        neighbours: neighbours.unwrap_or_default(),
        notices,
    };
    Ok(html(200, page.to_html()))
}

/// The saved data of the page with this query, or else of the first page, if it can replace the
/// list. Also returns whether it is that of the query.
async fn saved(
    Request { env, path, .. }: &Request,
    query: &PeopleQuery,
    replaces_list: bool,
) -> Option<(Saved<PeopleData>, bool)> {
    if let Some(saved) = Saved::load(env, path, &query.list.to_text()).await {
        return Some((saved, true));
    }
    if query.is_default() || !replaces_list {
        return None;
    }
    let first = Saved::load(env, path, &parse("").list.to_text()).await;
    first.map(|saved| (saved, false))
}

/// The ids and names of places as JSON arrays.
pub fn pairs(places: &[PlaceView]) -> String {
    let place = |place: &PlaceView| json!([place.id, place.name]).to_string();
    let places: Vec<String> = places.iter().map(place).collect();
    places.join(",")
}

/// The places of [`pairs`].
pub fn place_views(places: Vec<(i64, String)>) -> Vec<PlaceView> {
    let view = |(id, name)| PlaceView { id, name };
    places.into_iter().map(view).collect()
}
