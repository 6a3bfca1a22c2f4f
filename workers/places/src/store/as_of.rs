//! The page of places as of a time.

use domain::{Moment, PlaceId};
use http_semantics::{MediaType, Validator};
use tables::schema::PLACE;
use tables::statement::{Bind, Statement, framing_binds};

use crate::domain::PlacesAsOfQuery;

/// A page of places as of a time: one row of (body, cursor, total, `change_seq`,
/// epoch).
///
/// ?1        the page size
/// ?2 to ?5  the text before, between and after the places, and the end of an empty list
/// ?6        the change sequence of the page that the client has cached, with its epoch, or null
/// ?7        the time, in milliseconds since 1970
/// ?8        the id after which the page begins
/// ?9        the ids as a JSON array, if the query has any
///
/// Uses the unique index `place_change (place_id, version)`: one seek finds the next id, and one
/// finds its last version at the time. The recursion returns the ids in order. Sorting would read
/// all places before the first one. The page skips places that did not exist at the time. It reads at
/// most [`MAX_CANDIDATES`] ids, so it may be short, or empty, and have a next page.
const AS_OF: &str = "
WITH RECURSIVE
  current AS MATERIALIZED (
    SELECT coalesce(max(seq), 0) AS change_seq, {epoch} AS epoch FROM place_change
  ),
  candidate (id) AS NOT MATERIALIZED ({candidates}),
  page AS (
    SELECT candidate.id AS id, {logged_columns}
    FROM candidate CROSS JOIN place_change
    WHERE seq = (
      SELECT seq FROM place_change
      WHERE place_id = candidate.id AND at <= ?7
      ORDER BY version DESC LIMIT 1
    ) AND kind <> 'deleted'
    LIMIT iif((SELECT change_seq || '.' || epoch FROM current) IS ?6, 0, ?1 + 1)
  ),
  numbered AS (
    SELECT *, row_number() OVER () AS n FROM page
  )
SELECT
  ?2 || coalesce(group_concat({record}, ?3) FILTER (WHERE n <= ?1) || ?4, ?5) AS body,
  CASE
    WHEN count(*) > ?1 THEN lower(hex('i' || max(id) FILTER (WHERE n = ?1)))
    WHEN (SELECT change_seq || '.' || epoch FROM current) IS NOT ?6 THEN (
      SELECT lower(hex('i' || id)) FROM candidate LIMIT 1 OFFSET {max_candidates} - 1
    )
  END AS cursor,
  NULL AS total,
  (SELECT change_seq FROM current) AS change_seq,
  (SELECT epoch FROM current) AS epoch
FROM numbered";

/// The maximum number of ids that a page reads.
const MAX_CANDIDATES: i64 = 5_000;

/// All ids that were ever used.
const ALL_IDS: &str = "
    SELECT {first}(place_id) FROM place_change WHERE place_id {beyond} ?8
    UNION ALL
    SELECT (SELECT {first}(place_id) FROM place_change WHERE place_id {beyond} candidate.id)
    FROM candidate
    WHERE id IS NOT NULL
    ORDER BY 1 {direction}
    LIMIT {max_candidates}
  ";

/// The ids of the query.
const THESE_IDS: &str = "
    SELECT DISTINCT value FROM json_each(?9) WHERE value {beyond} ?8 ORDER BY value {direction}
  ";

/// A page of places as of a time. `known_change_seq` is the change sequence of the page that the
/// client has cached. If it is still current, the page is empty.
#[must_use]
pub fn as_of(
    query: &PlacesAsOfQuery,
    format: MediaType,
    known_change_seq: Option<Validator>,
) -> Statement {
    let candidates = if query.ids.is_some() {
        THESE_IDS
    } else {
        ALL_IDS
    };
    let mut binds = vec![Bind::Integer(query.limit.get().into())];
    binds.extend(framing_binds(PLACE.framing(format)));
    binds.push(known_change_seq.into());
    // Without a time: later than every change.
    let at = query
        .as_of
        .as_ref()
        .map_or(PlaceId::MAX_ID, Moment::milliseconds);
    let (first, beyond, direction, start) = if query.descending {
        ("max", "<", "DESC", PlaceId::MAX_ID + 1)
    } else {
        ("min", ">", "ASC", 0)
    };
    binds.extend([at, query.after.unwrap_or(start)].map(Bind::from));
    binds.extend(query.ids.as_ref().map(|ids| Bind::from(ids.to_json())));
    Statement {
        sql: PLACE
            .sql(AS_OF)
            .replace("{candidates}", candidates)
            .replace("{max_candidates}", &MAX_CANDIDATES.to_string())
            .replace("{first}", first)
            .replace("{beyond}", beyond)
            .replace("{direction}", direction)
            .replace("{record}", PLACE.record(format)),
        binds,
    }
}
