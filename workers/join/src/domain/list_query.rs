//! The query of `GET /v1/people-per-place`.

use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::{PageSize, PeopleLimit};

/// The parameters of a single place.
pub const READ_PARAMETERS: &[&str] = &["peopleLimit"];

/// A page of places, and the number of people shown per place.
#[derive(Debug)]
pub struct ListQuery {
    /// The most places.
    pub limit: PageSize,
    /// The last place of the previous page.
    pub after: Option<i64>,
    /// Whether to count all places.
    pub count: bool,
    /// The most people per place.
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
        // The page of the places service has the same limit, cursor and count.
        let page = tables::Page::from_params(params)?;
        Ok(Self {
            limit: page.limit,
            after: page.after.map(|cursor| cursor.id()),
            count: page.count,
            people: params.get("peopleLimit")?.unwrap_or_default(),
        })
    }

    /// The path of the page of places.
    #[must_use]
    pub fn places_path(&self) -> String {
        let count = if self.count { "&count=exact" } else { "" };
        format!(
            "/v1/places?limit={}{}{count}",
            self.limit.get(),
            after(self.after)
        )
    }

    /// The path of the groups of people after a place.
    #[must_use]
    pub fn groups_path(&self, last: Option<i64>) -> String {
        let (limit, people) = (self.limit.get(), self.people.get());
        format!(
            "/v1/people/by-place?limit={limit}&peopleLimit={people}{}",
            after(last)
        )
    }
}

fn after(id: Option<i64>) -> String {
    id.map(|id| format!("&after={}", Cursor::Id(id)))
        .unwrap_or_default()
}
