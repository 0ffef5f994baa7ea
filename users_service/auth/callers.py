"""Who sends a request: `request.caller`, remembered by each process and proven by what it reads.

A process remembers callers by the digest of their token, with the versions of token, user and role.
What a request reads carries the condition that these are still the versions; what changes something
reads its caller anew first. So a change of one of them holds for the next request everywhere, at no
further round trip (ADR 21).
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any
from uuid import UUID

from pyramid.config import Configurator
from pyramid.request import Request
from sqlalchemy import ColumnElement, Connection, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from users_service.auth.credentials import credentials_of, invalid_token
from users_service.auth.secrets import digest
from users_service.database import StartOverError, may_change
from users_service.jsonapi import Proof
from users_service.models.tables import roles, tokens, users
from users_service.permissions import narrow

# Callers that a process remembers; some KiB each.
MOST_REMEMBERED = 10_000

# `last_used_time` is exact to this.
USE_STEP = timedelta(minutes=10)

EVERYONE_SIGNED_IN = frozenset({"self:*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sends a request, and what it may do.

    :param user_id: None for a request without a token.
    :param permissions: the names of what it may do, narrowed by its token.
    :param versions: those of token, user and role; None for a user without a role.
    :param is_sign_in: whether the token is one, and no named one.
    :param is_cookie: whether the token came in the cookie.
    """

    permissions: frozenset[str]
    user_id: UUID | None = None
    token_id: UUID | None = None
    versions: tuple[int, int, int | None] = (0, 0, None)
    expiration_time: datetime | None = None
    last_used_time: datetime | None = None
    is_sign_in: bool = False
    is_cookie: bool = False

    def is_over(self, now: datetime, idle: timedelta) -> bool:
        """Whether the token has expired, or is a sign-in that was not used for too long."""
        if self.expiration_time is None:
            return False
        used = self.last_used_time
        is_idle = self.is_sign_in and used is not None and now - used >= idle
        return now >= self.expiration_time or is_idle


_BY_DIGEST = (
    select(
        tokens.c.id,
        tokens.c.version,
        tokens.c.name,
        tokens.c.permissions,
        tokens.c.expiration_time,
        tokens.c.last_used_time,
        users.c.id.label("user_id"),
        users.c.version.label("user_version"),
        users.c.is_active,
        roles.c.version.label("role_version"),
        roles.c.permissions.label("role_permissions"),
    )
    .select_from(tokens.join(users).join(roles, isouter=True))
    .where(tokens.c.digest == bindparam("digest"))
)


def find_caller(connection: Connection, token_digest: str) -> Caller | None:
    """Read the caller with a token.

    :returns: None if there is no such token, or its user is not active. It may have expired.
    """
    row = connection.execute(_BY_DIGEST, {"digest": token_digest}).one_or_none()
    if row is None or not row.is_active:
        return None
    held = frozenset(row.role_permissions or ()) | EVERYONE_SIGNED_IN
    return Caller(
        permissions=held if row.permissions is None else narrow(held, row.permissions),
        user_id=row.user_id,
        token_id=row.id,
        versions=(row.version, row.user_version, row.role_version),
        expiration_time=row.expiration_time,
        last_used_time=row.last_used_time,
        is_sign_in=row.name is None,
    )


