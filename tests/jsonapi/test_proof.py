"""Callers that a host remembers are proven by the rows that a request reads, or are asked for."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import bindparam, exists, select, update
from sqlalchemy.orm import aliased

from tests.client import Client
from tests.jsonapi.conftest import Toy, article
from tests.jsonapi.toy import ARTICLES, COMMENTS, OPERATIONS, PEOPLE, TAGS, Tag, make_toy
from tests.jsonapi.world import ADA, EVE, FAY, identifier
from users_service.jsonapi import Error, JSONAPIError, Proof

# The caller is remembered with the label of this tag, and has changed if it has another one.
CALLER, REMEMBERED = 3, "tag 3"


def is_same() -> Any:
    found = aliased(Tag, name="caller_tags")
    label = bindparam("caller_label", type_=Tag.label.type)
    return exists(select(1).where(found.id == CALLER, found.label == label).correlate(None))


class Host:
    """Remembers a caller, and counts how often it asks for it."""

    def __init__(self) -> None:
        self.asked = 0

    def proof_of(self, request: Any) -> Proof | None:
        if "X-Known" not in request.headers:
            return None
        values = {"caller_label": REMEMBERED}
        return Proof(condition=is_same, values=values, confirm=lambda: self.confirm(request))

    def confirm(self, request: Any) -> None:
        self.asked += 1
        found = request.dbconnection.scalar(select(Tag.label).where(Tag.id == CALLER))
        if found != REMEMBERED:
            raise JSONAPIError(Error(code="conflict", detail="Start over."))

    def include(self, config: Any) -> None:
        config.set_jsonapi_proof(self.proof_of)


@pytest.fixture
def host(world) -> Iterator[Host]:
    host = Host()
    host.client = Client(make_toy(world.engine, include=host.include))
    return host


def change(toy: Toy, label: str) -> None:
    with toy.engine.begin() as connection:
        connection.execute(update(Tag).where(Tag.id == CALLER).values(label=label))


NONE = "filter[id]=999"
READS: dict[str, tuple[str, int, int]] = {
    "item": (f"{ARTICLES}/1", 200, 0),
    "item with more": (f"{PEOPLE}/{ADA}?include=friends,articles.tags", 200, 0),
    "list": (ARTICLES, 200, 0),
    "list by cursor with a total": (f"{ARTICLES}?page[total]=true", 200, 0),
    "list by number": (f"{ARTICLES}?page[number]=1", 200, 0),
    "list with more": (f"{ARTICLES}?include=author,comments", 200, 0),
    "empty list": (f"{ARTICLES}?filter[title]=none", 200, 1),
    "empty list with a total": (f"{ARTICLES}?filter[title]=none&page[total]=true", 200, 1),
    "page after the last one": (f"{ARTICLES}?page[number]=9", 200, 1),
    "empty page with a total": (f"{ARTICLES}?page[offset]=9&page[limit]=1", 200, 1),
    "related": (f"{PEOPLE}/{ADA}/articles", 200, 0),
    "no related": (f"{PEOPLE}/{FAY}/articles", 200, 0),
    "related one": (f"{ARTICLES}/1/author", 200, 0),
    "no related one": (f"{ARTICLES}/4/author", 200, 0),
    "linkage": (f"{ARTICLES}/1/relationships/tags", 200, 0),
    "no linkage": (f"{ARTICLES}/3/relationships/tags", 200, 0),
    "linkage of one": (f"{COMMENTS}/1/relationships/article?include=article", 200, 0),
    "no item": (f"{ARTICLES}/999", 404, 1),
    "related of no item": (f"{ARTICLES}/999/tags", 404, 1),
    "what is no id": (f"{ARTICLES}/x", 404, 1),
    "no URL": ("/toy/nothing", 404, 1),
    "a parameter that there is not": (f"{ARTICLES}?nope=1", 400, 1),
    "too much included": (f"{ARTICLES}?include=nope", 400, 1),
    "entry": ("/toy", 200, 1),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", READS)
def test_no_read_is_answered_to_a_caller_that_has_changed(world, host, name, method):
    url, status, asked = READS[name]
    known = {"X-Known": "known"}
    with world.statements() as plain:
        assert host.client.request(method, url).status_int == status
    with world.statements() as proven:
        assert host.client.request(method, url, headers=known).status_int == status
    assert host.asked == asked
    assert len(proven) == len(plain) + asked, proven
    assert sum("caller_tags" in statement for statement in proven) <= 1 + asked
    change(world, "changed")
    assert host.client.request(method, url, headers=known).status_int == 409
    assert host.asked == asked + 1
    assert host.client.request(method, url).status_int == status


def test_what_is_not_modified_is_proven_too(world, host):
    known = {"X-Known": "known"}
    for url in (f"{ARTICLES}/1", ARTICLES, f"{ARTICLES}?{NONE}"):
        tag = host.client.get(url, headers=known).headers["ETag"]
        unmodified = known | {"If-None-Match": tag}
        assert host.client.get(url, headers=unmodified).status_int == 304
        change(world, "changed")
        assert host.client.get(url, headers=unmodified).status_int == 409
        change(world, REMEMBERED)


CHANGES = {
    "create": ("POST", ARTICLES, article(title="New")),
    "update": ("PATCH", f"{ARTICLES}/1", article("1", title="New")),
    "update nothing": ("PATCH", f"{ARTICLES}/999", article("999", title="New")),
    "invalid": ("PATCH", f"{ARTICLES}/1", article("1", title="")),
    "malformed": ("PATCH", f"{ARTICLES}/1", {}),
    "delete": ("DELETE", f"{ARTICLES}/4", None),
    "add": ("POST", f"{ARTICLES}/3/relationships/tags", {"data": [identifier("tags", 1)]}),
    "no method": ("POST", f"{ARTICLES}/1", {}),
    "replace": ("PATCH", f"{PEOPLE}/{ADA}/relationships/manager", {"data": None}),
    "batch": (
        "POST",
        OPERATIONS,
        {"atomic:operations": [{"op": "remove", "ref": identifier("people", EVE)}]},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_who_changes_something_is_asked_for_once_before(world, host, name):
    method, url, document = CHANGES[name]
    media = 'application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"'
    headers = {"X-Known": "known"}
    if url == OPERATIONS:
        headers |= {"Content-Type": media, "Accept": media}
    change(world, "changed")
    with world.statements() as statements:
        assert host.client.request(method, url, document, headers=headers).status_int == 409
    assert host.asked == 1
    assert not [s for s in statements if not s.startswith(("SELECT", "BEGIN"))], statements
    change(world, REMEMBERED)
    assert host.client.request(method, url, document, headers=headers).status_int != 409
    assert host.asked == 2


def test_counts_prove_nobody(world, host):
    url = f"{TAGS}?page[number]=1&filter[label]=none"
    with world.statements() as statements:
        host.client.get(url, headers={"X-Known": "known"})
    counts = [s for s in statements if "count(" in s]
    assert counts
    assert not any("caller_tags" in s for s in counts)
    assert host.asked == 1


def test_a_failure_asks_for_nobody(host):
    response = host.client.get("/toy/outcomes/crash", headers={"X-Known": "known"})
    assert response.status_int == 500
    assert host.asked == 0
