"""Nobody gives what they have not: every way to more rights is refused, and changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.auth.world import PASSWORD, World, as_holder
from tests.client import API, MEDIA_TYPE, USERS, sources
from users_service.models import Base

ATOMIC = f'{MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"'

# All rights but those of roles' permissions that this caller has not: it may do all of these things
# to others.
HELD = [
    *("users:read", "users:read_email", "users:create", "users:update", "users:delete"),
    *("roles:read", "roles:create", "roles:update", "roles:assign", "groups:read"),
    *("tokens:read", "tokens:create", "tokens:delete"),
]


def identifier(kind: str, id: Any) -> dict[str, Any]:
    return {"type": kind, "id": str(id)}


class Attempts:
    """What a caller tries, as single requests and as operations."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.admin = world.ref("users", "administrator")
        self.inactive = world.ref("users", "inactive")  # is an administrator, if it were active
        self.me = world.ref("users", "helpdesk")
        self.all = world.ref("roles", "role administrator")
        self.own = world.ref("roles", "role helpdesk")
        self.spare = world.ref("roles", "spare role")

    def changes(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """Each attempt: what it is on, and the resource object or linkage to send."""
        more = [*HELD, "groups:delete"]
        users, role = {"users": {"data": [self.me]}}, {"role": {"data": self.all}}
        return {
            "gives itself the role": self.update(self.me, relationships=role),
            "gives another the role": self.update(
                self.world.ref("users", "other"), relationships=role
            ),
            "gives the role by the relationship": self.relate(self.me, "role", self.all),
            "gives the role from its other end": self.relate(self.all, "users", [self.me]),
            "adds to the role": self.relate(self.all, "users", [self.me], "add"),
            "takes the role from another": self.relate(self.all, "users", [self.admin], "remove"),
            "moves an administrator away": self.relate(self.spare, "users", [self.admin], "add"),
            "makes a user with the role": self.add(
                "users", relationships=role, email="x@example.com", name="X"
            ),
            "makes a role with all rights and holders": self.add(
                "roles", relationships=users, name="x", permissions=["*"]
            ),
            "gives its own role more": self.update(self.own, permissions=more),
            "takes rights from a role of others": self.update(self.all, permissions=[]),
            "changes the address of an administrator": self.update(
                self.admin, email="mine@example.com"
            ),
            "changes the password of an administrator": self.update(
                self.admin, password="a wholly new sentence"
            ),
            "deactivates an administrator": self.update(self.admin, is_active=False),
            "activates an administrator": self.update(self.inactive, is_active=True),
            "takes the role of an administrator": self.update(
                self.admin, relationships={"role": {"data": None}}
            ),
            "deletes an administrator": self.remove(self.admin),
            "ends a token of an administrator": self.remove(
                self.world.ref("tokens", "token administrator")
            ),
        }

    @staticmethod
    def update(ref, relationships=None, **attributes):
        data = ref | {"attributes": attributes}
        data |= {} if relationships is None else {"relationships": relationships}
        return {"op": "update", "ref": ref}, data

    @staticmethod
    def add(kind, relationships, **attributes):
        return {"op": "add"}, {
            "type": kind,
            "attributes": attributes,
            "relationships": relationships,
        }

    @staticmethod
    def relate(ref, name, data, op="update"):
        return {"op": op, "ref": ref | {"relationship": name}}, data

    @staticmethod
    def remove(ref):
        return {"op": "remove", "ref": ref}, None


ATTEMPTS = [
    "gives itself the role",
    "gives another the role",
    "gives the role by the relationship",
    "gives the role from its other end",
    "adds to the role",
    "takes the role from another",
    "moves an administrator away",
    "makes a user with the role",
    "makes a role with all rights and holders",
    "gives its own role more",
    "takes rights from a role of others",
    "changes the address of an administrator",
    "changes the password of an administrator",
    "deactivates an administrator",
    "activates an administrator",
    "takes the role of an administrator",
    "deletes an administrator",
    "ends a token of an administrator",
]

METHODS = {"add": "POST", "update": "PATCH", "remove": "DELETE"}


def send_alone(client, operation, data):
    ref = operation.get("ref")
    document = None if data is None else {"data": data}
    if ref is None:
        return client.post(f"{API}/{data['type']}", document)
    url = f"{API}/{ref['type']}/{ref['id']}"
    if "relationship" in ref:
        url += f"/relationships/{ref['relationship']}"
    return client.request(METHODS[operation["op"]], url, document)


def send_in_batch(client, operation, data):
    operation = operation if data is None else operation | {"data": data}
    harmless = {"op": "add", "data": {"type": "roles", "attributes": {"name": "harmless"}}}
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
    document = {"atomic:operations": [harmless, operation]}
    return client.post(f"{API}/operations", document, headers=headers)


def stored(world: World) -> dict[str, list]:
    """All rows of all tables."""
    with world.service.engine.connect() as connection:
        return {
            table.name: connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def caller(world):
    """Somebody who may do much, and is no administrator."""
    role = world.ref("roles", "role helpdesk")
    data = role | {"attributes": {"permissions": HELD}}
    assert world.service.client.patch(f"{API}/roles/{role['id']}", {"data": data}).status_int == 200
    return world.client("helpdesk")


@pytest.mark.parametrize("send", [send_alone, send_in_batch])
@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_rights_that_the_caller_has_not_are_not_given_or_taken(world, caller, attempt, send):
    operation, data = Attempts(world).changes()[attempt]
    before = stored(world)
    response = send(caller, operation, data)
    assert response.status_int == 403, response.text
    assert {error["code"] for error in response.json["errors"]} == {"exceeds_permissions"}
    assert stored(world) == before


def test_the_attempts_are_all_of_them(world):
    assert list(Attempts(world).changes()) == ATTEMPTS


def test_a_role_that_nobody_has_is_written_and_not_given(world, caller):
    spare = world.ref("roles", "spare role")
    data = spare | {"attributes": {"permissions": ["*"]}}
    assert caller.patch(f"{API}/roles/{spare['id']}", {"data": data}).status_int == 200
    given = {"data": [world.ref("users", "other")]}
    before = stored(world)
    response = caller.post(f"{API}/roles/{spare['id']}/relationships/users", given)
    assert response.status_int == 403
    assert stored(world) == before


def test_a_role_is_not_written_and_given_in_one_batch(world, caller):
    new = {"type": "roles", "lid": "new", "attributes": {"name": "new", "permissions": ["*"]}}
    ref = world.ref("users", "helpdesk")
    given = ref | {"relationships": {"role": {"data": {"type": "roles", "lid": "new"}}}}
    operations = [{"op": "add", "data": new}, {"op": "update", "data": given}]
    before = stored(world)
    headers = {"Content-Type": ATOMIC, "Accept": ATOMIC}
    response = caller.post(f"{API}/operations", {"atomic:operations": operations}, headers=headers)
    assert response.status_int == 403
    assert stored(world) == before


def new_token(**members: Any) -> dict[str, Any]:
    expiration = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    relationships = {"relationships": members.pop("relationships", {})}
    attributes = {"name": "n", "expiration_time": expiration} | members
    return {"data": {"type": "tokens", "attributes": attributes, **relationships}}


def narrowed(world: World, *permissions: str) -> Any:
    return as_holder(world.token("administrator", permissions), world.app)


TOKENS: dict[str, Callable[[World, Any], Any]] = {
    "of an administrator": lambda world, caller: caller.post(
        f"{API}/tokens",
        new_token(relationships={"user": {"data": world.ref("users", "administrator")}}),
    ),
    "with all that the user may do, by a narrowed one": lambda world, _: narrowed(
        world, "self:*", "users:read"
    ).post(f"{API}/tokens", new_token()),
    "with more than the narrowed one has": lambda world, _: narrowed(
        world, "self:*", "users:read"
    ).post(f"{API}/tokens", new_token(permissions=["users:read", "users:update"])),
}


@pytest.mark.parametrize("way", TOKENS)
def test_no_token_is_made_with_more(world, caller, way):
    response = TOKENS[way](world, caller)
    assert response.status_int == 403, response.text
    assert {error["code"] for error in response.json["errors"]} == {"exceeds_permissions"}


def test_a_narrowed_token_does_not_take_its_own_account_over(world):
    world.ids["first token"] = world.ids["token administrator"]
    client = narrowed(world, "self:*")
    admin = world.ref("users", "administrator")
    attributes = {"password": "a wholly new sentence", "current_password": PASSWORD}
    response = client.patch(f"{USERS}/{admin['id']}", {"data": admin | {"attributes": attributes}})
    assert response.status_int == 403
    first = world.ref("tokens", "first token")
    assert client.delete(f"{API}/tokens/{first['id']}").status_int == 403


def test_what_is_created_is_linked_with_the_permission_of_the_relationship(world):
    may = ("self:*", "users:read", "groups:read", "users:create", "groups:create")
    client = narrowed(world, *may)
    members = {"members": {"data": [world.ref("users", "other")]}}
    groups = {"groups": {"data": [world.ref("groups", "other group")]}}
    user = {"email": "new@example.com", "name": "New"}
    for kind, attributes, relationships in (
        ("groups", {"name": "New"}, members),
        ("groups", {"name": "New"}, {"managers": members["members"]}),
        ("users", user, groups),
    ):
        data = {"type": kind, "attributes": attributes}
        (name,) = relationships
        refused = client.post(f"{API}/{kind}", {"data": data | {"relationships": relationships}})
        assert refused.status_int == 403, refused.text
        assert sources(refused) == [(f"/data/relationships/{name}", "forbidden")]
        assert client.post(f"{API}/{kind}", {"data": data}).status_int in (201, 409)


def test_who_may_do_all_may_give_all(world):
    role = {"role": {"data": world.ref("roles", "role administrator")}}
    user = world.ref("users", "other")
    response = world.client("administrator").patch(
        f"{USERS}/{user['id']}", {"data": user | {"relationships": role}}
    )
    assert response.status_int == 200
