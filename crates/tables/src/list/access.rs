//! Chooses the access path of a page: how a statement finds the rows that match, in the order of
//! the page, without a scan of the table.
//!
//! | order | filters | source of the rows |
//! |---|---|---|
//! | by id | none, or one place | the primary key, or an index of the place |
//! | by id | any other, for example the start of the name | the search index, which is in order of id |
//! | by name | none, one place, booleans, the start of the name | an index on the name, read in order |
//! | by name | words, several places, a place together with `isKing=true` | the search index, sorted |
//! | any | ids | the primary key, sorted |
//!
//! The indexes on the name are `place_by_name`, `person_by_life_and_name`,
//! `person_by_place_life_and_name` and `king_by_name`.
//!
//! A statement that reads an index in order may skip rows. A statement that sorts reads all
//! matches. Both end with an error after [`MAX_MATCHES`] rows.

use super::filters::{Condition, PlaceFilter, boolean_condition};
use super::{Binds, ListQuery, MAX_MATCHES};
use crate::Cursor;
use crate::page::{Sort, SortKey};
use crate::table_spec::TableSpec;

/// The rows of a page. The SQL has the placeholders of [`TableSpec::sql`].
pub(super) struct Rows {
    /// A query for the rows in the order of the page, without a limit.
    pub(super) sql: String,
    /// How the page knows whether there is a next one.
    pub(super) next: Next,
}

/// How a page knows whether there is a next one.
pub(super) enum Next {
    /// A condition: there is a row after the row `page`.
    Probe(String),
    /// The page reads one row more than it shows. If the condition is true, there are too many
    /// rows to sort or skip.
    Lookahead {
        /// The page has not been read: more matches than can be sorted.
        too_many_to_sort: bool,
        /// A condition: an incomplete page has more candidates than it may skip.
        too_many_to_skip: Option<String>,
    },
}

/// The source of the rows that match all filters.
pub(super) enum Source {
    /// The table, by the primary key or an index.
    Table,
    /// The search index.
    Search,
}

impl Source {
    /// The table that the condition of the matches is about, and its column with the id.
    pub(super) fn matches(&self) -> (&'static str, &'static str) {
        match self {
            Self::Table => ("{table}", "id"),
            Self::Search => ("{table}_search", "{table}_search.rowid"),
        }
    }

    /// The tables with the columns of the matches.
    fn records(&self) -> &'static str {
        match self {
            Self::Table => "{table}",
            // FTS5 returns the rows in order of id, so the join must not be reordered.
            Self::Search => {
                "{table}_search CROSS JOIN {table} ON {table}.id = {table}_search.rowid"
            }
        }
    }
}

impl ListQuery {
    /// The source of the rows in order of id, which the number of matches is counted from, too.
    pub(super) fn source(&self) -> Source {
        let filters = &self.filters;
        let is_single = filters.places.as_ref().is_none_or(PlaceFilter::is_single);
        if filters.ids.is_some() || (filters.has_only_place() && is_single) {
            Source::Table
        } else {
            Source::Search
        }
    }

    /// The condition that selects the matches in a source.
    pub(super) fn condition(&self, source: &Source, binds: &mut Binds) -> String {
        match source {
            Source::Table => join(&self.filters.conditions(), binds),
            Source::Search => {
                let search = binds.add(self.filters.search());
                format!("{{table}}_search MATCH {search}")
            }
        }
    }
}

fn join(conditions: &[Condition], binds: &mut Binds) -> String {
    if conditions.is_empty() {
        return "TRUE".to_owned();
    }
    let sql: Vec<String> = conditions.iter().map(|one| one.to_sql(binds)).collect();
    sql.join(" AND ")
}

/// The comparison with the last row of the page before, and the direction of `ORDER BY`.
fn direction(sort: Sort) -> (&'static str, &'static str) {
    if sort.descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    }
}

/// The condition for the rows after a row, given by SQL expressions. The first comparison bounds
/// the range of the index.
fn after_name(beyond: &str, [key, name, id]: [&str; 3]) -> String {
    format!("sort_key {beyond}= {key} AND (sort_key, name, id) {beyond} ({key}, {name}, {id})")
}

/// The condition for the rows after the page before, in order of name, if there is one.
fn and_after_name(after: Option<[&str; 3]>, beyond: &str) -> String {
    after.map_or_else(String::new, |after| {
        [" AND ", &after_name(beyond, after)].concat()
    })
}

impl Rows {
    pub(super) fn new(table: &TableSpec, query: &ListQuery, binds: &mut Binds) -> Self {
        let after = query.page.after.as_ref();
        if query.page.sort.key == SortKey::Id {
            let after = after.map(|cursor| binds.add(cursor.id()));
            return Self::by_id(query, after.as_deref(), binds);
        }
        let after = match after {
            Some(Cursor::Name { key, name, id }) => Some([
                binds.add(key.as_str()),
                binds.add(name.as_str()),
                binds.add(*id),
            ]),
            _ => None,
        };
        let after = after
            .as_ref()
            .map(|after| after.each_ref().map(String::as_str));
        if query.filters.ids.is_some() {
            Self::sorted_by_name(query, after, &Source::Table, binds)
        } else if query.has_no_name_index() {
            Self::sorted_by_name(query, after, &Source::Search, binds)
        } else {
            Self::walked_by_name(table, query, after, binds)
        }
    }

