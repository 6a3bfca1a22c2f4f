//! The values that records are made of, with the bounds that the registry sets.

use domain::{PersonId, PlaceId, name};
use http_semantics::fields::EXPECTED_CHOICE;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Gives a type a schema that no derive can: bounds are constants of the registry.
macro_rules! scalar {
    ($type:ty, $schema:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.build().into()
            }
        }

        impl ToSchema for $type {}
    };
}

fn of(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(kind))
}

/// An id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id(pub i64);

scalar!(
    Id,
    of(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .maximum(Some(PlaceId::MAX_ID))
        .description(Some("An id: what every reader of JSON keeps exact."))
);

/// An id that a client chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenId(pub i64);

scalar!(
    ChosenId,
    of(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .maximum(Some(PersonId::MAX_CHOSEN_ID))
        .description(Some(format!(
            "An id that a client chooses: {EXPECTED_CHOICE}."
        )))
);

/// How many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count(pub i64);

scalar!(Count, of(Type::Integer).minimum(Some(0)));

/// A name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name(pub String);

/// At least one character that is not white space, and no control character at all.
const NAME: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";

scalar!(
    Name,
    of(Type::String)
        .min_length(Some(1))
        .max_length(Some(name::MAX_NAME_CHARACTERS))
        .pattern(Some(NAME))
        .description(Some(
            "A name. White space around it is taken away, and it is kept in Unicode's normal form C."
        ))
);

/// A moment in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment(pub String);

scalar!(
    Moment,
    of(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
);

/// A part of a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share(pub serde_json::Number);

scalar!(Share, of(Type::Number).minimum(Some(0)).maximum(Some(1)));

/// A JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer(pub String);

scalar!(
    Pointer,
    of(Type::String)
        .pattern(Some("^(/.*)?$"))
        .description(Some("A JSON pointer (RFC 6901); empty for the whole body."))
);

/// `true` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct True(pub bool);

scalar!(True, of(Type::Boolean).enum_values(Some([true])));

/// `false` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct False(pub bool);

scalar!(False, of(Type::Boolean).enum_values(Some([false])));
