"""The workloads: what is asked of every contestant, and what the right answer is."""

import http.client
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.dialects import Dialect, line
from bench.postgresql import Database
from bench.processes import Running

SAMPLE = 1000  # users that are read and changed in turn


class WrongAnswerError(Exception):
    """A contestant does not do what the others do."""


@dataclass(frozen=True, kw_only=True)
class People:
    """What the right answers are made of.

    :param first: the first users by id, as many as the longest list has.
    :param sample: users from all over the table.
    :param names: the first names in order, one for each user.
    :param related: the ids of the roles and groups of the first 20 users.
    """

    first: Sequence[dict[str, str]]
    sample: Sequence[dict[str, str]]
    names: Sequence[str]
    related: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """:param lines: the requests, as wrk's script reads them, below the contestant's prefix.
    :param check: raises WrongAnswerError if the contestant's answer is not the right one.
    """

    name: str
    title: str
    method: str = "GET"
    lines: Callable[[Dialect, People], list[str]]
    check: Callable[[Running, People], None]


def people(database: Database) -> People:
    """Read from the service's tables what the contestants have to answer."""
    with database.connect() as connection:

        def rows(statement: str, *values: Any) -> list[Any]:
            return connection.execute(statement, values).fetchall()

        def users(statement: str, *values: Any) -> list[dict[str, str]]:
            names = ("id", "email", "name")
            return [
                dict(zip(names, map(str, row), strict=True)) for row in rows(statement, *values)
            ]

        first = users("SELECT id, email, name FROM users ORDER BY id LIMIT 1000")
        ids = [user["id"] for user in first[:20]]
        related = rows(
            "SELECT role_id FROM users WHERE id = ANY(%s::uuid[]) AND role_id IS NOT NULL "
            "UNION SELECT group_id FROM memberships WHERE user_id = ANY(%s::uuid[])",
            ids,
            ids,
        )
        return People(
            first=first,
            # by a digest of the id: spread over the table, and the same in every run
            sample=users(
                "SELECT id, email, name FROM users ORDER BY md5(id::text) LIMIT %s", SAMPLE
            ),
            names=[name for (name,) in rows("SELECT name FROM users ORDER BY name LIMIT 20")],
            related=frozenset(str(id) for (id,) in related),
        )


def ask(running: Running, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Send one request; return the status, and the JSON of the answer."""
    media_type = running.contestant.dialect.media_type
    headers = {"Accept": media_type} | ({"Content-Type": media_type} if body else {})
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    try:
        text = json.dumps(body) if body else None
        connection.request(method, running.contestant.prefix + path, text, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")
    finally:
        connection.close()


def _expect(found: Any, wanted: Any, running: Running, what: str) -> None:
    if found != wanted:
        raise WrongAnswerError(
            f"{running.contestant.name}, {what}: {str(found)[:300]} instead of {str(wanted)[:300]}"
        )


def _get(running: Running, path: str) -> Any:
    status, document = ask(running, "GET", path)
    _expect(status, 200, running, path)
    return document


def _list(size: int) -> Workload:
    def check(running: Running, people: People) -> None:
        dialect = running.contestant.dialect
        path = dialect.page(size)
        found = dialect.users(_get(running, path))
        _expect(found, people.first[:size], running, path)

    return Workload(
        name=f"list-{size}",
        title=f"list of {size}",
        lines=lambda dialect, _people: [line(dialect.page(size))],
        check=check,
    )


def _check_item(running: Running, people: People) -> None:
    for user in people.sample[:3]:
        path = f"/users/{user['id']}"
        _expect(running.contestant.dialect.user(_get(running, path)), user, running, path)


def _check_email(running: Running, people: People) -> None:
    dialect = running.contestant.dialect
    for user in people.sample[:3]:
        path = dialect.by_email(user["email"])
        _expect(dialect.users(_get(running, path)), [user], running, path)


def _check_sort(running: Running, people: People) -> None:
    dialect = running.contestant.dialect
    found = dialect.users(_get(running, dialect.by_name))
    # Users of one name have no order that all contestants share.
    _expect([user["name"] for user in found], people.names, running, dialect.by_name)


def _check_related(running: Running, people: People) -> None:
    dialect = running.contestant.dialect
    document = _get(running, dialect.with_related)
    _expect(dialect.users(document), people.first[:20], running, dialect.with_related)
    _expect(dialect.related(document), people.related, running, dialect.with_related)


def _creations(dialect: Dialect, _people: People) -> list[str]:
    email = f"{uuid.uuid4().hex}.{{n}}@example.com"
    return [line("/users", dialect.creation(email, "Grace Hopper"))]


def _check_creation(running: Running, _people: People) -> None:
    dialect = running.contestant.dialect
    email, name = f"{uuid.uuid4().hex}@example.com", "Grace Hopper"
    status, document = ask(running, "POST", "/users", dialect.creation(email, name))
    _expect(status, 201, running, "POST")
    user = dialect.user(document)
    _expect((user["email"], user["name"]), (email, name), running, "POST")
    _expect(dialect.user(_get(running, f"/users/{user['id']}")), user, running, "GET after POST")
    again, _ = ask(running, "POST", "/users", dialect.creation(email, name))
    _expect(again in (400, 409, 422), True, running, f"a second POST, answered with {again}")


def _changes(dialect: Dialect, people: People) -> list[str]:
    name = f"Renamed {uuid.uuid4().hex[:8]} {{n}}"
    ids = [user["id"] for user in people.sample]
    return [line(f"/users/{id}", dialect.change(id, name)) for id in ids]


def _check_change(running: Running, people: People) -> None:
    dialect, user = running.contestant.dialect, people.sample[0]
    path = f"/users/{user['id']}"
    for name in ("Renamed", user["name"]):
        status, document = ask(running, "PATCH", path, dialect.change(user["id"], name))
        _expect(status, 200, running, "PATCH")
        _expect(dialect.user(document), user | {"name": name}, running, "PATCH")
        found = dialect.user(_get(running, path))
        _expect(found, user | {"name": name}, running, "GET after PATCH")


# Those that write come last, so that the others find the tables as they were seeded.
ALL = [
    Workload(
        name="item",
        title="item",
        lines=lambda _dialect, people: [line(f"/users/{user['id']}") for user in people.sample],
        check=_check_item,
    ),
    _list(20),
    _list(100),
    _list(1000),
    Workload(
        name="email",
        title="filter by e-mail",
        lines=lambda dialect, people: [
            line(dialect.by_email(user["email"])) for user in people.sample
        ],
        check=_check_email,
    ),
    Workload(
        name="sort",
        title="sort by name, 20",
        lines=lambda dialect, _people: [line(dialect.by_name)],
        check=_check_sort,
    ),
    Workload(
        name="include",
        title="include role and groups, 20",
        lines=lambda dialect, _people: [line(dialect.with_related)],
        check=_check_related,
    ),
    Workload(name="post", title="POST", method="POST", lines=_creations, check=_check_creation),
    Workload(name="patch", title="PATCH", method="PATCH", lines=_changes, check=_check_change),
]
