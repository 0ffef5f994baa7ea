"""What a request has changed, as its host reads it before COMMIT."""

from uuid import UUID

import pytest
from sqlalchemy import select

from tests.client import Client, sources
from tests.engines import toy_on_one_engine
from tests.jsonapi.conftest import Toy, article
from tests.jsonapi.toy import ARTICLES, OPERATIONS, PEOPLE, TAGS, Article, Tag, make_toy
from tests.jsonapi.world import ADA, BOB, identifier
from users_service.jsonapi import Change, Error, JSONAPIError


class Recorded:
    """A toy whose changes are noted, and refused where a title asks for it."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        self.calls: list[list[Change]] = []
        self.client = Client(make_toy(toy.engine, include=self.include))

    def include(self, config) -> None:
        config.add_jsonapi_change_handler(self.note)
        config.add_jsonapi_change_handler(self.refuse)

    def note(self, request, changes) -> None:
        self.calls.append(list(changes))
        if request.headers.get("X-Tag"):
            request.dbsession.add(Tag(label=request.headers["X-Tag"]))
            request.dbsession.flush()

    def refuse(self, request, changes) -> None:
        if any(change.after.get("title") == "refused" for change in changes):
            raise JSONAPIError(Error(code="conflict", detail="Nobody wants that title."))

    @property
    def changes(self) -> list[Change]:
        (changes,) = self.calls
        return changes


@pytest.fixture(scope="module")
def recording(running_toy) -> Recorded:
    return Recorded(running_toy)


@pytest.fixture
def recorded(world, recording) -> Recorded:
    """Nothing is recorded yet, and the world is as it was made."""
    recording.calls.clear()
    return recording


def linkage_of(change: Change) -> dict[str, tuple]:
    return {c.relationship.name: (c.added, c.removed) for c in change.linkage}


def test_a_creation_is_told_with_all_that_was_stored(recorded):
    document = article(title="Engines", secret="1234")
    document["data"]["relationships"] = {
        "author": {"data": identifier("people", ADA)},
        "tags": {"data": [identifier("tags", 1), identifier("tags", 3)]},
    }
    created = recorded.client.post(ARTICLES, document).json["data"]
    (change,) = recorded.changes
    assert (change.resource.type, change.kind, str(change.id)) == (
        "articles",
        "create",
        created["id"],
    )
    assert change.before == {}
    assert change.after["title"] == "Engines"
    assert change.after["secret"] == "1234"
    assert change.after["revision"] == 1
    assert linkage_of(change) == {"author": ((UUID(ADA),), ()), "tags": ((1, 3), ())}


def test_an_update_is_told_with_what_has_changed_alone(recorded):
    changes = article("1", title="New", rating=None)
    changes["data"]["relationships"] = {
        "author": {"data": identifier("people", BOB)},
        "tags": {"data": [identifier("tags", 2), identifier("tags", 3)]},
    }
    assert recorded.client.patch(f"{ARTICLES}/1", changes).status_int == 200
    (change,) = recorded.changes
    assert change.before == {"title": "article 1"}
    assert change.after == {"title": "New"}
    assert linkage_of(change) == {"author": ((UUID(BOB),), (UUID(ADA),)), "tags": ((3,), (1,))}


@toy_on_one_engine
@pytest.mark.parametrize(
    ("method", "url", "document"),
    [
        ("PATCH", f"{ARTICLES}/1", article("1", title="article 1")),
        ("PATCH", f"{ARTICLES}/1/relationships/author", {"data": identifier("people", ADA)}),
        ("POST", f"{ARTICLES}/1/relationships/tags", {"data": [identifier("tags", 1)]}),
        ("DELETE", f"{ARTICLES}/1/relationships/tags", {"data": [identifier("tags", 3)]}),
    ],
)
def test_what_changes_nothing_is_not_told(recorded, method, url, document):
    assert recorded.client.request(method, url, document).status_int in (200, 204)
    assert recorded.calls == []


def test_a_deletion_is_told_with_what_there_was(recorded):
    assert recorded.client.delete(f"{ARTICLES}/2").status_int == 204
    (change,) = recorded.changes
    assert (change.kind, change.id, change.after) == ("delete", 2, {})
    assert change.before["title"] == "article 2"


@pytest.mark.parametrize(
    ("method", "ids", "added", "removed"),
    [("PATCH", [3], (3,), (1, 2)), ("POST", [3], (3,), ()), ("DELETE", [2], (), (2,))],
)
def test_a_change_of_linkage_is_told_of_the_end_that_is_named(
    recorded, method, ids, added, removed
):
    linkage = {"data": [identifier("tags", id) for id in ids]}
    url = f"{ARTICLES}/1/relationships/tags"
    assert recorded.client.request(method, url, linkage).status_int == 204
    (change,) = recorded.changes
    assert (change.resource.type, change.id, change.kind) == ("articles", 1, "update")
    assert (change.before, change.after) == ({}, {})
    assert linkage_of(change) == {"tags": (added, removed)}


@toy_on_one_engine
def test_operations_are_told_together_and_in_order(recorded):
    media = 'application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"'
    operations = [
        {"op": "add", "data": {"type": "tags", "lid": "t", "attributes": {"label": "new"}}},
        {
            "op": "add",
            "ref": identifier("articles", 3) | {"relationship": "tags"},
            "data": [{"type": "tags", "lid": "t"}],
        },
        {"op": "remove", "ref": identifier("comments", 3)},
    ]
    headers = {"Content-Type": media, "Accept": media}
    response = recorded.client.post(OPERATIONS, {"atomic:operations": operations}, headers=headers)
    assert response.status_int == 200
    told = [(change.kind, change.resource.type) for change in recorded.changes]
    assert told == [("create", "tags"), ("update", "articles"), ("delete", "comments")]
    new = recorded.changes[0].id
    assert linkage_of(recorded.changes[1]) == {"tags": ((new,), ())}


@toy_on_one_engine
def test_a_host_may_refuse_and_nothing_is_stored(recorded):
    response = recorded.client.patch(f"{ARTICLES}/1", article("1", title="refused"))
    assert response.status_int == 409
    assert sources(response) == [("", "conflict")]
    with recorded.toy.engine.connect() as connection:
        assert connection.scalar(select(Article.title).where(Article.id == 1)) == "article 1"


@pytest.mark.parametrize(("title", "count"), [("fine", 1), ("refused", 0)])
def test_what_a_host_writes_is_stored_with_the_changes_or_not_at_all(recorded, title, count):
    changes = article("1", title=title)
    recorded.client.patch(f"{ARTICLES}/1", changes, headers={"X-Tag": "event"})
    with recorded.toy.engine.connect() as connection:
        found = connection.scalars(select(Tag.id).where(Tag.label == "event")).all()
    assert len(found) == count


@toy_on_one_engine
def test_reads_and_refused_requests_are_not_told(recorded):
    for url in (ARTICLES, f"{PEOPLE}/{ADA}?include=articles", f"{TAGS}/1/articles"):
        assert recorded.client.get(url).status_int == 200
    assert recorded.client.patch(f"{ARTICLES}/99", article("99", title="x")).status_int == 404
    assert recorded.client.post(ARTICLES, article(title="")).status_int == 422
    assert recorded.calls == []
