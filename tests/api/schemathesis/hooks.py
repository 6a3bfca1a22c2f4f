"""What a description of an API cannot tell a generator of requests."""

import itertools

import schemathesis
from hypothesis import strategies as st

numbers = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """An idempotency key is of one request: each that is well-formed gets its own."""
    key = (case.headers or {}).get("Idempotency-Key", "")
    if 0 < len(key) < 256 and all("!" <= character <= "~" for character in key):
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"


# Files that are not JSON have no schema that they could be made from.
names = st.sampled_from(["Uno", '"Dos, o tres"', "Ñ", "'=1+1"])
files = st.lists(names).map(lambda rows: "\r\n".join(["name", *rows, ""]).encode())
schemathesis.openapi.media_type("text/csv", files)
lines = st.sampled_from(['{"name":"Uno"}', '{"name":"Dos","id":null}', "{}"])
schemathesis.openapi.media_type("application/x-ndjson", st.lists(lines).map("\n".join).map(str.encode))
