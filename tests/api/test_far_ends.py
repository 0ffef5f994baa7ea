"""The far ends of changed linkage: a new version each, by statements that touch no index.

`modification_time` is that of the resource which a request names, and stays at the far ends.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select, text

from tests.client import API
from users_service.cli.seeding import seed
from users_service.models import User, memberships

# More than one statement takes by their ids.
MANY = 1200


class Resource:
    """A resource that a test has made, with its tag and time before a change."""

    def __init__(self, client, type: str, attributes: dict, **relationships) -> None:
        self.client = client
        self.type = type
        document = {"data": {"type": type, "attributes": attributes}}
        if relationships:
            document["data"]["relationships"] = {
                name: {"data": data} for name, data in relationships.items()
            }
        response = client.post(f"{API}/{type}", document)
        assert response.status_int == 201, response.text
        self.id = response.json["data"]["id"]
        self.url = f"{API}/{type}/{self.id}"
        self.identifier = {"type": type, "id": self.id}
        self.before = self.state()

    def state(self) -> tuple[str, str]:
        response = self.client.get(self.url)
        attributes = response.json["data"]["attributes"]
        return response.headers["ETag"], attributes["modification_time"]

    def has_new_version_alone(self) -> bool:
        (tag, time), (now_tag, now_time) = self.before, self.state()
        return tag != now_tag and time == now_time

    def is_modified(self) -> bool:
        (tag, time), (now_tag, now_time) = self.before, self.state()
        return tag != now_tag and time < now_time


@pytest.fixture
def ada(client) -> Resource:
    return Resource(client, "users", {"email": "ada@example.com", "name": "Ada"})


@pytest.fixture
def group(client, ada) -> Resource:
    made = Resource(client, "groups", {"name": "Analysts"}, members=[ada.identifier])
    ada.before = ada.state()
    return made


@pytest.fixture
def role(client, ada) -> Resource:
    made = Resource(client, "roles", {"name": "editor"}, users=[ada.identifier])
    ada.before = ada.state()
    return made


def test_creating_a_resource(ada, group, role):
    assert len({ada.before[0], *(ada.state())}) == 2
    created = ada.client.get(ada.url).json["data"]["attributes"]
    assert created["modification_time"] == created["creation_time"]


@pytest.mark.parametrize(
    ("method", "named", "relationship", "many"),
    [
        ("PATCH", "groups", "members", []),
        ("DELETE", "groups", "members", ["ada"]),
        ("PATCH", "users", "groups", []),
        ("DELETE", "users", "groups", ["group"]),
        ("PATCH", "roles", "users", []),
        ("DELETE", "roles", "users", ["ada"]),
        ("PATCH", "users", "role", None),
    ],
)
def test_changing_a_relationship(ada, group, role, method, named, relationship, many):
    group.before = group.state()
    role.before = role.state()
    resources = {"ada": ada, "group": group, "role": role}
    source = {"users": ada, "groups": group, "roles": role}[named]
    far = ada if source is not ada else role if relationship == "role" else group
    data = many if many is None else [resources[name].identifier for name in many]
    url = f"{source.url}/relationships/{relationship}"
    assert ada.client.request(method, url, {"data": data}).status_int == 204
    assert source.is_modified()
    assert far.has_new_version_alone()


def test_changing_a_resource_with_a_relationship(client, ada, group, role):
    other = Resource(client, "roles", {"name": "reader"})
    data = ada.identifier | {"relationships": {"role": {"data": other.identifier}}}
    assert client.patch(ada.url, {"data": data}).status_int == 200
    assert ada.is_modified()
    assert role.has_new_version_alone()
    assert other.has_new_version_alone()


def test_deleting_a_resource(client, ada, group, role):
    bob = Resource(client, "users", {"email": "bob@example.com", "name": "Bob"})
    assert client.delete(group.url).status_int == 204
    assert ada.has_new_version_alone()
    ada.before = ada.state()
    assert client.delete(ada.url).status_int == 204
    assert role.has_new_version_alone()
    assert bob.state() == bob.before


@pytest.fixture
def large(service, client) -> Resource:
    """A group of many members, stored in one go."""
    seed(service.engine, MANY, 0, 3)
    group = Resource(client, "groups", {"name": "All"})
    id = UUID(group.id)
    with service.engine.begin() as connection:
        members = [
            {"user_id": user, "group_id": id} for user in connection.scalars(select(User.id))
        ]
        connection.execute(insert(memberships), members)
    return group


@contextmanager
def statements(engine) -> Iterator[list[str]]:
    found: list[str] = []

    def collect(_connection, _cursor, statement, *_) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", collect)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", collect)


def versions(service) -> dict[str, tuple[int, object]]:
    with service.engine.connect() as connection:
        rows = connection.execute(select(User.id, User.version, User.modification_time))
        return {str(id): (version, time) for id, version, time in rows}


def index_size(service) -> int:
    with service.engine.connect() as connection:
        return connection.scalar(text("SELECT pg_indexes_size('users')"))


def test_a_large_group_is_deleted_by_few_statements_that_touch_no_index(service, client, large):
    before = versions(service)
    size = index_size(service) if service.name == "postgresql" else 0
    with statements(service.engine) as sent:
        assert client.delete(large.url).status_int == 204
    assert len(sent) < 12
    assert versions(service) == {id: (v + 1, time) for id, (v, time) in before.items()}
    if service.name == "postgresql":
        assert index_size(service) == size


def test_the_members_of_a_large_group_are_replaced_by_few_statements(service, client, large):
    other = client.create_user("other@example.com")["id"]
    before = versions(service)
    kept = sorted(before.keys() - {other})[:2]
    data = [{"type": "users", "id": id} for id in [*kept, other]]
    with statements(service.engine) as sent:
        response = client.patch(f"{large.url}/relationships/members", {"data": data})
    assert response.status_int == 204
    assert len(sent) < 14
    found = client.get(f"{large.url}/members?page[number]=1&page[size]=10").json
    assert {user["id"] for user in found["data"]} == {*kept, other}
    for id, (version, time) in versions(service).items():
        assert (version, time) == (before[id][0] + (id not in kept), before[id][1])
