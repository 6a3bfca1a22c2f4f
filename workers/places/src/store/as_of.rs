//! The statements for a time in the past: one reads a page of places, and one reads the ids of all
//! places that match.

use domain::name::SearchWords;
use domain::{Moment, PlaceId};
use http_semantics::{MediaType, Validator};
use tables::Cursor;
use tables::list::MAX_MATCHES;
use tables::page::SortKey;
use tables::schema::PLACE;
use tables::statement::{Bind, Statement, changed_since, framing_binds};

use crate::domain::PlacesAsOfQuery;

/// A page of places as of a time: one row of (body, cursor, total, `change_seq`). The body is
/// null if there are too many places to sort.
///
/// ?1        the page size
/// ?2 to ?5  the text before, between and after the places, and the end of an empty list
/// ?6        the change sequence of the page that the client has cached, with its epoch, or null. If
///           nothing has changed, there is no row.
/// ?7        the time, in milliseconds since 1970
///
/// Uses the unique index `place_change (place_id, version)`: one seek finds the next id, and one
/// finds its last version at the time. The recursion returns the ids in order. Sorting would read
/// all places before the first one. The page skips places that did not exist at the time or do not
/// match. In order of id it reads at most [`MAX_CANDIDATES`] ids, so it may be short, or empty, and
/// have a next page. In order of name it sorts all places of the time.
const AS_OF: &str = "
WITH RECURSIVE
  current AS MATERIALIZED (
    {changed}
  ),
  candidate (id) AS NOT MATERIALIZED ({candidates}),
  page AS (
    SELECT candidate.id AS id, {logged_columns}, coalesce(search_key, name_key) AS sort_key
    FROM candidate CROSS JOIN place_change
    WHERE {state}{after}
    {order}
    LIMIT iif(
      NOT EXISTS (SELECT 1 FROM current) OR {has_too_many}, 0, ?1 + 1
    )
  ),
  numbered AS (
    SELECT *, row_number() OVER () AS n FROM page
  )
SELECT
  iif({has_too_many}, NULL,
    ?2 || coalesce(group_concat({record}, ?3) FILTER (WHERE n <= ?1) || ?4, ?5)) AS body,
  CASE
    WHEN count(*) > ?1 THEN lower(hex(max({cursor}) FILTER (WHERE n = ?1)))
    WHEN {is_by_id} THEN (
      SELECT lower(hex('i' || id)) FROM candidate LIMIT 1 OFFSET {max_candidates} - 1
    )
  END AS cursor,
  NULL AS total,
  (SELECT change_seq || '.' || epoch FROM current) AS change_seq
FROM numbered
HAVING EXISTS (SELECT 1 FROM current)";

/// The ids of the places that match at a time: one row of (body, `change_seq`, epoch). The body is
/// null if there are too many places to search.
///
/// ?1        the time, in milliseconds since 1970
///
/// Reads as [`AS_OF`] in order of name.
const IDS: &str = "
WITH RECURSIVE candidate (id) AS NOT MATERIALIZED ({candidates})
SELECT
  iif({has_too_many}, NULL, (
    SELECT json_group_array(candidate.id) FROM candidate CROSS JOIN place_change WHERE {state}
  )) AS body,
  (SELECT coalesce(max(seq), 0) FROM place_change) AS change_seq,
  {epoch} AS epoch";

/// The condition for the state of a candidate at the time.
const STATE: &str = "seq = (
      SELECT seq FROM place_change
      WHERE place_id = candidate.id AND at <= {at}
      ORDER BY version DESC LIMIT 1
    ) AND kind <> 'deleted'";

/// The maximum number of ids that a page in order of id reads.
const MAX_CANDIDATES: i64 = 5_000;

/// All ids that were ever used.
const ALL_IDS: &str = "
    SELECT {first}(place_id) FROM place_change WHERE place_id {beyond} {start}
    UNION ALL
    SELECT (SELECT {first}(place_id) FROM place_change WHERE place_id {beyond} candidate.id)
    FROM candidate
    WHERE id IS NOT NULL
    ORDER BY 1 {direction}
    LIMIT {max_candidates}
  ";

/// The ids of the query.
const THESE_IDS: &str = "
    SELECT DISTINCT value FROM json_each({ids}) WHERE value {beyond} {start} ORDER BY value {direction}
  ";

/// The condition that there are more ids than a statement may sort.
const HAS_TOO_MANY: &str = "(SELECT count(*) FROM candidate WHERE id IS NOT NULL) > {max}";

