"""Who may do what: each method of the description, by each kind of caller, with its status."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.auth.world import PASSWORD, World, as_holder
from tests.client import API, MEDIA_TYPE
from tests.engines import on_one_engine
from users_service.auth import new_token
from users_service.jsonapi import description

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


def batch(operation: Any) -> Any:
    return {"atomic:operations": [operation]}


def operation(op: str, kind: str, **members: Any) -> Body:
    def body(world: World) -> Any:
        made = {"op": op, "ref": world.ref(kind, TARGETS[kind])} if op != "add" else {"op": op}
        filled = {
            name: value(world) if callable(value) else value for name, value in members.items()
        }
        if "relationship" in filled:
            made = {"op": op, "ref": world.ref(kind, TARGETS[kind]) | filled.pop("relationship")}
        return batch(made | {name: value["data"] for name, value in filled.items()})

    return body


NEW = {
    "users": lambda _: resource("users", email="new@example.com", name="New"),
    "roles": lambda _: resource("roles", name="new", permissions=["articles:read"]),
    "groups": lambda _: resource("groups", name="New"),
    "tokens": lambda _: resource("tokens", name="new", expiration_time=in_a_month()),
}


def role_of(name: str) -> Body:
    return lambda world: {"data": world.ref("roles", name)}


def user_of_token(world: World) -> Any:
    return {"data": world.ref("users", "other")}


def sign_in(_: World) -> Any:
    return resource("tokens", email="self@example.com", password=PASSWORD)


def token_of_another(world: World) -> Any:
    document = NEW["tokens"](world)
    document["data"]["relationships"] = {"user": {"data": world.ref("users", "self")}}
    return document


# The rows: what is sent, and the status for each of the callers. A path may have several.
ROWS: dict[str, tuple[Body | None, str]] = {
    "GET /": (None, "?"),
    "GET /docs": (None, "?"),
    "GET /openapi.json": (None, "?"),
    "GET /users": (None, "?"),
    "POST /users": (NEW["users"], "?"),
    "GET /users/{id}": (None, "?"),
    "PATCH /users/{id}": (change("users", name="Changed"), "?"),
    "PATCH /users/{id} of email": (change("users", email="changed@example.com"), "?"),
    "PATCH /users/{id} of is_active": (change("users", is_active=False), "?"),
    "PATCH /users/{id} of password": (change("users", password="a wholly new one"), "?"),
    "PATCH /users/{id} of password and current_password": (
        change("users", password="a wholly new one", current_password=PASSWORD),
        "?",
    ),
    "PATCH /users/{id} of verification_time": (
        change("users", verification_time=in_a_month()),
        "?",
    ),
    "DELETE /users/{id}": (None, "?"),
    "GET /users/{id}/role": (None, "?"),
    "GET /users/{id}/groups": (None, "?"),
    "GET /users/{id}/relationships/role": (None, "?"),
    "PATCH /users/{id}/relationships/role": (role_of("spare role"), "?"),
    "PATCH /users/{id}/relationships/role of all permissions": (role_of("role administrator"), "?"),
    "GET /users/{id}/relationships/groups": (None, "?"),
    "PATCH /users/{id}/relationships/groups": (linkage("groups", "other group"), "?"),
    "POST /users/{id}/relationships/groups": (linkage("groups", "other group"), "?"),
    "DELETE /users/{id}/relationships/groups": (linkage("groups", "group"), "?"),
    "GET /roles": (None, "?"),
    "POST /roles": (NEW["roles"], "?"),
    "GET /roles/{id}": (None, "?"),
    "PATCH /roles/{id}": (change("roles", description="Changed"), "?"),
    "PATCH /roles/{id} of permissions": (change("roles", permissions=["users:create"]), "?"),
    "DELETE /roles/{id}": (None, "?"),
    "GET /roles/{id}/users": (None, "?"),
    "GET /roles/{id}/relationships/users": (None, "?"),
    "PATCH /roles/{id}/relationships/users": (linkage("users", "self"), "?"),
    "POST /roles/{id}/relationships/users": (linkage("users", "self"), "?"),
    "DELETE /roles/{id}/relationships/users": (linkage("users", "reader"), "?"),
    "GET /groups": (None, "?"),
    "POST /groups": (NEW["groups"], "?"),
    "GET /groups/{id}": (None, "?"),
    "PATCH /groups/{id}": (change("groups", description="Changed"), "?"),
    "DELETE /groups/{id}": (None, "?"),
    "GET /groups/{id}/members": (None, "?"),
    "GET /groups/{id}/managers": (None, "?"),
    "GET /groups/{id}/relationships/members": (None, "?"),
    "PATCH /groups/{id}/relationships/members": (linkage("users", "self"), "?"),
    "POST /groups/{id}/relationships/members": (linkage("users", "self"), "?"),
    "DELETE /groups/{id}/relationships/members": (linkage("users", "self"), "?"),
    "GET /groups/{id}/relationships/managers": (None, "?"),
    "PATCH /groups/{id}/relationships/managers": (linkage("users", "self"), "?"),
    "POST /groups/{id}/relationships/managers": (linkage("users", "self"), "?"),
    "DELETE /groups/{id}/relationships/managers": (linkage("users", "manager"), "?"),
    "GET /tokens": (None, "?"),
    "POST /tokens": (NEW["tokens"], "?"),
    "POST /tokens of a password": (sign_in, "?"),
    "POST /tokens of another user": (token_of_another, "?"),
    "GET /tokens/{id}": (None, "?"),
    "PATCH /tokens/{id}": (change("tokens", name="Changed"), "?"),
    "DELETE /tokens/{id}": (None, "?"),
    "GET /tokens/{id}/user": (None, "?"),
    "GET /tokens/{id}/relationships/user": (None, "?"),
    "PATCH /tokens/{id}/relationships/user": (user_of_token, "?"),
    "POST /operations of an added user": (operation("add", "users", data=NEW["users"]), "?"),
    "POST /operations of a changed user": (
        operation("update", "users", data=change("users", name="Changed")),
        "?",
    ),
    "POST /operations of a deleted user": (operation("remove", "users"), "?"),
    "POST /operations of a given role": (
        operation("update", "users", relationship="role", data=role_of("spare role")),
        "?",
    ),
    "POST /operations of joined groups": (
        operation("add", "users", relationship="groups", data=linkage("groups", "other group")),
        "?",
    ),
    "POST /operations of an added role": (operation("add", "roles", data=NEW["roles"]), "?"),
    "POST /operations of a changed role": (
        operation("update", "roles", data=change("roles", description="Changed")),
        "?",
    ),
    "POST /operations of a deleted role": (operation("remove", "roles"), "?"),
    "POST /operations of a role given to users": (
        operation("add", "roles", relationship="users", data=linkage("users", "self")),
        "?",
    ),
    "POST /operations of an added group": (operation("add", "groups", data=NEW["groups"]), "?"),
    "POST /operations of a changed group": (
        operation("update", "groups", data=change("groups", description="Changed")),
        "?",
    ),
    "POST /operations of a deleted group": (operation("remove", "groups"), "?"),
    "POST /operations of removed members": (
        operation("remove", "groups", relationship="members", data=linkage("users", "self")),
        "?",
    ),
    "POST /operations of removed managers": (
        operation("remove", "groups", relationship="managers", data=linkage("users", "manager")),
        "?",
    ),
    "POST /operations of an added token": (operation("add", "tokens", data=NEW["tokens"]), "?"),
    "POST /operations of a sign-in": (operation("add", "tokens", data=sign_in), "?"),
    "POST /operations of a changed token": (
        operation("update", "tokens", data=change("tokens", name="Changed")),
        "?",
    ),
    "POST /operations of an ended token": (operation("remove", "tokens"), "?"),
}


def paths(app: Any) -> Iterator[str]:
    for path, item in description(app.registry)["paths"].items():
        for method in item:
            if method in ("get", "post", "patch", "delete", "put"):
                yield f"{method.upper()} {path.removeprefix(API) or '/'}"


def test_every_method_of_the_description_has_a_row(service):
    rows = {row.partition(" of ")[0] for row in ROWS}
    assert rows == set(paths(service.guarded_app))


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("row", ROWS)
def test_a_caller_gets_the_status_of_the_table(world, row, caller):
    body, statuses = ROWS[row]
    expected = dict(zip(CALLERS, statuses.split(), strict=True))[caller]
    assert str(send(world, row, caller, body).status_int) == expected


def send(world: World, row: str, caller: str, body: Body | None) -> Any:
    method, path = row.partition(" of ")[0].split(" ")
    kind = path.split("/")[1]
    if kind in TARGETS:
        path = path.replace("{id}", world.ref(kind, TARGETS[kind])["id"])
    document = None if body is None else body(world)
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC} if kind == "operations" else {}
    return client_of(world, caller).request(
        method, API + re.sub("/$", "", path), document, headers=headers
    )
