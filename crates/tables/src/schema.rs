//! The tables of both databases. Each column and each filter is declared here, and only here.
//! `docs/adding-a-field.md` lists the other steps for a new column.
//!
//! Each table has two statics: the plain [`Declaration`], and the [`TableSpec`] with the SQL that
//! is derived from it. The gateway uses only the declarations, so its wasm does not contain the
//! code that renders SQL.

use std::sync::LazyLock;

use domain::name::MAX_NAME_CHARACTERS;

use crate::table_spec::ColumnType::{Boolean, Integer, Text};
use crate::table_spec::{
    BooleanFilter, Column, Declaration, Filter, FilterKind, TableSpec, Totals,
};

/// The case key of the name ([`domain::name::case_key`]).
const NAME_KEY: Column = Column::new("name_key", "key", Text(MAX_NAME_CHARACTERS)).internal();

/// The search key of the name, or null if it equals the case key. SQL reads the generated column
/// `sort_key`.
const SEARCH_KEY: Column = Column::new("search_key", "searchKey", Text(MAX_NAME_CHARACTERS))
    .nullable()
    .internal();

/// The words of the name, or null if they equal the search key.
const WORDS: Column = Column::new("words", "words", Text(MAX_NAME_CHARACTERS))
    .nullable()
    .internal();

/// The name of the place, next to `placeId`.
pub const PLACE_NAME: Column = Column::new("", "place", Text(MAX_NAME_CHARACTERS));

/// The column of [`PLACE_NAME`] in a CSV file that was exported with `expand=place`.
pub const EXPORTED_PLACE_NAME: &str = "placeName";

/// The terms are those of the generated column `terms` ([`crate::search`]).
const IS_ALIVE: BooleanFilter = BooleanFilter {
    column: "is_alive",
    search_true: "\"+\"",
    search_false: "\"-\"",
    has_index: false,
};

const IS_KING: BooleanFilter = BooleanFilter {
    column: "is_king",
    search_true: "\"!\"",
    // FTS5 has no negation of its own.
    search_false: "((\"+\" OR \"-\") NOT \"!\")",
    has_index: true,
};

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
        // Searches and orders as of a time need the keys of past names.
        NAME_KEY.logged(),
        SEARCH_KEY.logged(),
        WORDS.logged(),
    ],
    import_columns: &[],
    filters: &[
        Filter::new("q", FilterKind::Words),
        Filter::new("name", FilterKind::NamePrefix),
        Filter::new("ids", FilterKind::Ids),
    ],
    partition: None,
    totals: Totals::ChangeLog,
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
        NAME_KEY,
        SEARCH_KEY,
        WORDS,
    ],
    import_columns: &[PLACE_NAME],
    filters: &[
        Filter::new("isAlive", FilterKind::Boolean(IS_ALIVE)),
        Filter::new("isKing", FilterKind::Boolean(IS_KING)),
        Filter::new("placeId", FilterKind::Place("place_id")),
        Filter::new("q", FilterKind::Words),
        Filter::new("name", FilterKind::NamePrefix),
        Filter::new("ids", FilterKind::Ids),
    ],
    partition: Some(IS_ALIVE.column),
    totals: Totals::Populations,
};
