"""Rows CR of the checklist: what a POST to a collection creates, and what it refuses."""

from uuid import uuid4

import pytest

from tests.client import Client, sources
from tests.conformance.documents import (
    SEALED,
    Linked,
    identifier,
    identifiers,
    resource,
    with_sealed,
)
from tests.conformance.world import GROUPS, NOBODY, ROLES, USERS
from tests.engines import on_one_engine
from tests.test_transactions import in_parallel

ADA = {"email": "ada@example.com", "name": "Ada"}


def create(client: Client, data, url: str = USERS):
    return client.post(url, {"data": data})


@pytest.mark.conformance("CR-01", "CR-04", "CR-05", "CR-06", "CR-16")
@pytest.mark.parametrize("id", [None, "0190b5a0-0000-7000-8000-0000000000ab"])
def test_a_post_answers_201_with_the_resource_and_its_location(client, id):
    response = create(client, resource("users", *filter(None, [id]), **ADA))
    assert response.status_int == 201
    data = response.json["data"]
    assert data["type"] == "users"
    assert data["attributes"].items() >= ADA.items()
    assert data["attributes"]["creation_time"] == data["attributes"]["modification_time"]
    assert response.headers["Location"] == data["links"]["self"]
    read = client.get(response.headers["Location"])
    assert read.status_int == 200
    assert read.json["data"] == data


@pytest.mark.conformance("CR-01")
def test_a_resource_is_created_with_its_relationships(world):
    groups = [world.empty_group, next(iter(world.groups))]
    data = resource(
        "users",
        **ADA,
        role=Linked(identifier("roles", world.empty_role)),
        groups=Linked(identifiers("groups", *groups)),
    )
    url = create(world.client, data).headers["Location"]
    found = world.client.get(f"{url}?include=role,groups").json["data"]["relationships"]
    assert found["role"]["data"] == identifier("roles", world.empty_role)
    assert sorted(item["id"] for item in found["groups"]["data"]) == sorted(groups)
    members = resource(
        "groups", name="new", members=Linked(identifiers("users", world.loner, world.joiner))
    )
    url = create(world.client, members, GROUPS).headers["Location"]
    found = world.client.get(f"{url}/relationships/members").json["data"]
    assert {item["id"] for item in found} == {world.loner, world.joiner}


def groups(*data) -> dict:
    return resource("users", **ADA, groups=Linked(list(data)))


MALFORMED = {
    "no type": ({"attributes": ADA}, "/data"),
    "no object": ([resource("users", **ADA)], "/data"),
    "null": (None, "/data"),
    "relationship of links": (
        {**resource("users", **ADA), "relationships": {"groups": {"links": {}}}},
        "/data/relationships/groups",
    ),
    "relationship of meta": (
        {**resource("users", **ADA), "relationships": {"role": {"meta": {}}}},
        "/data/relationships/role",
    ),
    "array for to-one": (
        resource("users", **ADA, role=Linked([])),
        "/data/relationships/role/data",
    ),
    "object for to-many": (
        resource("users", **ADA, groups=Linked(identifier("groups", NOBODY))),
        "/data/relationships/groups/data",
    ),
    "null for to-many": (
        resource("users", **ADA, groups=Linked(None)),
        "/data/relationships/groups/data",
    ),
    "text for to-one": (
        resource("users", **ADA, role=Linked(NOBODY)),
        "/data/relationships/role/data",
    ),
    "identifier without id": (
        groups({"type": "groups"}),
        "/data/relationships/groups/data/0",
    ),
    "identifier without type": (
        groups({"id": NOBODY}),
        "/data/relationships/groups/data/0",
    ),
}


@on_one_engine
@pytest.mark.conformance("CR-02", "CR-07", "CR-08", "CR-11")
@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_resource_is_refused_where_it_is_malformed(client, case):
    data, pointer = MALFORMED[case]
    response = create(client, data)
    assert response.status_int == 400
    assert sources(response)[0] == (pointer, "malformed_document")
    assert client.emails() == []


@on_one_engine
@pytest.mark.conformance("CR-03", "CR-20")
def test_a_type_of_another_collection_is_a_conflict(client):
    for data, url in ((resource("groups", name="x"), USERS), (resource("users", **ADA), ROLES)):
        response = create(client, data, url)
        assert response.status_int == 409
        assert sources(response) == [("/data/type", "type_conflict")]
        assert url.rpartition("/")[2] in response.json["errors"][0]["detail"]


@pytest.mark.conformance("CR-09", "CR-10", "CR-11")
@pytest.mark.parametrize("good", [0, 2])
def test_linkage_to_what_is_not_there_creates_nothing(world, good):
    before = world.client.emails()
    some = identifiers("groups", *list(world.groups)[:good])
    place = f"/data/relationships/groups/data/{good}"
    for bad, status, fault in (
        (identifier("groups", NOBODY), 404, (place, "related_not_found")),
        (identifier("groups", "no-uuid"), 404, (place, "related_not_found")),
        (identifier("users", world.joiner), 409, (f"{place}/type", "type_conflict")),
    ):
        response = create(world.client, groups(*some, bad))
        assert response.status_int == status
        assert sources(response) == [fault]
    role = create(world.client, resource("users", **ADA, role=Linked(identifier("roles", NOBODY))))
    assert role.status_int == 404
    assert sources(role) == [("/data/relationships/role/data", "related_not_found")]
    assert world.client.emails() == before
    for id in world.groups:
        members = world.client.get(f"{GROUPS}/{id}/relationships/members?page[size]=99").json
        assert {item["id"] for item in members["data"]} == world.members_of(id)


