"""Rows UP of the checklist: what a PATCH changes of a resource, and what it refuses."""

import pytest

from tests.client import Client, sources
from tests.conformance.documents import (
    SEALED,
    Linked,
    etag,
    identifier,
    identifiers,
    resource,
    with_sealed,
)
from tests.conformance.world import GROUPS, NOBODY, USERS, World, error
from tests.engines import on_one_engine
from tests.test_transactions import in_parallel


def change(world: World, id: str, *, headers=None, **members):
    return world.client.patch(
        f"{USERS}/{id}", {"data": resource("users", id, **members)}, headers=headers
    )


def stored(world: World, id: str) -> dict:
    """A user as it is, with its linkage."""
    return world.client.get(f"{USERS}/{id}?include=role,groups").json["data"]


def other_than(world: World, id: str) -> str:
    return next(other for other in world.users if other != id)


@pytest.mark.conformance("UP-01", "UP-04", "UP-05", "UP-10")
def test_a_patch_changes_what_it_names_and_nothing_else(world):
    id = world.joiner
    before = stored(world, id)
    response = change(world, id, name="Augusta")
    assert response.status_int == 200
    after = stored(world, id)
    assert response.json["data"]["attributes"] == after["attributes"]
    assert after["attributes"]["modification_time"] > before["attributes"]["modification_time"]
    kept = {"email", "is_active", "verification_time", "creation_time"}
    assert after["attributes"].keys() == kept | {"name", "modification_time"}
    assert {n: after["attributes"][n] for n in kept} == {n: before["attributes"][n] for n in kept}
    assert after["attributes"]["name"] == "Augusta"
    assert after["relationships"] == before["relationships"]
    assert after["relationships"]["role"]["data"] is not None


@pytest.mark.conformance("UP-04", "UP-05", "UP-10")
def test_a_patch_of_one_relationship_leaves_the_other_and_every_attribute(world):
    id = world.joiner
    before = stored(world, id)
    assert change(world, id, role=Linked(None)).status_int == 200
    after = stored(world, id)
    assert after["relationships"]["role"]["data"] is None
    assert after["relationships"]["groups"] == before["relationships"]["groups"]
    times = {"modification_time": ""}
    assert after["attributes"] | times == before["attributes"] | times


@pytest.mark.conformance("UP-07")
def test_a_relationship_in_a_patch_is_replaced_as_a_whole(world):
    id = world.joiner
    groups = [world.empty_group, min(world.groups_of(id))]
    change(world, id, groups=Linked(identifiers("groups", *groups)))
    found = stored(world, id)["relationships"]["groups"]["data"]
    assert sorted(item["id"] for item in found) == sorted(groups)
    change(world, id, groups=Linked([]), role=Linked(identifier("roles", world.empty_role)))
    found = stored(world, id)["relationships"]
    assert found["groups"]["data"] == []
    assert found["role"]["data"]["id"] == world.empty_role


@pytest.mark.conformance("UP-06")
def test_null_clears_an_attribute_that_may_be_null(world):
    id = next(id for id, row in world.groups.items() if row["description"] is not None)
    url = f"{GROUPS}/{id}"
    response = world.client.patch(url, {"data": resource("groups", id, description=None)})
    assert response.status_int == 200
    assert world.client.get(url).json["data"]["attributes"]["description"] is None
    refused = world.client.patch(url, {"data": resource("groups", id, name=None)})
    assert refused.status_int == 422
    assert error(refused) == (422, "/data/attributes/name")


