//! `/v1/people`: the routes that all collections have. [`edge::collection`] implements them.

use domain::PersonId;
use edge::collection::Collection;

use crate::domain::Person;
use crate::service::PersonWriter;

impl Collection for Person {
    type Id = PersonId;

    type Writer = PersonWriter;

    const OPENAPI: &'static str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));

    const PEER: (&'static str, &'static str) = ("PLACES", "places");
}
