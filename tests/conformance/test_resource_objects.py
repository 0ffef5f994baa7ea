"""Rows RO of the checklist: resource objects, what identifies them, and their fields."""

import pytest

from tests.client import user
from tests.conformance.world import GROUPS, NOBODY, ROLES, USERS, error
from tests.engines import on_one_engine

NEW = {"type": "users", "attributes": {"email": "new@example.com", "name": "New"}}


@on_one_engine
@pytest.mark.conformance("RO-03", "RO-08", "RO-11")
@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"type": 1}, "/data/type"),
        ({"type": None}, "/data/type"),
        ({"id": 5}, "/data/id"),
        ({"lid": 7}, "/data/lid"),
        ({"attributes": []}, "/data/attributes"),
        ({"attributes": None}, "/data/attributes"),
        ({"relationships": []}, "/data/relationships"),
        ({"relationships": {"groups": []}}, "/data/relationships/groups"),
        ({"relationships": {"groups": None}}, "/data/relationships/groups"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_members_of_the_wrong_json_type_are_refused(world, method, members, pointer):
    known = {"id": world.loner} if method == "PATCH" else {}
    url = f"{USERS}/{world.loner}" if known else USERS
    response = world.client.request(method, url, {"data": NEW | known | members})
    assert error(response) == (400, pointer)
    assert len(world.client.emails()) == len(world.users)


@on_one_engine
@pytest.mark.conformance("RO-03", "RO-18", "RO-24")
@pytest.mark.parametrize(
    ("identifier", "below"),
    [
        ({"type": "groups", "id": 1}, "/id"),
        ({"type": 1, "id": NOBODY}, "/type"),
        ({"type": "groups", "lid": 7}, "/lid"),
        ({"type": "groups"}, ""),
        ({"id": NOBODY}, ""),
        ("x", ""),
    ],
    ids=str,
)
def test_identifiers_need_a_type_and_an_id_that_are_strings(world, identifier, below):
    linkage = f"{USERS}/{world.loner}/relationships/groups"
    assert error(world.client.post(linkage, {"data": [identifier]})) == (400, f"/data/0{below}")
    data = NEW | {"relationships": {"groups": {"data": [identifier]}}}
    pointer = f"/data/relationships/groups/data/0{below}"
    assert error(world.client.post(USERS, {"data": data})) == (400, pointer)


@on_one_engine
@pytest.mark.conformance("RO-24")
@pytest.mark.parametrize("data", [{"attributes": {}}, {}], ids=str)
def test_a_resource_without_a_type_is_refused(world, data):
    assert error(world.client.post(USERS, {"data": data})) == (400, "/data")
    own = f"{USERS}/{world.loner}"
    assert error(world.client.patch(own, {"data": data | {"id": world.loner}})) == (400, "/data")


@on_one_engine
@pytest.mark.conformance("RO-05", "RO-06", "RO-02", "FR-21")
def test_a_resource_is_the_same_wherever_it_is_found(world):
    group, member = sorted(world.groups_of(world.joiner))[0], world.joiner
    documents = [
        world.client.get(f"{USERS}/{member}").json["data"],
        *world.client.get(f"{USERS}?filter[id]={member}").json["data"],
        *world.client.get(f"{GROUPS}/{group}/members?filter[id]={member}").json["data"],
        *world.client.get(f"{ROLES}/{world.role_of(member)}/users?filter[id]={member}").json[
            "data"
        ],
        *world.client.get(f"{GROUPS}/{group}?include=members").json["included"],
    ]
    same = [resource for resource in documents if resource["id"] == member]
    assert same == [documents[0]] * 5
    assert documents[0]["type"] == "users"
    assert documents[0]["links"]["self"] == f"http://localhost{USERS}/{member}"


@pytest.mark.conformance("RO-10", "RO-08")
def test_an_attribute_that_is_an_array_comes_back_as_it_was_sent(client):
    permissions = ["users:read", "articles:*", "*", "users:read"]
    data = {"type": "roles", "attributes": {"name": "r", "permissions": permissions}}
    created = client.post(ROLES, {"data": data}).json["data"]
    assert created["attributes"]["permissions"] == permissions
    assert client.get(created["links"]["self"]).json["data"] == created


@on_one_engine
@pytest.mark.conformance("RO-14", "FR-03", "FL-03", "FR-07")
def test_the_links_of_a_relationship_work_while_it_is_empty(world):
    relationships = world.client.get(f"{USERS}/{world.loner}").json["data"]["relationships"]
    for name, empty in (("role", None), ("groups", [])):
        for link in relationships[name]["links"].values():
            response = world.client.get(link)
            assert (response.status_int, response.json["data"]) == (200, empty)


@on_one_engine
@pytest.mark.conformance("RO-15", "RO-05")
def test_links_do_not_change_with_what_is_related(world):
    own = f"{USERS}/{world.loner}"
    role = {"type": "roles", "id": world.empty_role}
    before = world.client.get(own).json["data"]
    assert world.client.patch(f"{own}/relationships/role", {"data": role}).status_int == 204
    after = world.client.get(f"{own}?include=role").json["data"]
    assert after["relationships"]["role"]["data"] == role
    for name in ("role", "groups"):
        assert before["relationships"][name]["links"] == after["relationships"][name]["links"]
    assert before["links"] == after["links"]


@pytest.mark.conformance("RO-16", "RO-18", "IN-19")
def test_linkage_is_null_an_array_or_identifiers(world):
    def linkage(id: str) -> list:
        relationships = world.client.get(f"{USERS}/{id}?include=role,groups").json["data"]
        return [relationships["relationships"][name]["data"] for name in ("role", "groups")]

    assert linkage(world.loner) == [None, []]
    role, groups = linkage(world.joiner)
    assert role == {"type": "roles", "id": world.role_of(world.joiner)}
    wanted = [{"type": "groups", "id": id} for id in sorted(world.groups_of(world.joiner))]
    assert sorted(groups, key=lambda group: group["id"]) == wanted


@on_one_engine
@pytest.mark.conformance("RO-16", "RO-12", "RO-13")
def test_linkage_is_not_shown_where_nobody_asked_for_it(world):
    for resource in world.client.get(USERS).json["data"]:
        assert {tuple(r) for r in resource["relationships"].values()} == {("links",)}


@on_one_engine
@pytest.mark.conformance("RO-20", "FL-06")
def test_pages_of_a_relationship_are_pages_of_its_linkage(world):
    url = f"{USERS}/{world.joiner}/relationships/groups"
    document = world.client.get(f"{url}?page[size]=1").json
    assert [item.keys() for item in document["data"]] == [{"type", "id"}]
    assert document["links"]["next"].startswith(f"http://localhost{url}?page")


@on_one_engine
@pytest.mark.conformance("RO-21")
def test_a_local_id_is_no_link_to_a_resource_of_another_type(world):
    groups = {"groups": {"data": [{"type": "groups", "lid": "a"}]}}
    response = world.client.post(USERS, {"data": NEW | {"lid": "a", "relationships": groups}})
    assert error(response)[0] == 400
    assert response.json["errors"][0]["source"]["pointer"].startswith(
        "/data/relationships/groups/data/0"
    )
    assert len(world.client.emails()) == len(world.users)


@on_one_engine
@pytest.mark.conformance("RO-22", "RO-23")
def test_a_new_resource_may_have_a_local_id_and_gets_one_of_its_own(client):
    response = client.post(USERS, {"data": NEW | {"lid": "a"}})
    assert response.status_int == 201
    created = response.json["data"]
    assert "lid" not in created
    assert client.get(f"{USERS}/{created['id']}").json["data"] == created


@on_one_engine
@pytest.mark.conformance("RO-25", "MN-01", "MN-02")
@pytest.mark.parametrize("name", ["nope", "NAME", "Name", "", "role", "email_key", "id", "type"])
def test_an_unknown_attribute_is_refused_by_its_name(client, name):
    attributes = NEW["attributes"] | {name: 1}
    response = client.post(USERS, {"data": NEW | {"attributes": attributes}})
    assert error(response) == (422, f"/data/attributes/{name}")
    assert client.emails() == []


@on_one_engine
@pytest.mark.conformance("RO-25")
@pytest.mark.parametrize("name", ["nope", "Groups", "email"])
def test_an_unknown_relationship_is_refused_by_its_name(client, name):
    response = client.post(USERS, {"data": NEW | {"relationships": {name: {"data": []}}}})
    assert error(response) == (422, f"/data/relationships/{name}")


@on_one_engine
@pytest.mark.conformance("RO-26")
@pytest.mark.parametrize("name", ["creation_time", "modification_time"])
def test_an_attribute_that_is_read_only_is_refused(world, name):
    own = f"{USERS}/{world.loner}"
    before = world.client.get(own).json
    document = user(world.loner, **{name: "2020-01-01T00:00:00Z", "name": "Other"})
    assert error(world.client.patch(own, document)) == (422, f"/data/attributes/{name}")
    assert world.client.get(own).json == before


@on_one_engine
@pytest.mark.conformance("RO-27")
@pytest.mark.parametrize("secret", ["password", "password_hash", "email_key", "role_id", "version"])
@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("fields[users]={}", "fields[users]"),
        ("sort={}", "sort"),
        ("sort=-{}", "sort"),
        ("filter[{}]=a", "filter[{}]"),
        ("filter[{}][startswith]=a", "filter[{}][startswith]"),
        ("filter[groups.members.{}]=a", "filter[groups.members.{}]"),
        ("filter=equals({},'a')", "filter"),
    ],
)
def test_what_is_no_field_cannot_be_asked_for(world, secret, query, parameter):
    response = world.client.get(f"{USERS}?{query.format(secret)}")
    assert error(response) == (400, parameter.format(secret))


@on_one_engine
@pytest.mark.conformance("RO-27", "RO-09")
def test_no_document_shows_more_than_the_fields(world):
    names = {"email", "name", "is_active", "creation_time", "modification_time"}
    names.add("verification_time")
    url = f"{GROUPS}?include=members.role"
    shown = world.client.get(url).json
    users = [item for item in shown["included"] if item["type"] == "users"]
    assert users
    assert all(item["attributes"].keys() == names for item in users)
    assert "email_key" not in world.client.get(url).text
