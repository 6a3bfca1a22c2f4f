//! Examples of request bodies, and of responses. The responses are those of a system with the seed
//! data, and `tests/api/openapi.test.ts` compares them with the real responses.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Json;
use crate::views::{
    Alive, Change, Integrity, PeopleOfPlace, Person, PersonChange, Place, PlaceChange,
    PlaceWithPeople, Population, PopulationAt, Statistics,
};

/// A response body of type `T` as JSON text. The documents show it with all fields of the type:
/// a nullable field that the text does not have is null.
pub struct Example<T> {
    text: &'static str,
    body: PhantomData<T>,
}

impl<T: DeserializeOwned + Serialize> Example<T> {
    const fn new(text: &'static str) -> Self {
        Self {
            text,
            body: PhantomData,
        }
    }

    /// The body with all fields of the type.
    ///
    /// # Panics
    /// If the text is not the JSON of a `T`.
    pub fn to_json(&self) -> Json {
        let body: T = serde_json::from_str(self.text)
            .unwrap_or_else(|error| panic!("not a valid example: {error}: {}", self.text));
        Json::parse(&serde_json::to_string(&body).unwrap_or_default())
    }
}

pub const KINGS: Example<Vec<Person>> = Example::new(
    r#"[{"id":10,"name":"Cercei Lamister","isAlive":true,"placeId":1,"isKing":true},{"id":51,"name":"Daenaris Tarambana","isAlive":true,"placeId":18,"isKing":true}]"#,
);
pub const PERSON: Example<Person> =
    Example::new(r#"{"id":4,"name":"Dedo Gordo","isAlive":false,"placeId":null,"isKing":false}"#);
pub const PERSON_HISTORY: Example<Vec<PersonChange>> = Example::new(
    r#"[{"at":"2026-11-24T22:31:55.809Z","collection":"people","seq":4,"kind":"created","id":4,"version":1,"record":{"id":4,"name":"Dedo Gordo","isAlive":false,"placeId":null,"isKing":false}}]"#,
);
pub const PEOPLE_BY_PLACE: Example<Vec<PeopleOfPlace>> = Example::new(
    r#"[{"placeId":1,"people":[{"id":1,"name":"Sensei Lamister","isAlive":true,"isKing":false}],"next":"/v1/people?placeId=1&limit=1000&after=6931"}]"#,
);
pub const PLACES_WITH_PEOPLE: Example<Vec<PlaceWithPeople>> = Example::new(
    r#"[{"id":1,"name":"Descaro del Rey","people":[{"id":1,"name":"Sensei Lamister","isAlive":true,"isKing":false},{"id":5,"name":"Juanito Lamister","isAlive":true,"isKing":false}],"next":"/v1/people?placeId=1&limit=1000&after=6935"},{"id":2,"name":"Más allá del Zumo","people":[]}]"#,
);
pub const PLACE_WITH_PEOPLE: Example<PlaceWithPeople> = Example::new(
    r#"{"id":3,"name":"Veranolandia","people":[{"id":2,"name":"Aiba Stack","isAlive":true,"isKing":false},{"id":3,"name":"Joaquín Nevado","isAlive":true,"isKing":false},{"id":6,"name":"Nerf Stack","isAlive":true,"isKing":false}]}"#,
);
pub const NEW_PERSON: &str = r#"{"name":"Nuevo","isAlive":true,"placeId":2}"#;
pub const POPULATION: Example<Vec<Population>> = Example::new(
    r#"[{"placeId":18,"total":7,"living":6,"dead":1,"king":{"id":51,"name":"Daenaris Tarambana"}}]"#,
);
pub const SERIES: Example<Vec<PopulationAt>> = Example::new(
    r#"[{"at":"2026-11-24T00:00:00.000Z","living":0,"dead":0},{"at":"2026-11-24T23:59:59.999Z","living":0,"dead":0}]"#,
);
pub const NEW_PLACE: &str = r#"{"name":"Desembarco del Zumo"}"#;
pub const PLACES: Example<Vec<Place>> =
    Example::new(r#"[{"id":1,"name":"Descaro del Rey"},{"id":2,"name":"Más allá del Zumo"}]"#);
pub const PLACE_AS_OF: Example<Vec<Place>> =
    Example::new(r#"[{"id":2,"name":"Más allá del Zumo"}]"#);
pub const PLACE: Example<Place> = Example::new(r#"{"id":2,"name":"Más allá del Zumo"}"#);
pub const PLACE_HISTORY: Example<Vec<PlaceChange>> = Example::new(
    r#"[{"at":"2026-11-24T22:31:55.809Z","collection":"places","seq":2,"kind":"created","id":2,"version":1,"record":{"id":2,"name":"Más allá del Zumo"}}]"#,
);
pub const STATISTICS: Example<Vec<Statistics>> = Example::new(
    r#"[{"id":18,"name":"Meereendero","total":7,"living":6,"dead":1,"share":0.113208,"king":{"id":51,"name":"Daenaris Tarambana"}},{"id":null,"name":null,"total":7,"living":0,"dead":7,"share":0,"king":null}]"#,
);
pub const CHANGES: Example<Vec<Change>> = Example::new(
    r#"[{"at":"2026-11-24T22:31:55.809Z","collection":"places","seq":1,"kind":"created","id":1,"version":1,"record":{"id":1,"name":"Descaro del Rey"}}]"#,
);
pub const INTEGRITY: Example<Integrity> = Example::new(
    r#"{"consistent":true,"complete":true,"withoutPlace":[],"doubleKings":[],"deleting":[],"pending":[]}"#,
);
pub const ALIVE: Example<Alive> = Example::new(r#"{"status":"alive"}"#);
