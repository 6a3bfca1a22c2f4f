//! The statement that reads a part of an export.

use http_semantics::MediaType;

use super::access::Rows;
use super::{Binds, ListQuery};
use crate::statement::{Bind, Statement, framing_binds};
use crate::table_spec::TableSpec;

/// A part of an export: one row of (body, `last_id`, records).
///
/// ?1        the maximum number of records
/// ?2 to ?5  the text before, between and after the records, and the end of an empty list
/// ?6        the id after which the part begins
const PART: &str = "
SELECT
  ?2 || coalesce(group_concat({record}, ?3) || ?4, ?5) AS body,
  max(id) AS last_id,
  count(*) AS records
FROM (
  {rows}
  LIMIT +?1
)";

const PART_BINDS: usize = 6;

/// A part of an export: the records after an id, sorted by id.
#[must_use]
pub fn export_part(
    table: &'static TableSpec,
    query: &ListQuery,
    media_type: MediaType,
    after: i64,
    limit: i64,
) -> Statement {
    // Only the first part has the header.
    let framing = if after == 0 {
        table.framing(media_type)
    } else {
        media_type.framing()
    };
    let mut binds = Binds::after(PART_BINDS);
    let rows = Rows::by_id(query, Some("?6"), &mut binds);
    let sql = PART
        .replace("{rows}", &rows.sql)
        .replace("{record}", table.record(media_type));
    let mut all = vec![Bind::Integer(limit)];
    all.extend(framing_binds(framing));
    all.push(after.into());
    all.append(&mut binds.values);
    Statement {
        sql: table.sql(&sql),
        binds: all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::PLACE;

    #[test]
    fn only_the_first_part_of_an_export_has_the_header() {
        let header = Bind::from(PLACE.csv_header.as_str());
        for (after, has_header) in [(0, true), (7, false)] {
            let part = export_part(&PLACE, &ListQuery::default(), MediaType::Csv, after, 10);
            assert_eq!(part.binds.contains(&header), has_header);
        }
    }
}
