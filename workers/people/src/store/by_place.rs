//! The statement that reads people grouped by place.

use domain::PlaceId;
use http_semantics::Validator;
use http_semantics::media::ListFraming;
use tables::by_place::{ByPlaceQuery, PeopleFilter, PlaceSelection};
use tables::page::MAX_PAGE_SIZE;
use tables::schema::PERSON;
use tables::statement::{Bind, Statement};

const BY_PLACE: &str = include_str!("by_place.sql");

/// All people of places in ascending order, as JSON: reads a usual page along one index.
const IN_ORDER: &str = include_str!("by_place_in_order.sql");

/// The number of people after which a statement begins no other group. So a statement returns at
/// most this number of people and one more group, which bounds the memory of the isolate.
pub const TARGET_PEOPLE_PER_STATEMENT: i64 = 20_000;

/// The representation of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupFormat {
    /// A JSON object per group.
    Json,
    /// Cells of CSV: a line per person, and a line with empty cells for a group without people. The
    /// first cell is the id of the place.
    CsvLines,
}

/// The groups of a page, as many as one statement returns. `known_change_seq` is the change
/// sequence of the groups that the client has cached. If it is still current, there are no groups.
#[must_use]
pub fn by_place(
    query: &ByPlaceQuery,
    format: GroupFormat,
    framing: ListFraming,
    known_change_seq: Option<Validator>,
) -> Statement {
    if let Some([first, last]) = ascending_range(&query.places)
        && format == GroupFormat::Json
        && query.filter == PeopleFilter::default()
    {
        let sql = IN_ORDER.replace("{max_page_size}", &MAX_PAGE_SIZE.to_string());
        let places = [(first - 1).into(), last.into()];
        let binds = binds(query, places, framing, known_change_seq);
        return Statement { sql, binds };
    }
    let Source {
        population,
        order,
        position,
        places,
    } = source(&query.places);
    let conditions = conditions(query.filter);
    let group = match format {
        GroupFormat::Json => json_group(query.filter),
        GroupFormat::CsvLines => csv_group(),
    };
    let after_chunk = " AND {id} > chunk.last";
    let in_chunk = " AND {id} > chunk.previous AND {id} <= chunk.last";
    let sql = BY_PLACE
        .replace("{start}", group.start)
        .replace("{people}", &group.people)
        .replace("{end}", &group.end)
        .replace("{population}", population)
        .replace("{order}", order)
        .replace("{position}", position)
        .replace("{size}", conditions.size)
        .replace("{others}", conditions.others)
        .replace(
            "{id_in_requested}",
            &conditions.people("id", "requested", ""),
        )
        .replace(
            "{id_before_in_included}",
            &conditions.people("id - 1", "included", ""),
        )
        .replace(
            "{id_before_after_chunk}",
            &conditions.people("id - 1", "chunk", after_chunk),
        )
        .replace(
            "{people_of_chunk}",
            &conditions.people(&group.columns, "chunk", in_chunk),
        );
    let binds = binds(query, places, framing, known_change_seq);
    Statement { sql, binds }
}

fn binds(
    query: &ByPlaceQuery,
    places: [Bind; 2],
    framing: ListFraming,
    known_change_seq: Option<Validator>,
) -> Vec<Bind> {
    let mut binds: Vec<Bind> = places.into();
    let numbers = [
        query.limit.get().into(),
        query.people_limit.get().into(),
        TARGET_PEOPLE_PER_STATEMENT,
    ];
    binds.extend(numbers.map(Bind::from));
    binds.push(framing.between.into());
    binds.push(known_change_seq.into());
    binds
}

/// The first and the last id of places in ascending order, if they are a range.
fn ascending_range(places: &PlaceSelection) -> Option<[i64; 2]> {
    match places {
        PlaceSelection::After {
            place,
            descending: false,
        } => Some([place.unwrap_or(0) + 1, PlaceId::MAX_ID]),
        PlaceSelection::After {
            descending: true, ..
        } => None,
        // Without `json_each`, which is another row to read.
        PlaceSelection::Listed(ids) => match ids.as_slice() {
            [id] => Some([*id, *id]),
            _ => None,
        },
    }
}

/// The populations of the places.
struct Source {
    population: &'static str,
    order: &'static str,
    /// The column of a list that gives its order.
    position: &'static str,
    places: [Bind; 2],
}

fn source(places: &PlaceSelection) -> Source {
    let range = |first: i64, last: i64, order| Source {
        population: "population WHERE place_id BETWEEN ?1 AND ?2",
        order,
        position: "",
        places: [first.into(), last.into()],
    };
    if let Some([first, last]) = ascending_range(places) {
        return range(first, last, "place_id");
    }
    match places {
        PlaceSelection::After { place, .. } => {
            let last = place.map_or(PlaceId::MAX_ID, |place| place - 1);
            range(1, last, "place_id DESC")
        }
        PlaceSelection::Listed(ids) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            Source {
                population: "json_each(?1) AS listed CROSS JOIN population ON place_id = listed.value",
                order: "position",
                position: ", listed.key AS position",
                places: [format!("[{}]", ids.join(",")).into(), Bind::Null],
            }
        }
    }
}

