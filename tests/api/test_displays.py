"""What the description says of the service's own resources, for people and for pages."""

import gzip
import json
from itertools import product
from typing import Any

import pytest
from webob import Request

from tests.client import API, Client
from tests.description import ID, member, operations
from tests.further import OWN, further_relationships, further_types
from users_service.auth.fields import FIELDS
from users_service.jsonapi import description
from users_service.permissions import OWN_ACTIONS

pytestmark = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)

MOST_BYTES_OF_A_TYPE = 25 * 1024 // len(OWN)
TYPES = ("users", "roles", "groups", "tokens")
EVERYTHING = frozenset(f"{type}:{action}" for type in OWN_ACTIONS for action in OWN_ACTIONS[type])


@pytest.fixture
def document(client: Client) -> dict[str, Any]:
    return description(client.app.registry)


def properties(document, operation: str, *path: str) -> dict[str, Any]:
    found = operations(document)[operation]
    if operation.endswith("_read"):
        return found.schema("data", *path)["properties"]
    _, said = found.body
    return member(document, said["schema"], "data", *path)["properties"]


def test_the_whole_description_is_short_when_it_is_compressed(client):
    sent = Request.blank(f"{API}/openapi.json", headers={"Accept-Encoding": "gzip"})
    body = sent.get_response(client.app).body
    types = [*OWN, *further_types(client.app)]
    assert len(body) < MOST_BYTES_OF_A_TYPE * len(types)
    assert json.loads(gzip.decompress(body))["openapi"] == "3.1.0"


def test_every_type_says_how_it_is_shown(client, document):
    displays = {tag["name"]: tag["x-display"] for tag in document["tags"] if "x-display" in tag}
    assert displays.keys() == {*TYPES, *further_types(client.app)}
    own = [displays[type] for type in TYPES]
    assert {d["one"]: d["many"] for d in own} == {
        "User": "Users",
        "Role": "Roles",
        "Group": "Groups",
        "Token": "Tokens",
    }
    assert {d["named_by"] for d in own} == {"name"}
    for type, display in displays.items():
        fields = {name for section in display["sections"] for name in section["fields"]}
        writable = {
            *properties(document, f"{type}_create", "attributes"),
            *properties(document, f"{type}_create", "relationships"),
        }
        shown = {
            *properties(document, f"{type}_read", "attributes"),
            *properties(document, f"{type}_read", "relationships"),
        }
        assert display["one"]
        assert display["many"]
        assert display["named_by"] in shown | {"id"}
        # What a creation alone shows belongs to a section too.
        every = writable | shown | ({"secret"} if type == "tokens" else set())
        if type in OWN:
            assert fields == every - further_relationships(type)
        else:
            assert fields <= every


def test_users_change_what_the_table_says_is_their_own(document):
    for type in TYPES:
        own = {name for name, writers in FIELDS[type].items() if writers.own}
        found = {
            name
            for part in ("attributes", "relationships")
            for name, schema in _changed(document, type, part).items()
            if "x-self" in schema
        }
        assert found == own


def _changed(document, type: str, part: str) -> dict[str, Any]:
    found = operations(document)[f"{type}_update"]
    _, said = found.body
    data = member(document, said["schema"], "data")
    return member(document, data, part)["properties"] if part in data["properties"] else {}


def test_defaults_are_what_a_resource_gets_without_the_field(client, document):
    defaults = {
        type: {
            name: schema["default"]
            for name, schema in properties(document, f"{type}_create", "attributes").items()
            if "default" in schema
        }
        for type in TYPES
    }
    assert defaults == {
        "users": {"is_active": False},
        "roles": {"permissions": []},
        "groups": {},
        "tokens": {"transport": "bearer"},
    }
    assert client.create_user()["attributes"]["is_active"] is False
    role = {"data": {"type": "roles", "attributes": {"name": "editor"}}}
    assert client.post(f"{API}/roles", role).json["data"]["attributes"]["permissions"] == []


def test_texts_of_several_lines_and_choices_say_so(document):
    for type in ("roles", "groups"):
        attributes = properties(document, f"{type}_read", "attributes")
        assert [name for name, one in attributes.items() if "x-multiline" in one] == ["description"]
    transport = properties(document, "tokens_create", "attributes")["transport"]
    assert [one["const"] for one in transport["oneOf"]] == ["bearer", "cookie"]
    assert all(one["title"] for one in transport["oneOf"])


@pytest.mark.parametrize(
    ("type", "name", "inverse", "on_delete", "is_large"),
    [
        ("users", "role", "users", "restrict", False),
        ("users", "groups", "members", None, False),
        ("roles", "users", "role", "restrict", True),
        ("groups", "members", "groups", None, True),
        ("groups", "managers", None, None, True),
        ("tokens", "user", None, "cascade", False),
    ],
)
def test_a_relationship_says_what_is_at_its_other_end(
    document, type, name, inverse, on_delete, is_large
):
    found = properties(document, f"{type}_read", "relationships")[name]
    assert found.get("x-inverse") == inverse
    assert found.get("x-on-delete") == on_delete
    assert found.get("x-large", False) is is_large
    assert found["title"]


def scopes_of(document) -> list[tuple[str, str, list[str] | None]]:
    """Each way to open each method of the resources: its URL, and the permissions."""
    return [
        (method.upper(), path.format(id=ID), way.get("bearer"))
        for path, item in document["paths"].items()
        for method in ("get", "post", "patch", "delete")
        if method in item and "/auth/" not in path
        for way in item[method].get("security", ())
    ]


def test_what_a_method_needs_opens_it_and_nothing_less_does(permitted, document):
    """That is, the door: behind it, what the caller may not see is not there."""
    clients: dict[frozenset[str], Client] = {}

    def status(method: str, url: str, permissions: frozenset[str]) -> int:
        if permissions not in clients:
            clients[permissions] = permitted(" ".join(sorted(permissions)) or "nothing:at_all")
        body = {"data": None} if method in ("POST", "PATCH") else None
        return clients[permissions].request(method, url, body).status_int

    ways = scopes_of(document)
    assert len(ways) > 40
    enough: dict[tuple[str, str], list[frozenset[str]]] = {}
    for method, url, way in ways:
        enough.setdefault((method, url), []).append(frozenset(way or ()))
    for (method, url), needed in enough.items():
        for permissions in needed:
            assert status(method, url, permissions) not in (401, 403), (method, url, permissions)
        if frozenset() in needed:
            continue
        for less in map(frozenset, product(*needed)):  # all that there are, but one of each way
            held = EVERYTHING - less
            assert status(method, url, held) == 403, (method, url, held)