REFUSED = {
    "no id": ({"type": "users"}, 400, "/data"),
    "no type": ({"id": "U"}, 400, "/data"),
    "array": ([], 400, "/data"),
    "another id": ({"type": "users", "id": NOBODY}, 409, "/data/id"),
    "an id that is none": ({"type": "users", "id": "1"}, 409, "/data/id"),
    "another type": ({"type": "groups", "id": "U"}, 409, "/data/type"),
    "relationship without data": (
        {"type": "users", "id": "U", "relationships": {"groups": {}}},
        400,
        "/data/relationships/groups",
    ),
    "relationship with links": (
        {"type": "users", "id": "U", "relationships": {"role": {"links": {}}}},
        400,
        "/data/relationships/role",
    ),
    "role that is not there": (
        resource("users", "U", role=Linked(identifier("roles", NOBODY))),
        404,
        "/data/relationships/role/data",
    ),
    "group that is not there": (
        resource("users", "U", groups=Linked(identifiers("groups", NOBODY))),
        404,
        "/data/relationships/groups/data/0",
    ),
    "role of another type": (
        resource("users", "U", role=Linked(identifier("groups", NOBODY))),
        409,
        "/data/relationships/role/data/type",
    ),
    "invalid attribute": (
        resource("users", "U", is_active="no"),
        422,
        "/data/attributes/is_active",
    ),
    "read-only attribute": (
        resource("users", "U", creation_time="2024-01-01T00:00:00Z"),
        422,
        "/data/attributes/creation_time",
    ),
    "email of another": (resource("users", "U", email="OTHER"), 409, "/data/attributes/email"),
}


@on_one_engine
@pytest.mark.conformance("UP-02", "UP-03", "UP-08", "UP-16", "UP-17", "UP-18", "UP-19")
@pytest.mark.parametrize("case", REFUSED)
def test_a_patch_that_is_refused_says_where_and_changes_nothing(world, case):
    id = world.joiner
    data, status, pointer = REFUSED[case]
    if isinstance(data, dict):
        data = data | ({"id": id} if data.get("id") == "U" else {})
        attributes = {"name": "Changed"} | data.get("attributes", {})
        if attributes.get("email") == "OTHER":
            attributes["email"] = world.users[other_than(world, id)]["email"].upper()
        data["attributes"] = attributes
    before = stored(world, id)
    response = world.client.patch(f"{USERS}/{id}", {"data": data})
    assert error(response) == (status, pointer)
    assert response.json["errors"][0]["detail"]
    assert stored(world, id) == before


@on_one_engine
@pytest.mark.conformance("UP-09", "UP-14")
def test_a_relationship_that_may_not_be_replaced_refuses_the_whole_update(world, app_with):
    client = Client(app_with(with_sealed))
    id = max(world.groups, key=lambda group: len(world.members_of(group)))
    url = f"{SEALED}/{id}"
    data = resource("sealed", id, name="Changed", members=Linked([]))
    before = client.get(f"{url}?include=members").json
    response = client.patch(url, {"data": data})
    assert response.status_int == 403
    assert sources(response) == [("/data/relationships/members", "read_only_relationship")]
    assert client.get(f"{url}?include=members").json == before
    assert client.patch(url, {"data": resource("sealed", id, name="Changed")}).status_int == 200


@on_one_engine
@pytest.mark.conformance("UP-14")
def test_a_resource_that_may_not_be_updated_is_refused(world, permitted):
    reader = permitted("users:read users:create users:delete")
    response = reader.patch(
        f"{USERS}/{world.loner}", {"data": resource("users", world.loner, name="Changed")}
    )
    assert response.status_int == 403
    assert sources(response) == [("", "forbidden")]
    assert stored(world, world.loner)["attributes"]["name"] != "Changed"


@on_one_engine
@pytest.mark.conformance("UP-15")
@pytest.mark.parametrize("id", [NOBODY, "1", "no-uuid"])
def test_a_resource_that_is_not_there_is_not_found(client, id):
    response = client.patch(f"{USERS}/{id}", {"data": resource("users", id, name="Ada")})
    assert response.status_int == 404
    assert sources(response) == [("", "not_found")]
    assert client.emails() == []


@pytest.mark.conformance("UP-11", "UP-25")
def test_a_patch_that_changes_nothing_keeps_the_time_and_the_entity_tag(world):
    id = world.joiner
    url = f"{USERS}/{id}"
    before = world.client.get(url)
    same = {"name": world.users[id]["name"], "is_active": world.users[id]["is_active"]}
    groups = identifiers("groups", *world.groups_of(id))
    role = identifier("roles", world.role_of(id))
    for members in (
        same,
        {},
        {"role": Linked(role)},
        {"groups": Linked(groups)},
        {**same, "role": Linked(role), "groups": Linked(groups)},
    ):
        response = change(world, id, **members)
        assert response.status_int == 200
        assert response.json == before.json
        assert etag(world.client, url) == before.headers["ETag"] == response.headers["ETag"]


