//! The query of `GET /v1/people-per-place`.

use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::{PageSize, PeopleLimit};

/// The parameters of a single place.
pub const READ_PARAMETERS: &[&str] = &["peopleLimit"];

/// A page of places, and the number of people shown per place.
#[derive(Debug)]
pub struct ListQuery {
    /// The maximum number of places.
    pub limit: PageSize,
    /// The last place of the previous page (keyset pagination).
    pub after: Option<i64>,
    /// Whether to count all places.
    pub count: bool,
    /// The maximum number of people per place.
    pub people: PeopleLimit,
}

impl ListQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "count", "peopleLimit"];

    /// Parses the query.
    ///
    /// # Errors
    /// An invalid value.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        // The limit, the cursor and the count are those of the page of places.
        let page = tables::Page::from_params(params)?;
        Ok(Self {
            limit: page.limit,
            after: page.after.map(|cursor| cursor.id()),
            count: page.count,
            people: params.get("peopleLimit")?.unwrap_or_default(),
        })
    }

    /// The path of the page of places, in order of id.
    #[must_use]
    pub fn places_path(&self) -> String {
        let count = if self.count { "&count=exact" } else { "" };
        format!(
            "/v1/places?limit={}{}{count}",
            self.limit.get(),
            after(self.after)
        )
    }

    /// The path of the groups of people after a place, one group per place in order of its id.
    #[must_use]
    pub fn groups_path(&self, place: Option<i64>) -> String {
        let (limit, people) = (self.limit.get(), self.people.get());
        format!(
            "/v1/people/by-place?limit={limit}&peopleLimit={people}{}",
            after(place)
        )
    }
}

/// The parameter `after`, if there is a place to continue after.
fn after(id: Option<i64>) -> String {
    id.map(|id| format!("&after={}", Cursor::Id(id)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> ListQuery {
        ListQuery::read(&Params::parse(query, ListQuery::PARAMETERS).unwrap()).unwrap()
    }

    #[test]
    fn a_query_becomes_one_path_per_backend() {
        let first = read("");
        assert_eq!(first.places_path(), "/v1/places?limit=100");
        let groups = "/v1/people/by-place?limit=100&peopleLimit=1000";
        assert_eq!(first.groups_path(first.after), groups);
        let query = read("limit=2&after=6937&count=exact&peopleLimit=30");
        let places = "/v1/places?limit=2&after=6937&count=exact";
        assert_eq!(query.places_path(), places);
        let groups = "/v1/people/by-place?limit=2&peopleLimit=30&after=6937";
        assert_eq!(query.groups_path(query.after), groups);
        let later = "/v1/people/by-place?limit=2&peopleLimit=30&after=693132";
        assert_eq!(query.groups_path(Some(12)), later);
    }
}
