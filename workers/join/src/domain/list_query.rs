//! Parses the queries of `GET /v1/people-per-place` and `GET /v1/people-per-place/{id}`, and
//! derives the requests to both backends.

use domain::PlaceId;
use http_semantics::{Params, Problem};
use tables::by_place::{ByPlaceQuery, PeopleFilter, PlaceSelection};
use tables::page::{Page, PageSize, PeopleLimit, SortKey};

use super::PlaceOrder;

/// The people that are shown of one place.
#[derive(Debug)]
pub struct ReadQuery {
    /// Their maximum number.
    pub limit: PeopleLimit,
    /// The filter.
    pub filter: PeopleFilter,
}

impl ReadQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &["isAlive", "isKing", "peopleLimit"];

    /// Parses the query.
    ///
    /// # Errors
    /// An invalid value.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        Ok(Self {
            limit: params.get("peopleLimit")?.unwrap_or_default(),
            filter: PeopleFilter::from_params(params)?,
        })
    }

    /// The path of the people of a place.
    #[must_use]
    pub fn group_path(&self, place: PlaceId) -> String {
        let query = ByPlaceQuery {
            places: PlaceSelection::Listed(vec![place.get()]),
            limit: PageSize::default(),
            people_limit: self.limit,
            filter: self.filter,
        };
        query.url(GROUPS)
    }
}

/// The route of the people service with groups of people.
pub const GROUPS: &str = "/v1/people/by-place";

/// The filters that the places service applies. It also validates them.
const PLACE_FILTERS: [&str; 3] = ["q", "name", "ids"];

/// A page of places, and the people that are shown of each place.
#[derive(Debug)]
pub struct ListQuery {
    /// The page of places.
    pub page: Page,
    /// The filters of places, as they follow other parameters: `&name=ar`.
    place_filters: String,
    /// Only places with people who match the filter, or only those without.
    pub has_people: Option<bool>,
    /// The people.
    pub people: ReadQuery,
}

impl ListQuery {
    /// The parameters of the query.
    pub const PARAMETERS: &[&str] = &[
        "limit",
        "after",
        "sort",
        "count",
        "q",
        "name",
        "ids",
        "hasPeople",
        "format",
        "isAlive",
        "isKing",
        "peopleLimit",
    ];

    /// Parses the query.
    ///
    /// # Errors
    /// An invalid value. The places service may reject a filter of places later.
    pub fn read(params: &Params) -> Result<Self, Problem> {
        Ok(Self {
            page: Page::from_params(params)?,
            place_filters: place_filters(params),
            has_people: params.get("hasPeople")?,
            people: ReadQuery::read(params)?,
        })
    }

    /// The order of places and groups, if both services can select them by a range of ids. Otherwise
    /// only the places service knows the places of the page.
    #[must_use]
    pub fn order_by_id(&self) -> Option<PlaceOrder> {
        let selects_by_id =
            self.is_sorted_by_id() && self.place_filters.is_empty() && self.has_people.is_none();
        selects_by_id.then_some(if self.page.sort.descending {
            PlaceOrder::Descending
        } else {
            PlaceOrder::Ascending
        })
    }

    /// Whether the places are in order of id.
    #[must_use]
    pub fn is_sorted_by_id(&self) -> bool {
        self.page.sort.key == SortKey::Id
    }

    /// The path of the page of places.
    #[must_use]
    pub fn places_path(&self) -> String {
        let after = self.page.after.as_ref().map(ToString::to_string);
        let path = self.window_path(self.page.limit, after.as_deref());
        let count = if self.page.count { "&count=exact" } else { "" };
        path + count
    }

    /// The path of places after a cursor.
    #[must_use]
    pub fn window_path(&self, limit: PageSize, after: Option<&str>) -> String {
        let sort = match self.page.sort.name() {
            "id" => String::new(),
            sort => format!("&sort={sort}"),
        };
        let after = after.map(|after| format!("&after={after}"));
        let (limit, filters) = (limit.get(), &self.place_filters);
        format!(
            "/v1/places?limit={limit}{sort}{filters}{}",
            after.unwrap_or_default()
        )
    }

    /// The query for the groups after a place, in order of id.
    #[must_use]
    pub fn groups_after(&self, place: Option<i64>) -> ByPlaceQuery {
        let descending = self.page.sort.descending;
        self.groups(PlaceSelection::After { place, descending }, self.page.limit)
    }

    /// The query for the groups of these places, in this order.
    #[must_use]
    pub fn groups_of(&self, places: Vec<i64>) -> ByPlaceQuery {
        self.groups(PlaceSelection::Listed(places), PageSize::MAX)
    }

    fn groups(&self, places: PlaceSelection, limit: PageSize) -> ByPlaceQuery {
        ByPlaceQuery {
            places,
            limit,
            people_limit: self.people.limit,
            filter: self.people.filter,
        }
    }
}

/// The filters of places in a query, as they follow other parameters.
fn place_filters(params: &Params) -> String {
    let mut filters = String::new();
    for name in PLACE_FILTERS {
        if let Some(value) = params.text(name) {
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            filters.extend(["&", name, "=", value.as_str()]);
        }
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> ListQuery {
        ListQuery::read(&Params::parse(query, ListQuery::PARAMETERS).unwrap()).unwrap()
    }

    #[test]
    fn a_query_becomes_one_path_per_backend() {
        let groups = |query: &ListQuery, after| query.groups_after(after).url(GROUPS);
        let first = read("");
        assert_eq!(first.places_path(), "/v1/places?limit=100");
        let path = "/v1/people/by-place?limit=100&peopleLimit=1000";
        assert_eq!(groups(&first, None), path);
        let query = read("limit=2&after=6937&count=exact&peopleLimit=30&isAlive=true");
        let places = "/v1/places?limit=2&after=6937&count=exact";
        assert_eq!(query.places_path(), places);
        let path = "/v1/people/by-place?limit=2&peopleLimit=30&isAlive=true&after=693132";
        assert_eq!(groups(&query, Some(12)), path);
        let sorted = read("sort=-name&q=a+b&name=%26&ids=3,1&isKing=false");
        let places = "/v1/places?limit=100&sort=-name&q=a+b&name=%26&ids=3%2C1";
        assert_eq!(sorted.places_path(), places);
        let path = "/v1/people/by-place?limit=1000&peopleLimit=1000&isKing=false&placeId=3,1";
        assert_eq!(sorted.groups_of(vec![3, 1]).url(GROUPS), path);
    }

    #[test]
    fn the_people_of_one_place_are_a_group_with_the_same_filter() {
        let params = Params::parse("isAlive=true&peopleLimit=30", ReadQuery::PARAMETERS).unwrap();
        let query = ReadQuery::read(&params).unwrap();
        let path = query.group_path(PlaceId::new(7).unwrap());
        assert!(path.starts_with("/v1/people/by-place?"), "{path}");
        for parameter in ["placeId=7", "peopleLimit=30", "isAlive=true"] {
            assert!(path.contains(parameter), "{path}");
        }
    }

    #[test]
    fn both_services_select_by_id_only_without_filters_of_places() {
        let order = |query| read(query).order_by_id();
        assert_eq!(
            order("isAlive=true&after=6937"),
            Some(PlaceOrder::Ascending)
        );
        assert_eq!(order("sort=-id&isKing=true"), Some(PlaceOrder::Descending));
        for query in ["sort=name", "q=a", "name=a", "ids=1", "hasPeople=true"] {
            assert_eq!(order(query), None, "{query}");
        }
    }
}
