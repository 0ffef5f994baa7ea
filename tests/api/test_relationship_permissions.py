"""Linkage belongs to both of its ends: reading it takes the right on both, changing it one more."""

import pytest

from tests.client import API, USERS, Client, sources, user
from tests.conformance.world import statements
from tests.policies import GrantingPolicy
from tests.service import dispose
from users_service import configure

# Permissions are decided before any engine is asked.
pytestmark = pytest.mark.parametrize("running_service", ["sqlite"], indirect=True)

ATOMIC = 'application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"'


def identifier(type: str, id: str) -> dict[str, str]:
    return {"type": type, "id": id}


class World:
    """A user with a role and a group, and another role and another group."""

    def __init__(self, client: Client) -> None:
        self.user = client.create_user()["id"]
        self.role, self.other_role = (self.make(client, "roles", n) for n in ("owner", "guest"))
        self.group, self.other_group = (self.make(client, "groups", n) for n in ("A", "B"))
        own = f"{USERS}/{self.user}/relationships"
        role = {"data": identifier("roles", self.role)}
        assert client.patch(f"{own}/role", role).status_int == 204
        group = {"data": [identifier("groups", self.group)]}
        assert client.post(f"{own}/groups", group).status_int == 204

    @staticmethod
    def make(client: Client, type: str, name: str) -> str:
        document = {"data": {"type": type, "attributes": {"name": name}}}
        return client.post(f"{API}/{type}", document).json["data"]["id"]


@pytest.fixture
def world(client) -> World:
    return World(client)


class PolicyByHeader(GrantingPolicy):
    """Grants what a header says, as the service's own policy grants what its setting says."""

    def __init__(self):
        super().__init__(frozenset())

    def permits(self, request, context, permission):
        granted = frozenset(request.headers["X-Permissions"].split())
        return GrantingPolicy(granted).permits(request, context, permission)


class Caller(Client):
    """A client with some permissions."""

    def __init__(self, app, permissions: str) -> None:
        super().__init__(app)
        self.permissions = {"X-Permissions": permissions}

    def request(self, *arguments, headers=None, **options):
        return super().request(*arguments, headers=self.permissions | (headers or {}), **options)


@pytest.fixture(scope="module")
def guarded_app(running_service):
    config = configure(running_service.ini)
    config.set_security_policy(PolicyByHeader())
    app = config.make_wsgi_app()
    yield app
    dispose(app)


@pytest.fixture
def caller(world, guarded_app):
    """Make a client with some permissions."""
    return lambda permissions: Caller(guarded_app, permissions)


# What changing a relationship takes, besides reading both of its ends.
CHANGES = {"role": "roles:assign", "groups": "groups:update", "members": "groups:update"}

# The two ends of each relationship.
ENDS = {"role": ("users", "roles"), "groups": ("users", "groups"), "members": ("groups", "users")}

CASES = [
    ("{source}:*", "{target}:read", "read", 200),
    ("{source}:read", "{target}:read", "read", 200),
    ("{source}:read", "", "read", 403),
    ("", "{target}:*", "read", 403),
    ("{source}:*", "{target}:*", "change", 204),
    ("{source}:read {target}:read", "{change}", "change", 204),
    ("{source}:read", "{change}", "change", 403),
    ("{target}:read", "{change}", "change", 403),
    ("{source}:read {target}:read", "", "change", 403),
    ("", "{target}:*", "change", 403),
]


def url_of(world: World, name: str, kind: str = "relationships/") -> str:
    source, _ = ENDS[name]
    id = world.user if source == "users" else world.group
    return f"{API}/{source}/{id}/{kind}{name}"


def linkage_of(world: World, name: str):
    if name == "role":
        return identifier("roles", world.other_role)
    if name == "groups":
        return [identifier("groups", world.other_group)]
    return [identifier("users", world.user)]


