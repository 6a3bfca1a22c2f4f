"""Rules for generated requests that an OpenAPI document cannot express."""

import itertools

import schemathesis
from hypothesis import strategies as st

numbers = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives each request with a valid idempotency key a unique one."""
    key = (case.headers or {}).get("Idempotency-Key", "")
    if 0 < len(key) < 256 and all("!" <= character <= "~" for character in key):
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"


# CSV and NDJSON files have no schema to generate them from.
names = st.sampled_from(["Uno", '"Dos, o tres"', "Ñ", "'=1+1"])
files = st.lists(names).map(lambda rows: "\r\n".join(["name", *rows, ""]).encode())
schemathesis.openapi.media_type("text/csv", files)
lines = st.sampled_from(['{"name":"Uno"}', '{"name":"Dos","id":null}', "{}"])
schemathesis.openapi.media_type("application/x-ndjson", st.lists(lines).map("\n".join).map(str.encode))