@pytest.mark.conformance("CR-12", "CR-14", "CR-20")
def test_a_uuid_of_the_client_is_taken_once(client):
    for id in (str(uuid4()), "0190b5a0-0000-7000-8000-000000000001"):
        data = resource("users", id, email=f"{id[:8]}@example.com", name="Ada")
        assert create(client, data).json["data"]["id"] == id
        again = create(client, resource("users", id.upper(), email="x@example.com", name="Eve"))
        assert again.status_int == 409
        assert sources(again) == [("/data/id", "already_taken")]
        assert again.json["errors"][0]["detail"]
    assert len(client.emails()) == 2


@on_one_engine
@pytest.mark.conformance("CR-15")
@pytest.mark.parametrize("id", ["1", "", "ada", "0190b5a0", f"{{{NOBODY}}}", NOBODY + "0"])
def test_an_id_that_is_no_uuid_is_refused(client, id):
    response = create(client, {"id": id, **resource("users", **ADA)})
    assert response.status_int == 403
    assert sources(response) == [("/data/id", "client_id_refused")]
    assert client.emails() == []


@on_one_engine
@pytest.mark.conformance("CR-13")
def test_a_type_that_takes_no_ids_of_clients_refuses_them(app_with):
    client = Client(app_with(with_sealed))
    response = create(client, resource("sealed", NOBODY, name="x"), SEALED)
    assert response.status_int == 403
    assert sources(response) == [("/data/id", "client_id_refused")]
    assert create(client, resource("sealed", name="x"), SEALED).status_int == 201


@on_one_engine
@pytest.mark.conformance("CR-17")
def test_what_answers_204_has_no_body_and_no_content_type(world):
    url = f"{USERS}/{world.loner}"
    added = identifiers("groups", world.empty_group)
    for response in (
        world.client.post(f"{url}/relationships/groups", {"data": added}),
        world.client.patch(f"{url}/relationships/role", {"data": None}),
        world.client.delete(url),
    ):
        assert response.status_int == 204
        assert response.body == b""
        assert "Content-Type" not in response.headers
        assert "Content-Length" not in response.headers


@on_one_engine
@pytest.mark.conformance("CR-19")
def test_creating_what_may_not_be_created_is_forbidden(client, permitted):
    reader = permitted("users:read groups:*")
    response = create(reader, resource("users", **ADA))
    assert response.status_int == 403
    assert sources(response) == [("", "forbidden")]
    assert create(reader, resource("groups", name="x"), GROUPS).status_int == 201
    assert ADA["email"] not in client.emails()


@pytest.mark.conformance("CR-20", "CR-21")
@pytest.mark.parametrize(
    ("url", "first", "second", "name"),
    [
        (USERS, resource("users", **ADA), resource("users", **ADA), "email"),
        (
            USERS,
            resource("users", **ADA),
            resource("users", email="ADA@EXAMPLE.COM", name="E"),
            "email",
        ),
        (GROUPS, resource("groups", name="x"), resource("groups", name="x"), "name"),
        (ROLES, resource("roles", name="x"), resource("roles", name="x"), "name"),
    ],
)
def test_a_value_that_is_taken_is_a_conflict(client, url, first, second, name):
    assert create(client, first, url).status_int == 201
    response = create(client, second, url)
    assert response.status_int == 409
    assert sources(response) == [(f"/data/attributes/{name}", "already_taken")]
    assert name in response.json["errors"][0]["detail"]
    assert len(client.get(url).json["data"]) == 1


@on_one_engine
@pytest.mark.conformance("CR-22", "CR-11")
def test_every_invalid_attribute_is_told_at_once(client):
    bad = resource("users", email="x", name="", is_active="yes", creation_time="now", nope=1)
    response = create(client, bad)
    assert response.status_int == 422
    assert sorted(sources(response)) == [
        ("/data/attributes/creation_time", "read_only_field"),
        ("/data/attributes/email", "invalid_value"),
        ("/data/attributes/is_active", "invalid_value"),
        ("/data/attributes/name", "invalid_value"),
        ("/data/attributes/nope", "unknown_field"),
    ]
    for error in response.json["errors"]:
        assert error["meta"]["attribute"] == error["source"]["pointer"].rpartition("/")[2]
    missing = create(client, {"type": "users", "attributes": {}})
    assert sources(missing) == [("/data/attributes", "missing_field")] * 2
    assert client.emails() == []


@pytest.mark.conformance("CR-23")
@pytest.mark.parametrize("same", ["email", "id"])
def test_of_twenty_creates_at_the_same_moment_one_succeeds(service, client, same):
    def send(other: Client, number: int):
        fixed = [NOBODY] if same == "id" else []
        local = "ada" if same == "email" else f"ada{number}"
        email = f"{local}@example.com"
        return create(other, resource("users", *fixed, email=email, name=f"Ada {number}"))

    assert in_parallel(service.app, 20, send) == {201: 1, 409: 19}
    assert len(client.emails()) == 1


@on_one_engine
@pytest.mark.conformance("CR-25")
def test_a_post_to_a_resource_creates_nothing(world):
    before = world.client.emails()
    for url in (f"{USERS}/{world.loner}", f"{USERS}/{NOBODY}"):
        response = create(world.client, resource("users", **ADA), url)
        assert response.status_int == 405
        assert {"GET", "PATCH", "DELETE"} <= set(response.headers["Allow"].split(", "))
        assert "POST" not in response.headers["Allow"]
    assert world.client.emails() == before
