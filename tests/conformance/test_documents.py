"""Rows DS of the checklist: the shapes of documents, of those sent and of those received."""

import json

import pytest

from tests.client import user
from tests.conformance.documents import operate
from tests.conformance.world import (
    CURSORS,
    DESCRIPTION,
    ENTRY,
    GROUPS,
    NOBODY,
    USERS,
    error,
    ids,
)
from tests.engines import on_one_engine

pytestmark = on_one_engine

ADA = user(email="ada@example.com", name="Ada")
OTHER = {"email": "other@example.com", "name": "Other"}


@pytest.mark.conformance("DS-02")
@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1", b"true"])
def test_the_root_of_a_request_is_an_object(client, body):
    assert error(client.post(USERS, body=body)) == (400, "")


@pytest.mark.conformance("DS-03", "DS-08", "JO-01", "FR-04", "FR-05")
def test_a_collection_has_data_links_and_the_version(world):
    document = world.client.get(USERS).json
    assert document.keys() == {"jsonapi", "links", "data"}
    assert document["jsonapi"] == {"version": "1.1"}
    assert set(document["links"]) == {"self", "describedby", "first", "prev", "next", "last"}


@pytest.mark.conformance("DS-04", "DS-05", "ER-20")
@pytest.mark.parametrize("query", ["include=role&foo=1", "include=nope", "page[size]=0&include="])
def test_an_errors_document_has_no_data_and_nothing_included(world, query):
    document = world.client.get(f"{USERS}?{query}").json
    assert document.keys() == {"jsonapi", "links", "errors"}


@pytest.mark.conformance("DS-07", "DS-06")
def test_members_that_a_request_has_too_many_of_are_ignored(world):
    group = {"type": "groups", "id": world.empty_group, "extra": 1}
    data = ADA["data"] | {"bar": 2, "relationships": {"groups": {"data": [group], "baz": 3}}}
    response = world.client.post(f"{USERS}?include=groups", {"data": data, "foo": 1})
    assert response.status_int == 201
    created = response.json["data"]
    assert created.keys() == {"type", "id", "attributes", "relationships", "links", "meta"}
    assert not {"foo", "bar", "extra", "baz"} & created["attributes"].keys()
    assert created["relationships"]["groups"]["data"] == [{"type": "groups", "id": group["id"]}]
    assert response.json.keys() == {"jsonapi", "links", "data", "included"}


@pytest.mark.conformance("DS-09", "PG-06")
@pytest.mark.parametrize(
    "query",
    [
        "sort=-name&page[size]=2&filter[is_active]=true",
        "include=role,groups&fields[users]=name,role&fields[groups]=",
        "page[number]=2&page[size]=3&sort=name,-id",
        "page[offset]=4&page[limit]=3&filter[name][contains]=%25",
        "filter[name]=a+b%26c&include=",
    ],
)
def test_the_self_link_of_a_document_repeats_the_query(world, query):
    response = world.client.get(f"{USERS}?{query}")
    assert response.status_int == 200
    assert world.client.get(response.json["links"]["self"]).body == response.body


@pytest.mark.conformance("DS-11", "FL-05")
def test_a_relationship_has_links_to_itself_and_to_the_related_resources(world):
    own = f"http://localhost{USERS}/{world.joiner}"
    for name in ("role", "groups"):
        links = world.client.get(f"{own}/relationships/{name}").json["links"]
        assert links["self"] == f"{own}/relationships/{name}"
        assert links["related"] == f"{own}/{name}"
        assert world.client.get(links["related"]).status_int == 200


@pytest.mark.conformance("DS-12")
def test_every_document_has_a_link_to_the_description_of_the_api(world):
    client, own = world.client, f"{USERS}/{world.joiner}"
    responses = [
        client.get(ENTRY),
        client.get(USERS),
        client.get(f"{USERS}?page[number]=1&include=role", headers={"Accept": CURSORS}),
        client.get(own),
        client.get(f"{own}/role"),
        client.get(f"{USERS}/{world.loner}/role"),
        client.get(f"{own}/groups"),
        client.get(f"{own}/relationships/role"),
        client.get(f"{own}/relationships/groups"),
        client.post(USERS, ADA),
        client.patch(own, user(world.joiner, name="Joiner")),
        operate(client, {"op": "add", "data": ADA["data"] | {"attributes": OTHER}}),
        client.get(f"{USERS}/{NOBODY}"),
        client.get("/nope"),
        client.get(f"{USERS}?nope=1"),
        client.post(USERS, {}),
        operate(client, {}),
    ]
    assert {response.status_int for response in responses} == {200, 201, 400, 404}
    links = {response.json["links"]["describedby"] for response in responses}
    assert links == {f"http://localhost{DESCRIPTION}"}
    for link in links:
        described = client.get(link)
        assert described.status_int == 200
        assert described.headers["Content-Type"] == "application/json"
        assert described.json["openapi"] == "3.1.0"


