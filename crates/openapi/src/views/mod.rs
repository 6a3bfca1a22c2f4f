//! The schemas of requests and responses, each declared once. SQLite renders most of the JSON of
//! the API. So the tests parse the results of statements as these types.
#![expect(
    missing_docs,
    reason = "the doc comments are the descriptions of the document; some names need none"
)]

use utoipa::{PartialSchema, ToSchema};

use crate::{Json, object};

/// Declares schemas as public types with public fields, called in JSON by their camel case.
///
/// A field `name?: T` may be absent, and is never null. A field of `Option<T>` may be null. It
/// may be absent, too, unless it is marked as required.
macro_rules! schemas {
    ($(
        $(#[$of_type:meta])*
        struct $name:ident {
            $($(#[$of_field:meta])* $field:ident $(?: $optional:ty)? $(: $type:ty)?,)*
        }
    )*) => {$(
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase")]
        $(#[$of_type])*
        pub struct $name {$(
            $(#[$of_field])*
            $(pub $field: $type,)?
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                #[schema(nullable = false)]
                pub $field: Option<$optional>,
            )?
        )*}
    )*};
    ($(
        $(#[$of_type:meta])*
        enum $name:ident { $($(#[$of_variant:meta])* $variant:ident $(($type:ty))?,)* }
    )*) => {$(
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$of_type])*
        pub enum $name { $($(#[$of_variant])* $variant $(($type))?,)* }
    )*};
}

mod about;
mod integrity;
mod operations;
mod person;
mod place;
mod problem;
mod records;
mod report;
mod scalars;

pub use about::*;
pub use integrity::*;
pub use operations::*;
pub use person::*;
pub use place::*;
pub use problem::*;
pub use records::*;
pub use report::*;
pub use scalars::*;

/// All schemas by name, with those that they refer to.
#[must_use]
pub fn all() -> Vec<(String, Json)> {
    let mut schemas = Vec::new();
    macro_rules! add {
        ($($type:ident)*) => {$(
            schemas.push(($type::name().into_owned(), $type::schema()));
            $type::schemas(&mut schemas);
        )*};
    }
    add! {
        Alive BatchReport Change ChosenId Dataset Document ImportReport ImportedPerson
        ImportedPersonFields ImportedPlace Integrity NewPerson NewPlace Operation OperationResult
        PeopleOfPlace Person PersonOperation PersonPatch PersonWithPlace PlaceOperation PlacePatch
        PlaceWithPeople Population PopulationAt ProblemBody PutPerson PutPlace Ready Repair Restoration Statistics
    }
    schemas.sort_by(|(a, _), (b, _)| a.cmp(b));
    let json = |schema| {
        // Line breaks of doc comments are not those of the document.
        let text = serde_json::to_string(schema).unwrap_or_default();
        Json::parse(&text.replace("\\n", " "))
    };
    let schemas = schemas.iter().map(|(name, schema)| {
        let mut schema = json(schema);
        // The builder of utoipa has no `not`.
        if ["Name", "WrittenName"].contains(&name.as_str()) {
            schema.insert(
                "not",
                object! { "pattern": crate::patterns::stray_joiner() },
            );
        }
        (name.clone(), schema)
    });
    schemas.collect()
}
