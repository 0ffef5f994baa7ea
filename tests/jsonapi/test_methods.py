"""A resource may leave methods out: of its URLs, of atomic operations and of the description."""

import json

import openapi_spec_validator
import pytest

from tests.client import Client, sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.club import ACCOUNTS, TEAMS, club
from tests.jsonapi.toy import OPERATIONS, make_toy
from tests.jsonapi.world import ADA
from users_service.jsonapi import Information

pytestmark = toy_on_one_engine

INFORMATION = Information(title="Club", version="1", summary="A club.", description="", license={})
ATOMIC = 'application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"'
ACCOUNT = {"type": "accounts", "id": ADA, "attributes": {"login": "ada"}}
ITEM, LINKAGE = f"{ACCOUNTS}/{ADA}", f"{ACCOUNTS}/{ADA}/relationships/teams"

# Which methods there are with some of the actions; OPTIONS is always there.
ALLOWED = {
    frozenset({"read"}): {ACCOUNTS: "GET HEAD", ITEM: "GET HEAD", LINKAGE: "GET HEAD"},
    frozenset({"read", "delete"}): {
        ACCOUNTS: "GET HEAD",
        ITEM: "DELETE GET HEAD",
        LINKAGE: "GET HEAD",
    },
    frozenset({"read", "update"}): {
        ACCOUNTS: "GET HEAD",
        ITEM: "GET HEAD PATCH",
        LINKAGE: "DELETE GET HEAD PATCH POST",
    },
    frozenset({"create", "read"}): {
        ACCOUNTS: "GET HEAD POST",
        ITEM: "GET HEAD",
        LINKAGE: "GET HEAD",
    },
}
OPERATIONS_OF = {
    "create": {"op": "add", "data": ACCOUNT},
    "update": {"op": "update", "data": ACCOUNT},
    "delete": {"op": "remove", "ref": {"type": "accounts", "id": ADA}},
    "linkage": {
        "op": "add",
        "ref": {"type": "accounts", "id": ADA, "relationship": "teams"},
        "data": [],
    },
}


@pytest.fixture(params=ALLOWED, ids=lambda actions: "-".join(sorted(actions)))
def actions(request) -> frozenset[str]:
    return request.param


@pytest.fixture
def ours(toy, actions) -> Client:
    def include(config):
        club(methods=actions)(config)
        config.add_jsonapi_description(INFORMATION)

    return Client(make_toy(toy.engine, include=include))


def test_urls_have_the_methods_that_are_left(ours, actions):
    for url, named in ALLOWED[actions].items():
        allowed = [*named.split(), "OPTIONS"]
        assert ours.request("OPTIONS", url).headers["Allow"] == ", ".join(sorted(allowed))
        for method in ("POST", "PATCH", "DELETE", "PUT"):
            if method not in allowed:
                answer = ours.request(method, url, {"data": ACCOUNT})
                assert answer.status_int == 405, (method, url)
                assert answer.headers["Allow"] == ", ".join(sorted(allowed))
                assert answer.json["errors"][0]["code"] == "method_not_allowed"
        for suffix in (".json", "") if url == ACCOUNTS else ("",):
            assert ours.get(url + suffix).status_int in (200, 404)
    # What leads to the type from others is theirs.
    assert "POST" in ours.request("OPTIONS", f"{TEAMS}/1/relationships/players").headers["Allow"]


def test_batches_have_the_operations_that_are_left(ours, actions):
    for action, operation in OPERATIONS_OF.items():
        for sent in (operation, by_href(operation)):
            document = {"atomic:operations": [sent]}
            headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
            answer = ours.post(OPERATIONS, document, headers=headers)
            needed = "update" if action == "linkage" else action
            if needed in actions:
                assert answer.status_int in (200, 204, 404, 409), answer.text
                continue
            assert answer.status_int == 403, answer.text
            assert len(answer.json["errors"]) == 1
            assert sources(answer)[0][0].startswith("/atomic:operations/0")


def by_href(operation: dict) -> dict:
    """The same operation with the URL of its target."""
    about = operation.get("ref") or {"id": ADA}
    url = ACCOUNTS if operation["op"] == "add" and "data" in operation else ITEM
    if "relationship" in about:
        url = LINKAGE
    return {"op": operation["op"], "href": url} | {
        name: value for name, value in operation.items() if name == "data"
    }


def test_the_description_has_the_methods_that_are_left(ours, actions):
    document = ours.get("/toy/openapi.json").json
    openapi_spec_validator.validate(document)
    templates = {
        ACCOUNTS: ACCOUNTS,
        ITEM: f"{ACCOUNTS}/{{id}}",
        LINKAGE: f"{ACCOUNTS}/{{id}}/relationships/teams",
    }
    for url, named in ALLOWED[actions].items():
        described = document["paths"][templates[url]].keys() & {"get", "post", "patch", "delete"}
        assert described == {name.lower() for name in named.split()} - {"head"}
    operations = {
        item["operationId"]
        for path in document["paths"].values()
        for method, item in path.items()
        if method in ("get", "post", "patch", "delete")
    }
    links = [
        link["operationId"]
        for response in walk(document)
        for link in response.get("links", {}).values()
        if isinstance(link, dict) and "operationId" in link
    ]
    assert set(links) <= operations
    # Every schema that is referred to is there, and every one that is there is referred to.
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text, name


def walk(value):
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)
