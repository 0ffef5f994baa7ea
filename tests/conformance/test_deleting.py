"""Rows DE of the checklist: what a DELETE takes away, and what it refuses."""

import pytest

from tests.client import sources
from tests.conformance.documents import etag, resource
from tests.conformance.world import GROUPS, NOBODY, ROLES, USERS, ids
from tests.engines import on_one_engine


@pytest.mark.conformance("DE-01", "DE-02", "DE-04")
def test_a_user_that_is_deleted_is_nowhere(world):
    id, client = world.joiner, world.client
    group = max(world.groups_of(id))
    role = world.role_of(id)
    response = client.delete(f"{USERS}/{id}")
    assert response.status_int == 204
    assert response.body == b""
    for url in (
        f"{USERS}?page[size]=99",
        f"{GROUPS}/{group}/members?page[size]=99",
        f"{GROUPS}/{group}/relationships/members?page[size]=99",
        f"{ROLES}/{role}/users?page[size]=99",
        f"{ROLES}/{role}/relationships/users?page[size]=99",
        f"{USERS}?filter[groups]={group}&page[size]=99",
    ):
        found = ids(client.get(url).json)
        assert found, url
        assert id not in found, url
    document = client.get(f"{GROUPS}/{group}?include=members").json
    assert id not in ids({"data": document["included"]})
    assert id not in ids({"data": document["data"]["relationships"]["members"]["data"]})
    gone = client.delete(f"{USERS}/{id}")
    assert gone.status_int == 404
    assert sources(gone) == [("", "not_found")]
    assert client.get(f"{USERS}/{id}").status_int == 404


@pytest.mark.conformance("DE-04")
def test_a_group_that_is_deleted_leaves_its_members(world):
    group = max(world.groups_of(world.joiner))
    before = etag(world.client, f"{USERS}/{world.joiner}")
    assert world.client.delete(f"{GROUPS}/{group}").status_int == 204
    found = ids(world.client.get(f"{USERS}/{world.joiner}/relationships/groups").json)
    assert set(found) == world.groups_of(world.joiner) - {group}
    assert etag(world.client, f"{USERS}/{world.joiner}") != before
    assert len(world.client.get(f"{USERS}?page[size]=99").json["data"]) == len(world.users)


@pytest.mark.conformance("DE-01", "DE-05")
def test_a_role_that_users_hold_cannot_be_deleted(world):
    role = world.role_of(world.joiner)
    response = world.client.delete(f"{ROLES}/{role}")
    assert response.status_int == 409
    assert sources(response) == [("", "conflict")]
    (error,) = response.json["errors"]
    assert error["meta"] == {"relationship": "users", "type": "users"}
    assert "relationship users" in error["detail"]
    holders = ids(world.client.get(f"{ROLES}/{role}/users?page[size]=99").json)
    assert set(holders) == world.holders_of(role)
    assert world.client.delete(f"{ROLES}/{world.empty_role}").status_int == 204


@on_one_engine
@pytest.mark.conformance("DE-02")
@pytest.mark.parametrize("collection", [USERS, GROUPS, ROLES])
@pytest.mark.parametrize("id", [NOBODY, "1"])
def test_what_is_not_there_is_not_found(client, collection, id):
    response = client.delete(f"{collection}/{id}")
    assert response.status_int == 404
    assert sources(response) == [("", "not_found")]


@pytest.mark.conformance("DE-06")
def test_what_has_changed_since_is_not_deleted(world):
    url = f"{USERS}/{world.loner}"
    stale = etag(world.client, url)
    changed = world.client.patch(url, {"data": resource("users", world.loner, name="Changed")})
    refused = world.client.delete(url, headers={"If-Match": stale})
    assert refused.status_int == 412
    assert refused.json["errors"][0]["source"] == {"header": "If-Match"}
    assert world.client.get(url).status_int == 200
    fresh = {"If-Match": changed.headers["ETag"]}
    assert world.client.delete(url, headers=fresh).status_int == 204


@on_one_engine
@pytest.mark.conformance("DE-07")
def test_a_collection_cannot_be_deleted(world):
    for url in (USERS, f"{USERS}/{world.joiner}/groups"):
        response = world.client.delete(url)
        assert response.status_int == 405
        assert "GET" in response.headers["Allow"]
        assert "DELETE" not in response.headers["Allow"]
    assert len(world.client.get(f"{USERS}?page[size]=99").json["data"]) == len(world.users)
