"""What a caller of the service may not see makes no difference to any answer that it gets."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from sqlalchemy import insert
from sqlalchemy.orm import Session

from tests.auth.world import as_holder
from tests.client import API, USERS, Client, sources
from tests.engines import on_one_engine
from tests.interference import EXAMPLES, Kind, Pair, asked, examples
from tests.service import Service, start
from users_service.auth import digest, new_token
from users_service.models import Group, Role, Token, User, managers, memberships


def ids(number: int, count: int) -> list[UUID]:
    return [UUID(int=0x7000_8000_0000_0000_0000 + number * 100 + index) for index in range(count)]


ME, MATE, *OTHERS = ids(1, 7)
MINE, *ROLES = ids(2, 5)
OURS, *GROUPS = ids(3, 5)
MY_TOKEN, *TOKENS = ids(4, 5)
NOBODY = UUID(int=99)

THEN, LATER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
NOW = datetime.now(UTC)
EMAILS = [
    f"{name}@example.com" for name in ("ada", "bob", "eve", "dan", "fay", "zoe", "kim", "joe")
]
NAMES = ["Ada", "ada", "Bob", "Zoe"]
PERSONAL = frozenset({"email", "verification_time"})


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a caller sees, by what its role and its token say.

    :param role: the permissions of its role.
    :param token: what its token is narrowed to; None for nothing.
    :param manages: whether it manages its group.
    :param hidden: what it may not read of others' users.
    :param writes: the types of which it may write something.
    """

    role: list[str]
    token: list[str] | None = None
    manages: bool = False
    users: list[UUID]
    roles: list[UUID]
    groups: list[UUID]
    hidden: frozenset[str] = PERSONAL
    writes: tuple[str, ...] = ("users", "tokens")


EVERYBODY = [ME, MATE, *OTHERS]
CALLERS = {
    "itself alone": Seen(role=[], users=[ME], roles=[MINE], groups=[OURS]),
    "a manager": Seen(
        role=[],
        manages=True,
        users=[ME, MATE],
        roles=[MINE],
        groups=[OURS],
        writes=("groups",),
    ),
    "a reader": Seen(
        role=["users:read", "roles:read", "groups:read"],
        users=EVERYBODY,
        roles=[MINE, *ROLES],
        groups=[OURS, *GROUPS],
    ),
    "an editor": Seen(
        role=["users:read", "users:update", "users:create", "groups:*"],
        users=EVERYBODY,
        roles=[MINE],
        groups=[OURS, *GROUPS],
        writes=("users", "groups"),
    ),
    "a narrowed token": Seen(
        role=["*"],
        token=["self:read", "groups:*", "roles:assign"],
        users=[ME],
        roles=[MINE],
        groups=[OURS, *GROUPS],
        writes=("groups",),
    ),
    "a token without itself": Seen(
        role=["*"], token=["groups:read"], users=[], roles=[], groups=[OURS, *GROUPS]
    ),
}


