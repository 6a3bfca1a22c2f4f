//! A page of places.

use registry::export::Form;
use registry::media::Frame;
use registry::sql::{self, Filters, Register, Statement};

use super::record;
use crate::domain::PlaceList;

/// The register.
pub const REGISTER: Register = Register {
    table: "place",
    columns: "name",
    record: record!(),
    changes: "place_change",
};

/// By id: the primary key. By name: the unique index on `name_key`.
#[must_use]
pub fn list(list: &PlaceList, frame: Frame, seen: Option<i64>) -> Statement {
    sql::page(REGISTER, filters(list), &list.page, frame, seen)
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

/// The same for an export: a line of CSV, or of JSON, a place.
#[must_use]
pub fn exported(form: Form) -> Register {
    match form {
        Form::NdJson => REGISTER,
        Form::Csv => Register {
            record: concat!("id || ',' || ", registry::name_cell!()),
            ..REGISTER
        },
    }
}
