//! A page of people.

use http_semantics::Format;
use tables::statement::{self, Filters, Register, Statement};

use super::record;
use crate::domain::PeopleList;

/// The register.
pub const REGISTER: Register = Register {
    table: "person",
    columns: "name, is_alive, is_king, place_id",
    record: record!(),
    header: "id,name,isAlive,placeId,isKing\r\n",
    // One `concat` takes less time than as many `||`; what is null is empty.
    line: concat!(
        "concat(id, ',', ",
        http_semantics::name_cell!(),
        ", iif(is_alive, ',true,', ',false,'), place_id, iif(is_king, ',true', ',false'))"
    ),
    changes: "person_change",
};

/// Each set of equality filters has an index in each order (see the migration), so that
/// a page is a walk from its cursor on. Only a name's prefix in the order of ids sorts
/// what it matches.
#[must_use]
pub fn list(list: &PeopleList, format: Format, seen: Option<i64>) -> Statement {
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
pub fn filters(list: &PeopleList) -> Filters {
    let mut filters = Filters::default();
    if let Some(place) = list.place {
        filters.bound("place_id = $", place.get());
    }
    if let Some(is_alive) = list.is_alive {
        filters.bound("is_alive = $", i64::from(is_alive));
    }
    if let Some(is_king) = list.is_king {
        // Written out, so that SQLite can choose the partial indexes of kings.
        filters.condition(if is_king {
            "is_king = 1"
        } else {
            "is_king = 0"
        });
    }
    if let Some(prefix) = &list.name {
        filters.name_begins(prefix);
    }
    if let Some(ids) = &list.ids {
        filters.among(ids);
    }
    filters
}
