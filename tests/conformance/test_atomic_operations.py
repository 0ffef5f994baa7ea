"""Rows AT of the checklist: several changes in one request, all of them or none."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, insert, select, text

from tests.client import MEDIA_TYPE, Client, sources
from tests.conformance.documents import (
    ATOMIC,
    ATOMIC_TYPE,
    SEALED,
    Linked,
    etag,
    identifier,
    identifiers,
    operate,
    resource,
    with_sealed,
)
from tests.conformance.world import ENTRY, GROUPS, NOBODY, USERS, World, error
from tests.engines import on_one_engine
from tests.test_transactions import in_parallel
from users_service.database.engine import BATCH_QUEUE_KEY, FIRST_LOCK_TIMEOUT, QUEUED_LOCK_TIMEOUT
from users_service.models import Group
from users_service.models.base import Base

OPERATIONS = f"{ENTRY}/operations"
ADA = {"email": "ada@example.com", "name": "Ada"}


def everything(client: Client) -> list:
    """All that is stored, with the versions."""
    with client.app.registry["engines"]["reading"].connect() as connection:
        return [
            connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in Base.metadata.sorted_tables
        ]


def refused(world: World, *operations, **members):
    """Send operations that have to be refused: nothing is changed, and no result is told."""
    before = everything(world.client)
    response = operate(world.client, *operations, **members)
    assert response.status_int >= 400
    assert response.json.keys() == {"jsonapi", "links", "errors"}
    assert everything(world.client) == before
    return response


def add(type: str, *id: str, lid: str | None = None, **members) -> dict:
    data = resource(type, *id, **members)
    return {"op": "add", "data": data | ({} if lid is None else {"lid": lid})}


def update(ref: dict, data, **members) -> dict:
    return {"op": "update", "ref": ref, "data": data, **members}


def remove(ref: dict, **members) -> dict:
    return {"op": "remove", "ref": ref, **members}


def by_lid(type: str, lid: str) -> dict:
    return {"type": type, "lid": lid}


def fine(number: int = 0) -> dict:
    """An operation that succeeds."""
    return add("groups", name=f"new {number}")


@on_one_engine
@pytest.mark.conformance("AT-01")
@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_operations_are_posted(client, method):
    headers = {"Accept": ATOMIC_TYPE, "Content-Type": ATOMIC_TYPE}
    document = {"atomic:operations": [fine()]}
    response = client.request(method, OPERATIONS, document, headers=headers)
    assert response.status_int == 405
    assert "POST" in response.headers["Allow"].split(", ")
    assert "GET" not in response.headers["Allow"]
    assert client.get(GROUPS).json["data"] == []


@on_one_engine
@pytest.mark.conformance("AT-02")
@pytest.mark.parametrize("other", [MEDIA_TYPE, f'{MEDIA_TYPE};ext="https://example.com/other"'])
def test_the_extension_is_named_on_both_sides(client, other):
    document = {"atomic:operations": [fine()]}
    for accept, content_type, status, header in (
        (other, ATOMIC_TYPE, 406, "Accept"),
        (ATOMIC_TYPE, other, 415, "Content-Type"),
    ):
        headers = {"Accept": accept, "Content-Type": content_type}
        response = client.post(OPERATIONS, document, headers=headers)
        assert error(response) == (status, header)
    assert client.get(GROUPS).json["data"] == []


@pytest.mark.conformance("AT-03", "AT-04", "AT-05", "AT-13", "AT-36")
def test_results_come_in_the_order_of_their_operations(world):
    operations = [
        add("groups", name="one"),
        update(identifier("users", world.loner), resource("users", world.loner, name="Two")),
        remove(identifier("users", world.joiner)),
        add("roles", name="four"),
        update({**identifier("users", world.loner), "relationship": "role"}, None),
    ]
    response = operate(world.client, *operations)
    assert response.status_int == 200
    assert response.headers["Content-Type"] == ATOMIC_TYPE
    assert response.json.keys() == {"jsonapi", "links", "atomic:results"}
    assert response.json["jsonapi"]["ext"] == [ATOMIC]
    one, two, three, four, five = response.json["atomic:results"]
    assert (one["data"]["type"], one["data"]["attributes"]["name"]) == ("groups", "one")
    assert (two["data"]["id"], two["data"]["attributes"]["name"]) == (world.loner, "Two")
    assert (four["data"]["type"], four["data"]["attributes"]["name"]) == ("roles", "four")
    assert three == five == {}


U = {"type": "users", "id": "U"}
ROOT = "/atomic:operations"
ONE = f"{ROOT}/1"

# Each is the second operation of a document.
MALFORMED = {
    "no object": ("add", ONE),
    "array": ([], ONE),
    "no op": ({"data": resource("groups", name="x")}, ONE),
    "op in capitals": ({"op": "ADD", "data": resource("groups", name="x")}, f"{ONE}/op"),
    "op that is none": ({"op": "replace", "ref": U}, f"{ONE}/op"),
    "op that is no text": ({"op": 1, "ref": U}, f"{ONE}/op"),
    "op that is null": ({"op": None, "ref": U}, f"{ONE}/op"),
    "op that is an array": ({"op": ["add"], "ref": U}, f"{ONE}/op"),
    "ref and href": ({"op": "remove", "ref": U, "href": f"{USERS}/U"}, ONE),
    "ref of a type": ({"op": "remove", "ref": {"type": "users"}}, f"{ONE}/ref"),
    "ref of an id": ({"op": "remove", "ref": {"id": "U"}}, f"{ONE}/ref"),
    "ref of a lid": ({"op": "remove", "ref": {"lid": "x"}}, f"{ONE}/ref"),
    "ref of id and lid": ({"op": "remove", "ref": U | {"lid": "x"}}, f"{ONE}/ref"),
    "ref of more": ({"op": "remove", "ref": U | {"meta": {}}}, f"{ONE}/ref/meta"),
    "ref that is text": ({"op": "remove", "ref": "U"}, f"{ONE}/ref"),
    "ref that is null": ({"op": "remove", "ref": None}, f"{ONE}/ref"),
    "ref with a number": ({"op": "remove", "ref": {"type": "users", "id": 1}}, f"{ONE}/ref/id"),
    "href that is no text": ({"op": "remove", "href": {}}, f"{ONE}/href"),
    "href with a blank": ({"op": "remove", "href": " users"}, f"{ONE}/href"),
    "relative href of a collection": ({"op": "remove", "href": "users"}, ONE),
    "href with a query": ({"op": "remove", "href": f"{USERS}/U?include=role"}, f"{ONE}/href"),
    "foreign href": ({"op": "remove", "href": f"https://example.com{USERS}/U"}, f"{ONE}/href"),
    "remove without target": ({"op": "remove"}, ONE),
    "remove with data alone": ({"op": "remove", "data": U}, ONE),
    "remove of a collection": ({"op": "remove", "href": USERS}, ONE),
    "add without data": ({"op": "add"}, ONE),
    "add without type": ({"op": "add", "data": {"attributes": ADA}}, ONE),
    "add of null": ({"op": "add", "data": None}, ONE),
    "add to a resource": ({"op": "add", "href": f"{USERS}/U", "data": resource("users")}, ONE),
    "add with another ref": (
        {"op": "add", "ref": U, "data": resource("users", **ADA)},
        f"{ONE}/ref/id",
    ),
    "add without type to href": (
        {"op": "add", "href": USERS, "data": {"attributes": ADA}},
        f"{ONE}/data",
    ),
    "update without data": ({"op": "update", "ref": U}, ONE),
    "update without id": ({"op": "update", "data": {"type": "users"}}, f"{ONE}/data"),
    "add to to-one": (
        {"op": "add", "ref": U | {"relationship": "role"}, "data": None},
        f"{ONE}/op",
    ),
    "remove of to-one": (
        {"op": "remove", "ref": U | {"relationship": "role"}, "data": None},
        f"{ONE}/op",
    ),
    "object for to-many": (
        {"op": "add", "ref": U | {"relationship": "groups"}, "data": {}},
        f"{ONE}/data",
    ),
    "array for to-one": (
        {"op": "update", "ref": U | {"relationship": "role"}, "data": []},
        f"{ONE}/data",
    ),
    "meta that is no object": ({"op": "remove", "ref": U, "meta": 1}, f"{ONE}/meta"),
}


def with_id(value, id: str):
    """An operation with an id for every U."""
    if isinstance(value, dict):
        return {name: with_id(member, id) for name, member in value.items()}
    if isinstance(value, str):
        return id if value == "U" else value.replace(f"{USERS}/U", f"{USERS}/{id}")
    return value


@on_one_engine
@pytest.mark.conformance(
    "AT-07", "AT-08", "AT-09", "AT-10", "AT-15", "AT-16", "AT-18", "AT-23", "AT-30", "AT-31"
)
@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_operation_is_refused_where_it_is_malformed(world, case):
    operation, pointer = MALFORMED[case]
    response = refused(world, fine(), with_id(operation, world.loner), fine(2))
    assert response.status_int == 400
    assert sources(response)[0] == (pointer, "malformed_document")


@on_one_engine
@pytest.mark.conformance("AT-04", "AT-05", "AT-06", "AT-31")
@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({}, ""),
        ([], ""),
        ({"meta": {}}, ""),
        ({ROOT[1:]: []}, ROOT),
        ({ROOT[1:]: {}}, ROOT),
        ({ROOT[1:]: None}, ROOT),
        ({ROOT[1:]: [fine()], "data": resource("users", **ADA)}, "/data"),
        ({ROOT[1:]: [fine()], "data": None}, "/data"),
        ({ROOT[1:]: [fine()], "included": []}, "/included"),
        ({ROOT[1:]: [fine()], "atomic:results": [{}]}, "/atomic:results"),
        ({ROOT[1:]: [fine()], "errors": []}, "/errors"),
        ({"data": resource("users", **ADA)}, "/data"),
    ],
)
def test_a_document_is_of_operations_alone(client, document, pointer):
    headers = {"Accept": ATOMIC_TYPE, "Content-Type": ATOMIC_TYPE}
    response = client.post(OPERATIONS, document, headers=headers)
    assert response.status_int == 400
    assert pointer in [found for found, _ in sources(response)]
    assert client.get(GROUPS).json["data"] == client.emails() == []


@on_one_engine
@pytest.mark.conformance("AT-15", "AT-16")
def test_the_faults_of_several_operations_are_told_at_once(world):
    response = refused(world, {"op": "x"}, fine(), {"op": "remove"})
    assert [pointer for pointer, _ in sources(response)] == [f"{ROOT}/0/op", f"{ROOT}/2"]


@on_one_engine
@pytest.mark.conformance("AT-10", "AT-20")
@pytest.mark.parametrize("base", ["", "./", f"{ENTRY}/", f"http://localhost{ENTRY}/"])
def test_a_target_is_named_by_its_url(world, base):
    user = f"{base}users/{world.loner}"
    groups = identifiers("groups", world.empty_group)
    response = operate(
        world.client,
        {"op": "add", "href": f"{base}users", "data": resource("users", **ADA)},
        {"op": "update", "href": user, "data": resource("users", world.loner, name="New")},
        {"op": "add", "href": f"{user}/relationships/groups", "data": groups},
        {"op": "remove", "href": f"{base}users/{world.joiner}"},
    )
    created, updated, *others = response.json["atomic:results"]
    assert created["data"]["attributes"]["email"] == ADA["email"]
    assert updated["data"]["attributes"]["name"] == "New"
    assert others == [{}, {}]
    own = f"{USERS}/{world.loner}/relationships/groups"
    assert world.client.get(own).json["data"] == groups
    assert world.client.get(f"{USERS}/{world.joiner}").status_int == 404


@on_one_engine
@pytest.mark.conformance("AT-10", "AT-17")
@pytest.mark.parametrize(
    "href",
    ["/nope", f"{USERS}/{NOBODY}", f"{USERS}/1", "/api/v1/nope/1", f"{USERS}/U/role", OPERATIONS],
)
def test_a_url_of_nothing_is_not_found(world, href):
    href = href.replace("/U/", f"/{world.joiner}/")
    response = refused(world, fine(), {"op": "remove", "href": href})
    assert response.status_int == 404
    assert sources(response)[0][0].startswith(ONE)


@pytest.mark.conformance("AT-11", "AT-12", "AT-24", "AT-27")
def test_operations_run_in_their_order(world):
    ada = by_lid("users", "a")
    renamed = update(ada, {**ada, "attributes": {"name": "Augusta"}})
    response = operate(world.client, add("users", lid="a", **ADA), renamed)
    first, second = response.json["atomic:results"]
    assert first["data"]["attributes"]["name"] == "Ada"
    assert second["data"]["attributes"]["name"] == "Augusta"
    url = f"{USERS}/{first['data']['id']}"
    assert world.client.get(url).json["data"] == second["data"]
    # The address is free again when the third operation needs it.
    response = operate(
        world.client,
        remove(identifier("users", first["data"]["id"])),
        add("users", lid="a", **ADA),
        renamed,
        remove(ada),
        add("users", **ADA),
    )
    assert [bool(r) for r in response.json["atomic:results"]] == [False, True, True, False, True]
    found = world.client.get(f"{USERS}?filter[email]={ADA['email']}").json["data"]
    assert [user["attributes"]["name"] for user in found] == ["Ada"]


@pytest.mark.conformance("AT-12", "AT-31", "AT-16")
def test_an_operation_that_fails_undoes_those_before_it(world):
    user = identifier("users", world.joiner)
    groups = {**user, "relationship": "groups"}
    before = [
        add("groups", lid="g", name="new"),
        update(user, resource("users", world.joiner, name="Changed")),
        update(groups, [by_lid("groups", "g")]),
        remove(identifier("groups", max(world.groups_of(world.joiner)))),
        update({**user, "relationship": "role"}, None),
    ]
    failures = {
        404: remove(identifier("users", NOBODY)),
        409: add("users", email=world.users[world.loner]["email"], name="Twice"),
        422: add("users", email="x", name="Ada"),
    }
    for count in range(1, len(before) + 1):
        for status, failure in failures.items():
            response = refused(world, *before[:count], failure, fine())
            assert response.status_int == status
            assert sources(response)[0][0].startswith(f"{ROOT}/{count}")
    assert operate(world.client, *before, fine()).status_int == 200


@pytest.mark.conformance("AT-17", "AT-16")
def test_what_is_not_possible_has_the_status_and_the_place_of_its_fault(world):
    role = world.role_of(world.joiner)
    taken = world.users[world.loner]["email"]
    user = identifier("users", world.joiner)
    for operation, status, pointer in (
        (add("users", email=taken, name="x"), 409, f"{ONE}/data/attributes/email"),
        (add("users", world.loner, **ADA), 409, f"{ONE}/data/id"),
        (update(user, resource("users", world.loner)), 409, f"{ONE}/data/id"),
        (update(user, resource("groups", world.joiner)), 409, f"{ONE}/data/type"),
        (remove(identifier("roles", role)), 409, ONE),
        (remove(identifier("users", NOBODY)), 404, ONE),
        (remove(identifier("users", "1")), 404, f"{ONE}/ref/id"),
        (remove(identifier("nope", NOBODY)), 404, f"{ONE}/ref/type"),
        (add("nope"), 404, f"{ONE}/data/type"),
        (update({**user, "relationship": "nope"}, None), 404, f"{ONE}/ref/relationship"),
        (
            update({**user, "relationship": "role"}, identifier("roles", NOBODY)),
            404,
            f"{ONE}/data",
        ),
        (
            update({**user, "relationship": "groups"}, identifiers("groups", NOBODY)),
            404,
            f"{ONE}/data/0",
        ),
        (
            add("users", **ADA, groups=Linked(identifiers("groups", NOBODY))),
            404,
            f"{ONE}/data/relationships/groups/data/0",
        ),
    ):
        assert error(refused(world, fine(), operation)) == (status, pointer)


@pytest.mark.conformance("AT-18", "AT-21", "AT-22")
def test_what_is_added_or_updated_is_in_the_result(world):
    update_alone = {"op": "update", "data": resource("users", world.loner, name="New")}
    created = add("users", NOBODY, **ADA)
    added, updated = operate(world.client, created, update_alone).json["atomic:results"]
    for result, id in ((added, NOBODY), (updated, world.loner)):
        assert result.keys() == {"data"}
        assert result["data"] == world.client.get(f"{USERS}/{id}").json["data"]
    attributes = updated["data"]["attributes"]
    assert attributes["modification_time"] > attributes["creation_time"]


@pytest.mark.conformance("AT-14", "AT-24")
def test_what_is_removed_leaves_empty_results(world):
    operations = [remove(identifier("users", id)) for id in (world.loner, world.joiner)]
    response = operate(world.client, *operations)
    assert response.status_int == 200
    assert response.json["atomic:results"] == [{}, {}]
    assert len(world.client.get(f"{USERS}?page[size]=99").json["data"]) == len(world.users) - 2


@pytest.mark.conformance("AT-25", "AT-26")
def test_relationships_are_written_as_they_are_by_single_requests(world):
    user = identifier("users", world.loner)
    role = identifier("roles", world.empty_role)
    one = identifiers("groups", world.empty_group)
    two = identifiers("groups", *sorted(world.groups.keys() - {world.empty_group})[:2])
    for relationship, op, data, expected in (
        ("role", "update", role, role),
        ("role", "update", None, None),
        ("groups", "add", one, one),
        ("groups", "add", one + two, one + two),
        ("groups", "remove", one, two),
        ("groups", "remove", one, two),
        ("groups", "update", one, one),
        ("groups", "update", [], []),
    ):
        operation = {"op": op, "ref": {**user, "relationship": relationship}, "data": data}
        response = operate(world.client, operation)
        assert response.status_int == 200
        assert response.json["atomic:results"] == [{}]
        url = f"{USERS}/{world.loner}/relationships/{relationship}"
        found = world.client.get(url).json["data"]
        if isinstance(expected, list):
            found, expected = (sorted(item["id"] for item in data) for data in (found, expected))
        assert found == expected


@pytest.mark.conformance("AT-27", "AT-28")
def test_local_ids_stand_for_what_the_request_has_created(client):
    # One local id for each type: it means another resource in each.
    response = operate(
        client,
        add("groups", lid="x", name="first"),
        add("roles", lid="x", name="first"),
        add(
            "users",
            lid="x",
            **ADA,
            groups=Linked([by_lid("groups", "x")]),
            role=Linked(by_lid("roles", "x")),
        ),
        add("groups", lid="y", name="second"),
        {
            "op": "add",
            "ref": {**by_lid("users", "x"), "relationship": "groups"},
            "data": [by_lid("groups", "y")],
        },
        update(by_lid("users", "x"), {**by_lid("users", "x"), "attributes": {"name": "New"}}),
        update(by_lid("groups", "x"), {**by_lid("groups", "x"), "attributes": {"name": "old"}}),
    )
    assert response.status_int == 200, response.text
    group, role, user, other, _, renamed, old = response.json["atomic:results"]
    assert "lid" not in response.text
    url = f"{USERS}/{user['data']['id']}"
    assert renamed["data"]["id"] == user["data"]["id"]
    assert old["data"]["id"] == group["data"]["id"]
    document = client.get(f"{url}?include=groups,role").json["data"]
    assert document["attributes"]["name"] == "New"
    assert document["relationships"]["role"]["data"]["id"] == role["data"]["id"]
    found = {item["id"] for item in document["relationships"]["groups"]["data"]}
    assert found == {group["data"]["id"], other["data"]["id"]}


@on_one_engine
@pytest.mark.conformance("AT-28")
def test_a_local_id_that_means_nothing_is_refused_where_it_stands(world):
    user = identifier("users", world.loner)
    x, new = by_lid("groups", "x"), add("groups", lid="x", name="new")
    groups = {**user, "relationship": "groups"}
    for operations, pointer in (
        ([fine(), remove(x)], f"{ONE}/ref/lid"),
        ([new, remove(by_lid("users", "x"))], f"{ONE}/ref/lid"),
        ([new, update(groups, [by_lid("groups", "y")])], f"{ONE}/data/0/lid"),
        ([update(groups, [x]), new], f"{ROOT}/0/data/0/lid"),
        (
            [new, add("users", **ADA, groups=Linked([x, by_lid("groups", "y")]))],
            f"{ONE}/data/relationships/groups/data/1/lid",
        ),
        (
            [new, add("users", **ADA, role=Linked(by_lid("roles", "x")))],
            f"{ONE}/data/relationships/role/data/lid",
        ),
        ([new, {**new, "data": new["data"] | {"attributes": {"name": "2"}}}], f"{ONE}/data/lid"),
        ([new, {"op": "update", "data": by_lid("groups", "y")}], f"{ONE}/data/lid"),
    ):
        assert error(refused(world, *operations)) == (400, pointer)


@on_one_engine
@pytest.mark.conformance("AT-29")
def test_a_local_id_of_what_was_removed_is_of_nothing(world):
    x = by_lid("groups", "x")
    new = add("groups", lid="x", name="new")
    groups = {**identifier("users", world.loner), "relationship": "groups"}
    for operation in (
        update(x, {**x, "attributes": {"name": "newer"}}),
        remove(x),
        update({**x, "relationship": "members"}, []),
        update(groups, [x]),
    ):
        response = refused(world, new, remove(x), operation)
        assert response.status_int in (400, 404)
        assert sources(response)[0][0].startswith(f"{ROOT}/2")


@on_one_engine
@pytest.mark.conformance("AT-30")
def test_operations_may_have_meta(client):
    operations = [{**fine(), "meta": {"why": ["because"]}}, {**fine(1), "meta": {}}]
    response = operate(client, *operations, meta={"batch": 1})
    assert response.status_int == 200
    assert all(isinstance(r.get("meta", {}), dict) for r in response.json["atomic:results"])


INVALID = [
    resource("users"),
    resource("users", email="x", name="", is_active=1, nope=2, creation_time="now"),
    resource("users", email="a\x00b@example.com", name="A\nB"),
    resource("users", "1", **ADA),
    resource("users", **ADA, role=Linked([]), groups=Linked(None)),
    resource("users", **ADA, nope=Linked([])),
    resource("users", **ADA, groups=Linked([identifier("users", NOBODY), {}])),
    {"type": "users", "attributes": ADA, "relationships": {"groups": {}}},
]


@on_one_engine
@pytest.mark.conformance("AT-32")
@pytest.mark.parametrize("data", INVALID)
def test_validation_is_that_of_single_requests(client, data):
    alone = client.post(USERS, {"data": data})
    batch = operate(client, fine(), {"op": "add", "data": data})
    assert batch.status_int == alone.status_int
    expected = [
        (pointer.replace("/data", f"{ONE}/data", 1), code) for pointer, code in sources(alone)
    ]
    assert sources(batch) == expected
    assert client.get(GROUPS).json["data"] == client.emails() == []


@on_one_engine
@pytest.mark.conformance("AT-32")
def test_every_operation_has_its_own_precondition(world):
    user, group = identifier("users", world.joiner), identifier("groups", world.empty_group)
    tags = {"users": etag(world.client, f"{USERS}/{world.joiner}"), "groups": '"0.0"'}
    changed = resource("users", world.joiner, name="Changed")
    good = update(user, changed, meta={"if_match": tags["users"]})
    for stale in (
        update(group, resource("groups", world.empty_group, name="Changed")),
        update({**group, "relationship": "members"}, [user]),
        {"op": "add", "ref": {**group, "relationship": "members"}, "data": [user]},
        remove(group),
        # The first operation has made another version of it.
        {**update(user, changed), "meta": {"if_match": tags["users"]}},
    ):
        operation = {"meta": {"if_match": tags["groups"]}, **stale}
        assert error(refused(world, good, operation)) == (412, f"{ONE}/meta/if_match")
    number = update(user, changed, meta={"if_match": 1})
    assert error(refused(world, fine(), number)) == (400, f"{ONE}/meta/if_match")
    fresh = {"if_match": etag(world.client, f"{GROUPS}/{world.empty_group}")}
    assert operate(world.client, good, remove(group, meta=fresh)).status_int == 200


@on_one_engine
@pytest.mark.conformance("AT-32")
def test_where_preconditions_are_demanded_operations_need_them(world, app_with):
    client = Client(app_with(require_if_match="true"))
    before = everything(client)
    response = operate(client, fine(), remove(identifier("users", world.loner)))
    assert error(response) == (428, ONE)
    assert everything(client) == before
    tag = {"if_match": etag(client, f"{USERS}/{world.loner}")}
    operation = remove(identifier("users", world.loner), meta=tag)
    assert operate(client, fine(), operation).status_int == 200


@on_one_engine
@pytest.mark.conformance("AT-32")
@pytest.mark.parametrize(
    "operation",
    [
        add("groups", name="x"),
        update(identifier("groups", NOBODY), resource("groups", NOBODY, name="x")),
        remove(identifier("groups", NOBODY)),
        update({**identifier("groups", NOBODY), "relationship": "members"}, []),
    ],
)
def test_what_is_forbidden_alone_is_forbidden_among_others(client, permitted, operation):
    other = permitted("users:* groups:read roles:*")
    response = operate(other, add("users", **ADA), operation)
    assert error(response) == (403, ONE)
    assert ADA["email"] not in client.emails()


@on_one_engine
@pytest.mark.conformance("AT-32")
def test_what_is_read_only_alone_is_read_only_among_others(world, app_with):
    client = Client(app_with(with_sealed))
    before = everything(world.client)
    sealed = identifier("sealed", world.empty_group)
    members = {**sealed, "relationship": "members"}
    for operation, pointer in (
        (update(members, []), f"{ONE}/data"),
        (add("sealed", NOBODY, name="x"), f"{ONE}/data/id"),
        (
            {"op": "add", "href": SEALED, "data": resource("sealed", name="x", members=Linked([]))},
            f"{ONE}/data/relationships/members",
        ),
    ):
        assert error(operate(client, fine(), operation)) == (403, pointer)
    assert everything(world.client) == before


@on_one_engine
@pytest.mark.conformance("AT-33")
def test_the_number_of_operations_is_bounded(client, app_with):
    for count in (101, 10_001):
        response = operate(client, *[{"op": "add"}] * count)
        assert response.status_int == 400
        assert sources(response) == [(ROOT, "too_many_operations")]
    assert operate(client, *map(fine, range(100))).status_int == 200
    small = Client(app_with(max_operations="1"))
    assert operate(small, *map(fine, (100, 101))).status_int == 400
    assert len(client.get(f"{GROUPS}?page[size]=200").json["data"]) == 100


@on_one_engine
@pytest.mark.conformance("AT-34")
@pytest.mark.parametrize(
    "name", ["include", "fields[groups]", "sort", "filter[name]", "page[size]", "x"]
)
def test_operations_have_no_query_parameters(client, name):
    headers = {"Accept": ATOMIC_TYPE, "Content-Type": ATOMIC_TYPE}
    document = {"atomic:operations": [fine()]}
    response = client.post(f"{OPERATIONS}?{name}=x", document, headers=headers)
    assert error(response) == (400, name)
    assert client.get(GROUPS).json["data"] == []


@pytest.mark.conformance("AT-35")
def test_of_batches_with_the_same_entity_tags_one_succeeds_whole(service, world):
    users = [world.loner, world.joiner]
    tags = {id: etag(world.client, f"{USERS}/{id}") for id in users}

    def send(other: Client, number: int):
        # Each takes its locks in the other's order.
        return operate(
            other,
            *(
                update(
                    identifier("users", id),
                    resource("users", id, name=f"Ada {number}"),
                    meta={"if_match": tags[id]},
                )
                for id in users[:: -1 if number % 2 else 1]
            ),
        )

    assert in_parallel(service.app, 6, send) == {200: 1, 412: 5}
    names = [world.client.get(f"{USERS}/{id}").json["data"]["attributes"]["name"] for id in users]
    assert names[0] == names[1] != world.users[world.loner]["name"]


@pytest.mark.conformance("AT-35", "AT-12")
def test_of_batches_that_want_the_same_names_one_succeeds_whole(service, client):
    def send(other: Client, number: int):
        names = ["one", "two"][:: -1 if number % 2 else 1]
        operations = [add("groups", name=name, description=str(number)) for name in names]
        return operate(other, *operations)

    assert in_parallel(service.app, 6, send) == {200: 1, 409: 5}
    found = client.get(GROUPS).json["data"]
    assert Counter(group["attributes"]["name"] for group in found) == {"one": 1, "two": 1}
    assert len({group["attributes"]["description"] for group in found}) == 1


def wait_for(service, event: str) -> None:
    """Return when a statement waits for a lock of this kind."""
    waits = text(
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE wait_event = :event AND datname = current_database())"
    )
    end = time.monotonic() + 10
    waiting = False
    while not waiting:
        assert time.monotonic() < end
        with service.engine.connect() as connection:  # which sees one state of activities
            waiting = connection.scalar(waits, {"event": event})


# More seconds than a batch waits for a lock that others keep.
LONG = FIRST_LOCK_TIMEOUT + QUEUED_LOCK_TIMEOUT


@pytest.mark.conformance("AT-35")
@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_a_batch_that_is_kept_waiting_gives_up_all_and_is_tried_again_in_its_turn(
    service, app_with, caplog
):
    client = Client(app_with(lock_timeout="60"))
    groups = [add("groups", name=name) for name in ("one", "two")]
    with ThreadPoolExecutor() as pool, service.engine.connect() as other:
        other.execute(select(func.pg_advisory_xact_lock(BATCH_QUEUE_KEY)))
        other.execute(insert(Group).values(name="two"))
        response = pool.submit(operate, client, *groups)
        wait_for(service, "advisory")
        other.execute(select(func.pg_sleep(LONG)))  # its turn is worth the wait
        other.execute(insert(Group).values(name="one"))
        other.commit()
        assert response.result().status_int == 409
    assert caplog.text.count("lock timeout") == 1
    assert "deadlock" not in caplog.text


@pytest.mark.conformance("AT-35")
@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_a_batch_that_may_not_be_tried_again_waits_as_long_as_single_requests(service, app_with):
    client = Client(app_with(retry_deadline="0"))
    with ThreadPoolExecutor() as pool, service.engine.connect() as other:
        other.execute(insert(Group).values(name="one"))
        response = pool.submit(operate, client, add("groups", name="one"))
        wait_for(service, "transactionid")
        other.execute(select(func.pg_sleep(LONG)))
        other.rollback()
        assert response.result().status_int == 200


@pytest.mark.conformance("AT-35")
@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_a_batch_in_its_turn_that_cannot_go_on_lets_others_have_theirs(service, app_with, caplog):
    client = Client(app_with(lock_timeout="60", retry_deadline="60"))
    with ThreadPoolExecutor() as pool, service.engine.connect() as other:
        other.execute(insert(Group).values(name="one"))
        response = pool.submit(operate, client, add("groups", name="one"))
        with service.engine.connect() as next_one:
            while caplog.text.count("lock timeout") < 1:
                assert not response.done()
            wait_for(service, "transactionid")
            next_one.execute(select(func.pg_advisory_xact_lock(BATCH_QUEUE_KEY)))
        other.rollback()
        assert response.result().status_int == 200
