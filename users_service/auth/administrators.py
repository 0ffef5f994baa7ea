"""Keeps an administrator: an active user with a password whose role has `*`.

A change that takes an administrator away must not meet another one, or both would find the other's
administrator still there. So the request starts over and locks a guard first, before any other row;
when it has made its changes, it looks whether there is an administrator left.
"""

from collections.abc import Sequence

from pyramid.config import Configurator
from pyramid.request import Request
from sqlalchemy import Connection, Text, cast, insert, select
from sqlalchemy.exc import IntegrityError

from users_service.database import StartOverError
from users_service.jsonapi import Change, Error, JSONAPIError
from users_service.models.tables import guards, roles, users

GUARD = "administrators"

# A key of the WSGI environment, which is the same when a request starts over.
GUARDED = "users_service.administrators"

_LOCK = select(guards.c.name).where(guards.c.name == GUARD).with_for_update()

# No name of a permission has a quotation mark: this text is in an array of them only as a member.
_HAS_ALL = cast(roles.c.permissions, Text).contains('"*"')
_AN_ADMINISTRATOR = (
    select(users.c.id)
    .join(roles, roles.c.id == users.c.role_id)
    .where(users.c.is_active.is_(True), users.c.password_hash.is_not(None), _HAS_ALL)
    .limit(1)
)


def guard(request: Request) -> None:
    """Let a request that takes an administrator away go on only under the guard.

    :raises StartOverError: if it has not locked the guard: it does so when it starts over.
    """
    if GUARDED not in request.environ:
        request.environ[GUARDED] = True
        raise StartOverError


def lock_guard(request: Request) -> None:
    """Lock the guard, if the request has started over for that: before it locks anything else."""
    if GUARDED in request.environ:
        connection = request.dbconnection
        if connection.execute(_LOCK).one_or_none() is None:
            _make_guard(connection)
            connection.execute(_LOCK)


def _make_guard(connection: Connection) -> None:
    try:
        with connection.begin_nested():
            connection.execute(insert(guards).values(name=GUARD))
    except IntegrityError:
        return  # another request has made it


def demand_administrator(request: Request, _changes: Sequence[Change]) -> None:
    """Check that the changes of a request have left an administrator, if they took one away.

    :raises JSONAPIError: 409 if there is none left.
    """
    if GUARDED in request.environ and not has_administrator(request.dbconnection):
        detail = "This would leave no administrator: no active user with a password and all rights."
        raise JSONAPIError(Error(code="last_administrator", detail=detail))


def has_administrator(connection: Connection) -> bool:
    return connection.execute(_AN_ADMINISTRATOR).one_or_none() is not None


def includeme(config: Configurator) -> None:
    config.add_jsonapi_begin_handler(lock_guard)
    config.add_jsonapi_change_handler(demand_administrator)
