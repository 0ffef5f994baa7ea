"""Which changes a caller may make: called under the locks, before anything is stored.

Nobody gives what they have not: a change that concerns permissions needs all of them.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pyramid.request import Request
from sqlalchemy import Connection, select

from users_service.auth.administrators import guard
from users_service.auth.callers import EVERYONE_SIGNED_IN, Caller
from users_service.auth.fields import FIELDS, Writers
from users_service.auth.policy import may
from users_service.auth.user_passwords import check_passwords
from users_service.jsonapi import Change, Error, JSONAPIError, LinkageChange
from users_service.models import managers
from users_service.models.tables import roles, tokens, users
from users_service.permissions import ALL, exceeding, narrow

# The fields by which somebody takes an account over, or takes it away.
SENSITIVE = frozenset({"email", "password", "is_active", "role"})

# The fields by which somebody is an administrator, or is not.
OF_ADMINISTRATORS = frozenset({"password", "is_active", "role"})

# Ids in one statement: engines allow so many bind parameters.
CHUNK = 500


def check_user(request: Request, change: Change) -> None:
    """Check a change of a user.

    :raises JSONAPIError: 403 for a field that the caller may not write, or for permissions that
        exceed its own; 422 for a weak or a wrong password.
    """
    caller = request.caller
    _check_fields(request, change, own=change.id == caller.user_id)
    connection, before = request.dbconnection, change.stored
    if change.kind == "delete" or change.sent & SENSITIVE:
        demand_own(caller, _permissions_of_role(connection, before.get("role_id")))
    for linkage in change.linkage:
        if linkage.relationship.name == "role":
            for role_id in linkage.added:
                demand_own(caller, _permissions_of_role(connection, role_id))
    check_passwords(request, change)
    takes = change.kind == "delete" or bool(change.sent & OF_ADMINISTRATORS)
    if takes and _was_administrator(connection, before) and not _remains_one(connection, change):
        guard(request)


def check_role(request: Request, change: Change) -> None:
    """Check a change of a role.

    :raises JSONAPIError: 403 for a field that the caller may not write, or for permissions that
        exceed its own.
    """
    caller, connection = request.caller, request.dbconnection
    _check_fields(request, change)
    before = frozenset(change.stored.get("permissions") or ())
    after = frozenset(change.after.get("permissions", before))
    if after != before and _is_held(connection, change.id):
        demand_own(caller, before | after)
        if "*" in before - after:
            guard(request)
    for linkage in change.linkage:
        if linkage.relationship.name == "users" and (linkage.added or linkage.removed):
            _check_holders(request, linkage, after)


def check_group(request: Request, change: Change) -> None:
    """Check a change of a group.

    :raises JSONAPIError: 403 for a field that the caller may not write.
    """
    _check_fields(request, change)


def check_token(request: Request, change: Change) -> None:
    """Check a change of a token; who signs in by a password has been checked.

    :raises JSONAPIError: 403 if the caller may not make, change or end it; 409 if its user has too
        many tokens.
    """
    if "sign_in" in request.validated or change.id == request.caller.token_id:
        return
    caller, connection, token = request.caller, request.dbconnection, change.entity
    own = token.user_id == caller.user_id
    if change.kind == "update":
        _check_fields(request, change, own=own)
        return
    action = change.kind
    if not may(caller, f"tokens:{action}") and not (own and may(caller, "self:update")):
        detail = f"You may not {action} this token."
        raise JSONAPIError(Error(code="forbidden", detail=detail))
    held = permissions_of_user(connection, token.user_id)
    if action == "create":
        held |= EVERYONE_SIGNED_IN
        if token.permissions is not None:
            demand_own(caller, token.permissions)  # whatever the role of its user will allow
            held = narrow(held, token.permissions)
        _check_room(request, token.user_id)
    demand_own(caller, held)


def _check_room(request: Request, user_id: UUID) -> None:
    most = request.registry["settings"].max_tokens
    good = tokens.c.expiration_time > datetime.now(UTC)
    found = select(tokens.c.id).where(tokens.c.user_id == user_id, good).limit(most)
    if len(request.dbconnection.execute(found).all()) >= most:
        detail = f"The user has {most} tokens already: end one of them."
        raise JSONAPIError(Error(code="conflict", detail=detail))


def permissions_of_user(connection: Connection, user_id: UUID) -> frozenset[str]:
    """The permissions that the role of a user has."""
    found = select(roles.c.permissions).join(users, users.c.role_id == roles.c.id)
    found = found.where(users.c.id == user_id)
    return frozenset(connection.execute(found).scalar_one_or_none() or ())


def demand_own(caller: Caller, permissions: Collection[str]) -> None:
    """Check that permissions are all the caller's own.

    :raises JSONAPIError: 403 if one is not.
    """
    if more := exceeding(permissions, caller.permissions):
        detail = "This concerns permissions that you do not have yourself"
        if may(caller, "roles:read"):  # others do not see what a role allows
            detail += f": {', '.join(sorted(more)[:5])}"
        raise JSONAPIError(Error(code="exceeds_permissions", detail=f"{detail}."))


def _check_fields(request: Request, change: Change, *, own: bool = False) -> None:
    """Check that the caller may write all the fields that a change names: of a creation, for which
    it has the permission, its relationships."""
    fields, faults = FIELDS[change.resource.type], []
    names = change.sent
    if change.kind == "create":
        names &= change.resource.relationships.keys()
    for name in sorted(names):
        writers = fields.get(name)
        if not (
            _may_write_further(request.caller, change, name)
            if writers is None
            else _may_write(request, change, writers, own=own)
        ):
            detail, source = f"You may not change {name}.", change.source_of(name)
            faults.append(Error(code="forbidden", detail=detail, source=source))
    if faults:
        raise JSONAPIError(*faults)


def _may_write_further(caller: Caller, change: Change, name: str) -> bool:
    """Whether a caller may write a field that another resource brings along: a relationship takes
    its permission, or the right to update both ends."""
    kinds, relationship = [change.resource.type], change.resource.relationships.get(name)
    if relationship is not None:
        if relationship.permission is not None:
            return may(caller, relationship.permission)
        kinds.append(relationship.target.type)
    return all(may(caller, f"{kind}:update") for kind in kinds)


def _may_write(request: Request, change: Change, writers: Writers, *, own: bool) -> bool:
    caller = request.caller
    if may(caller, writers.permission):
        return True
    if not may(caller, "self:update"):
        return False
    return (writers.own and own) or (writers.managers and _manages(request, change.id))


def _manages(request: Request, group_id: Any) -> bool:
    found = select(managers.c.group_id).where(
        managers.c.user_id == request.caller.user_id, managers.c.group_id == group_id
    )
    return request.dbconnection.execute(found).one_or_none() is not None


def _permissions_of_role(connection: Connection, role_id: Any) -> frozenset[str]:
    if role_id is None:
        return frozenset()
    found = select(roles.c.permissions).where(roles.c.id == role_id)
    return frozenset(connection.execute(found).scalar_one())


def _is_held(connection: Connection, role_id: Any) -> bool:
    found = select(users.c.id).where(users.c.role_id == role_id).limit(1)
    return connection.execute(found).one_or_none() is not None


def _was_administrator(connection: Connection, row: Any) -> bool:
    if not row or not row["is_active"] or row["password_hash"] is None or row["role_id"] is None:
        return False
    return _permissions_of_role(connection, row["role_id"]) >= ALL


def _remains_one(connection: Connection, change: Change) -> bool:
    return change.kind != "delete" and _was_administrator(connection, vars(change.entity))


def _check_holders(request: Request, linkage: LinkageChange, permissions: frozenset[str]) -> None:
    """Check that the caller may give the permissions of a role to users, and take theirs."""
    caller, connection = request.caller, request.dbconnection
    demand_own(caller, permissions)
    takes_administrator = bool(linkage.removed) and "*" in permissions
    for held in _former_permissions(connection, linkage.added):
        demand_own(caller, held)
        takes_administrator |= "*" in held - permissions
    if takes_administrator:
        guard(request)


def _former_permissions(connection: Connection, ids: Iterable[Any]) -> Iterator[frozenset[str]]:
    """Yield the permissions of each role that some of the users have."""
    ids = list(ids)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        held = select(users.c.role_id).where(users.c.id.in_(chunk))
        found = select(roles.c.permissions).where(roles.c.id.in_(held))
        for (permissions,) in connection.execute(found).all():
            yield frozenset(permissions)