/// A page of places as of a time. `known_change_seq` is the change sequence of the page that the
/// client has cached. If it is still current, the page is empty.
#[must_use]
pub fn as_of(
    query: &PlacesAsOfQuery,
    format: MediaType,
    known_change_seq: Option<Validator>,
) -> Statement {
    let mut binds = Binds(vec![Bind::Integer(query.limit.get().into())]);
    binds.0.extend(framing_binds(PLACE.framing(format)));
    binds.0.push(known_change_seq.into());
    let state = state(query, &mut binds);
    let descending = query.sort.descending;
    let (beyond, direction) = if descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    let sql = AS_OF
        .replace("{changed}", &changed_since("?6"))
        .replace("{state}", &state)
        .replace("{record}", PLACE.record(format));
    let sql = if query.sort.key == SortKey::Id {
        let start = match &query.after {
            Some(after) => after.id(),
            None if descending => PlaceId::MAX_ID + 1,
            None => 0,
        };
        let start = binds.add(start);
        let sql = sql
            .replace("{after}", "")
            .replace("{order}", "")
            .replace("{cursor}", "'i' || id")
            .replace("{is_by_id}", "TRUE");
        with_candidates(&sql, query, Some(&start), &mut binds)
    } else {
        let after = match &query.after {
            Some(Cursor::Name { key, name, id }) => {
                let [key, name] = [key, name].map(|text| binds.add(text.as_str()));
                let id = binds.add(*id);
                let columns = "coalesce(search_key, name_key), name, place_id";
                format!(" AND ({columns}) {beyond} ({key}, {name}, {id})")
            }
            _ => String::new(),
        };
        let order = ["sort_key", "name", "candidate.id"].map(|key| [key, " ", direction].concat());
        let sql = sql
            .replace("{after}", &after)
            .replace("{order}", &["ORDER BY ", &order.join(", ")].concat())
            .replace(
                "{cursor}",
                "'n' || id || ':' || sort_key || char(1) || name",
            )
            .replace("{is_by_id}", "FALSE");
        with_candidates(&sql, query, None, &mut binds)
    };
    Statement {
        sql,
        binds: binds.0,
    }
}

/// The ids of all places that match at a time, as a JSON array.
#[must_use]
pub fn ids_as_of(query: &PlacesAsOfQuery) -> Statement {
    let mut binds = Binds(Vec::new());
    let sql = IDS.replace("{state}", &state(query, &mut binds));
    Statement {
        sql: with_candidates(&sql, query, None, &mut binds),
        binds: binds.0,
    }
}

/// The values that a statement binds.
struct Binds(Vec<Bind>);

impl Binds {
    /// Binds a value, and returns its placeholder.
    fn add(&mut self, value: impl Into<Bind>) -> String {
        self.0.push(value.into());
        format!("?{}", self.0.len())
    }
}

/// The condition for the state of a candidate, with the words of the search.
fn state(query: &PlacesAsOfQuery, binds: &mut Binds) -> String {
    // Without a time: later than every change.
    let at = query.as_of.as_ref();
    let at = at.map_or(PlaceId::MAX_ID, Moment::milliseconds);
    let mut conditions = vec![STATE.replace("{at}", &binds.add(at))];
    for word in query.words.iter().flat_map(SearchWords::words) {
        // A word is preceded by a space.
        let word = binds.add([" ", word].concat());
        conditions.push(format!(
            "instr(' ' || coalesce(words, search_key, name_key), {word}) > 0"
        ));
    }
    conditions.join(" AND ")
}

/// The statement with the source of its candidates: the ids after `start`, in the order of the
/// query, or all ids, to be sorted.
fn with_candidates(
    sql: &str,
    query: &PlacesAsOfQuery,
    start: Option<&str>,
    binds: &mut Binds,
) -> String {
    let (first, beyond, direction) = if start.is_some() && query.sort.descending {
        ("max", "<", "DESC")
    } else {
        ("min", ">", "ASC")
    };
    let (candidates, must_count) = match &query.ids {
        Some(ids) => {
            let ids = binds.add(ids.to_json());
            (THESE_IDS.replace("{ids}", &ids), false)
        }
        None => (ALL_IDS.to_owned(), start.is_none()),
    };
    let (max_candidates, has_too_many) = if must_count {
        let too_many = HAS_TOO_MANY.replace("{max}", &MAX_MATCHES.to_string());
        (MAX_MATCHES + 1, too_many)
    } else {
        (MAX_CANDIDATES, "FALSE".to_owned())
    };
    let sql = sql
        .replace("{candidates}", &candidates)
        .replace("{has_too_many}", &has_too_many)
        .replace("{max_candidates}", &max_candidates.to_string())
        .replace("{first}", first)
        .replace("{beyond}", beyond)
        .replace("{start}", start.unwrap_or("0"))
        .replace("{direction}", direction);
    PLACE.sql(&sql)
}
