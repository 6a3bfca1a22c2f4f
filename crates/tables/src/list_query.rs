//! The query of a list or an export: the filters that the table declares, and the page.

use domain::PlaceId;
use domain::ids::Ids;
use domain::name::{Normalize, Prefix};
use http_semantics::{Params, Problem};

use crate::Page;
use crate::statement::Bind;
use crate::table_spec::{Filter, FilterKind, TableSpec};

/// A parsed query: the conditions of the filters, and the page.
#[derive(Debug, Default)]
pub struct ListQuery {
    filters: Vec<Condition>,
    /// The page.
    pub page: Page,
}

/// An SQL condition with `$` for each use of the value.
#[derive(Debug)]
struct Condition(String, Option<Bind>);

impl ListQuery {
    /// Parses the filters and the page. Names are normalized as in a write.
    ///
    /// # Errors
    /// An invalid value.
    pub fn from_params(
        table: &TableSpec,
        params: &Params,
        normalize: Normalize,
    ) -> Result<Self, Problem> {
        let mut filters = Vec::new();
        for Filter { name, kind } in table.declaration.filters {
            filters.extend(match kind {
                FilterKind::Id(column) => {
                    let id = params.get::<PlaceId>(name)?.map(PlaceId::get);
                    id.map(|id| Condition([column, " = $"].concat(), Some(id.into())))
                }
                FilterKind::Boolean(column) => {
                    let value = params.get::<bool>(name)?;
                    let value = value.map(|value| if value { " = 1" } else { " = 0" });
                    value.map(|value| Condition([column, value].concat(), None))
                }
                FilterKind::NamePrefix => {
                    let parse = |text: &str| Prefix::new(text, normalize);
                    let prefix = params.parse_value(name, Prefix::EXPECTED, parse)?;
                    prefix
                        .map(|prefix| Condition(NAME_PREFIX.to_owned(), Some(prefix.key().into())))
                }
                FilterKind::Ids => {
                    let ids = params.get::<Ids>(name)?;
                    ids.map(|ids| Condition(IDS.to_owned(), Some(ids.to_json().into())))
                }
            });
        }
        let page = Page::from_params(params)?;
        Ok(Self { filters, page })
    }

    /// The conditions of the filters.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        let mut conditions = Conditions::default();
        for Condition(sql, value) in &self.filters {
            conditions.add(sql, value.as_ref());
        }
        conditions
    }
}

/// A range of an index on the key of the name.
const NAME_PREFIX: &str = "name_key >= $ AND name_key < $ || char(0x10FFFF)";

/// Uses the primary key.
const IDS: &str = "id IN (SELECT value FROM json_each($))";

/// SQL conditions, joined by AND, with their binds.
#[derive(Debug, Default)]
pub struct Conditions {
    conditions: Vec<String>,
    pub(crate) binds: Vec<Bind>,
}

/// The number of binds of a page or an export part before those of its conditions.
const PAGE_BINDS: usize = 6;

impl Conditions {
    /// Adds a condition with its value.
    fn add(&mut self, condition: &str, value: Option<&Bind>) {
        let value = value.map(|value| self.bind(value.clone()));
        let condition = condition.replace('$', value.as_deref().unwrap_or_default());
        self.conditions.push(condition);
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

    /// A filter that is declared twice would only be parsed once.
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
    fn each_filter_in_the_query_adds_its_condition() -> Result<(), Problem> {
        let query = "isAlive=true&isKing=false&placeId=3&name=A&ids=1,2&limit=5";
        let params = Params::parse(query, &PERSON.list_parameters)?;
        let list = ListQuery::from_params(&PERSON, &params, str::to_owned)?;
        let conditions = list.conditions();
        assert_eq!(
            conditions.to_sql(),
            "is_alive = 1 AND is_king = 0 AND place_id = ?7 \
             AND name_key >= ?8 AND name_key < ?8 || char(0x10FFFF) \
             AND id IN (SELECT value FROM json_each(?9))"
        );
        assert_eq!(conditions.binds.len(), 3);
        assert_eq!(list.page.limit.get(), 5);
        Ok(())
    }

    #[test]
    fn the_name_filter_is_normalized_like_a_name() -> Result<(), Problem> {
        let params = Params::parse("name=n%CC%83a", &PLACE.list_parameters)?;
        let list = ListQuery::from_params(&PLACE, &params, |text| text.replace("n\u{303}", "ñ"))?;
        assert_eq!(list.conditions().binds, ["ña".into()]);
        Ok(())
    }
}
