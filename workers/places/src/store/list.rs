//! A page of places.

use http_semantics::Format;
use tables::statement::{self, Filters, Register, Statement};

use super::record;
use crate::domain::PlaceList;

/// The register.
pub const REGISTER: Register = Register {
    table: "place",
    columns: "name",
    record: record!(),
    header: "id,name\r\n",
    line: concat!("id || ',' || ", http_semantics::name_cell!()),
    changes: "place_change",
};

/// By id: the primary key. By name: the unique index on `name_key`.
#[must_use]
pub fn list(list: &PlaceList, format: Format, seen: Option<i64>) -> Statement {
    let frame = REGISTER.frame(format);
    statement::page(
        REGISTER.written(format),
        filters(list),
        &list.page,
        frame,
        seen,
    )
}

/// The conditions of a list.
#[must_use]
pub fn filters(list: &PlaceList) -> Filters {
    let mut filters = Filters::default();
    if let Some(prefix) = &list.name {
        filters.name_begins(prefix);
    }
    if let Some(ids) = &list.ids {
        filters.among(ids);
    }
    filters
}
