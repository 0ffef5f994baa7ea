"""Rows ER of the checklist: what the error objects of every kind of failure have in common."""

import logging
import re
from collections import defaultdict

import pytest
from pyramid.config import Configurator
from pyramid.security import NO_PERMISSION_REQUIRED

from tests.client import MEDIA_TYPE, Client, assert_resolves, sources
from tests.conformance.documents import Linked, identifier, operate, resource
from tests.conformance.world import ENTRY, GROUPS, NOBODY, ROLES, USERS, World
from tests.engines import on_one_engine
from tests.server import ROOT
from users_service.jsonapi.errors import CODES

MEMBERS = {"id", "links", "status", "code", "title", "detail", "source", "meta"}


def failures(world: World) -> list:
    """Responses of every 4xx that a client can bring about."""
    client, user = world.client, f"{USERS}/{world.joiner}"
    taken = {"email": world.users[world.loner]["email"], "name": "Ada"}
    stale = {"headers": {"If-Match": '"0.0"'}}
    patch = {"data": resource("users", world.joiner, name="Changed")}
    bad = resource("users", email="x", name="")
    return [
        client.get(f"{ENTRY}/nope"),
        client.get(f"{USERS}/{NOBODY}"),
        client.request("PUT", USERS),
        client.post(user),
        client.get(f"{USERS}?foo=1&bar=2"),
        client.get(f"{USERS}?sort=nope"),
        client.get(f"{USERS}?page[size]=100000"),
        client.get(f"{USERS}?page[after]=x"),
        client.get(f"{USERS}?sort=%ff"),
        client.get(f"{USERS}?sort={'a' * 20_000}"),
        client.get(USERS, headers={"Accept": f"{MEDIA_TYPE}; v=1"}),
        client.post(USERS, patch, headers={"Content-Type": "application/json"}),
        client.post(USERS, body=b"{"),
        client.post(USERS, {"data": []}),
        client.post(USERS, {"data": bad}),
        client.post(USERS, {"data": resource("groups")}),
        client.post(USERS, {"data": resource("users", "1", **taken)}),
        client.post(USERS, {"data": resource("users", **taken)}),
        client.post(USERS, {"data": resource("users", world.loner, email="n@e.example", name="N")}),
        client.patch(user, {"data": resource("users", NOBODY)}),
        client.patch(user, patch, **stale),
        client.patch(
            user,
            {"data": resource("users", world.joiner, role=Linked(identifier("roles", NOBODY)))},
        ),
        client.delete(f"{ROLES}/{world.role_of(world.joiner)}"),
        client.post(USERS, body=b" " * (1 << 20) + b"{}"),
        operate(client),
        operate(client, {"op": "add", "data": bad}),
        operate(client, {"op": "remove", "ref": {"type": "users", "lid": "x"}}),
    ]


@on_one_engine
@pytest.mark.conformance("ER-01", "ER-02", "ER-03", "ER-08", "ER-11", "ER-12", "ER-20", "ER-21")
def test_every_failure_is_a_document_of_error_objects(world):
    responses = failures(world)
    statuses = {400, 403, 404, 405, 406, 409, 412, 413, 414, 415, 422}
    assert {response.status_int for response in responses} == statuses
    kinds = set()
    for response in responses:
        assert response.headers["Content-Type"].startswith(MEDIA_TYPE)
        assert response.json.keys() == {"jsonapi", "links", "errors"}
        assert response.json["links"].keys() == {"describedby"}
        errors = response.json["errors"]
        assert isinstance(errors, list)
        assert errors
        for error in errors:
            assert error.keys() <= MEMBERS
            members = ("id", "status", "code", "title", "detail")
            assert all(isinstance(error[member], str) and error[member] for member in members)
            if len(errors) == 1:
                assert error["status"] == str(response.status_int)
            if "source" in error:
                (kind,) = error["source"]
                kinds.add(kind)
                if kind == "header":
                    headers = {406: "Accept", 412: "If-Match", 415: "Content-Type"}
                    assert error["source"][kind] == headers[response.status_int]
                if kind == "parameter":
                    assert f"{error['source'][kind]}=" in response.request.query_string
    assert kinds == {"pointer", "parameter", "header"}


@on_one_engine
@pytest.mark.conformance("ER-05", "ER-06", "ER-07")
def test_a_code_has_one_title_and_each_occurrence_its_own_detail(world):
    occurrences = defaultdict(set)
    for response in failures(world):
        for error in response.json["errors"]:
            occurrences[error["code"], error["status"]].add((error["title"], error["detail"]))
    documented = (ROOT / "docs" / "errors.md").read_text()
    for (code, status), said in occurrences.items():
        assert len({title for title, _ in said}) == 1, code
        assert f"| `{code}` | {status} |" in documented
    assert len({title for said in occurrences.values() for title, _ in said}) == len(occurrences)
    for code in ("malformed_document", "invalid_value", "already_taken", "invalid_parameter"):
        assert len(occurrences[code, str(CODES[code][0])]) > 1


