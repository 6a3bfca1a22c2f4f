//! Counts the matches of a list (`count=exact`).
//!
//! If the filters allow it, the number comes from totals that the database maintains. Otherwise the
//! statement counts at most [`MAX_MATCHES`] records.

use super::filters::PlaceFilter;
use super::{Binds, ListQuery, MAX_MATCHES};
use crate::table_spec::{TableSpec, Totals};

/// The parts of a statement that count the matches.
pub(super) struct Total {
    /// A common table expression `counted (n)`, if the matches must be counted.
    pub(super) counted: String,
    /// The number, or null.
    pub(super) number: String,
    /// Whether there are more.
    pub(super) is_minimum: String,
}

/// Counts one match more than the maximum, unless nothing has changed.
const COUNTED: &str = "
  counted AS MATERIALIZED (
    SELECT count(*) AS n
    FROM (
      SELECT 1 FROM {from} WHERE {condition}
      LIMIT iif(NOT EXISTS (SELECT 1 FROM current), 0, {max} + 1)
    )
  ),";

/// Reads one row: the last change.
const PLACES: &str = "SELECT places FROM place_change ORDER BY seq DESC LIMIT 1";

/// Reads one row: the primary key of `population_history` begins with the place.
const ALL_PEOPLE: &str =
    "SELECT {number} FROM population_history WHERE place_id = -1 ORDER BY at DESC LIMIT 1";

/// Reads one row per place. Uses the primary key.
const PEOPLE_OF_PLACES: &str = "SELECT sum({number}) FROM population WHERE place_id {place}";

impl Total {
    /// `must_count` means that the page needs the number, too.
    pub(super) fn new(
        table: &TableSpec,
        query: &ListQuery,
        must_count: bool,
        binds: &mut Binds,
    ) -> Self {
        let maintained = query
            .page
            .count
            .then(|| maintained(table, query, binds))
            .flatten();
        let is_counted = must_count || (query.page.count && maintained.is_none());
        let counted = if is_counted {
            counted(query, binds)
        } else {
            String::new()
        };
        let unless_unchanged =
            |sql: &str| format!("iif(NOT EXISTS (SELECT 1 FROM current), NULL, {sql})");
        let (total, is_minimum) = match maintained {
            _ if !query.page.count => ("NULL".to_owned(), "FALSE".to_owned()),
            Some(sql) => (
                unless_unchanged(&format!("coalesce(({sql}), 0)")),
                "FALSE".to_owned(),
            ),
            None => (
                unless_unchanged(&format!("(SELECT min(n, {MAX_MATCHES}) FROM counted)")),
                format!("(SELECT n FROM counted) > {MAX_MATCHES}"),
            ),
        };
        Self {
            counted,
            number: total,
            is_minimum,
        }
    }
}

fn counted(query: &ListQuery, binds: &mut Binds) -> String {
    let source = query.source();
    let (matches, _) = source.matches();
    COUNTED
        .replace("{from}", matches)
        .replace("{condition}", &query.condition(&source, binds))
        .replace("{max}", &MAX_MATCHES.to_string())
}

/// The maintained total of the records that match, if there is one.
fn maintained(table: &TableSpec, query: &ListQuery, binds: &mut Binds) -> Option<String> {
    let filters = &query.filters;
    if table.declaration.totals == Totals::ChangeLog {
        return filters.is_empty().then(|| PLACES.to_owned());
    }
    let has_other_boolean = filters
        .booleans
        .iter()
        .any(|(boolean, _)| Some(boolean.column) != table.declaration.partition);
    let has_text = filters.prefix.is_some() || filters.words.is_some();
    if filters.ids.is_some() || has_other_boolean || has_text {
        return None;
    }
    let is_alive = table
        .declaration
        .partition
        .and_then(|column| filters.boolean(column));
    let number = match is_alive {
        None => "living + dead",
        Some(true) => "living",
        Some(false) => "dead",
    };
    let sql = match &filters.places {
        None => ALL_PEOPLE.to_owned(),
        Some(PlaceFilter::None) => PEOPLE_OF_PLACES.replace("{place}", "= 0"),
        Some(PlaceFilter::Ids(ids)) => {
            let ids = binds.add(ids.to_json());
            let place = format!("IN (SELECT value FROM json_each({ids}))");
            PEOPLE_OF_PLACES.replace("{place}", &place)
        }
    };
    Some(sql.replace("{number}", number))
}
