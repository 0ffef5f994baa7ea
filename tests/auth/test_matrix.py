"""Who may do what: each method of the description, by each kind of caller, with its status."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.auth.world import PASSWORD, World, as_holder
from tests.client import API, MEDIA_TYPE
from tests.described import completed, made
from tests.engines import on_one_engine
from tests.further import OWN, further_relationships, further_types
from users_service.auth import new_token
from users_service.auth.owners import OwnedRules
from users_service.auth.visibility import PERSONAL
from users_service.jsonapi import description, resources_of

pytestmark = on_one_engine

ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'

CALLERS = [
    "nobody",
    "bad token",
    "narrowed",
    "self",
    "other",
    "manager",
    "inactive",
    "reader",
    "helpdesk",
    "administrator",
]

# What takes a form of HTML, as OAuth has it.
FORMS = {"/auth/introspect", "/auth/revoke"}

METHODS = {"get", "post", "patch", "put", "delete"}

# What an {id} in a path stands for: the user `self`, its token, a group of it, and a role.
TARGETS = {"users": "self", "roles": "role reader", "groups": "group", "tokens": "token self"}


def client_of(world: World, caller: str) -> Any:
    if caller == "nobody":
        return world.client(None)
    if caller == "bad token":
        return as_holder(new_token(), world.app)
    if caller == "narrowed":
        return as_holder(world.token("administrator", ["users:read"]), world.app)
    return world.client(caller)


def resource(kind: str, id: str | None = None, **attributes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {"type": kind, "attributes": attributes}
    return {"data": data if id is None else data | {"id": id}}


def in_a_month() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


Body = Callable[[World], Any]


def change(kind: str, **attributes: Any) -> Body:
    return lambda world: resource(kind, world.ref(kind, TARGETS[kind])["id"], **attributes)


def linkage(kind: str, *names: str) -> Body:
    return lambda world: {"data": [world.ref(kind, name) for name in names]}


def operation(op: str, kind: str, data: Body | None = None, relationship: str = "") -> Body:
    """A batch of one operation, on the target of a type or on one of its relationships."""

    def body(world: World) -> Any:
        made: dict[str, Any] = {"op": op}
        if op != "add" or relationship:
            made["ref"] = world.ref(kind, TARGETS[kind])
        if relationship:
            made["ref"]["relationship"] = relationship
        return {"atomic:operations": [made if data is None else made | data(world)]}

    return body


NEW = {
    "users": lambda _: resource("users", email="new@example.com", name="New"),
    "roles": lambda _: resource("roles", name="new", permissions=["articles:read"]),
    "groups": lambda _: resource("groups", name="New"),
    "tokens": lambda _: resource("tokens", name="new", expiration_time=in_a_month()),
}


def role_of(name: str) -> Body:
    return lambda world: {"data": world.ref("roles", name)}


def sign_in(_: World) -> Any:
    return resource("tokens", email="self@example.com", password=PASSWORD)


def token_of_another(world: World) -> Any:
    document = NEW["tokens"](world)
    document["data"]["relationships"] = {"user": {"data": world.ref("users", "self")}}
    return document


# The rows: what is sent, and the status for each of the callers. A path may have several.
ROWS: dict[str, tuple[Body | None, str]] = {
    "GET /": (None, "200 401 200 200 200 200 401 200 200 200"),
    "POST /auth/assertions": (
        lambda _: resource("assertions", audience="https://billing.example.com"),
        "401 401 200 200 200 200 401 200 200 200",
    ),
    "POST /auth/introspect": (
        lambda world: {"token": world.tokens["self"]},
        "401 401 403 403 403 403 401 403 403 200",
    ),
    "POST /auth/revoke": (
        lambda world: {"token": world.tokens["self"]},
        "200 200 200 200 200 200 200 200 200 200",
    ),
    "POST /auth/sign-ups": (
        lambda _: resource("sign-ups", email="n@example.com", name="N", password=PASSWORD),
        "202 401 202 202 202 202 401 202 202 202",
    ),
    "POST /auth/verifications": (
        lambda _: resource("verifications", code="unknown"),
        "422 401 422 422 422 422 401 422 422 422",
    ),
    "POST /auth/password-resets": (
        lambda _: resource("password-resets", email="self@example.com"),
        "202 401 202 202 202 202 401 202 202 202",
    ),
    "POST /auth/passwords": (
        lambda _: resource("passwords", code="unknown", password=PASSWORD),
        "422 401 422 422 422 422 401 422 422 422",
    ),
    "POST /auth/emails": (
        lambda _: resource("emails", email="n@example.com", current_password=PASSWORD),
        "401 401 403 202 202 202 401 202 202 202",
    ),
    "GET /docs": (None, "200 200 200 200 200 200 200 200 200 200"),
    "GET /docs/{name}": (None, "200 200 200 200 200 200 200 200 200 200"),
    "GET /openapi.json": (None, "200 200 200 200 200 200 200 200 200 200"),
    "GET /users": (None, "401 401 200 200 200 200 401 200 200 200"),
    "POST /users": (NEW["users"], "401 401 403 403 403 403 401 403 403 201"),
    "GET /users/{id}": (None, "401 401 200 200 404 200 401 200 200 200"),
    "PATCH /users/{id}": (
        change("users", name="Changed"),
        "401 401 403 200 404 403 401 403 200 200",
    ),
    "PATCH /users/{id} of email": (
        change("users", email="changed@example.com"),
        "401 401 403 403 404 403 401 403 200 200",
    ),
    "PATCH /users/{id} of is_active": (
        change("users", is_active=False),
        "401 401 403 403 404 403 401 403 200 200",
    ),
    "PATCH /users/{id} of password": (
        change("users", password="a wholly new one"),
        "401 401 403 422 404 403 401 403 200 200",
    ),
    "PATCH /users/{id} of password and current_password": (
        change("users", password="a wholly new one", current_password=PASSWORD),
        "401 401 403 200 404 403 401 403 200 200",
    ),
    "PATCH /users/{id} of verification_time": (
        change("users", verification_time=in_a_month()),
        "401 401 403 422 422 422 401 422 422 422",
    ),
    "DELETE /users/{id}": (None, "401 401 403 403 403 403 401 403 204 204"),
    "GET /users/{id}/role": (None, "401 401 403 200 404 200 401 200 200 200"),
    "GET /users/{id}/groups": (None, "401 401 403 200 404 200 401 200 200 200"),
    "GET /users/{id}/relationships/role": (None, "401 401 403 200 404 200 401 200 200 200"),
    "PATCH /users/{id}/relationships/role": (
        role_of("spare role"),
        "401 401 403 403 403 403 401 403 204 204",
    ),
    "PATCH /users/{id}/relationships/role of all permissions": (
        role_of("role administrator"),
        "401 401 403 403 403 403 401 403 403 204",
    ),
    "GET /users/{id}/relationships/groups": (None, "401 401 403 200 404 200 401 200 200 200"),
    "PATCH /users/{id}/relationships/groups": (
        linkage("groups", "other group"),
        "401 401 403 404 404 404 401 403 403 204",
    ),
    "POST /users/{id}/relationships/groups": (
        linkage("groups", "other group"),
        "401 401 403 404 404 404 401 403 403 204",
    ),
    "DELETE /users/{id}/relationships/groups": (
        linkage("groups", "group"),
        "401 401 403 403 404 403 401 403 403 204",
    ),
    "GET /roles": (None, "401 401 403 200 200 200 401 200 200 200"),
    "POST /roles": (NEW["roles"], "401 401 403 403 403 403 401 403 403 201"),
    "GET /roles/{id}": (None, "401 401 403 404 404 404 401 200 200 200"),
    "PATCH /roles/{id}": (
        change("roles", description="Changed"),
        "401 401 403 403 403 403 401 403 200 200",
    ),
    "PATCH /roles/{id} of permissions": (
        change("roles", permissions=["users:create"]),
        "401 401 403 403 403 403 401 403 403 200",
    ),
    "DELETE /roles/{id}": (None, "401 401 403 403 403 403 401 403 403 409"),
    "GET /roles/{id}/users": (None, "401 401 403 404 404 404 401 200 200 200"),
    "GET /roles/{id}/relationships/users": (None, "401 401 403 404 404 404 401 200 200 200"),
    "PATCH /roles/{id}/relationships/users": (
        linkage("users", "self"),
        "401 401 403 403 403 403 401 403 204 204",
    ),
    "POST /roles/{id}/relationships/users": (
        linkage("users", "self"),
        "401 401 403 403 403 403 401 403 204 204",
    ),
    "DELETE /roles/{id}/relationships/users": (
        linkage("users", "reader"),
        "401 401 403 403 403 403 401 403 204 204",
    ),
    "GET /groups": (None, "401 401 403 200 200 200 401 200 200 200"),
    "POST /groups": (NEW["groups"], "401 401 403 403 403 403 401 403 403 201"),
    "GET /groups/{id}": (None, "401 401 403 200 404 200 401 200 200 200"),
    "PATCH /groups/{id}": (
        change("groups", description="Changed"),
        "401 401 403 403 404 200 401 403 403 200",
    ),
    "DELETE /groups/{id}": (None, "401 401 403 403 403 403 401 403 403 204"),
    "GET /groups/{id}/members": (None, "401 401 403 200 404 200 401 200 200 200"),
    "GET /groups/{id}/managers": (None, "401 401 403 200 404 200 401 200 200 200"),
    "GET /groups/{id}/relationships/members": (None, "401 401 403 200 404 200 401 200 200 200"),
    "PATCH /groups/{id}/relationships/members": (
        linkage("users", "self"),
        "401 401 403 403 404 204 401 403 403 204",
    ),
    "POST /groups/{id}/relationships/members": (
        linkage("users", "self"),
        "401 401 403 403 404 204 401 403 403 204",
    ),
    "DELETE /groups/{id}/relationships/members": (
        linkage("users", "self"),
        "401 401 403 403 404 204 401 403 403 204",
    ),
    "GET /groups/{id}/relationships/managers": (None, "401 401 403 200 404 200 401 200 200 200"),
    "PATCH /groups/{id}/relationships/managers": (
        linkage("users", "self"),
        "401 401 403 403 404 403 401 403 403 204",
    ),
    "POST /groups/{id}/relationships/managers": (
        linkage("users", "self"),
        "401 401 403 403 404 403 401 403 403 204",
    ),
    "DELETE /groups/{id}/relationships/managers": (
        linkage("users", "manager"),
        "401 401 403 403 404 403 401 403 403 204",
    ),
    "GET /tokens": (None, "401 401 403 200 200 200 401 200 200 200"),
    "POST /tokens": (NEW["tokens"], "401 401 403 201 201 201 401 201 201 201"),
    "POST /tokens of a password": (sign_in, "201 401 201 201 201 201 401 201 201 201"),
    "POST /tokens of another user": (token_of_another, "401 401 403 201 404 403 401 403 403 201"),
    "GET /tokens/{id}": (None, "401 401 403 200 404 404 401 404 200 200"),
    "PATCH /tokens/{id}": (
        change("tokens", name="Changed"),
        "401 401 403 200 404 404 401 404 403 200",
    ),
    "DELETE /tokens/{id}": (None, "401 401 404 204 404 404 401 404 204 204"),
    "GET /tokens/{id}/user": (None, "401 401 403 200 404 404 401 404 200 200"),
    "GET /tokens/{id}/relationships/user": (None, "401 401 403 200 404 404 401 404 200 200"),
    "POST /operations of an added user": (
        operation("add", "users", data=NEW["users"]),
        "401 401 403 403 403 403 401 403 403 200",
    ),
    "POST /operations of a changed user": (
        operation("update", "users", data=change("users", name="Changed")),
        "401 401 403 200 404 403 401 403 200 200",
    ),
    "POST /operations of a deleted user": (
        operation("remove", "users"),
        "401 401 403 403 403 403 401 403 200 200",
    ),
    "POST /operations of a given role": (
        operation("update", "users", relationship="role", data=role_of("spare role")),
        "401 401 403 403 403 403 401 403 200 200",
    ),
    "POST /operations of joined groups": (
        operation("add", "users", relationship="groups", data=linkage("groups", "other group")),
        "401 401 403 404 404 404 401 403 403 200",
    ),
    "POST /operations of an added role": (
        operation("add", "roles", data=NEW["roles"]),
        "401 401 403 403 403 403 401 403 403 200",
    ),
    "POST /operations of a changed role": (
        operation("update", "roles", data=change("roles", description="Changed")),
        "401 401 403 403 403 403 401 403 200 200",
    ),
    "POST /operations of a deleted role": (
        operation("remove", "roles"),
        "401 401 403 403 403 403 401 403 403 409",
    ),
    "POST /operations of a role given to users": (
        operation("add", "roles", relationship="users", data=linkage("users", "self")),
        "401 401 403 403 403 403 401 403 200 200",
    ),
    "POST /operations of an added group": (
        operation("add", "groups", data=NEW["groups"]),
        "401 401 403 403 403 403 401 403 403 200",
    ),
    "POST /operations of a changed group": (
        operation("update", "groups", data=change("groups", description="Changed")),
        "401 401 403 403 404 200 401 403 403 200",
    ),
    "POST /operations of a deleted group": (
        operation("remove", "groups"),
        "401 401 403 403 403 403 401 403 403 200",
    ),
    "POST /operations of removed members": (
        operation("remove", "groups", relationship="members", data=linkage("users", "self")),
        "401 401 403 403 404 200 401 403 403 200",
    ),
    "POST /operations of removed managers": (
        operation("remove", "groups", relationship="managers", data=linkage("users", "manager")),
        "401 401 403 403 404 403 401 403 403 200",
    ),
    "POST /operations of an added token": (
        operation("add", "tokens", data=NEW["tokens"]),
        "403 401 403 403 403 403 401 403 403 403",
    ),
    "POST /operations of a sign-in": (
        operation("add", "tokens", data=sign_in),
        "403 401 403 403 403 403 401 403 403 403",
    ),
    "POST /operations of a changed token": (
        operation("update", "tokens", data=change("tokens", name="Changed")),
        "401 401 403 200 404 404 401 404 403 200",
    ),
    "POST /operations of an ended token": (
        operation("remove", "tokens"),
        "401 401 404 200 404 404 401 404 200 200",
    ),
}


def paths(app: Any) -> Iterator[str]:
    for path, item in description(app.registry)["paths"].items():
        for method in item:
            if method in METHODS and path.startswith(API):
                yield f"{method.upper()} {path.removeprefix(API) or '/'}"


def test_every_method_of_the_description_has_a_row(service):
    rows = {row.partition(" of ")[0] for row in ROWS}
    app = service.guarded_app
    found = set(paths(app))
    assert rows == {path for path in found if not is_further(app, path)}


def is_further(app: Any, path: str) -> bool:
    """Whether a method and path are of a further resource, or of links that lead to one."""
    kind, *rest = path.partition(" ")[2].strip("/").split("/")
    if kind in further_types(app):
        return True
    return kind in OWN and not further_relationships(kind).isdisjoint(rest)


# Who has no caller behind it.
REFUSED = {"nobody": 401, "bad token": 401, "inactive": 401}


def test_further_resources_are_open_to_who_has_their_permissions(world):
    """Those without an owner: `<type>:read` and so on, which of all callers only one has."""
    app, administrator = world.app, world.client("administrator")
    resources = resources_of(app.registry)
    for kind in further_types(app):
        if isinstance(resources[kind].rules, OwnedRules):
            continue
        for caller in CALLERS[:-1]:
            target = made(administrator, kind)
            new = completed(administrator, {"data": {"type": kind}})
            client, url = client_of(world, caller), f"{API}/{kind}/{target['id']}"
            expected = REFUSED.get(caller, 403)
            same = {"data": target | {"attributes": {}}}
            assert client.get(f"{API}/{kind}").status_int == expected
            assert client.post(f"{API}/{kind}", new).status_int == expected
            assert client.get(url).status_int == expected
            assert client.patch(url, same).status_int == expected
            assert client.delete(url).status_int == expected
            for name in resources[kind].relationships:
                if resources[kind].relationships[name].field is not None:
                    assert client.get(f"{url}/{name}").status_int == expected
                    assert client.get(f"{url}/relationships/{name}").status_int == expected
        target = made(administrator, kind)
        url = f"{API}/{kind}/{target['id']}"
        assert administrator.get(url).status_int == 200
        assert administrator.patch(url, {"data": target | {"attributes": {}}}).status_int == 200
        assert administrator.delete(url).status_int == 204


def test_owned_resources_are_open_to_their_owners(world):
    app, administrator = world.app, world.client("administrator")
    resources = resources_of(app.registry)
    statuses = "401 401 403 200 404 404 401 404 404 200"
    for kind in further_types(app):
        owner = getattr(resources[kind].rules.visible, "__self__", None)
        if not isinstance(resources[kind].rules, OwnedRules):
            continue
        links = {owner.relationship: {"data": world.ref("users", "self")}}
        new = completed(administrator, {"data": {"type": kind, "relationships": links}})
        stored = administrator.post(f"{API}/{kind}", new).json["data"]
        url = f"{API}/{kind}/{stored['id']}"
        same = {"data": {"type": kind, "id": stored["id"], "attributes": {}}}
        for caller, status in zip(CALLERS, statuses.split(), strict=True):
            client = client_of(world, caller)
            assert str(client.get(url).status_int) == status, (kind, caller)
            assert str(client.patch(url, same).status_int) == status, (kind, caller)
            if caller != "administrator":
                refused = REFUSED.get(caller, 403)
                assert client.post(f"{API}/{kind}", new).status_int == refused, (kind, caller)
                assert client.delete(url).status_int in (refused, 404), (kind, caller)
        assert administrator.delete(url).status_int == 204


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.asvs("8.2.1", "8.2.2", "8.2.3", "8.3.1")
def test_a_caller_gets_the_status_of_the_table(world, row, caller):
    body, statuses = ROWS[row]
    expected = dict(zip(CALLERS, statuses.split(), strict=True))[caller]
    assert str(send(world, row, caller, body).status_int) == expected


@pytest.mark.parametrize(
    ("caller", "hidden"),
    [
        ("nobody", ["email", "verification_time"]),
        ("self", ["email", "verification_time"]),
        ("reader", ["email", "verification_time"]),
        ("helpdesk", []),
        ("administrator", []),
    ],
)
def test_the_entry_document_names_what_a_caller_may_not_read(world, caller, hidden):
    client = client_of(world, caller)
    resources = client.get(API).json["meta"]["resources"]
    assert {kind: each["hidden"] for kind, each in resources.items() if "hidden" in each} == (
        {"users": hidden} if hidden else {}
    )
    if caller != "nobody":
        sorts = {name: client.get(f"{API}/users?sort={name}").status_int for name in PERSONAL}
        assert sorts == {name: 400 if name in hidden else 200 for name in PERSONAL}


def send(world: World, row: str, caller: str, body: Body | None) -> Any:
    method, path = row.partition(" of ")[0].split(" ")
    kind = path.split("/")[1]
    if kind in TARGETS:
        path = path.replace("{id}", world.ref(kind, TARGETS[kind])["id"])
    path = path.replace("{name}", "page.css")
    document = None if body is None else body(world)
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC} if kind == "operations" else {}
    if path in FORMS:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body_of_form = urlencode(document).encode()
        return client_of(world, caller).request(
            method, API + path, body=body_of_form, headers=headers
        )
    return client_of(world, caller).request(
        method, API + re.sub("/$", "", path), document, headers=headers
    )
