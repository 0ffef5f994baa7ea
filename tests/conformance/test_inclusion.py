"""Rows IN of the checklist: the related resources that come with a document."""

from collections import Counter

import pytest

from tests.conformance.structure import faults
from tests.conformance.world import (
    ENTRY,
    GROUPS,
    ROLES,
    USERS,
    error,
    identities,
    make_world,
    statements,
)
from tests.engines import on_one_engine


def included(client, url: str) -> set[tuple[str, str]]:
    response = client.get(url)
    assert response.status_int == 200, response.text
    assert isinstance(response.json["included"], list)
    return identities(response.json["included"])


def of(type: str, ids) -> set[tuple[str, str]]:
    return {(type, id) for id in ids}


@pytest.mark.conformance("IN-01", "IN-06", "IN-19")
def test_what_is_asked_for_is_included_and_nothing_else(world):
    own = f"{USERS}/{world.joiner}"
    roles = of("roles", [world.role_of(world.joiner)])
    groups = of("groups", world.groups_of(world.joiner))
    for include, expected, linked in (
        ("role", roles, ["role"]),
        ("groups", groups, ["groups"]),
        ("role,groups", roles | groups, ["role", "groups"]),
    ):
        document = world.client.get(f"{own}?include={include}").json
        assert identities(document["included"]) == expected
        relationships = document["data"]["relationships"]
        assert [name for name in relationships if "data" in relationships[name]] == linked


@pytest.mark.conformance("IN-02", "IN-04", "IN-09", "IN-19")
@pytest.mark.parametrize(
    "url",
    [
        f"{USERS}?include=groups",
        f"{USERS}?include=role,groups.members&page[size]=3",
        f"{GROUPS}?include=members.role.users",
        f"{ROLES}?include=users.groups.members.role&page[size]=1",
    ],
)
def test_every_included_resource_is_linked_once(world, url):
    document = world.client.get(url).json
    assert document["included"]
    assert faults(document) == []


@on_one_engine
@pytest.mark.conformance("IN-03", "FS-04")
def test_resources_are_included_though_a_fieldset_leaves_out_their_linkage(world):
    document = world.client.get(f"{USERS}?include=groups&fields[users]=name&page[size]=1000").json
    assert identities(document["included"]) == of("groups", set(world.groups) - {world.empty_group})
    assert all("relationships" not in resource for resource in document["data"])


@pytest.mark.conformance("IN-04")
def test_what_is_on_the_page_is_not_included_again(world):
    group = max(world.groups, key=lambda group: len(world.members_of(group)))
    url = f"{GROUPS}/{group}/members?include=groups.members&page[size]=1000"
    document = world.client.get(url).json
    everything = document["data"] + document["included"]
    assert len(identities(everything)) == len(everything)
    assert identities(document["data"]) == of("users", world.members_of(group))
    assert identities(document["included"]) == of("groups", set(world.groups) - {world.empty_group})


@on_one_engine
@pytest.mark.conformance("IN-05", "IN-07")
def test_included_is_there_while_it_is_empty(world):
    assert included(world.client, f"{USERS}/{world.loner}?include=role,groups") == set()
    assert included(world.client, f"{USERS}/{world.joiner}?include=") == set()
    assert included(world.client, f"{USERS}?include=") == set()
    assert included(world.client, f"{USERS}?filter[id]={world.empty_group}&include=role") == set()
    assert included(world.client, f"{USERS}/{world.loner}/role?include=users") == set()
    assert "included" not in world.client.get(USERS).json


@pytest.mark.conformance("IN-08", "IN-09")
def test_a_path_includes_what_is_on_its_way_and_a_comma_begins_another(world):
    role = world.role_of(world.joiner)
    url = f"{USERS}/{world.joiner}?include=groups,role.users"
    groups = of("groups", world.groups_of(world.joiner))
    users = of("users", world.holders_of(role) - {world.joiner})
    assert included(world.client, url) == groups | users | of("roles", [role])
    group = sorted(world.groups_of(world.joiner))[0]
    role_of_members = of(
        "roles", {world.role_of(user) for user in world.members_of(group)} - {None}
    )
    expected = of("users", world.members_of(group)) | role_of_members
    assert included(world.client, f"{GROUPS}/{group}?include=members.role") == expected


