//! What changed, as the triggers wrote it down.

use tables::change_log::Log;

/// One change as JSON; the record is `null` where there is nobody behind it.
pub const CHANGES: Log = Log {
    table: "person_change",
    id: "person_id",
    change: r#"'{"at":"' || strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')
    || '","register":"people","seq":' || seq
    || ',"kind":"' || kind
    || '","id":' || person_id
    || ',"version":' || version
    || ',"record":' || iif(kind <> 'deleted', '{"id":' || person_id
      || ',"name":' || json_quote(name)
      || ',"isAlive":' || iif(is_alive, 'true', 'false')
      || ',"placeId":' || coalesce(place_id, 'null')
      || ',"isKing":' || iif(is_king, 'true', 'false')
      || '}', 'null')
    || '}'"#,
};
