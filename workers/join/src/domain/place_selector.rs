//! Selects the places of a page by the filter `hasPeople`: places where people who match live, or
//! places where none do.
//!
//! Only the places service knows the places, and only the people service knows their populations.
//! So the gateway fills the page in steps. Each step reads the next places (a *window*) and their
//! populations, and adds the places that match. The size of a window is limited, and the caller
//! limits the number of steps. So a page may have fewer places than its limit. Its cursor says
//! where the search stopped.
//!
//! This cursor must be the end of a window, because only the places service can make a cursor in
//! order of name. If the page is full before the end of a window, the gateway reads a shorter
//! window, which ends at the last place of the page.

use std::collections::HashMap;

use tables::Cursor;
use tables::by_place::PeopleFilter;
use tables::page::{MAX_PAGE_SIZE, PageSize};

use super::statistics::Population;
use super::{ListQuery, PlacePage};

/// A page that is being filled.
#[derive(Debug)]
pub struct PlaceSelector {
    limit: usize,
    is_sorted_by_id: bool,
    has_people: bool,
    filter: PeopleFilter,
    /// The places of the page.
    found: PlacePage,
    /// The cursor before the next window.
    after: Option<String>,
    /// The size of the next window. None if the page is complete.
    window: Option<usize>,
    /// The number of places in all windows before.
    read: usize,
    /// Whether each known place has people who match.
    known: HashMap<i64, bool>,
}

impl PlaceSelector {
    /// An empty page.
    #[must_use]
    pub fn new(query: &ListQuery, has_people: bool) -> Self {
        let limit = usize::from(query.page.limit.get());
        Self {
            limit,
            is_sorted_by_id: query.is_sorted_by_id(),
            has_people,
            filter: query.people.filter,
            found: PlacePage::default(),
            after: query.page.after.as_ref().map(ToString::to_string),
            window: Some(limit),
            read: 0,
            known: HashMap::new(),
        }
    }

    /// The size of the next window and the cursor before it. None if the page is complete.
    #[must_use]
    pub fn next_window(&self) -> Option<(PageSize, Option<&str>)> {
        let size = PageSize::new(i64::try_from(self.window?).ok()?)?;
        Some((size, self.after.as_deref()))
    }

    /// The places of a window whose populations are needed.
    #[must_use]
    pub fn unknown_places(&self, window: &PlacePage) -> Vec<i64> {
        let is_unknown = |id: &i64| !self.known.contains_key(id);
        window.ids().filter(is_unknown).collect()
    }

    /// Adds the populations of these places. A place without people has none.
    pub fn add_populations(&mut self, places: &[i64], populations: &[Population]) {
        self.known
            .extend(places.iter().map(|place| (*place, false)));
        for population in populations {
            let Population {
                place_id,
                living,
                dead,
                king,
            } = population;
            let count = self.filter.count(*living, *dead, king.is_some());
            self.known.insert(*place_id, count > 0);
        }
    }

    /// Adds a window. `next` is the cursor after it, if there are more places.
    pub fn add_window(&mut self, mut window: PlacePage, mut next: Option<String>) {
        let matches = |id: i64| self.known.get(&id) == Some(&self.has_people);
        let missing = self.limit - self.found.len();
        let positions = window.ids().enumerate();
        let filling = positions.filter(|(_, id)| matches(*id)).nth(missing - 1);
        if let Some((position, id)) = filling
            && position + 1 < window.len()
        {
            if !self.is_sorted_by_id {
                self.window = Some(position + 1);
                return;
            }
            window.truncate(position + 1);
            next = Some(Cursor::Id(id).to_string());
        }
        self.read += window.len();
        window.retain(matches);
        self.found.append(window);
        self.after = next;
        let is_complete = self.after.is_none() || self.found.len() >= self.limit;
        self.window = (!is_complete).then(|| self.next_size());
    }

    /// The places of the page, and the cursor of the next one.
    #[must_use]
    pub fn into_page(self) -> (PlacePage, Option<String>) {
        (self.found, self.after)
    }

    /// The number of places that probably contains the missing ones, with a quarter more. It at least
    /// doubles with each window, because the first windows can be unusual.
    fn next_size(&self) -> usize {
        let missing = self.limit - self.found.len();
        let size = match self.found.len() {
            0 => usize::MAX,
            // At least the missing ones: no more were found than read.
            found => missing * self.read * 5 / (found * 4) + 1,
        };
        size.max(2 * self.read).min(MAX_PAGE_SIZE.into())
    }
}

#[cfg(test)]
mod tests;