@on_one_engine
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("nope", marks=pytest.mark.conformance("IN-10")),
        pytest.param("groups.nope", marks=pytest.mark.conformance("IN-10")),
        pytest.param("role,nope", marks=pytest.mark.conformance("IN-10")),
        pytest.param("groups.", marks=pytest.mark.conformance("IN-10")),
        pytest.param("role,", marks=pytest.mark.conformance("IN-10")),
        pytest.param("email", marks=pytest.mark.conformance("IN-11")),
        pytest.param("groups.name", marks=pytest.mark.conformance("IN-11")),
        pytest.param("id", marks=pytest.mark.conformance("IN-11")),
        pytest.param("Groups", marks=pytest.mark.conformance("IN-18")),
        pytest.param("groups.MEMBERS", marks=pytest.mark.conformance("IN-18")),
        pytest.param("groups, role", marks=pytest.mark.conformance("IN-17")),
        pytest.param(
            ".".join(["role", "users"] * 10), marks=pytest.mark.conformance("IN-15"), id="deep"
        ),
        pytest.param(",".join(["role"] * 1000), marks=pytest.mark.conformance("IN-15"), id="many"),
    ],
)
def test_a_path_that_cannot_be_included_is_refused(world, path):
    for url in (USERS, f"{USERS}/{world.joiner}", f"{GROUPS}/{world.empty_group}/members"):
        assert error(world.client.get(f"{url}?include={path}")) == (400, "include")


@on_one_engine
@pytest.mark.conformance("IN-12", "QP-05", "FL-08")
def test_include_is_refused_where_nothing_can_be_included(world):
    own = f"{USERS}/{world.joiner}"
    for method, url, document in (
        ("DELETE", own, None),
        ("GET", ENTRY, None),
        ("PATCH", f"{own}/relationships/role", {"data": None}),
        ("POST", f"{own}/relationships/groups", {"data": []}),
    ):
        response = world.client.request(method, f"{url}?include=groups", document)
        assert error(response) == (400, "include")
    assert world.client.get(f"{own}?include=role").json["data"]["relationships"]["role"]["data"]


@pytest.mark.conformance("IN-13", "FL-07")
def test_every_url_with_resources_includes_others(world):
    role, groups = world.role_of(world.joiner), of("groups", world.groups_of(world.joiner))
    own = f"{USERS}/{world.joiner}"
    assert included(world.client, f"{own}?include=groups") == groups
    assert included(world.client, f"{USERS}?filter[id]={world.joiner}&include=groups") == groups
    holders = of("users", world.holders_of(role))
    assert included(world.client, f"{own}/role?include=users") == holders
    assert of("users", [world.joiner]) < included(world.client, f"{own}/groups?include=members")
    for name, expected in (("groups", groups), ("role", of("roles", [role]))):
        document = world.client.get(f"{own}/relationships/{name}?include={name}").json
        assert identities(document["included"]) == expected
        data = document["data"] if isinstance(document["data"], list) else [document["data"]]
        assert identities(data) == expected
        assert all(identifier.keys() == {"type", "id"} for identifier in data)
        assert all("attributes" in resource for resource in document["included"])


@pytest.mark.conformance("IN-14", "QP-12")
def test_writes_are_answered_with_what_they_ask_for(world):
    groups = [{"type": "groups", "id": world.empty_group}]
    data = {"type": "users", "attributes": {"email": "new@example.com", "name": "New"}}
    data["relationships"] = {"groups": {"data": groups}}
    created = world.client.post(f"{USERS}?include=groups", {"data": data})
    assert created.status_int == 201
    assert identities(created.json["included"]) == of("groups", [world.empty_group])
    own = created.json["data"]["links"]["self"]
    change = {"type": "users", "id": created.json["data"]["id"], "attributes": {"name": "Newer"}}
    changed = world.client.patch(f"{own}?include=groups,role", {"data": change})
    assert changed.status_int == 200
    assert identities(changed.json["included"]) == of("groups", [world.empty_group])
    assert changed.json["data"]["relationships"]["groups"]["data"] == groups


@on_one_engine
@pytest.mark.conformance("IN-16")
@pytest.mark.parametrize(
    ("include", "most"),
    [("", 1), ("role", 2), ("groups", 2), ("role,groups", 3), ("groups.members.role,role", 5)],
)
def test_statements_do_not_grow_with_what_is_included(service, include, most):
    world = make_world(service, size=100)
    url = f"{USERS}?page[size]={{}}&include={include}"
    with statements(service.app) as few:
        assert len(world.client.get(url.format(20)).json["data"]) == 20
    with statements(service.app) as many:
        assert len(world.client.get(url.format(100)).json["data"]) == 100
    assert len(few) == len(many) <= most


@on_one_engine
@pytest.mark.conformance("IN-17")
def test_a_path_that_is_given_twice_counts_once(world):
    url = f"{USERS}/{world.joiner}?include="
    for twice, once in (("groups,groups", "groups"), ("role,role.users,role", "role.users")):
        repeated, single = (world.client.get(url + path).json for path in (twice, once))
        assert repeated["included"] == single["included"]
        assert set(Counter(map(str, repeated["included"])).values()) == {1}