@pytest.mark.conformance("DS-13", "FR-04", "FR-06", "FR-07")
def test_the_url_of_one_resource_gives_an_object_or_null(world):
    for user_id, has_role in ((world.joiner, True), (world.loner, False)):
        own = f"{USERS}/{user_id}"
        assert world.client.get(own).json["data"]["id"] == user_id
        role = world.client.get(f"{own}/role").json["data"]
        linkage = world.client.get(f"{own}/relationships/role").json["data"]
        expected = {"type": "roles", "id": world.role_of(user_id)} if has_role else None
        assert linkage == expected
        assert (role and {"type": role["type"], "id": role["id"]}) == expected


@pytest.mark.conformance("DS-14", "FR-05")
@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_url_of_a_collection_gives_an_array_of_any_length(world, count):
    wanted = sorted(world.users)[:count]
    response = world.client.get(f"{USERS}?filter[id]={','.join(wanted) or world.empty_group}")
    assert response.status_int == 200
    assert isinstance(response.json["data"], list)
    assert ids(response.json) == wanted


@pytest.mark.conformance("DS-15", "FL-02", "FR-05")
def test_linkage_and_resources_are_never_mixed(world):
    own = f"{USERS}/{world.joiner}"
    linkage = world.client.get(f"{own}/relationships/groups").json["data"]
    related = world.client.get(f"{own}/groups").json["data"]
    assert {tuple(item) for item in linkage} == {("type", "id")}
    assert all(item.keys() >= {"attributes", "relationships", "links", "meta"} for item in related)
    assert [item["id"] for item in linkage] == [item["id"] for item in related]
    assert {item["id"] for item in linkage} == world.groups_of(world.joiner)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"data":', marks=pytest.mark.conformance("DS-16")),
        pytest.param(b"{'data': 1}", marks=pytest.mark.conformance("DS-16")),
        pytest.param(b'{"data": {}} x', marks=pytest.mark.conformance("DS-16")),
        pytest.param(b'{"data": "\xff"}', marks=pytest.mark.conformance("DS-17")),
        pytest.param(b'\xef\xbb\xbf{"data": {}}', marks=pytest.mark.conformance("DS-17")),
        pytest.param('{"data": {}}'.encode("utf-16"), marks=pytest.mark.conformance("DS-17")),
        pytest.param(b'{"data": NaN}', marks=pytest.mark.conformance("DS-18")),
        pytest.param(b'{"data": -Infinity}', marks=pytest.mark.conformance("DS-18")),
        pytest.param(b'{"data": 1, "data": 2}', marks=pytest.mark.conformance("DS-18")),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, marks=pytest.mark.conformance("DS-18")),
        pytest.param(b'{"a":' * 10_000, marks=pytest.mark.conformance("DS-18")),
        pytest.param(b"", marks=pytest.mark.conformance("DS-19")),
        pytest.param(b" ", marks=pytest.mark.conformance("DS-19")),
    ],
    ids=lambda body: repr(body[:20]),
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_no_document_can_be_read_from_is_refused(world, method, body):
    url = USERS if method == "POST" else f"{USERS}/{world.loner}"
    response = world.client.request(method, url, body=body)
    assert error(response)[0] == 400
    assert response.json["errors"][0]["code"] in ("invalid_json", "malformed_document")


@pytest.mark.conformance("DS-18")
def test_a_body_of_ten_megabytes_is_refused(client):
    assert error(client.post(USERS, body=b" " * 10_000_000))[0] == 413


@pytest.mark.conformance("DS-17")
def test_responses_are_utf_8_without_a_byte_order_mark(client):
    created = client.post(USERS, user(email="a@example.com", name="Zoë 😀 \u2028 ﬁ"))
    assert (
        json.loads(created.body.decode("utf-8"))["data"]["attributes"]["name"] == "Zoë 😀 \u2028 ﬁ"
    )
    assert created.body.startswith(b"{")


@pytest.mark.conformance("DS-20")
@pytest.mark.parametrize("document", [{}, {"meta": {}}, {"included": [ADA["data"]]}], ids=str)
def test_a_request_without_data_is_refused_at_its_root(world, document):
    for method, url in (("POST", USERS), ("PATCH", f"{USERS}/{world.loner}")):
        assert error(world.client.request(method, url, document)) == (400, "")


@pytest.mark.conformance("DS-21")
@pytest.mark.parametrize("data", [[], [ADA["data"]], "x", 1, None], ids=str)
def test_what_is_not_one_resource_object_is_refused(world, data):
    for method, url in (("POST", USERS), ("PATCH", f"{USERS}/{world.loner}")):
        assert error(world.client.request(method, url, {"data": data})) == (400, "/data")


@pytest.mark.conformance("DS-01", "DS-03")
def test_the_entry_document_is_a_document_too(client):
    document = client.get(ENTRY).json
    assert isinstance(document["meta"], dict)
    assert not {"data", "errors"} & document.keys()
    assert document["meta"]["resources"]["groups"] == {"href": f"http://localhost{GROUPS}"}
