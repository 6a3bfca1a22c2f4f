//! The schemas of single values. They are written by hand, because their bounds are constants of
//! the domain, and `#[derive(ToSchema)]` cannot use constants.

use domain::{PersonId, PlaceId, name};
use http_semantics::fields::{EXPECTED_CHOICE, EXPECTED_IMPORTED_ID};
use http_semantics::problem::Kind;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::patterns;
use crate::problems::{type_name, type_uri};

/// Declares a newtype with its schema.
macro_rules! scalars {
    ($($name:ident($type:ty) = $schema:expr;)*) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub struct $name(pub $type);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.build().into()
            }
        }

        impl ToSchema for $name {}
    )*};
}

fn schema(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(kind))
}

fn id(maximum: i64, description: &str) -> ObjectBuilder {
    schema(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .maximum(Some(maximum))
        .description(Some(description))
}

scalars! {
    Id(i64) = id(PlaceId::MAX_ID, "An id. Every JSON parser reads it exactly.");
    ChosenId(i64) = id(
        PersonId::MAX_CHOSEN_ID,
        &format!("An id that a client chooses: {EXPECTED_CHOICE}."),
    );
    ImportedId(i64) = id(
        PersonId::MAX_IMPORTED_ID,
        &format!("The id of an imported record: {EXPECTED_IMPORTED_ID}."),
    );
    Count(i64) = schema(Type::Integer).minimum(Some(0));
    Name(String) = schema(Type::String)
        .min_length(Some(1))
        .max_length(Some(name::MAX_NAME_CHARACTERS))
        .pattern(Some(patterns::name()))
        .description(Some("A name, in Unicode's normal form C."));
    WrittenName(String) = schema(Type::String)
        .pattern(Some(patterns::written_name()))
        .description(Some(
            "A name. White space around it is removed, and it is stored in Unicode's normal form C. It starts with a visible character and has no zero-width characters, except joiners between letters.",
        ));
    IfMatch(String) = schema(Type::String)
        .pattern(Some(patterns::entity_tags()))
        .description(Some("As the header `If-Match`: the operation is rejected (412) if the record has another version."));
    ActorName(String) = schema(Type::String)
        .pattern(Some("^[A-Za-z0-9._@-]{1,64}$"))
        .description(Some("The name of a token."));
    Moment(String) =
        schema(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
    Share(serde_json::Number) = schema(Type::Number).minimum(Some(0)).maximum(Some(1));
    Pointer(String) = schema(Type::String)
        .pattern(Some("^(/.*)?$"))
        .description(Some("A JSON pointer (RFC 6901); empty for the whole body."));
    True(bool) = schema(Type::Boolean).enum_values(Some([true]));
    False(bool) = schema(Type::Boolean).enum_values(Some([false]));
    ProblemType(String) = schema(Type::String)
        .enum_values(Some(Kind::ALL.map(type_uri)))
        .extensions(Some([("x-enum-varnames", Kind::ALL.map(type_name).to_vec())].into_iter().collect()))
        .description(Some("The type of the problem."));
}
