//! A page of places.

use registry::media::Frame;
use registry::sql::{self, Filters, Register, Statement};

use super::record;
use crate::domain::PlaceList;

const REGISTER: Register = Register {
    table: "place",
    columns: "name",
    record: record!(),
    changes: "place_change",
};

/// By id: the primary key. By name: the unique index on `name_key`.
#[must_use]
pub fn list(list: &PlaceList, frame: Frame, seen: Option<i64>) -> Statement {
    let mut filters = Filters::default();
    if let Some(prefix) = &list.name {
        filters.name_begins(prefix);
    }
    if let Some(ids) = &list.ids {
        filters.bound(
            "id IN (SELECT value FROM json_each($))",
            ids.to_json().as_str(),
        );
    }
    sql::page(REGISTER, filters, &list.page, frame, seen)
}