def permissions_of(name: str, *parts: str) -> str:
    source, target = ENDS[name]
    names = {"source": source, "target": target, "change": CHANGES[name]}
    return " ".join(part.format(**names) for part in parts)


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize(("first", "second", "action", "status"), CASES)
def test_linkage_takes_the_right_on_both_types(world, caller, name, first, second, action, status):
    client = caller(permissions_of(name, first, second))
    if action == "read":
        for kind in ("relationships/", ""):
            assert client.get(url_of(world, name, kind)).status_int == status
        return
    source, _ = ENDS[name]
    linkage = linkage_of(world, name)
    id = world.user if source == "users" else world.group
    methods = ("PATCH",) if name == "role" else ("PATCH", "POST", "DELETE")
    for method in methods:
        response = client.request(method, url_of(world, name), {"data": linkage})
        assert response.status_int == status
    ref = identifier(source, id) | {"relationship": name}
    codes = ("update",) if name == "role" else ("update", "add", "remove")
    for code in codes:
        operation = {"op": code, "ref": ref, "data": linkage}
        response = operate(client, operation)
        assert response.status_int == (200 if status == 204 else status)


def operate(client: Client, *operations):
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
    return client.post(f"{API}/operations", {"atomic:operations": operations}, headers=headers)


@pytest.mark.parametrize("name", ["role", "groups"])
@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("{source}:*", "{target}:read {change}", 200),
        ("{source}:* {target}:read", "", 403),
        ("{source}:*", "", 403),
    ],
)
def test_linkage_in_a_resource_object_takes_them_as_well(
    world, caller, name, first, second, status
):
    client = caller(permissions_of(name, first, second))
    linkage = {name: {"data": linkage_of(world, name)}}
    changes = user(world.user)["data"] | {"relationships": linkage}
    new = user(email="grace@example.com", name="Grace")["data"] | {"relationships": linkage}
    pointer = f"/data/relationships/{name}"
    for response, expected in (
        (client.patch(f"{USERS}/{world.user}", {"data": changes}), status),
        (client.post(USERS, {"data": new}), 201 if status == 200 else status),
    ):
        assert response.status_int == expected
        if expected == 403:
            assert sources(response) == [(pointer, "forbidden")]
    new["attributes"]["email"] = "hedy@example.com"
    for operation in ({"op": "update", "data": changes}, {"op": "add", "data": new}):
        response = operate(client, operation)
        assert response.status_int == status
        if status == 403:
            assert sources(response) == [(f"/atomic:operations/0{pointer}", "forbidden")]


def test_the_error_says_what_is_missing(world, caller):
    response = caller("users:*").patch(
        url_of(world, "role"), {"data": identifier("roles", world.other_role)}
    )
    assert response.json["errors"][0]["detail"] == "You may not assign roles."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filter[role.name][startswith]", "o"),
        ("filter[role]", "0190b5a0-0000-7000-8000-00000000ada0"),
        ("filter[groups.members.role.name]", "x"),
        ("filter", "has(role,equals(name,'owner'))"),
        ("filter", "equals(role.name,'owner')"),
        ("filter", "equals(count(groups),'1')"),
        ("include", "role"),
    ],
)
def test_a_parameter_that_reads_another_type_is_refused(world, caller, name, value):
    reader = caller("users:read")
    assert reader.get(USERS).status_int == 200
    response = reader.get(f"{USERS}?{name}={value}")
    assert response.status_int == 400
    assert sources(response) == [(name, "invalid_parameter")]


def test_the_permissions_of_all_operations_are_told_before_a_row_is_locked(
    guarded_app, world, caller
):
    client = caller("users:update roles:update groups:read")
    user, group = identifier("users", world.user), identifier("groups", world.group)
    operations = [
        {"op": "update", "data": user | {"attributes": {"name": "Changed"}}},
        {"op": "remove", "ref": user},
        {"op": "add", "data": {"type": "groups", "attributes": {"name": "C"}}},
        {"op": "add", "ref": user | {"relationship": "groups"}, "data": [group]},
        {
            "op": "update",
            "data": user | {"attributes": {"nope": 1}, "relationships": {"groups": {"data": []}}},
        },
    ]
    headers = {"Accept": ATOMIC, "Content-Type": ATOMIC}
    with statements(guarded_app) as found:
        response = client.post(
            f"{API}/operations", {"atomic:operations": operations}, headers=headers
        )
    assert found == []
    assert response.status_int == 400
    assert sources(response) == [
        ("/atomic:operations/1", "forbidden"),
        ("/atomic:operations/2", "forbidden"),
        ("/atomic:operations/3", "forbidden"),
        ("/atomic:operations/4/data/attributes/nope", "unknown_field"),
        ("/atomic:operations/4/data/relationships/groups", "forbidden"),
    ]