class Callers:
    """The callers that a process remembers, by the digest of their token."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._by_digest: dict[str, Caller] = {}

    def get(self, token_digest: str) -> Caller | None:
        return self._by_digest.get(token_digest)

    def remember(self, token_digest: str, caller: Caller | None) -> None:
        """Remember a caller, in place of the one that was remembered first if there are too many.

        :param caller: None to forget the one with this token.
        """
        with self._lock:
            self._by_digest.pop(token_digest, None)
            if caller is not None:
                if len(self._by_digest) >= MOST_REMEMBERED:
                    del self._by_digest[next(iter(self._by_digest))]
                self._by_digest[token_digest] = caller


def caller_of(request: Request) -> Caller:
    """`request.caller`: who sends the request.

    :raises JSONAPIError: 400 or 401 if its credentials are not valid.
    """
    credentials = credentials_of(request)
    settings = request.registry["settings"]
    if credentials is None:
        return Caller(permissions=settings.anonymous_permissions)
    request.token_digest = key = digest(credentials.token)
    known: Callers = request.registry["callers"]
    now, idle = datetime.now(UTC), timedelta(days=settings.token_idle_time)
    caller = known.get(key)
    if caller is None or caller.is_over(now, idle):
        # Another process may have noted later uses, or there may be such a token by now.
        caller = _read(request, key)
        if caller is None or caller.is_over(now, idle):
            known.remember(key, None)
            raise invalid_token(is_cookie=credentials.is_cookie)
        known.remember(key, caller)
    if caller.last_used_time is None or now - caller.last_used_time >= USE_STEP:
        known.remember(key, replace(caller, last_used_time=now))
        request.add_finished_callback(partial(_note_use, caller, now))
    return replace(caller, is_cookie=True) if credentials.is_cookie else caller


def _read(request: Request, token_digest: str) -> Caller | None:
    """Read a caller before the request does anything else.

    A request that will change something does not keep its connection for it: on SQLite, other
    transactions of this request, such as to count a try to sign in, would wait for it.
    """
    if not may_change(request):
        return find_caller(request.dbconnection, token_digest)
    with request.registry["reading"].connect() as connection:
        return find_caller(connection, token_digest)


def _note_use(caller: Caller, now: datetime, request: Request) -> None:
    """Store when a token was used, after the request and in a transaction of its own.

    Its version stays: nothing that the caller may do has changed.
    """
    used = tokens.c.last_used_time
    statement = (
        update(tokens)
        .where(tokens.c.id == caller.token_id, (used.is_(None)) | (used <= now - USE_STEP))
        .values(last_used_time=now, modification_time=tokens.c.modification_time)
    )
    # A database that takes no changes now gets the time of the next use.
    with suppress(SQLAlchemyError), request.registry["engines"]["writing"].begin() as connection:
        connection.execute(statement)


def proof_of(request: Request) -> Proof | None:
    """Return what proves that the caller of a request is still as the process remembers it.

    :returns: None for a request without a token, or one whose token does not matter.
    """
    # Where nobody has asked for the caller, nothing depends on it.
    if "caller" not in vars(request) or request.caller.user_id is None:
        return None
    caller = request.caller
    token_version, user_version, role_version = caller.versions
    values = {
        "caller_token": caller.token_id,
        "caller_token_version": token_version,
        "caller_user_version": user_version,
    }
    if role_version is not None:
        values["caller_role_version"] = role_version
    condition = _is_same if role_version is None else _is_same_with_role
    return Proof(condition=condition, values=values, confirm=partial(_confirm, request))


def _is_same() -> ColumnElement[bool]:
    """The condition that token and user have these versions; a change of role is one of a user."""
    token, user = tokens.alias("caller_tokens"), users.alias("caller_users")
    return _exists(token.join(user), token, user)


def _is_same_with_role() -> ColumnElement[bool]:
    token, user = tokens.alias("caller_tokens"), users.alias("caller_users")
    role = roles.alias("caller_roles")
    version = role.c.version == bindparam("caller_role_version", type_=role.c.version.type)
    return _exists(token.join(user).join(role), token, user, version)


def _exists(joined: Any, token: Any, user: Any, *more: Any) -> ColumnElement[bool]:
    found = select(1).select_from(joined).correlate(None)
    found = found.where(
        token.c.id == bindparam("caller_token", type_=token.c.id.type),
        token.c.version == bindparam("caller_token_version", type_=token.c.version.type),
        user.c.version == bindparam("caller_user_version", type_=user.c.version.type),
        *more,
    )
    return found.exists()


def _confirm(request: Request) -> None:
    """Read the caller again.

    :raises StartOverError: if it is not as it was: the request starts over with what it is now.
    """
    caller = find_caller(request.dbconnection, request.token_digest)
    if caller is None or caller.versions != request.caller.versions:
        request.registry["callers"].remember(request.token_digest, None)
        raise StartOverError


def includeme(config: Configurator) -> None:
    config.registry["callers"] = Callers()
    config.add_request_method(caller_of, "caller", reify=True)
    config.set_jsonapi_proof(proof_of)
