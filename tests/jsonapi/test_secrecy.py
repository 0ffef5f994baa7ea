"""What is said of authentication: in the description, in the entry, and to caches."""

import openapi_spec_validator
import pytest

from tests.client import Client
from tests.engines import toy_on_one_engine
from tests.jsonapi.club import ACCOUNTS, TEAMS, PolicyByHeader, club
from tests.jsonapi.test_permissions import ATOMIC
from tests.jsonapi.toy import OPERATIONS, make_toy
from tests.jsonapi.world import ADA
from users_service.jsonapi import Information

pytestmark = toy_on_one_engine

INFORMATION = Information(title="Club", version="1", summary="A club.", description="", license={})
SCHEME = {"type": "http", "scheme": "bearer", "bearerFormat": "opaque"}
CALLER = {"X-Caller": ADA}
METHODS = ("get", "post", "patch", "delete")


def include(config) -> None:
    club()(config)
    config.add_jsonapi_description(INFORMATION)
    config.set_jsonapi_security(SCHEME, vary=("X-Caller", "Cookie"), throttled=["accounts_create"])
    config.add_jsonapi_entry(meta=lambda request: {"caller": request.authenticated_userid})


@pytest.fixture(scope="module")
def ours(running_toy) -> Client:
    app = make_toy(running_toy.engine, include=include, policy=PolicyByHeader(), entry=False)
    return Client(app)


@pytest.fixture
def described(ours):
    document = ours.get("/toy/openapi.json").json
    openapi_spec_validator.validate(document)
    return document


def requests(client: Client, headers: dict[str, str]):
    """Answers of each kind, errors among them."""
    account = {"data": {"type": "accounts", "id": ADA, "attributes": {"login": "ada"}}}
    yield client.post(ACCOUNTS, account, headers=headers)
    for url in (ACCOUNTS, f"{ACCOUNTS}/{ADA}", f"{ACCOUNTS}/{ADA}/teams", "/toy"):
        yield client.get(url, headers=headers)
    yield client.get(f"{ACCOUNTS}/{ADA}", headers={**headers, "If-None-Match": "*"})
    yield client.patch(f"{ACCOUNTS}/{ADA}", account, headers=headers)
    atomic = {"Content-Type": ATOMIC, "Accept": ATOMIC, **headers}
    operations = {"atomic:operations": [{"op": "update", **account}]}
    yield client.post(OPERATIONS, operations, headers=atomic)
    yield client.post(f"{ACCOUNTS}/{ADA}/relationships/teams", {"data": []}, headers=headers)
    yield client.delete(f"{ACCOUNTS}/{ADA}", headers=headers)
    yield client.get(f"{ACCOUNTS}/{ADA}", headers=headers)
    yield client.get(TEAMS, headers={**headers, "X-Permissions": ""})


def test_caches_keep_no_answer_to_a_known_caller(toy, ours):
    known, unknown = (list(requests(ours, headers)) for headers in (CALLER, {}))
    statuses = [201, 200, 200, 200, 200, 304, 200, 200, 204, 204, 404]
    assert [response.status_int for response in known] == [*statuses, 403]
    assert [response.status_int for response in unknown] == [*statuses, 401]
    for response in known:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Vary"] == "Accept, Cookie, X-Caller"
    for response in unknown:
        secret = response.status_int >= 400 or response.status_int == 201
        assert response.headers["Cache-Control"] == ("no-store" if secret else "no-cache")
        assert response.headers["Vary"] == "Accept, Cookie, X-Caller"


def test_an_answer_that_no_permission_decides_varies_with_none(ours):
    response = ours.get("/toy/openapi.json")
    assert response.headers["Vary"] == "Accept, Accept-Encoding"
    assert response.headers["Cache-Control"] == "no-cache"
    response = ours.get("/toy/openapi.json", headers={"Authorization": "Bearer x"})
    assert response.headers["Cache-Control"] == "no-store"


