//! The collection `/v1/places`. [`edge::collection`] implements the routes that all collections
//! have.

use domain::PlaceId;
use edge::collection::Collection;

use crate::domain::Place;
use crate::service::PlaceWriter;

impl Collection for Place {
    type Id = PlaceId;

    type Writer = PlaceWriter;

    const OPENAPI: &'static str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

    const PEER: (&'static str, &'static str) = ("PEOPLE", "people");
}
