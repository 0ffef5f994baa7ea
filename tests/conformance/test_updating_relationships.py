"""Rows UR of the checklist: how relationships are set, added to and taken from."""

import shutil

import pytest

from tests.client import Client, sources
from tests.conformance.documents import SEALED, etag, identifier, identifiers, with_sealed
from tests.conformance.world import GROUPS, NOBODY, ROLES, USERS, World, error, ids
from tests.engines import on_one_engine
from tests.server import ROOT, pserve
from tests.serving.test_server import Http
from tests.test_transactions import in_parallel


def linkage(user: str, relationship: str = "groups") -> str:
    return f"{USERS}/{user}/relationships/{relationship}"


def write(client: Client, method: str, url: str, data, **options):
    """Send linkage; what succeeds changes nothing but what was asked for, and says no more."""
    response = client.request(method, url, {"data": data}, **options)
    if response.status_int < 300:
        assert response.status_int == 204
        assert response.body == b""
    return response


def groups_of(world: World, user: str) -> list[str]:
    """The groups of a user as both sides see them."""
    found = ids(world.client.get(linkage(user)).json)
    filtered = ids(world.client.get(f"{GROUPS}?filter[members]={user}").json)
    assert sorted(found) == sorted(filtered)
    for group in world.groups:
        members = ids(world.client.get(f"{GROUPS}/{group}/members?page[size]=99").json)
        assert members.count(user) == found.count(group)
    return sorted(found)


@pytest.mark.conformance("UR-01", "UR-13", "UR-21")
def test_a_to_one_relationship_is_set_and_cleared(world):
    client, user = world.client, world.loner
    for role in (world.empty_role, world.role_of(world.joiner), None):
        data = None if role is None else identifier("roles", role)
        assert write(client, "PATCH", linkage(user, "role"), data).status_int == 204
        assert client.get(linkage(user, "role")).json["data"] == data
        for id in world.roles:
            holders = ids(client.get(f"{ROLES}/{id}/users?page[size]=99").json)
            assert (user in holders) == (id == role)


@pytest.mark.conformance("UR-05", "UR-06", "UR-12", "UR-13", "UR-21")
@pytest.mark.parametrize("user", ["loner", "joiner"])
def test_a_patch_replaces_every_member(world, user):
    user = getattr(world, user)
    new = sorted([world.empty_group, max(world.groups_of(world.joiner))])
    for groups in (new, new[:1], [], new):
        data = identifiers("groups", *groups)
        assert write(world.client, "PATCH", linkage(user), data).status_int == 204
        assert groups_of(world, user) == groups


@pytest.mark.conformance("UR-07", "UR-08", "UR-12", "UR-13", "UR-21")
def test_a_post_adds_what_is_not_yet_there(world):
    user = world.joiner
    present = sorted(world.groups_of(user))
    both = sorted([*present, world.empty_group])
    for added in ([world.empty_group], [world.empty_group], both, []):
        data = identifiers("groups", *added)
        assert write(world.client, "POST", linkage(user), data).status_int == 204
        assert groups_of(world, user) == both


@pytest.mark.conformance("UR-09", "UR-10", "UR-11", "UR-12", "UR-13", "UR-21")
def test_a_delete_removes_what_is_there(world):
    user = world.joiner
    gone, *kept = sorted(world.groups_of(user))
    for removed in ([gone], [gone], [gone, world.empty_group], [NOBODY], []):
        data = identifiers("groups", *removed)
        assert write(world.client, "DELETE", linkage(user), data).status_int == 204
        assert groups_of(world, user) == kept
    assert world.client.get(f"{GROUPS}/{gone}").status_int == 200
    assert world.client.get(f"{USERS}/{user}").status_int == 200


