//! The tables of both databases. Each column and each filter is declared here, once.
//! `docs/adding-a-field.md` lists the other steps for a new column.
//!
//! Each table has two statics: the plain [`Declaration`], and the [`TableSpec`] with the SQL that
//! derives from it. The gateway only uses the declarations, so that its wasm does not contain the
//! code that renders SQL.

use std::sync::LazyLock;

use domain::name::MAX_NAME_CHARACTERS;

use crate::table_spec::ColumnType::{Boolean, Integer, Text};
use crate::table_spec::{Column, Declaration, Filter, FilterKind, TableSpec};

/// The table of places.
pub static PLACE: LazyLock<TableSpec> = LazyLock::new(|| TableSpec::new(&PLACE_TABLE));

/// The declaration of [`PLACE`].
pub static PLACE_TABLE: Declaration = Declaration {
    table: "place",
    collection: "places",
    singular: "place",
    change_log: "place_change",
    change_log_id: "place_id",
    columns: &[
        Column::id(),
        Column::new("name", "name", Text(MAX_NAME_CHARACTERS)),
        Column::new("name_key", "key", Text(MAX_NAME_CHARACTERS)).internal(),
    ],
    filters: &[
        Filter::new("name", FilterKind::NamePrefix),
        Filter::new("ids", FilterKind::Ids),
    ],
};

/// The table of people.
pub static PERSON: LazyLock<TableSpec> = LazyLock::new(|| TableSpec::new(&PERSON_TABLE));

/// The declaration of [`PERSON`].
pub static PERSON_TABLE: Declaration = Declaration {
    table: "person",
    collection: "people",
    singular: "person",
    change_log: "person_change",
    change_log_id: "person_id",
    columns: &[
        Column::id(),
        Column::new("name", "name", Text(MAX_NAME_CHARACTERS)),
        Column::new("is_alive", "isAlive", Boolean),
        Column::new("place_id", "placeId", Integer).nullable(),
        Column::new("is_king", "isKing", Boolean),
        Column::new("name_key", "key", Text(MAX_NAME_CHARACTERS)).internal(),
    ],
    filters: &[
        Filter::new("isAlive", FilterKind::Boolean("is_alive")),
        Filter::new("isKing", FilterKind::Boolean("is_king")),
        Filter::new("placeId", FilterKind::Id("place_id")),
        Filter::new("name", FilterKind::NamePrefix),
        Filter::new("ids", FilterKind::Ids),
    ],
};