@on_one_engine
@pytest.mark.conformance("ER-04")
def test_the_id_of_an_error_is_its_own(world):
    ids = [{error["id"] for error in response.json["errors"]} for response in failures(world)]
    assert all(len(found) == 1 for found in ids)
    assert len(set.union(*ids)) == len(ids)


@on_one_engine
@pytest.mark.conformance("ER-09", "ER-10")
@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        ({}, ""),
        ({"meta": {}}, ""),
        ({"data": {}}, "/data"),
        ({"data": {"type": "users"}}, "/data"),
        ({"data": {"type": "users", "attributes": {}}}, "/data/attributes"),
        ({"data": {"type": "users", "attributes": 1}}, "/data/attributes"),
        ({"data": {"type": 1, "attributes": {}}}, "/data/type"),
        ({"data": {"type": "users", "relationships": {"role": {}}}}, "/data/relationships/role"),
        ({"data": {"type": "users", "attributes": {"a/b~c": 1}}}, "/data/attributes/a~1b~0c"),
        ({"data": {"type": "users", "attributes": {"~1": 1}}}, "/data/attributes/~01"),
        ({"data": {"type": "users", "attributes": {"": 1}}}, "/data/attributes/"),
        (
            {"data": {"type": "users", "relationships": {"x/y": {"data": None}}}},
            "/data/relationships/x~1y",
        ),
    ],
)
def test_a_pointer_leads_to_what_is_in_the_request(client, document, pointer):
    response = client.post(USERS, document)
    assert pointer in [found for found, _ in sources(response)]
    for found, _ in sources(response):
        assert_resolves(found, response.request.body)


@on_one_engine
@pytest.mark.conformance("ER-14")
def test_errors_of_several_statuses_have_the_general_one(world):
    bad = resource(
        "users",
        email="x",
        name="Ada",
        groups=Linked([identifier("users", world.loner)]),
        role=Linked(identifier("roles", "no-uuid")),
    )
    response = world.client.post(USERS, {"data": bad})
    assert {error["status"] for error in response.json["errors"]} == {"404", "409", "422"}
    assert response.status_int == 400


@on_one_engine
@pytest.mark.conformance("ER-15")
def test_every_fault_has_its_error(client):
    bad = resource("users", email="x", name="", is_active=1)
    response = client.post(USERS, {"data": bad})
    assert response.status_int == 422
    pointers = sorted(pointer for pointer, _ in sources(response))
    assert pointers == [f"/data/attributes/{name}" for name in ("email", "is_active", "name")]


@on_one_engine
@pytest.mark.conformance("ER-18")
def test_a_body_that_is_too_large_is_refused(client, app_with):
    small = Client(app_with(max_body_size="1024"))
    data = {"data": resource("groups", name="x", description="y" * 1024)}
    response = small.post(GROUPS, data)
    assert response.status_int == 413
    assert sources(response) == [("", "body_too_large")]
    assert client.post(GROUPS, data).status_int == 201


@pytest.mark.conformance("ER-18")
def test_an_overloaded_service_says_when_to_try_again(app_with):
    app = app_with(pool_size="1", pool_overflow="0", pool_timeout="0.1")
    with app.registry["engines"]["reading"].connect():
        response = Client(app).get(USERS)
    assert response.status_int == 503
    assert re.fullmatch("[1-9][0-9]*", response.headers["Retry-After"])
    assert sources(response) == [("", "unavailable")]
    assert Client(app).get(USERS).status_int == 200


@on_one_engine
@pytest.mark.conformance("ER-04", "ER-19", "ER-20")
def test_a_fault_of_the_service_says_no_more_than_where_it_is_logged(app_with, caplog):
    def view(request):
        raise RuntimeError("the secret of the house")

    def include(config: Configurator) -> None:
        config.add_route("fault", "/fault")
        config.add_view(view, route_name="fault", permission=NO_PERMISSION_REQUIRED)

    with caplog.at_level(logging.ERROR):
        response = Client(app_with(include)).get("/fault")
    assert response.status_int == 500
    (error,) = response.json["errors"]
    assert error["code"] == "internal_error"
    assert not re.search(r"secret|Traceback|RuntimeError|\.py", response.text)
    assert error["id"] in caplog.text
    assert "the secret of the house" in caplog.text