@pytest.mark.conformance("UR-05", "UR-07", "UR-09", "UR-21")
def test_the_users_of_a_role_are_written_from_its_side_too(world):
    client, url = world.client, f"{ROLES}/{world.empty_role}/relationships/users"
    one, two = world.loner, world.joiner
    for method, users, expected in (
        ("POST", [one], {one}),
        ("POST", [one, two], {one, two}),
        ("DELETE", [one], {two}),
        ("PATCH", [one], {one}),
        ("PATCH", [], set()),
    ):
        assert write(client, method, url, identifiers("users", *users)).status_int == 204
        assert set(ids(client.get(url).json)) == expected
        for user in (one, two):
            role = client.get(linkage(user, "role")).json["data"]
            assert (role is not None and role["id"] == world.empty_role) == (user in expected)


@on_one_engine
@pytest.mark.conformance("UR-02", "UR-03")
@pytest.mark.parametrize(
    ("relationship", "document", "pointer"),
    [
        ("role", {}, ""),
        ("groups", {}, ""),
        ("groups", {"meta": {}}, ""),
        ("role", {"data": []}, "/data"),
        ("role", {"data": identifiers("roles", NOBODY)}, "/data"),
        ("role", {"data": "x"}, "/data"),
        ("role", {"data": {}}, "/data"),
        ("groups", {"data": None}, "/data"),
        ("groups", {"data": identifier("groups", NOBODY)}, "/data"),
        ("groups", {"data": [None]}, "/data/0"),
        ("groups", {"data": [{"type": "groups"}]}, "/data/0"),
        ("groups", {"data": [{"id": NOBODY}]}, "/data/0"),
        ("groups", {"data": [{"type": "groups", "id": 1}]}, "/data/0/id"),
    ],
)
def test_malformed_linkage_is_refused(world, relationship, document, pointer):
    url = linkage(world.joiner, relationship)
    before = world.client.get(url)
    for method in ("PATCH", "POST", "DELETE") if relationship == "groups" else ("PATCH",):
        response = world.client.request(method, url, document)
        assert response.status_int == 400
        assert sources(response)[0] == (pointer, "malformed_document")
    assert world.client.get(url).headers["ETag"] == before.headers["ETag"]


@on_one_engine
@pytest.mark.conformance("UR-04")
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_members_are_of_to_many_relationships_alone(world, method):
    url = linkage(world.joiner, "role")
    response = world.client.request(method, url, {"data": identifiers("roles", world.empty_role)})
    assert response.status_int == 405
    assert {"GET", "PATCH"} <= set(response.headers["Allow"].split(", "))
    assert method not in response.headers["Allow"]
    assert world.client.get(url).json["data"]["id"] == world.role_of(world.joiner)


@on_one_engine
@pytest.mark.conformance("UR-16")
@pytest.mark.parametrize("method", ["PATCH", "POST", "DELETE"])
def test_what_may_not_be_changed_is_forbidden(world, app_with, permitted, method):
    group = max(world.groups, key=lambda group: len(world.members_of(group)))
    data = identifiers("users", world.joiner)
    sealed = Client(app_with(with_sealed))
    response = sealed.request(method, f"{SEALED}/{group}/relationships/members", {"data": data})
    assert response.status_int == 403
    assert sources(response) == [("/data", "read_only_relationship")]
    reader = permitted("users:read groups:read groups:create")
    response = reader.request(method, f"{GROUPS}/{group}/relationships/members", {"data": data})
    assert response.status_int == 403
    assert sources(response) == [("", "forbidden")]
    members = world.client.get(f"{GROUPS}/{group}/relationships/members?page[size]=99").json
    assert set(ids(members)) == world.members_of(group)


@on_one_engine
@pytest.mark.conformance("UR-17")
@pytest.mark.parametrize("method", ["PATCH", "POST", "DELETE"])
def test_a_parent_or_a_relationship_that_is_not_there_is_not_found(world, method):
    data = identifiers("groups", world.empty_group)
    for url in (linkage(NOBODY), linkage("1"), linkage(world.joiner, "nope")):
        response = world.client.request(method, url, {"data": data})
        assert response.status_int == 404
        assert sources(response) == [("", "not_found")]