/// The parts of the statement that depend on the filter.
struct Conditions {
    /// The number of matches, from a row of the populations. The same as `PeopleFilter::count`.
    size: &'static str,
    /// The number of people that a read along `person_resident` skips.
    others: &'static str,
    matches: &'static str,
    source: PeopleSource,
}

/// The source of the people of a place.
enum PeopleSource {
    /// An index.
    Index(&'static str),
    /// The index `person_resident`. If it has many others, the search index with this term.
    ResidentOrSearch(&'static str),
}

impl Conditions {
    /// The query for columns of the people of a place who match, in order of id. `place` is the name
    /// of the expression with the place, and `range` a condition on `{id}`.
    fn people(&self, columns: &str, place: &str, range: &str) -> String {
        let matches = self.matches;
        let rowid_range = range.replace("{id}", "person_search.rowid");
        let range = range.replace("{id}", "id");
        match self.source {
            PeopleSource::Index(index) => format!(
                "SELECT {columns}
      FROM person INDEXED BY {index}
      WHERE place_id = {place}.place_id{range}{matches}
      ORDER BY id"
            ),
            PeopleSource::ResidentOrSearch(term) => format!(
                "SELECT {columns} FROM (
        SELECT id, resident
        FROM person INDEXED BY person_resident
        WHERE NOT {place}.is_sparse AND place_id = {place}.place_id{range}{matches}
        UNION ALL
        SELECT id, resident
        FROM person_search CROSS JOIN person ON id = person_search.rowid
        WHERE {place}.is_sparse
          AND person_search MATCH '\"{term}\" AND \"@' || {place}.place_id || '\"'{rowid_range}{matches}
        ORDER BY id
      )"
            ),
        }
    }
}

/// The conditions of a filter. A king is found by `king_id`, because the index of a place's people
/// does not contain `is_king`.
fn conditions(PeopleFilter { is_alive, is_king }: PeopleFilter) -> Conditions {
    let (size, matches) = match (is_alive, is_king) {
        (None, None) => ("living + dead", ""),
        (None, Some(false)) => (
            "living + dead - (king_id IS NOT NULL)",
            " AND id IS NOT king_id",
        ),
        (Some(true), None) => ("living", " AND is_alive = 1"),
        (Some(true), Some(false)) => (
            "living - (king_id IS NOT NULL)",
            " AND is_alive = 1 AND id IS NOT king_id",
        ),
        (Some(false), None | Some(false)) => ("dead", " AND is_alive = 0"),
        (None | Some(true), Some(true)) => ("king_id IS NOT NULL", " AND is_king = 1"),
        (Some(false), Some(true)) => ("0", " AND is_king = 1 AND is_alive = 0"),
    };
    let (others, source) = match (is_alive, is_king) {
        (_, Some(true)) => ("0", PeopleSource::Index("one_king_a_place")),
        (None, _) => ("0", PeopleSource::Index("person_resident")),
        (Some(true), _) => ("dead", PeopleSource::ResidentOrSearch("+")),
        (Some(false), _) => ("living", PeopleSource::ResidentOrSearch("-")),
    };
    Conditions {
        size,
        others,
        matches,
        source,
    }
}

/// The text of a group.
struct GroupText {
    start: &'static str,
    /// The aggregate of its people.
    people: String,
    /// The columns of a person.
    columns: String,
    end: String,
}

fn json_group(filter: PeopleFilter) -> GroupText {
    const START: &str = r#"iif(previous = 0, iif(n > 1, ?6, '') || '{"placeId":' || place_id || ',"people":[', ',')"#;
    // The aggregate of no people is null. A row without a group has no text.
    const PEOPLE: &str = "coalesce(group_concat(resident, ','), iif(n, '', NULL))";
    const END: &str = r#"
  || iif(last < group_end, '', ']')
  || iif(last = group_end AND has_more,
    ',"next":"/v1/people?placeId=' || place_id || '{filter}&limit={max_page_size}&after='
      || lower(hex('i' || group_end)) || '"', '')
  || iif(last < group_end, '', '}')"#;
    let end = END
        .replace("{filter}", &filter.to_string())
        .replace("{max_page_size}", &MAX_PAGE_SIZE.to_string());
    GroupText {
        start: START,
        people: PEOPLE.to_owned(),
        columns: "resident".to_owned(),
        end,
    }
}

fn csv_group() -> GroupText {
    // A line begins with the id of the place.
    const PEOPLE: &str = "coalesce(
      group_concat(chunk.place_id || ',' || {line}, ?6),
      chunk.place_id || '{empty}'
    )";
    // The index of a place's people contains each of them as JSON, but not the columns.
    let is_cell = |field: &&&str| **field != "placeId";
    let cells: Vec<&&str> = PERSON.fields.iter().filter(is_cell).collect();
    let people = PEOPLE
        .replace("{line}", &PERSON.csv_line_without("place_id"))
        .replace("{empty}", &",".repeat(cells.len()));
    GroupText {
        start: "iif(n = 1 AND previous = 0, '', ?6)",
        people,
        columns: PERSON.columns_from_json("resident", "place_id"),
        end: String::new(),
    }
}
