//! A page of places as they were.

use domain::{Moment, PlaceId};
use http_semantics::MediaType;
use tables::schema::PLACE;
use tables::statement::{Bind, Statement};

use crate::domain::PlacesAsOf;

/// One row, as of a page of the list. `?1` to `?6` are those of the list, `?7` is the time,
/// `?8` the place behind which the page begins, `?9` the ids, if there are any.
///
/// Each place is one seek of the unique index on place and version, for its id, and one more
/// for its last version at the time. They come in order of id, and are not sorted: that would
/// take them all before the first.
const AS_OF: &str = "
WITH RECURSIVE
  current AS MATERIALIZED (
    SELECT coalesce(max(seq), 0) AS change_seq FROM place_change
  ),
  known (id) AS ({known}),
  page AS (
    SELECT known.id AS id, {logged_columns}
    FROM known CROSS JOIN place_change
    WHERE seq = (
      SELECT seq FROM place_change
      WHERE place_id = known.id AND at <= ?7
      ORDER BY version DESC LIMIT 1
    ) AND kind <> 'deleted'
    LIMIT iif((SELECT change_seq FROM current) IS ?6, 0, ?1 + 1)
  ),
  numbered AS (
    SELECT *, row_number() OVER () AS n FROM page
  )
SELECT
  ?2 || coalesce(group_concat({record}, ?3) FILTER (WHERE n <= ?1) || ?4, ?5) AS body,
  CASE WHEN count(*) > ?1 THEN
    lower(hex('i' || max(id) FILTER (WHERE n = ?1)))
  END AS cursor,
  NULL AS total,
  (SELECT change_seq FROM current) AS change_seq
FROM numbered";

const ALL: &str = "
    SELECT min(place_id) FROM place_change WHERE place_id > ?8
    UNION ALL
    SELECT (SELECT min(place_id) FROM place_change WHERE place_id > known.id)
    FROM known
    WHERE id IS NOT NULL
    ORDER BY 1
  ";

const THESE: &str = "SELECT DISTINCT value FROM json_each(?9) WHERE value > ?8 ORDER BY value";

/// The places that a query asks for. None if the change sequence is still the one `seen`.
#[must_use]
pub fn as_of(ask: &PlacesAsOf, format: MediaType, seen: Option<i64>) -> Statement {
    let known = if ask.ids.is_some() { THESE } else { ALL };
    let frame = PLACE.framing(format);
    let mut binds = vec![Bind::Integer(ask.limit.get().into())];
    binds.extend([frame.open, frame.between, frame.close, frame.end(true)].map(Bind::from));
    binds.push(seen.into());
    let at = ask
        .as_of
        .as_ref()
        .map_or(PlaceId::MAX_ID, Moment::milliseconds);
    binds.extend([at, ask.after].map(Bind::from));
    binds.extend(ask.ids.as_ref().map(|ids| Bind::from(ids.to_json())));
    Statement {
        sql: PLACE
            .sql(AS_OF)
            .replace("{known}", known)
            .replace("{record}", PLACE.record(format)),
        binds,
    }
}