def test_the_entry_says_more_of_the_host_s(ours):
    for headers, caller in (({}, None), (CALLER, ADA)):
        meta = ours.get("/toy", headers={**headers, "X-Permissions": ""}).json["meta"]
        assert meta["caller"] == caller
        assert meta.keys() == {"resources", "operations", "caller"}


def test_the_description_has_the_scheme_and_what_each_method_needs(described):
    assert described["components"]["securitySchemes"] == {"bearer": SCHEME}
    paths = described["paths"]
    for path, method, scopes in (
        (ACCOUNTS, "get", ["accounts:read"]),
        (ACCOUNTS, "post", ["accounts:create"]),
        (f"{ACCOUNTS}/{{id}}", "patch", ["accounts:update"]),
        (f"{ACCOUNTS}/{{id}}", "delete", ["accounts:delete"]),
        (f"{ACCOUNTS}/{{id}}/teams", "get", ["accounts:read", "teams:read"]),
        (
            f"{ACCOUNTS}/{{id}}/relationships/teams",
            "post",
            ["accounts:update", "teams:update"],
        ),
        (
            f"{ACCOUNTS}/{{id}}/relationships/rank",
            "patch",
            ["ranks:award", "accounts:read", "ranks:read"],
        ),
        (f"{ACCOUNTS}/{{id}}/relationships/sponsored", "get", ["accounts:read"]),
        (OPERATIONS, "post", []),
    ):
        assert paths[path][method]["security"] == [{"bearer": scopes}], path
    assert paths["/toy"]["get"]["security"] == [{}, {"bearer": []}]
    assert "security" not in paths["/toy/openapi.json"]["get"]


def test_the_description_has_what_opens_a_method_instead(running_toy):
    def include(config):
        club()(config)
        config.add_jsonapi_description(INFORMATION)
        instead = {
            "accounts:read": [["self:read"], ["accounts:read", "x:read"]],
            "teams:read": [["self:read"], ["desk:a", "desk:b"]],
            "accounts:create": [None],
            "accounts:delete": [[]],
        }
        config.set_jsonapi_security(SCHEME, instead=instead)

    client = Client(make_toy(running_toy.engine, include=include, policy=PolicyByHeader()))
    paths = client.get("/toy/openapi.json").json["paths"]
    item, related = f"{ACCOUNTS}/{{id}}", f"{ACCOUNTS}/{{id}}/teams"
    for path, method, ways in (
        (ACCOUNTS, "get", [["accounts:read"], ["self:read"]]),
        (ACCOUNTS, "post", [["accounts:create"], None]),
        (item, "delete", [["accounts:delete"], []]),
        (item, "patch", [["accounts:update"]]),
        (
            related,
            "get",
            [["accounts:read", "teams:read"], ["accounts:read", "desk:a", "desk:b"], ["self:read"]],
        ),
    ):
        expected = [{} if way is None else {"bearer": way} for way in ways]
        assert paths[path][method]["security"] == expected, path


def test_the_description_has_the_failures_of_authentication(described):
    responses = described["components"]["responses"]
    for path, members in described["paths"].items():
        for method in METHODS:
            if method in members and "security" in members[method]:
                found = members[method]["responses"].keys()
                assert {"401", "403"} <= found, path
                assert ("429" in found) is ((path, method) == (ACCOUNTS, "post"))
    assert responses["Unauthorized"]["headers"].keys() >= {"WWW-Authenticate"}
    assert responses["TooManyRequests"]["headers"].keys() >= {"Retry-After"}


def test_a_host_that_says_nothing_has_none_of_it(running_toy):
    def silent(config):
        config.add_jsonapi_description(INFORMATION)

    client = Client(make_toy(running_toy.engine, include=silent))
    document = client.get("/toy/openapi.json").json
    assert "securitySchemes" not in document["components"]
    assert not [p for p in document["paths"].values() if "security" in p.get("get", {})]
    assert "Unauthorized" not in document["components"]["responses"]
    assert client.get("/toy/articles").headers["Vary"] == "Accept"