class Contents:
    """The rows of a database.

    :param secret: the caller's token.
    :param made: makes what the caller does not see.
    """

    def __init__(self, seen: Seen, secret: str, made: Random) -> None:
        self.seen, self.secret, self.made = seen, secret, made
        self.roles = self.some(ROLES, seen.roles)
        self.users = self.some([MATE, *OTHERS], seen.users)
        self.groups = self.some(GROUPS, seen.groups)
        self.tokens = self.some(TOKENS, [])

    def some(self, possible: list[UUID], seen: list[UUID]) -> list[UUID]:
        """All that are seen, and some others."""
        hidden = [id for id in possible if id not in seen]
        chosen = self.made.sample(hidden, self.made.randint(len(hidden) // 2, len(hidden)))
        return [id for id in possible if id in seen or id in chosen]

    def by(self, key: Any, *seen: bool) -> Random:
        """What makes something: what is seen is the same in all databases."""
        return Random(str(key)) if all(seen) else self.made

    def entities(self) -> Iterator[list[Any]]:
        """Roles, users, groups and tokens, in the order in which they are stored."""
        seen = self.seen
        yield [
            Role(id=MINE, name="mine", permissions=seen.role, creation_time=THEN),
            *(self.role(id, self.by(id, id in seen.roles)) for id in self.roles),
        ]
        emails = self.made.sample(EMAILS, len(EMAILS))
        yield [
            self.user(ME, "me@example.com", self.by(ME), MINE),
            *(self.user(id, emails.pop(), self.by(id, id in seen.users)) for id in self.users),
        ]
        yield [self.group(id, self.by(id, id in seen.groups)) for id in [OURS, *self.groups]]
        mine = self.token(MY_TOKEN, ME, digest(self.secret), self.by(MY_TOKEN))
        mine.permissions = seen.token
        yield [mine, *(self.token(id, None, None, self.made) for id in self.tokens)]

    def role(self, id: UUID, made: Random) -> Role:
        permissions = made.choice([[], ["*"], ["users:read"], ["files:read"]])
        text = made.choice([None, *NAMES])
        name = f"{made.choice(NAMES)} {id.int % 100}"
        return Role(id=id, name=name, description=text, permissions=permissions, creation_time=THEN)

    def user(self, id: UUID, email: str, made: Random, role: UUID | None = None) -> User:
        name, is_active = made.choice(NAMES), made.choice([True, False])
        if id != ME:
            role = self.role_of(id)
        verified = self.by("verified", id == ME).choice([None, THEN, LATER])
        return User(
            id=id,
            email=email,
            name=name,
            is_active=is_active or id == ME,
            role_id=role,
            verification_time=verified,
            password_hash=None,
            creation_time=made.choice([THEN, LATER]),
        )

    def role_of(self, id: UUID) -> UUID | None:
        """The role of another user: of one that is seen, a role that is seen or a hidden one."""
        seen = self.seen
        if id not in seen.users:
            return self.made.choice([None, MINE, *self.roles])
        if set(ROLES) <= set(seen.roles):
            return Random(f"role of {id}").choice([None, MINE, *ROLES])
        return self.made.choice([None, *self.roles])

    def group(self, id: UUID, made: Random) -> Group:
        name = f"{made.choice(NAMES)} {id.int % 100}"
        return Group(id=id, name=name, description=made.choice([None, *NAMES]), creation_time=THEN)

    def token(self, id: UUID, owner: UUID | None, hashed: str | None, made: Random) -> Token:
        others = [user for user in self.users if user != ME]
        return Token(
            id=id,
            name=made.choice([None, *NAMES]) if owner is None else "Import",
            digest=hashed or f"{made.getrandbits(256):064x}",
            expiration_time=NOW + timedelta(days=made.randint(1, 9) if owner is None else 10),
            last_used_time=NOW + timedelta(hours=1),  # no request of the test notes a use
            address=made.choice(["192.0.2.1", "192.0.2.2"]),
            creation_time=THEN,
            user_id=owner or (made.choice(others) if others else ME),
        )

    def links(self, table: Any, about_me: list[UUID]) -> list[dict[str, UUID]]:
        """Members or managers of groups.

        :param about_me: the groups that the caller is in.
        """
        pairs = {(ME, group) for group in about_me}
        seen, is_member = self.seen, table is memberships
        for user in [MATE, *OTHERS]:
            for group in [OURS, *GROUPS]:
                shown = user in seen.users and group in seen.groups
                linked = self.by((table.name, user, group), shown).randrange(3) == 0
                if is_member and seen.manages and group == OURS:
                    linked = user == MATE  # who is seen because of that
                if linked and user in self.users and group in [OURS, *self.groups]:
                    pairs.add((user, group))
        return [{"user_id": user, "group_id": group} for user, group in sorted(pairs)]


def fill(service: Service, seen: Seen, secret: str, seed: int) -> None:
    contents = Contents(seen, secret, Random(seed))
    service.empty()
    with Session(service.engine) as session, session.begin():
        for entities in contents.entities():
            session.add_all(entities)
            session.flush()
        session.execute(insert(memberships), contents.links(memberships, [OURS]))
        managing = contents.links(managers, [OURS] if seen.manages else [])
        if managing:
            session.execute(insert(managers), managing)


TIMES = ["2026-01-01T00:00:00Z", "2026-06-01", "2027-01-01T00:00:00Z"]


def texts(ids: list[UUID]) -> list[str]:
    return [str(id) for id in ids]


def kinds(seen: Seen) -> dict[str, Kind]:
    none: frozenset[str] = frozenset()
    found = {
        "users": Kind(
            ids=texts([ME, MATE, *OTHERS[:3], NOBODY]),
            attributes={
                "name": NAMES,
                "email": [*EMAILS[:4], "me@example.com"],
                "is_active": ["true", "false"],
                "verification_time": TIMES,
                "creation_time": TIMES,
            },
            texts=frozenset({"name", "email"}),
            hidden=seen.hidden,
            relationships={"role": "roles", "groups": "groups"},
            many=frozenset({"groups"}),
            written={
                "name": ["Ada", "New"],
                "is_active": [True, False],
                "email": ["n@example.com"],
            },
            created={"name": "New", "email": "new@example.com"},
        ),
        "roles": Kind(
            ids=texts([MINE, *ROLES[:3], NOBODY]),
            attributes={"name": ["mine", "Ada 1", "Bob 2"], "description": NAMES},
            texts=frozenset({"name", "description"}),
            hidden=none,
            relationships={"users": "users"},
            many=frozenset({"users"}),
            written={"description": ["New", None]},
            created={"name": "New"},
        ),
        "groups": Kind(
            ids=texts([OURS, *GROUPS[:3], NOBODY]),
            attributes={"name": ["Ada 1", "Bob 2", "Zoe 3"], "description": NAMES},
            texts=frozenset({"name", "description"}),
            hidden=none,
            relationships={"members": "users", "managers": "users"},
            many=frozenset({"members", "managers"}),
            written={"description": ["New", None]},
            created={"name": "New"},
        ),
        "tokens": Kind(
            ids=texts([MY_TOKEN, *TOKENS[:3], NOBODY]),
            attributes={
                "name": ["Import", *NAMES],
                "address": ["192.0.2.1", "192.0.2.2"],
                "creation_time": TIMES,
                "expiration_time": TIMES,
            },
            texts=frozenset({"name", "address"}),
            hidden=none,
            relationships={"user": "users"},
            many=none,
            written={"name": ["New"]},
        ),
    }
    return {name: replace(kind, is_written=name in seen.writes) for name, kind in found.items()}


@pytest.fixture(scope="module")
def other_service(running_service, tmp_path_factory) -> Iterator[Service]:
    """The service on another database of the same engine."""
    with ExitStack() as stack:
        yield start(running_service.name, stack, tmp_path_factory)


@pytest.fixture(params=CALLERS)
def world(service, other_service, request) -> tuple[Pair, Any]:
    """Both databases, and the requests of a caller."""
    seen, services = CALLERS[request.param], (service, other_service)
    secret = new_token()  # a remembered caller stays who it is, as long as no version is another

    def fill_both() -> None:
        for number, one in enumerate(services):
            fill(one, seen, secret, number)

    clients = tuple(Client(one.guarded_app) for one in services)
    headers = {"Authorization": f"Bearer {secret}"}
    return Pair((clients[0], clients[1]), API, fill_both, headers), asked(
        kinds(seen), request.param
    )


def test_what_is_hidden_makes_no_difference(world):
    pair, requests = world

    @settings(examples, max_examples=EXAMPLES // 3)
    @given(sent=requests)
    def compare(sent):
        pair.compare(sent)

    compare()


@on_one_engine
@pytest.mark.parametrize(("more", "is_told"), [([], False), (["roles:read"], True)])
def test_a_refusal_says_only_to_who_sees_roles_what_they_allow(service, more, is_told):
    seen, secret = CALLERS["an editor"], new_token()
    fill(service, replace(seen, role=[*seen.role, *more]), secret, 0)
    with Session(service.engine) as session, session.begin():
        role = Role(name="vault", permissions=["vault:open"])
        session.add(role)
        session.flush()
        session.get(User, MATE).role_id = role.id
    changed = {"type": "users", "id": str(MATE), "attributes": {"email": "n@example.com"}}
    answer = as_holder(secret, service.guarded_app).patch(f"{USERS}/{MATE}", {"data": changed})
    assert sources(answer) == [("", "exceeds_permissions")]
    assert ("vault:open" in answer.text) is is_told
