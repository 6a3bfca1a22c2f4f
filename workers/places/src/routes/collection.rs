//! `/v1/places`: the routes that all collections have. [`edge::collection`] implements them.

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