@on_one_engine
@pytest.mark.conformance("UP-20")
@pytest.mark.parametrize("query", ["", "?fields[users]=name", "?include=groups", "?fields[users]="])
def test_a_patch_of_what_has_changed_since_is_refused(world, query):
    id = world.joiner
    stale = etag(world.client, f"{USERS}/{id}{query}")
    changed = change(world, id, headers={"If-Match": stale}, name="First")
    assert changed.status_int == 200
    assert changed.headers["ETag"] != stale
    refused = change(world, id, headers={"If-Match": stale}, name="Second")
    assert refused.status_int == 412
    assert refused.json["errors"][0]["source"] == {"header": "If-Match"}
    assert stored(world, id)["attributes"]["name"] == "First"
    fresh = {"If-Match": f'"other", {changed.headers["ETag"]}'}
    assert change(world, id, headers=fresh, name="Third").status_int == 200
    assert change(world, id, headers={"If-Match": "*"}, name="Fourth").status_int == 200


@on_one_engine
@pytest.mark.conformance("UP-20")
def test_what_is_no_entity_tag_of_the_resource_never_matches(world):
    id = world.loner
    tag = etag(world.client, f"{USERS}/{id}")
    other = world.client.get(USERS).headers["ETag"]
    for value in ('""', "nonsense", f"W/{tag}", tag.strip('"'), '"1"', '"0.0"', other):
        assert change(world, id, headers={"If-Match": value}, name="Changed").status_int == 412
    assert stored(world, id)["attributes"]["name"] != "Changed"


@on_one_engine
@pytest.mark.conformance("UP-21")
def test_where_preconditions_are_demanded_a_change_without_one_is_refused(world, app_with):
    client = Client(app_with(require_if_match="true"))
    id = world.loner
    url = f"{USERS}/{id}"
    document = {"data": resource("users", id, name="Changed")}
    added = {"data": identifiers("groups", world.empty_group)}
    for response in (
        client.patch(url, document),
        client.delete(url),
        client.post(f"{url}/relationships/groups", added),
        client.patch(f"{url}/relationships/groups", added),
        client.delete(f"{url}/relationships/groups", document=added),
        client.patch(f"{url}/relationships/role", {"data": None}),
    ):
        assert response.status_int == 428
        assert sources(response)[0][1] == "precondition_required"
    assert stored(world, id)["attributes"]["name"] != "Changed"
    headers = {"If-Match": etag(client, url)}
    assert client.patch(url, document, headers=headers).status_int == 200
    created = client.post(USERS, {"data": resource("users", email="a@b.example", name="A")})
    assert created.status_int == 201


@on_one_engine
@pytest.mark.conformance("UP-22")
def test_any_representation_of_what_is_not_there_matches_nothing(client):
    data = {"data": resource("users", NOBODY, name="Ada")}
    response = client.patch(f"{USERS}/{NOBODY}", data, headers={"If-Match": "*"})
    assert response.status_int in (404, 412)
    assert client.emails() == []


@pytest.mark.conformance("UP-23")
@pytest.mark.parametrize("writers", [2, 8])
def test_of_writers_with_one_entity_tag_one_succeeds(service, world, writers):
    id = world.joiner
    headers = {"If-Match": etag(world.client, f"{USERS}/{id}")}

    def send(other: Client, number: int):
        data = resource("users", id, name=f"Ada {number}")
        if number % 2:
            data = resource("users", id, groups=Linked([]), name=f"Ada {number}")
        return other.patch(f"{USERS}/{id}", {"data": data}, headers=headers)

    assert in_parallel(service.app, writers, send) == {200: 1, 412: writers - 1}
    # What the one writer sent is there, whole.
    after = stored(world, id)
    odd = int(after["attributes"]["name"].removeprefix("Ada ")) % 2
    assert (after["relationships"]["groups"]["data"] == []) == bool(odd)
