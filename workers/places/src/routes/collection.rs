//! The collection `/v1/places`. [`edge::collection`] has the routes that only read.

use domain::PlaceId;
use edge::collection::Collection;

use crate::domain::Place;

impl Collection for Place {
    type Id = PlaceId;

    const OPENAPI: &'static str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

    const PEER: (&'static str, &'static str) = ("PEOPLE", "people");

    const IS_JOINED: bool = true;
}