    /// Rows in order of id. `after` is a placeholder.
    pub(super) fn by_id(query: &ListQuery, after: Option<&str>, binds: &mut Binds) -> Self {
        let (beyond, order) = direction(query.page.sort);
        let source = query.source();
        let (matches, key) = source.matches();
        let condition = query.condition(&source, binds);
        let after = after.map_or_else(String::new, |after| {
            // D1 binds numbers as reals. FTS5 only seeks to integers, and would skip all rows before.
            format!(" AND {key} {beyond} CAST({after} AS INTEGER)")
        });
        let select = format!(
            "SELECT {{record_columns}} FROM {} WHERE {condition}{after} ORDER BY {key} {order}",
            source.records()
        );
        let next = if query.filters.ids.is_some() {
            Next::Lookahead {
                too_many_to_sort: false,
                too_many_to_skip: None,
            }
        } else {
            let probe = format!(
                "EXISTS (SELECT 1 FROM {matches} WHERE {condition} AND {key} {beyond} page.id)"
            );
            Next::Probe(probe)
        };
        Self { sql: select, next }
    }

    /// Rows that are read in order of id and sorted by name.
    fn sorted_by_name(
        query: &ListQuery,
        after: Option<[&str; 3]>,
        source: &Source,
        binds: &mut Binds,
    ) -> Self {
        let (beyond, order) = direction(query.page.sort);
        let condition = query.condition(source, binds);
        let select = format!(
            "SELECT {{record_columns}}, sort_key FROM {} WHERE {condition}{}
    ORDER BY sort_key {order}, name {order}, id {order}",
            source.records(),
            and_after_name(after, beyond)
        );
        Self {
            sql: select,
            next: Next::Lookahead {
                too_many_to_sort: matches!(source, Source::Search),
                too_many_to_skip: None,
            },
        }
    }

    /// Rows along an index on the name.
    fn walked_by_name(
        table: &TableSpec,
        query: &ListQuery,
        after: Option<[&str; 3]>,
        binds: &mut Binds,
    ) -> Self {
        let (beyond, order) = direction(query.page.sort);
        let filters = &query.filters;
        let partition = table.declaration.partition;
        // The conditions that select a range of an index, and those that only rows have.
        let mut seek: Vec<Condition> = Vec::new();
        let mut skip: Vec<Condition> = Vec::new();
        let indexed = filters
            .booleans
            .iter()
            .find(|(boolean, value)| *value && boolean.has_index);
        for boolean in &filters.booleans {
            let is_seek = match indexed {
                Some((indexed, _)) => indexed.column == boolean.0.column,
                None => Some(boolean.0.column) == partition,
            };
            if is_seek { &mut seek } else { &mut skip }.push(boolean_condition(boolean));
        }
        seek.extend(filters.place_condition());
        seek.extend(filters.prefix_range());
        skip.extend(filters.prefix_condition());
        let seek = join(&seek, binds);
        // Without a condition on the partition, both of its ranges are merged.
        let ranges: Vec<String> = match partition {
            Some(column) if indexed.is_none() && filters.boolean(column).is_none() => [0, 1]
                .map(|value| format!("{column} = {value} AND {seek}"))
                .into(),
            _ => vec![seek],
        };
        let select = |range: &String, position: &str| {
            format!(
                "SELECT {{record_columns}}, sort_key, name_key FROM {{table}} WHERE {range}{position}"
            )
        };
        let order = format!(" ORDER BY sort_key {order}, name {order}, id {order}");
        let walk = |position: &str| {
            let ranges: Vec<String> = ranges.iter().map(|range| select(range, position)).collect();
            [&ranges.join(" UNION ALL "), order.as_str()].concat()
        };
        let candidates = walk(&and_after_name(after, beyond));
        if skip.is_empty() {
            let beyond_page = after_name(beyond, ["page.sort_key", "page.name", "page.id"]);
            let probes = ranges.iter().map(|range| {
                format!("EXISTS (SELECT 1 FROM {{table}} WHERE {range} AND {beyond_page})")
            });
            let probe = probes.collect::<Vec<_>>().join(" OR ");
            return Self {
                sql: candidates,
                next: Next::Probe(["(", &probe, ")"].concat()),
            };
        }
        let skip = join(&skip, binds);
        Self {
            sql: format!(
                "SELECT * FROM (\n    {candidates}\n    LIMIT {MAX_MATCHES}\n  ) WHERE {skip}"
            ),
            next: Next::Lookahead {
                too_many_to_sort: false,
                too_many_to_skip: Some(format!(
                    "EXISTS (SELECT 1 FROM ({candidates} LIMIT 1 OFFSET {MAX_MATCHES}))"
                )),
            },
        }
    }
}

impl ListQuery {
    /// Whether no index has the matches in order of name.
    fn has_no_name_index(&self) -> bool {
        let filters = &self.filters;
        let has_rare = filters
            .booleans
            .iter()
            .any(|(boolean, value)| *value && boolean.has_index);
        let places = filters.places.as_ref();
        filters.words.is_some() || places.is_some_and(|places| has_rare || !places.is_single())
    }
}
