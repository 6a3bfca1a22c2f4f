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
