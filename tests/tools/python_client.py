"""Calls the API ten times with the generated client, and prints each result as a line of JSON.

`python_client.py FOLDER URL TOKEN`: the folder contains the generated package `registry`.
"""

import json
import sys

folder, url, token = sys.argv[1:]
sys.path.insert(0, folder)

from registry import AuthenticatedClient  # noqa: E402
from registry.api.people import change_person, create_person, delete_person, list_people, read_person  # noqa: E402
from registry.api.people_per_place import list_statistics, read_people_of_place  # noqa: E402
from registry.api.places import change_place, create_place  # noqa: E402
from registry.models import NewPlace, PersonPatch, PlacePatch  # noqa: E402

client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)


def show(name, response):
    """Prints the status and the type of a result, and the members that the test compares."""
    result = response.parsed
    first = result[0] if isinstance(result, list) else result
    line = {"call": name, "status": int(response.status_code), "type": type(first).__name__}
    kind = getattr(first, "type_", None)
    if kind is not None:
        line["problem"] = kind.name
    for member in ("id", "name", "living"):
        value = getattr(first, member, None)
        if isinstance(value, (int, str)):
            line[member] = value
    print(json.dumps(line))


show("list", list_people.sync_detailed(client=client, limit=2))
show("read", read_person.sync_detailed(1, client=client))
show("join", read_people_of_place.sync_detailed(3, client=client))
show("statistics", list_statistics.sync_detailed(client=client, limit=1))
show("create", create_place.sync_detailed(client=client, body=NewPlace(name="Nueva")))
show("missing", read_person.sync_detailed(99999, client=client))
show("taken", create_place.sync_detailed(client=client, body=NewPlace(name="Veranolandia")))
show(
    "outdated",
    change_place.sync_detailed(1, client=client, body=PlacePatch(name="Otro"), if_match='"99"'),
)
show("invalid", create_place.sync_detailed(client=client, body=NewPlace(name=" ")))
show("delete", delete_person.sync_detailed(6, client=client))
