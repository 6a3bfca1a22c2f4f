//! Loads the saved data of the page of a place. The page shows this data while a backend is down.

use domain::{PlaceId, name};
use edge::Request;
use http_semantics::from_json;
use http_semantics::from_json::or_default;
use pages::api::{Change, King, PersonView, PlaceView, Population};
use pages::chart::Point;
use pages::people::PeopleQuery;
use pages::place_history::PopulationChange;

use crate::routes::pages::saved::Saved;

/// The data of a page, as `Reads::complete` renders it.
pub struct PlaceData {
    pub place: PlaceView,
    pub population: Option<Vec<Population>>,
    pub people: Vec<PersonView>,
    pub next: Option<String>,
    pub total: Option<i64>,
    pub series: Option<Vec<Point>>,
    pub history: Vec<Change<PlaceView>>,
    pub population_changes: Option<Vec<PopulationChange>>,
    pub other_places: Vec<PlaceView>,
}

/// The saved data of the page with this query, or else of the page without a query, or else of the
/// same place in the API. Also returns whether its list of people is that of the query.
pub async fn load(
    request: &Request,
    query: &PeopleQuery,
    id: PlaceId,
) -> Option<(Saved<PlaceData>, bool)> {
    let Request { env, path, .. } = request;
    if let Some(saved) = Saved::load(env, path, &query.list.to_text()).await {
        return Some((saved, true));
    }
    let default = super::people_query(id, "").list.to_text();
    if !query.is_default()
        && let Some(saved) = Saved::load(env, path, &default).await
    {
        return Some((saved, false));
    }
    let of_api = Saved::<PlaceWithPeople>::load(env, &format!("/people-per-place/{id}"), "").await;
    of_api.map(|saved| (saved.map(PlaceWithPeople::into_data), query.is_default()))
}

/// A place with its people, as in the API.
struct PlaceWithPeople {
    id: i64,
    name: String,
    people: Vec<PersonView>,
    /// The link to more people, if there are more.
    next: Option<String>,
}

from_json! {
    PlaceData {
        place,
        population,
        people,
        next,
        total,
        series,
        history,
        population_changes: "populationChanges",
        other_places: or_default("otherPlaces"),
    }
    PlaceWithPeople { id, name, people, next }
}

impl PlaceWithPeople {
    /// The data of the page. The population is known if these are all people.
    fn into_data(self) -> PlaceData {
        // They are inserted in order of name, because the code of a sort would be larger.
        let mut keyed: Vec<(String, PersonView)> = Vec::new();
        for person in self.people {
            let key = name::case_key(&person.name, edge::NORMALIZE);
            let key = name::search_key(&key, edge::NORMALIZE);
            let at = keyed.partition_point(|(other, _)| *other <= key);
            keyed.insert(at, (key, person));
        }
        let people: Vec<PersonView> = keyed.into_iter().map(|(_, person)| person).collect();
        let living = people.iter().filter(|person| person.is_alive).count();
        let king = people.iter().find(|person| person.is_king);
        let number = |count: usize| i64::try_from(count).unwrap_or_default();
        let population = Population {
            place_id: self.id,
            living: number(living),
            dead: number(people.len() - living),
            king: king.map(|king| King {
                id: king.id,
                name: king.name.clone(),
            }),
        };
        PlaceData {
            place: PlaceView {
                id: self.id,
                name: self.name,
            },
            population: self.next.is_none().then(|| vec![population]),
            people,
            next: None,
            total: None,
            series: None,
            history: Vec::new(),
            population_changes: None,
            other_places: Vec::new(),
        }
    }
}