@pytest.mark.conformance("UR-18", "UR-19")
@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_one_member_that_is_not_there_keeps_the_others_out(world, method):
    user = world.joiner
    before = groups_of(world, user)
    good = identifier("groups", world.empty_group)
    for bad, status, pointer in (
        (identifier("groups", NOBODY), 404, "/data/1"),
        (identifier("groups", "no-uuid"), 404, "/data/1"),
        (identifier("users", world.loner), 409, "/data/1/type"),
    ):
        response = write(world.client, method, linkage(user), [good, bad, good])
        assert error(response) == (status, pointer)
        assert groups_of(world, user) == before
    missing = write(world.client, "PATCH", linkage(user, "role"), identifier("roles", NOBODY))
    assert error(missing) == (404, "/data")
    other = write(world.client, "PATCH", linkage(user, "role"), good)
    assert error(other) == (409, "/data/type")
    assert world.client.get(linkage(user, "role")).json["data"]["id"] == world.role_of(user)


@on_one_engine
@pytest.mark.conformance("UR-19")
def test_what_is_removed_has_the_type_of_the_relationship(world):
    data = identifiers("users", *world.groups_of(world.joiner))
    response = write(world.client, "DELETE", linkage(world.joiner), data)
    assert error(response) == (409, "/data/0/type")
    assert groups_of(world, world.joiner) == sorted(world.groups_of(world.joiner))


@pytest.mark.conformance("UR-20")
def test_an_identifier_that_comes_twice_counts_once(world):
    twice = identifiers("groups", world.empty_group, world.empty_group.upper(), world.empty_group)
    for method, expected in (
        ("POST", [world.empty_group]),
        ("PATCH", [world.empty_group]),
        ("DELETE", []),
    ):
        assert write(world.client, method, linkage(world.loner), twice).status_int == 204
        assert groups_of(world, world.loner) == expected


@on_one_engine
@pytest.mark.conformance("UR-22")
def test_the_body_of_a_delete_arrives_over_a_socket(world, service, tmp_path):
    gone, *kept = sorted(world.groups_of(world.joiner))
    shutil.copy(ROOT / "development.ini", tmp_path)
    with pserve(tmp_path / "development.ini", {"USERS_SERVICE_DATABASE_URL": service.url}) as at:
        document = {"data": identifiers("groups", gone)}
        response = Http(at).request("DELETE", linkage(world.joiner), document)
    assert (response.status, response.body) == (204, b"")
    assert groups_of(world, world.joiner) == kept


@on_one_engine
@pytest.mark.conformance("UR-23")
@pytest.mark.parametrize("method", ["PATCH", "POST", "DELETE"])
def test_linkage_that_has_changed_since_is_not_written(world, method):
    url = linkage(world.joiner)
    stale = etag(world.client, url)
    assert stale == etag(world.client, url)
    write(world.client, "POST", url, identifiers("groups", world.empty_group))
    before = groups_of(world, world.joiner)
    data = identifiers("groups", before[0])
    refused = write(world.client, method, url, data, headers={"If-Match": stale})
    assert refused.status_int == 412
    assert refused.json["errors"][0]["source"] == {"header": "If-Match"}
    assert groups_of(world, world.joiner) == before
    fresh = {"If-Match": etag(world.client, url)}
    assert write(world.client, method, url, data, headers=fresh).status_int == 204


@pytest.mark.conformance("UR-08", "UR-10")
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_the_same_members_at_the_same_moment_all_succeed(service, world, method):
    user = world.joiner if method == "DELETE" else world.loner
    data = identifiers("groups", *world.groups)

    def send(other: Client, number: int):
        return write(other, method, linkage(user), data[::-1] if number % 2 else data)

    assert in_parallel(service.app, 8, send) == {204: 8}
    assert groups_of(world, user) == ([] if method == "DELETE" else sorted(world.groups))
