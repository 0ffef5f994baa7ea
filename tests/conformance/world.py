"""A small world of roles, groups and users, and the crawl over every link of the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from pyramid.router import Router
from sqlalchemy import event, insert
from webtest import TestResponse

from tests.client import MEDIA_TYPE, Client
from tests.service import Service
from users_service.models import Group, Role, User
from users_service.models.groups import memberships

PROFILE = "https://jsonapi.org/profiles/ethanresnick/cursor-pagination"
EXTENSION = "https://jsonapi.org/ext/atomic"
CURSORS = f'{MEDIA_TYPE};profile="{PROFILE}"'
ATOMIC = f'{MEDIA_TYPE};ext="{EXTENSION}"'

ENTRY = "/api/v1"
USERS = f"{ENTRY}/users"
GROUPS = f"{ENTRY}/groups"
ROLES = f"{ENTRY}/roles"
DESCRIPTION = f"{ENTRY}/openapi.json"

# An id as good as any, of nothing.
NOBODY = "01920000-0000-7000-8000-000000000000"

NAMES = ["Zoe", "ada", "Ada", "Édith", "bob", "_x", "Zoe Z", "ﬁona", "😀"]
FIRST = datetime(2024, 2, 29, 23, 59, 59, 999_990, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class World:
    """What is stored, by id: every row in the order of its insertion, which is no order of a list.

    :param loner: a user without a role and without groups.
    :param joiner: a user with a role and with every group but the empty one.
    :param empty_group: a group without members.
    :param empty_role: a role that nobody has.
    """

    client: Client
    users: dict[str, dict[str, Any]]
    groups: dict[str, dict[str, Any]]
    roles: dict[str, dict[str, Any]]
    loner: str
    joiner: str
    empty_group: str
    empty_role: str

    def role_of(self, user: str) -> str | None:
        id = self.users[user]["role_id"]
        return None if id is None else str(id)

    def groups_of(self, user: str) -> set[str]:
        return {group for group in self.groups if user in self.members_of(group)}

    def members_of(self, group: str) -> set[str]:
        return {str(id) for id in self.groups[group]["members"]}

    def holders_of(self, role: str) -> set[str]:
        return {user for user in self.users if self.role_of(user) == role}


def make_ids(count: int, seed: int) -> list[UUID]:
    """Ids in no order, the same in every run."""
    random = Random(seed)
    return [UUID(int=random.getrandbits(128), version=4) for _ in range(count)]


def make_world(service: Service, size: int = 25) -> World:
    """Store a world of as many users, in 5 groups (at least 13 for one to be in four of them)."""
    moment = {"creation_time": FIRST, "modification_time": FIRST, "version": 1}
    roles = [
        {
            "id": id,
            "name": name,
            "description": description,
            "permissions": [name, "read"],
            **moment,
        }
        for id, name, description in zip(
            make_ids(4, 1), ["beta", "Alpha", "gamma", "Éta"], ["b", None, "a", None], strict=True
        )
    ]
    groups = [
        {"id": id, "name": name, "description": description, **moment}
        for id, name, description in zip(
            make_ids(5, 2),
            ["staff", "Board", "alumni", "Öko", "guests"],
            ["z", None, "a", "Z", None],
            strict=True,
        )
    ]
    users = [
        {
            "id": id,
            "email": f"{'zbAé'[i % 4]}{i}@example.com",
            "email_key": f"{'zbaé'[i % 4]}{i}@example.com",
            "name": NAMES[i % len(NAMES)],
            "is_active": i % 3 == 0,
            "role_id": None if i % 5 == 0 else roles[i % 3]["id"],
            **moment,
            "creation_time": FIRST + timedelta(microseconds=i // 2),
        }
        for i, id in enumerate(make_ids(size, 3))
    ]
    members = [[users[i]["id"] for i in range(n, size, n)] for n in (1, 2, 3, 4)] + [[]]
    related = [
        {"user_id": user, "group_id": group["id"]}
        for group, ids in zip(groups, members, strict=True)
        for user in ids
    ]
    with service.engine.begin() as connection:
        for table, rows in (
            (Role.__table__, roles),
            (Group.__table__, groups),
            (User.__table__, users),
            (memberships, related),
        ):
            connection.execute(insert(table), rows)
    for group, ids in zip(groups, members, strict=True):
        group["members"] = ids
    return World(
        client=service.client,
        users={str(row["id"]): row for row in users},
        groups={str(row["id"]): row for row in groups},
        roles={str(row["id"]): row for row in roles},
        loner=str(users[0]["id"]),
        joiner=str(users[12]["id"]),
        empty_group=str(groups[-1]["id"]),
        empty_role=str(roles[-1]["id"]),
    )


def crawl(client: Client, *starts: str) -> Iterator[tuple[str, TestResponse]]:
    """Follow every link of the API, from the entry document or from other URLs, each once.

    What describes the API is no document of JSON:API: it has to be there, and the way ends.
    """
    waiting = list(starts or [ENTRY])
    seen = set(waiting)
    while waiting:
        url = waiting.pop(0)
        response = client.get(url)
        if urlsplit(url).path == DESCRIPTION:
            assert response.status_int == 200, response.text
            assert response.json["openapi"].startswith("3.1.")
            continue
        yield url, response
        document = response.json if response.body else {}
        resources = document.get("meta", {}).get("resources", {}).values()
        # As a browser has it: on the host that answered.
        for link in [*links_in(document), *(resource["href"] for resource in resources)]:
            if urlsplit(link).netloc == urlsplit(response.request.url).netloc and link not in seen:
                seen.add(link)
                waiting.append(link)


def links_in(value: Any) -> Iterator[str]:
    """Every URL that a document links to."""
    for _, link in named_links(value):
        yield link


def named_links(value: Any) -> Iterator[tuple[str, str]]:
    """Every link of a document, with its name."""
    if isinstance(value, list):
        for item in value:
            yield from named_links(item)
    if not isinstance(value, dict):
        return
    for name, member in value.items():
        if name == "links":
            for relation, link in member.items():
                if link is not None:
                    yield relation, link if isinstance(link, str) else link["href"]
        elif name not in ("attributes", "meta"):
            yield from named_links(member)


def walk(client: Client, url: str | None, relation: str) -> list[dict[str, Any]]:
    """The documents from a URL along the links of a relation, such as `next`."""
    documents = []
    while url is not None:
        response = client.get(url)
        assert response.status_int == 200, response.text
        documents.append(response.json)
        url = documents[-1]["links"][relation]
    return documents


def ids(*documents: dict[str, Any]) -> list[str]:
    """The ids of the primary data of documents, in order."""
    return [resource["id"] for document in documents for resource in document["data"]]


@contextmanager
def statements(app: Router) -> Iterator[list[str]]:
    """Collect the SQL that the application sends meanwhile, without what begins and ends it."""
    found: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            found.append(statement)

    engines = set(app.registry["engines"].values())
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def identities(resources: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(resource["type"], resource["id"]) for resource in resources}


def error(response: TestResponse) -> tuple[int, Any]:
    """The status of an errors document, and the source of its first error without its kind."""
    errors = response.json["errors"]
    assert errors[0]["status"] == str(response.status_int) or len(errors) > 1
    return response.status_int, next(iter(errors[0].get("source", {}).values()), None)
