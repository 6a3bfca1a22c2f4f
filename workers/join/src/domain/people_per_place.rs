//! A page of people per place.

use http_semantics::{Params, Problem};
use tables::Cursor;
use tables::page::{Limit, PeopleLimit};

/// Which places, and how many people of each.
#[derive(Debug)]
pub struct PeoplePerPlace {
    /// The most places.
    pub limit: Limit,
    /// The place that the page before ended with.
    pub after: Option<i64>,
    /// Whether to count all places.
    pub count: bool,
    /// The most people of a place.
    pub people: PeopleLimit,
}

impl PeoplePerPlace {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["limit", "after", "count", "peopleLimit"];

    /// Reads the query.
    ///
    /// # Errors
    /// A value that cannot be used.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        // The page of places behind it has the same limit, cursor and count.
        let page = tables::Page::read(params)?;
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

    /// The path of the groups of people behind a place.
    #[must_use]
    pub fn groups_path(&self, behind: Option<i64>) -> String {
        let (limit, people) = (self.limit.get(), self.people.get());
        format!(
            "/v1/people/by-place?limit={limit}&peopleLimit={people}{}",
            after(behind)
        )
    }
}

fn after(id: Option<i64>) -> String {
    id.map(|id| format!("&after={}", Cursor::Id(id)))
        .unwrap_or_default()
}
