"""A small world of users, roles, groups and tokens, and clients that are these users."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from sqlalchemy import insert
from sqlalchemy.orm import Session

from tests.client import Client
from tests.service import Service
from users_service.auth import digest, new_token
from users_service.models import Group, Role, Token, User, managers, memberships

PASSWORD = "sunny side of the street"

ROLES = {
    "reader": ["users:read", "roles:read", "groups:read"],
    "helpdesk": [
        *("users:read", "users:read_email", "users:update", "users:delete", "roles:read"),
        *("roles:assign", "roles:update", "groups:read", "tokens:read", "tokens:delete"),
    ],
    "administrator": ["*"],
}

# Each user with its role. The manager manages the group of which `self` is a member.
PEOPLE: dict[str, str | None] = {
    "self": None,
    "other": None,
    "manager": None,
    "inactive": "administrator",
    "reader": "reader",
    "helpdesk": "helpdesk",
    "administrator": "administrator",
}


@cache
def hashed(password: str = PASSWORD) -> str:
    """A hash with the parameters of the settings' defaults."""
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash(password)


class World:
    """The stored world.

    :param app: the application that its clients use: one that grants nothing to everyone.
    """

    def __init__(self, service: Service, app: Any = None) -> None:
        self.service = service
        self.app = app or service.guarded_app
        self.ids: dict[str, UUID] = {}
        with Session(service.engine) as session, session.begin():
            for name, permissions in ROLES.items():
                self._add(session, f"role {name}", Role(name=name, permissions=permissions))
            for name, role in PEOPLE.items():
                self._add(session, name, self.user(name, role))
            self._add(session, "spare role", Role(name="spare", permissions=[]))
            self._add(session, "group", Group(name="group"))
            self._add(session, "other group", Group(name="other group"))
            session.flush()
            members = [("self", "group"), ("manager", "group"), ("other", "other group")]
            rows = [self._link(user, group) for user, group in members]
            session.execute(insert(memberships), rows)
            session.execute(insert(managers), [self._link("manager", "group")])
        self.tokens = {name: self.token(name) for name in PEOPLE}

    def user(self, name: str, role: str | None) -> User:
        """A user, not stored yet."""
        return User(
            email=f"{name}@example.com",
            name=name.capitalize(),
            is_active=name != "inactive",
            password_hash=hashed(),
            role_id=None if role is None else self.ids[f"role {role}"],
        )

    def _add(self, session: Session, name: str, entity: Any) -> None:
        entity.id = self.ids[name] = uuid4()
        session.add(entity)

    def _link(self, user: str, group: str) -> dict[str, UUID]:
        return {"user_id": self.ids[user], "group_id": self.ids[group]}

    def token(self, user: str, permissions: Iterable[str] | None = None, **values: Any) -> str:
        """Store a token of a user, and return it; its id is that of `token <user>`."""
        secret = new_token()
        row = {
            "name": None,
            "digest": digest(secret),
            "permissions": None if permissions is None else list(permissions),
            "expiration_time": datetime.now(UTC) + timedelta(days=1),
            "last_used_time": datetime.now(UTC),
            "user_id": self.ids[user],
        }
        token = Token(**row | values)
        with Session(self.service.engine) as session, session.begin():
            self._add(session, f"token {user}", token)
        return secret

    def client(self, name: str | None, app: Any = None) -> Client:
        """A client that is a user, by its token; None for nobody."""
        token = None if name is None else self.tokens[name]
        return as_holder(token, app or self.app)

    def ref(self, kind: str, name: str) -> dict[str, str]:
        """The resource identifier of somebody or something."""
        return {"type": kind, "id": str(self.ids[name])}


def permitted_token(service: Service, permissions: str) -> str:
    """Store an administrator with a token that is narrowed to some permissions."""
    secret = new_token()
    with Session(service.engine) as session, session.begin():
        role = Role(name=f"all {secret}", permissions=["*"])
        session.add(role)
        session.flush()
        user = User(email=f"{secret}@example.com", name="A", is_active=True, role_id=role.id)
        session.add(user)
        session.flush()
        session.add(
            Token(
                digest=digest(secret),
                permissions=permissions.split(),
                expiration_time=datetime.now(UTC) + timedelta(days=1),
                last_used_time=datetime.now(UTC),
                user_id=user.id,
            )
        )
    return secret


class TokenClient(Client):
    """A client that sends a token with each request."""

    def __init__(self, app: Any, token: str) -> None:
        super().__init__(app)
        self.token = token

    def request(self, method: str, url: str, document: Any = None, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} | (options.pop("headers", None) or {})
        return super().request(method, url, document, headers=headers, **options)


def as_holder(token: str | None, app: Any) -> Client:
    return Client(app) if token is None else TokenClient(app, token)
