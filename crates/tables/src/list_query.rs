//! The query of a list or an export: the filters that the table declares, and the page.

use domain::ids::Ids;
use domain::{PlaceId, name};
use http_semantics::{Params, Problem};

use crate::Page;
use crate::statement::Bind;
use crate::table_spec::{FilterKind, TableSpec};

/// Which records of a table, in which order, how many.
#[derive(Debug, Default)]
pub struct ListQuery {
    filters: Vec<Match>,
    /// The page.
    pub page: Page,
}

/// What a record must match.
#[derive(Debug)]
enum Match {
    Id(&'static str, PlaceId),
    Boolean(&'static str, bool),
    LiteralBoolean(&'static str, bool),
    NamePrefix(name::Prefix),
    Ids(Ids),
}

impl ListQuery {
    /// Reads the filters that are given, and the page.
    ///
    /// # Errors
    /// An invalid value.
    pub fn read(table: &TableSpec, params: &Params) -> Result<Self, Problem> {
        let mut filters = Vec::new();
        for filter in table.declaration.filters {
            filters.extend(match filter.kind {
                FilterKind::Id(column) => {
                    let id = params.get(filter.name)?;
                    id.map(|id| Match::Id(column, id))
                }
                FilterKind::Boolean(column) => {
                    let value = params.get(filter.name)?;
                    value.map(|value| Match::Boolean(column, value))
                }
                FilterKind::LiteralBoolean(column) => {
                    let value = params.get(filter.name)?;
                    value.map(|value| Match::LiteralBoolean(column, value))
                }
                FilterKind::NamePrefix => params.get(filter.name)?.map(Match::NamePrefix),
                FilterKind::Ids => params.get(filter.name)?.map(Match::Ids),
            });
        }
        let page = Page::read(params)?;
        Ok(Self { filters, page })
    }

    /// The conditions of the filters.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        for filter in &self.filters {
            match filter {
                Match::Id(column, id) => conditions.add(&format!("{column} = $"), id.get()),
                Match::Boolean(column, value) => {
                    conditions.add(&format!("{column} = $"), i64::from(*value));
                }
                Match::LiteralBoolean(column, value) => {
                    let condition = format!("{column} = {}", i64::from(*value));
                    conditions.conditions.push(condition);
                }
                // One range of an index on the names.
                Match::NamePrefix(prefix) => conditions.add(
                    "name_key >= $ AND name_key < $ || char(0x10FFFF)",
                    prefix.key(),
                ),
                // By the primary key.
                Match::Ids(ids) => {
                    conditions.add("id IN (SELECT value FROM json_each($))", ids.to_json());
                }
            }
        }
        conditions
    }
}

/// The conditions of a list, joined by AND.
#[derive(Debug, Default)]
pub struct Conditions {
    conditions: Vec<String>,
    pub(crate) binds: Vec<Bind>,
}

/// The binds that every page and every export part has before those of its conditions.
const PAGE_BINDS: usize = 6;

impl Conditions {
    /// Adds a condition in which each `$` stands for the value.
    fn add(&mut self, condition: &str, value: impl Into<Bind>) {
        let value = self.bind(value);
        self.conditions.push(condition.replace('$', &value));
    }

    /// Binds a value, and returns its placeholder.
    pub(crate) fn bind(&mut self, value: impl Into<Bind>) -> String {
        self.binds.push(value.into());
        format!("?{}", PAGE_BINDS + self.binds.len())
    }

    /// The conditions as SQL.
    pub(crate) fn to_sql(&self) -> String {
        if self.conditions.is_empty() {
            "TRUE".to_owned()
        } else {
            self.conditions.join(" AND ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{PERSON, PLACE};

    /// A filter that is declared twice would be read once.
    #[test]
    fn each_parameter_of_a_list_is_declared_once() {
        for table in [&PLACE, &PERSON] {
            let mut names = table.list_parameters.clone();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), table.list_parameters.len());
        }
    }

    #[test]
    fn each_filter_adds_its_condition() -> Result<(), Problem> {
        let query = "isAlive=true&isKing=false&placeId=3&name=A&ids=1,2&limit=5";
        let params = Params::read(query, &PERSON.list_parameters)?;
        let list = ListQuery::read(&PERSON, &params)?;
        let conditions = list.conditions();
        assert_eq!(
            conditions.to_sql(),
            "is_alive = ?7 AND is_king = 0 AND place_id = ?8 \
             AND name_key >= ?9 AND name_key < ?9 || char(0x10FFFF) \
             AND id IN (SELECT value FROM json_each(?10))"
        );
        assert_eq!(conditions.binds.len(), 4);
        assert_eq!(list.page.limit.get(), 5);
        Ok(())
    }
}
