"""Rules for generated requests that an OpenAPI document cannot express."""

import itertools
import json
import re
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

numbers = itertools.count(1)
document = json.loads(Path("../../../openapi/join.json").read_text())
schemas = {name: component["schema"] for name, component in document["components"]["parameters"].items()}


def is_valid(name, value):
    """Whether a text matches the pattern of a parameter."""
    pattern, longest = schemas[name]["pattern"], schemas[name].get("maxLength", 10_000)
    return isinstance(value, str) and len(value) <= longest and re.search(pattern, value) is not None


@schemathesis.hook
def before_call(context, case, kwargs):
    """Replaces valid values by values that are also valid together and now. Others stay."""
    key = (case.headers or {}).get("Idempotency-Key", "")
    if 0 < len(key) < 256 and all("!" <= character <= "~" for character in key):
        # Each request is another one.
        case.headers["Idempotency-Key"] = f"key-{next(numbers)}"
    # A link between requests can put a list of records into a file, which has no schema.
    if case.media_type in ["text/csv", "application/x-ndjson"] and isinstance(case.body, list):
        case.body = b""
    query = case.query or {}
    # A time is not in the future.
    if is_valid("asOf", query.get("asOf")):
        query["asOf"] = "2026-01-31T12:00:00Z"
    # A series begins before it ends, and has at most 1,000 points.
    if is_valid("from", query.get("from")):
        query["from"] = "2026-01-01"
        query.setdefault("to", "2026-01-20")
    if is_valid("to", query.get("to")):
        query["to"] = "2026-01-20"
    # A search has at most ten words.
    if is_valid("q", query.get("q")) and len(query["q"]) > 10:
        query["q"] = "joaq nev"
    # A cursor belongs to a sort order. This one belongs to the order of ids.
    orders = [order for name in ["sort", "populationSort", "statisticsSort"] for order in schemas[name]["enum"]]
    for name, operations in {
        "after": ["listPlaces", "listPlacesAsOf", "listPeople", "listPeoplePerPlace"],
        "afterPopulation": ["listPopulations", "listStatistics"],
    }.items():
        if case.operation.definition.raw["operationId"] in operations and is_valid(name, query.get("after")):
            query["after"] = "6931"
            if query.get("sort") in orders:
                query["sort"] = "id"
    # Places with people are not counted.
    if case.operation.definition.raw["operationId"] == "listPeoplePerPlace" and "hasPeople" in query:
        if query.get("count") == "exact":
            del query["count"]
    # Groups of some places are in the order of the places.
    if case.operation.definition.raw["operationId"] == "listPeopleByPlace" and "placeId" in query:
        if query.get("sort") in schemas["idSort"]["enum"]:
            del query["sort"]
    # Populations of some places are in the order of ids.
    if case.operation.definition.raw["operationId"] == "listPopulations" and "ids" in query:
        if query.get("sort") in schemas["populationSort"]["enum"]:
            query["sort"] = "id"


# CSV and NDJSON files have no schema to generate them from.
names = st.sampled_from(["Uno", '"Dos, o tres"', "Ñ", "'=1+1"])
files = st.lists(names).map(lambda rows: "\r\n".join(["name", *rows, ""]).encode())
schemathesis.openapi.media_type("text/csv", files)
lines = st.sampled_from(['{"name":"Uno"}', '{"name":"Dos","id":null}', "{}"])
schemathesis.openapi.media_type("application/x-ndjson", st.lists(lines).map("\n".join).map(str.encode))
