//! The schemas of single values. They are written by hand, because their bounds are constants of
//! the domain, which `#[derive(ToSchema)]` cannot use.

use domain::{PersonId, PlaceId, name};
use http_semantics::fields::{EXPECTED_CHOICE, EXPECTED_IMPORTED_ID};
use http_semantics::problem::Kind;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

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

/// The ranges of control characters, for a character class.
pub const CONTROL: &str = r"\u0000-\u001f\u007f-\u009f";

/// The ranges of white space. A class of regular expressions is not used, because engines differ.
const SPACE: &str =
    r"\u0009-\u000d\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000";

/// The ranges of [`name`]'s invisible characters below U+10000.
const INVISIBLE: &str = r"\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb";

/// The ranges of [`name`]'s zero-width characters below U+10000.
pub const ZERO_WIDTH: &str = r"\u00ad\u034f\u061c\u17b4-\u17b5\u180e\u200b\u200e-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb";

/// The characters of a stored name: as [`domain::name::Name::new`] checks them.
fn stored_name() -> String {
    let others = name::MAX_NAME_CHARACTERS - 2;
    let last = format!("[^{CONTROL}{SPACE}{ZERO_WIDTH}]");
    format!("[^{CONTROL}{SPACE}{INVISIBLE}]([^{CONTROL}{ZERO_WIDTH}]{{0,{others}}}{last})?")
}

/// The joiners in a name that have no letter on one side. A name must not match.
#[must_use]
pub fn stray_joiner() -> String {
    let joiner = r"[\u200c\u200d]";
    let no_letter = format!(r"[{SPACE}\u0021-\u0040\u005b-\u0060\u007b-\u007e\u200c\u200d]");
    format!("(^|{no_letter}){joiner}|{joiner}({no_letter}|$)")
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
        .pattern(Some(format!("^{}$", stored_name())))
        .description(Some("A name, in Unicode's normal form C."));
    WrittenName(String) = schema(Type::String)
        .pattern(Some(format!("^[{SPACE}]*{}[{SPACE}]*$", stored_name())))
        .description(Some(
            "A name. White space around it is removed, and it is stored in Unicode's normal form C. It starts with a visible character and has no zero-width characters, except joiners between letters.",
        ));
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
