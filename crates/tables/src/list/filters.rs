//! The filters of lists and exports. Each filter becomes a condition on a row, or an expression for
//! the search index ([`crate::search`]).

use domain::Param;
use domain::id::Ids;
use domain::name::{Normalize, Prefix, SearchWords};
use http_semantics::{Params, Problem};

use super::Binds;
use crate::search;
use crate::statement::Bind;
use crate::table_spec::{BooleanFilter, Filter, FilterKind, TableSpec};

/// The places of the people in a list: the parameter `placeId`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceFilter {
    /// These places.
    Ids(Ids),
    /// No place.
    None,
}

impl Param for PlaceFilter {
    const EXPECTED: &'static str = "none, or 1 to 1000 ids, separated by commas";

    fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::None);
        }
        Ids::parse(text).map(Self::Ids)
    }
}

impl PlaceFilter {
    /// Whether the filter selects one range of the indexes that begin with the place.
    pub(super) fn is_single(&self) -> bool {
        match self {
            Self::Ids(ids) => ids.len() == 1,
            Self::None => true,
        }
    }
}

/// An SQL condition on a row, with `$` for each use of the value and `{+}` before each column.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    sql: String,
    value: Option<Bind>,
}

impl Condition {
    fn new(sql: String, value: Option<Bind>) -> Self {
        Self { sql, value }
    }

    /// The condition on the same column, for which SQLite uses no index.
    fn without_index(self) -> Self {
        Self {
            sql: self.sql.replace("{+}", "+"),
            ..self
        }
    }

    /// The SQL with the placeholder of the value.
    pub(super) fn to_sql(&self, binds: &mut Binds) -> String {
        let sql = self.sql.replace("{+}", "");
        match &self.value {
            Some(value) => sql.replace('$', &binds.add(value.clone())),
            None => sql,
        }
    }
}

/// The filters of a query.
#[derive(Debug, Default)]
pub(super) struct Filters {
    /// The ids.
    pub(super) ids: Option<Ids>,
    /// The places.
    pub(super) places: Option<PlaceFilter>,
    /// The column of `places`.
    place_column: &'static str,
    /// The booleans, with their values.
    pub(super) booleans: Vec<(&'static BooleanFilter, bool)>,
    /// The beginning of the name.
    pub(super) prefix: Option<Prefix>,
    /// The words of a search.
    pub(super) words: Option<SearchWords>,
}

impl Filters {
    pub(super) fn from_params(
        table: &TableSpec,
        params: &Params,
        normalize: Normalize,
    ) -> Result<Self, Problem> {
        let mut filters = Self::default();
        for Filter { name, kind } in table.declaration.filters {
            match kind {
                FilterKind::Place(column) => {
                    filters.places = params.get(name)?;
                    filters.place_column = column;
                }
                FilterKind::Boolean(boolean) => {
                    let value = params.get::<bool>(name)?;
                    filters.booleans.extend(value.map(|value| (boolean, value)));
                }
                FilterKind::NamePrefix => {
                    let parse = |text: &str| Prefix::new(text, normalize);
                    filters.prefix = params.parse_value(name, Prefix::EXPECTED, parse)?;
                }
                FilterKind::Words => {
                    let parse = |text: &str| SearchWords::new(text, normalize);
                    filters.words = params.parse_value(name, SearchWords::EXPECTED, parse)?;
                }
                FilterKind::Ids => filters.ids = params.get(name)?,
            }
        }
        Ok(filters)
    }

    /// Whether there is no filter.
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_none() && self.has_only_place() && self.places.is_none()
    }

    /// Whether there is no filter but a place.
    pub(super) fn has_only_place(&self) -> bool {
        let has_text = self.prefix.is_some() || self.words.is_some();
        self.ids.is_none() && self.booleans.is_empty() && !has_text
    }

    /// The value of a boolean filter, by its column.
    pub(super) fn boolean(&self, column: &str) -> Option<bool> {
        let mut booleans = self.booleans.iter();
        let found = booleans.find(|(boolean, _)| boolean.column == column);
        found.map(|(_, value)| *value)
    }

    /// The condition of the place.
    pub(super) fn place_condition(&self) -> Option<Condition> {
        let column = self.place_column;
        Some(match self.places.as_ref()? {
            PlaceFilter::None => Condition::new(["{+}", column, " IS NULL"].concat(), None),
            PlaceFilter::Ids(ids) if ids.len() == 1 => {
                let id = Bind::from(ids.first());
                Condition::new(["{+}", column, " = $"].concat(), Some(id))
            }
            PlaceFilter::Ids(ids) => {
                let list = ["{+}", column, " IN (SELECT value FROM json_each($))"].concat();
                Condition::new(list, Some(ids.to_json().into()))
            }
        })
    }

    /// A condition that every matching name fulfils. It bounds a range of an index on `sort_key`.
    pub(super) fn prefix_range(&self) -> Option<Condition> {
        // The byte is greater than all bytes of UTF-8.
        const RANGE: &str = "sort_key >= $ AND sort_key < $ || CAST(x'FF' AS TEXT)";
        let prefix = self.prefix.as_ref()?;
        Some(Condition::new(
            RANGE.to_owned(),
            Some(prefix.search_key().into()),
        ))
    }

    /// The condition of the beginning of the name.
    pub(super) fn prefix_condition(&self) -> Option<Condition> {
        const PREFIX: &str = "{+}name_key >= $ AND {+}name_key < $ || CAST(x'FF' AS TEXT)";
        let prefix = self.prefix.as_ref()?;
        Some(Condition::new(
            PREFIX.to_owned(),
            Some(prefix.case_key().into()),
        ))
    }

    /// The conditions of all filters on a row.
    pub(super) fn conditions(&self) -> Vec<Condition> {
        /// Uses the primary key.
        const IDS: &str = "id IN (SELECT value FROM json_each($))";
        /// A word is preceded by a space.
        const WORD: &str = "instr(' ' || coalesce(words, sort_key), $) > 0";
        let ids = self.ids.iter();
        let ids = ids.map(|ids| Condition::new(IDS.to_owned(), Some(ids.to_json().into())));
        let booleans = self.booleans.iter().map(boolean_condition);
        let words = self.words.iter().flat_map(SearchWords::words);
        let words = words.map(|word| {
            let word = [" ", word].concat();
            Condition::new(WORD.to_owned(), Some(word.into()))
        });
        let others = self.place_condition().into_iter();
        let others = others.chain(booleans).chain(self.prefix_condition());
        let others = others.chain(words).map(|condition| {
            if self.ids.is_some() {
                condition.without_index()
            } else {
                condition
            }
        });
        ids.chain(others).collect()
    }

    /// The query of the search index for the same records. It has no ids.
    pub(super) fn search(&self) -> String {
        let places = self.places.iter().map(search::places);
        let booleans = self.booleans.iter().map(|(boolean, value)| {
            let expression = if *value {
                boolean.search_true
            } else {
                boolean.search_false
            };
            expression.to_owned()
        });
        let prefix = self.prefix.iter().map(search::prefix);
        let words = self.words.iter().map(search::words);
        let all: Vec<String> = words.chain(prefix).chain(places).chain(booleans).collect();
        all.join(" AND ")
    }
}

/// The value is not bound but part of the SQL, so that SQLite can use partial indexes.
pub(super) fn boolean_condition((boolean, value): &(&BooleanFilter, bool)) -> Condition {
    let value = if *value { " = 1" } else { " = 0" };
    Condition::new(["{+}", boolean.column, value].concat(), None)
}
