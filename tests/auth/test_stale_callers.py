"""A change of a token, user or role holds for the next request, on every process."""

import os
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, update
from sqlalchemy.orm import Session

from tests.auth.world import World, as_holder
from tests.client import API, USERS
from users_service.models.tables import tokens

# Random changes on each engine.
CHANGES = int(os.environ.get("CHANGES", "15"))
SEED = 20261127

GRANTED = ["users:read", "groups:read", "roles:read", "groups:create"]


class Subject:
    """A user whose rights change; what its requests must be answered with follows from them."""

    def __init__(self, world: World) -> None:
        self.world, self.admin = world, world.service.client
        self.name = "reader"
        self.role, self.granted = "role reader", frozenset({"users:read"})
        self.edit_role(["users:read"])
        self.is_active, self.token = True, world.tokens["reader"]

    @property
    def user(self) -> dict:
        return self.world.ref("users", self.name)

    @property
    def url(self) -> str:
        return f"{USERS}/{self.user['id']}"

    def change(self, document: dict) -> None:
        response = self.admin.patch(self.url, {"data": self.user | document})
        assert response.status_int == 200, response.text

    def edit_role(self, permissions: list[str]) -> None:
        role = self.world.ref("roles", "role reader")
        data = role | {"attributes": {"permissions": permissions}}
        response = self.admin.patch(f"{API}/roles/{role['id']}", {"data": data})
        assert response.status_int == 200, response.text
        self.granted = frozenset(permissions)

    def expected(self) -> dict[str, int]:
        """The status of each request."""
        if self.token is None or not self.is_active:
            return dict.fromkeys(REQUESTS, 401)
        granted = self.granted if self.role else frozenset()
        return {
            "itself": 200,
            "somebody": 200 if "users:read" in granted else 404,
            "nobody": 404,
            "users": 200,
            "no users": 200,
            "role": 200 if granted & {"roles:read"} or self.role else 404,
            "entry": 200,
            "new group": 422 if "groups:create" in granted else 403,
            "a parameter that there is not": 400,
        }


REQUESTS: dict[str, Callable] = {
    "itself": lambda client, s: client.get(s.url),
    "somebody": lambda client, s: client.get(f"{USERS}/{s.world.ids['other']}"),
    "nobody": lambda client, s: client.get(f"{USERS}/{uuid4()}"),
    "users": lambda client, s: client.get(USERS),
    "no users": lambda client, s: client.get(f"{USERS}?filter[name]=nobody"),
    "role": lambda client, s: client.get(f"{API}/roles/{s.world.ids['role reader']}"),
    "entry": lambda client, s: client.get(API),
    "new group": lambda client, s: client.post(
        f"{API}/groups", {"data": {"type": "groups", "attributes": {}}}
    ),
    "a parameter that there is not": lambda client, s: client.get(f"{USERS}?nope=1"),
}


def end(subject: Subject) -> None:
    subject.admin.delete(f"{API}/tokens/{subject.world.ids['token reader']}")
    subject.token = None


def expire(subject: Subject) -> None:
    past = {"expiration_time": datetime.now(UTC) - timedelta(seconds=1)}
    changed = update(tokens).where(tokens.c.user_id == subject.world.ids[subject.name])
    with subject.world.service.engine.begin() as connection:
        connection.execute(changed.values(version=tokens.c.version + 1, **past))
    subject.token = None


def deactivate(subject: Subject) -> None:
    subject.change({"attributes": {"is_active": False}})
    subject.is_active = False


def set_password(subject: Subject) -> None:
    subject.change({"attributes": {"password": "a wholly new sentence"}})
    subject.token = None


def delete_user(subject: Subject) -> None:
    assert subject.admin.delete(subject.url).status_int == 204
    with Session(subject.world.service.engine) as session, session.begin():
        entity = subject.world.user(subject.name, "reader" if subject.role else None)
        entity.id = subject.world.ids[subject.name] = uuid4()
        session.add(entity)
    subject.is_active, subject.token = True, None


def demote(subject: Subject) -> None:
    subject.change({"relationships": {"role": {"data": None}}})
    subject.role = None


def promote(subject: Subject) -> None:
    role = subject.world.ref("roles", "role reader")
    subject.change({"relationships": {"role": {"data": role}}})
    subject.role = "role reader"


CHANGING = [end, expire, deactivate, set_password, delete_user, demote, promote]


@pytest.mark.asvs("8.3.2")
def test_no_answer_is_stale(world, start_with):
    made = random.Random(SEED)
    apps = [start_with(anonymous_permissions="") for _ in range(2)]
    subject, stale = Subject(world), []
    for _ in range(CHANGES):
        before = subject.token
        change = made.choice([*CHANGING, None, None, None, None])
        if change is None:
            subject.edit_role(made.sample(GRANTED, made.randint(0, 3)))
        else:
            change(subject)
        for app in apps:
            client = as_holder(subject.token or before, app)
            expected = subject.expected()
            for name, send in REQUESTS.items():
                if (status := send(client, subject).status_int) != expected[name]:
                    stale.append((change, name, status, expected[name]))
        if subject.token is None or not subject.is_active:
            if not subject.is_active:
                subject.change({"attributes": {"is_active": True}})
                subject.is_active = True
            subject.token = world.token(subject.name)
    assert stale == []


@pytest.fixture
def statements(world):
    """The SELECTs that the application sends for requests."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        if statement.startswith("SELECT"):
            sent.append(statement)

    engines = world.app.registry["engines"].values()
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield sent
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    ("url", "count"),
    [
        (f"{USERS}/{{self}}", 1),
        (USERS, 1),
        (f"{USERS}?page[total]=true", 2),
        (f"{USERS}/{{self}}?include=groups", 2),
        (f"{USERS}/{{self}}/groups", 2),
        (f"{USERS}?filter[name]=nobody", 2),
        (API, 1),
    ],
)
def test_a_remembered_caller_costs_no_statement_where_rows_come(world, statements, url, count):
    client = world.client("self")
    url = url.format(self=world.ids["self"])
    client.get(url)
    statements.clear()
    assert client.get(url).status_int == 200
    assert len(statements) == count, statements
