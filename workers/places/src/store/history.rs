//! What changed, as the triggers wrote it down.

use tables::change_log::Log;

/// One change as JSON; the record is `null` where there is no place behind it.
pub const CHANGES: Log = Log {
    table: "place_change",
    id: "place_id",
    change: r#"'{"at":"' || strftime('%Y-%m-%dT%H:%M:%fZ', at / 1000.0, 'unixepoch')
    || '","register":"places","seq":' || seq
    || ',"kind":"' || kind
    || '","id":' || place_id
    || ',"version":' || version
    || ',"record":' || iif(kind <> 'deleted',
      '{"id":' || place_id || ',"name":' || json_quote(name) || '}', 'null')
    || '}'"#,
};
