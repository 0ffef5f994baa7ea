"""The entity tags of resource objects: with them, what a list shows is changed safely."""

import re

import pytest

from tests.client import sources
from tests.jsonapi.conftest import article, person
from tests.jsonapi.toy import ARTICLES, PEOPLE, TAGS
from tests.jsonapi.world import ADA, BOB, linkage

READS = [
    PEOPLE,
    f"{PEOPLE}/{ADA}",
    f"{PEOPLE}?fields[people]=nickname",
    f"{PEOPLE}?fields[people]=",
    f"{PEOPLE}?sort=-nickname&page[size]=2",
    f"{PEOPLE}?page[number]=1",
    f"{PEOPLE}?include=articles.tags,manager",
    f"{PEOPLE}/{ADA}?include=friends.articles&fields[articles]=title",
    f"{PEOPLE}/{ADA}/manager",
    f"{PEOPLE}/{ADA}/friends?include=reports",
    f"{ARTICLES}/1/relationships/author?include=author",
]


def objects(document: dict) -> list[dict]:
    """The resource objects of a document."""
    data = document["data"] if isinstance(document["data"], list) else [document["data"]]
    found = [*data, *document.get("included", ())]
    return [item for item in found if "links" in item]


@pytest.mark.parametrize("url", READS)
def test_every_resource_object_has_a_tag_that_a_change_accepts(world, url):
    found = objects(world.client.get(url).json)
    assert found
    for item in found:
        identity = {"type": item["type"], "id": item["id"]}
        tag = {"If-Match": item["meta"]["etag"]}
        assert re.fullmatch(r'"[^"]+"', tag["If-Match"])
        same = world.client.patch(item["links"]["self"], {"data": identity}, headers=tag)
        assert same.status_int == 200  # and changes nothing
        operation = {"op": "update", "data": identity, "meta": {"if_match": tag["If-Match"]}}
        assert world.operate(operation).status_int == 200


def test_a_tag_is_refused_after_a_change(world):
    tags = {item["id"]: item["meta"]["etag"] for item in world.client.get(PEOPLE).json["data"]}
    for change, id in ((person(ADA, nickname="Countess"), ADA), (None, BOB)):
        if change is None:  # linkage, from the other end
            world.client.patch(f"{ARTICLES}/1/relationships/author", linkage("people", BOB))
        else:
            world.client.patch(f"{PEOPLE}/{id}", change)
        own = {"If-Match": tags[id]}
        refused = world.client.patch(f"{PEOPLE}/{id}", person(id, nickname="x"), headers=own)
        assert sources(refused) == [("If-Match", "precondition_failed")]
        operation = {"op": "remove", "ref": {"type": "people", "id": id}}
        refused = world.operate(operation | {"meta": {"if_match": tags[id]}})
        assert refused.status_int == 412
        fresh = {"If-Match": world.client.get(f"{PEOPLE}/{id}").json["data"]["meta"]["etag"]}
        assert world.client.delete(f"{PEOPLE}/{id}", headers=fresh).status_int == 204


def test_a_tag_is_the_same_whatever_is_shown(world):
    tags = {
        item["meta"]["etag"]
        for url in READS
        for item in objects(world.client.get(url).json)
        if item["id"] == ADA
    }
    assert len(tags) == 1


def test_a_list_is_changed_at_once_or_not_at_all(world):
    listed = world.client.get(TAGS).json["data"]
    changes = [
        {
            "op": "update",
            "data": {"type": "tags", "id": tag["id"], "attributes": {"label": "same"}},
            "meta": {"if_match": tag["meta"]["etag"]},
        }
        for tag in listed
    ]
    changed = world.operate(*changes)
    assert changed.status_int == 200
    assert world.operate(*changes).status_int == 412
    fresh = [result["data"]["meta"]["etag"] for result in changed.json["atomic:results"]]
    assert fresh == [tag["meta"]["etag"] for tag in world.client.get(TAGS).json["data"]]


def test_answers_to_changes_have_the_new_tag(client):
    created = client.post(ARTICLES, article(title="a")).json["data"]
    url = created["links"]["self"]
    assert created == client.get(url).json["data"]
    changed = client.patch(url, article(created["id"], title="b")).json["data"]
    assert changed == client.get(url).json["data"]
    assert changed["meta"]["etag"] != created["meta"]["etag"]


def test_the_tag_of_a_resource_object_is_that_of_no_representation(world):
    """It would make an answer a 304 that shows something else."""
    url = f"{PEOPLE}/{ADA}"
    tag = {"If-None-Match": world.client.get(url).json["data"]["meta"]["etag"]}
    assert world.client.get(url, headers=tag).status_int == 200
    refused = world.client.patch(url, person(ADA, nickname="x"), headers=tag)
    assert sources(refused) == [("If-None-Match", "precondition_failed")]


def test_identifiers_have_none(world):
    document = world.client.get(f"{PEOPLE}/{ADA}?include=friends").json
    identifiers = document["data"]["relationships"]["friends"]["data"]
    identifiers += world.client.get(f"{PEOPLE}/{ADA}/relationships/friends").json["data"]
    assert identifiers
    assert all(one.keys() == {"type", "id"} for one in identifiers)
