"""Signs in, and makes named tokens: what `POST /tokens` does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pyramid.request import Request
from sqlalchemy import Connection, delete, func, select, update

from users_service.auth.credentials import challenge
from users_service.auth.policy import may
from users_service.auth.secrets import digest, new_token
from users_service.auth.throttle import give_back, reserve, withdraw
from users_service.auth.tokens import set_cookie
from users_service.jsonapi import (
    Answer,
    Error,
    JSONAPIError,
    LoadedResource,
    create_resource,
    field_error,
)
from users_service.models import email_key
from users_service.models.tables import tokens, users
from users_service.texts import normalize

# The fields by which a request is one to sign in, and those that it then must not have.
SIGN_IN = {"email", "password"}
OF_NAMED_TOKENS = ("name", "expiration_time")

LONGEST_USER_AGENT = 500

INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody whose password was right.

    :param stored: the hash that it was held against.
    :param rehashed: a hash of it with the parameters of today; None if they are the same.
    """

    user_id: UUID
    stored: str
    rehashed: str | None


def prepare_token(request: Request, loaded: LoadedResource) -> LoadedResource:
    """Hold the password of a sign-in against the stored one, before a connection is taken.

    A try is counted before. Whether the account is unknown, inactive or without a password, or the
    password is wrong: the same statements and one hash are made, and the answer is the same.

    :raises JSONAPIError: 401 `invalid_credentials`; 422 for fields that are missing or in the way;
        429 after too many tries; 503 if too many passwords are hashed already.
    """
    if not loaded.is_new:
        return loaded
    values = dict(loaded.values)
    if not SIGN_IN & values.keys():
        if faults := _faults_of_named(request, loaded):
            raise JSONAPIError(*faults)
        return loaded
    if faults := _faults_of_sign_in(loaded):
        raise JSONAPIError(*faults)
    request.validated["sign_in"] = _check_password(request, values["email"], values["password"])
    return replace(loaded, values=values)


def _faults_of_sign_in(loaded: LoadedResource) -> list[Error]:
    values = loaded.values
    faults = [
        _fault(loaded, "missing_field", name, "Is required to sign in.", "required")
        for name in sorted(SIGN_IN)
        if values.get(name) is None
    ]
    faults += [
        _fault(loaded, "read_only_field", name, "A sign-in has none.", "readOnly")
        for name in OF_NAMED_TOKENS
        if values.get(name) is not None
    ]
    if loaded.linkages:
        place = (*loaded.place, "relationships", "user")
        code, detail = "read_only_relationship", "A sign-in names no user."
        faults.append(field_error(code, "user", detail, *place, rule="readOnly"))
    return faults


def _faults_of_named(request: Request, loaded: LoadedResource) -> list[Error]:
    """The faults of a named token that the caller wants to make.

    :raises JSONAPIError: 401 if nobody has signed in.
    """
    if request.caller.user_id is None and not may(request.caller, "tokens:create"):
        detail = "Sign in by e-mail address and password."
        raise JSONAPIError(Error(code="unauthorized", detail=detail), headers=challenge())
    values = loaded.values
    faults = [
        _fault(loaded, "missing_field", name, "Is required for a named token.", "required")
        for name in OF_NAMED_TOKENS
        if values.get(name) is None
    ]
    if request.caller.user_id is None and not loaded.linkages:
        message = "Must name the user of the token."
        faults.append(_fault(loaded, "missing_field", "user", message, "required"))
    if expiration := values.get("expiration_time"):
        days = request.registry["settings"].token_max_lifetime
        faults += _faults_of_expiration(loaded, expiration, days)
    if values.get("transport") == "cookie":
        message = "Must be bearer for a named token."
        faults.append(_fault(loaded, "invalid_value", "transport", message, "enum"))
    return faults


def _faults_of_expiration(
    loaded: LoadedResource, expiration: datetime, most_days: int
) -> Iterator[Error]:
    code, name, now = "invalid_value", "expiration_time", datetime.now(UTC)
    last = now + timedelta(days=most_days)
    if expiration <= now:
        message, limit = "Must be in the future.", now.strftime(INSTANT)
        yield _fault(loaded, code, name, message, "exclusiveMinimum", limit)
    elif expiration > last:
        message, limit = f"Must be at most {most_days} days ahead.", last.strftime(INSTANT)
        yield _fault(loaded, code, name, message, "maximum", limit)


def _fault(
    loaded: LoadedResource, code: str, name: str, message: str, rule: str, limit: Any = None
) -> Error:
    """The error of a field; it points at the resource object if that does not have the field."""
    there = ("attributes", name) if name in loaded.sent else ()
    return field_error(code, name, message, *loaded.place, *there, rule=rule, limit=limit)


def _check_password(request: Request, email: str, password: str) -> SignedIn:
    passwords, key = request.registry["passwords"], email_key(normalize(email.strip()))
    found = select(users.c.id, users.c.is_active, users.c.password_hash)
    found = found.where(users.c.email_key == key)
    tried, row = reserve(request, key, lambda connection: connection.execute(found).one_or_none())
    stored = row.password_hash if row is not None and row.is_active else None
    try:
        is_right = passwords.verify(stored, password)
    except JSONAPIError:  # too many are hashed already
        withdraw(request, tried)
        raise
    if row is None or stored is None or not is_right:
        raise invalid_credentials()
    rehashed = passwords.rehash(stored, password)
    give_back(request, tried)
    return SignedIn(row.id, stored, rehashed)


def invalid_credentials() -> JSONAPIError:
    detail = "The e-mail address or the password is not right, or the user is not active."
    return JSONAPIError(Error(code="invalid_credentials", detail=detail), headers=challenge())


def create_token(request: Request) -> Answer:
    """Make a token: sign in by `email` and `password`, or make a named token of a user who has
    signed in. The answer has the token itself as `secret`, which is shown nowhere else; with
    `transport: "cookie"` it is in a cookie instead."""
    loaded, settings = request.validated["loaded"], request.registry["settings"]
    signed_in: SignedIn | None = request.validated.get("sign_in")
    token, now = new_token(), datetime.now(UTC)
    values: dict[str, Any] = loaded.values | {"digest": digest(token), "secret": token}
    values |= {"address": request.client_addr, "user_agent": _user_agent(request)}
    if signed_in is None:
        values.setdefault("user_id", request.caller.user_id)
    else:
        _lock(request.dbconnection, signed_in)
        _make_room(request.dbconnection, signed_in.user_id, settings.max_tokens, now)
        expiration = now + timedelta(days=settings.token_lifetime)
        values |= {
            "user_id": signed_in.user_id,
            "expiration_time": expiration,
            "last_used_time": now,
        }
    is_cookie = values.get("transport") == "cookie"
    if is_cookie:
        del values["secret"]
    request.validated["loaded"] = replace(loaded, values=values)
    answer: Answer = create_resource(request)
    if is_cookie:
        seconds = settings.token_lifetime * 86_400
        request.add_response_callback(
            lambda request, response: set_cookie(request, response, token, seconds)
        )
    return answer


def _lock(connection: Connection, signed_in: SignedIn) -> None:
    """Lock the user who signs in, and store its password as hashed today.

    :raises JSONAPIError: 401 if it has been deactivated, or has got another password meanwhile.
    """
    same = (users.c.id == signed_in.user_id, users.c.password_hash == signed_in.stored)
    found = select(users.c.id).where(*same, users.c.is_active.is_(True)).with_for_update()
    if connection.execute(found).one_or_none() is None:
        raise invalid_credentials()
    if signed_in.rehashed is not None:
        kept = {"modification_time": users.c.modification_time}
        values = {"password_hash": signed_in.rehashed, **kept}
        connection.execute(update(users).where(*same).values(values))


def _make_room(connection: Connection, user_id: UUID, most: int, now: datetime) -> None:
    """Delete the tokens of a user that have expired, and end those above the limit: sign-ins before
    named tokens, and of each those unused for longest."""
    of_user = tokens.c.user_id == user_id
    connection.execute(delete(tokens).where(of_user, tokens.c.expiration_time <= now))
    used = func.coalesce(tokens.c.last_used_time, tokens.c.creation_time)
    is_named = tokens.c.name.is_not(None)
    found = select(tokens.c.id).where(of_user)
    found = found.order_by(is_named.desc(), used.desc(), tokens.c.id).offset(most - 1)
    surplus = connection.execute(found.limit(most)).scalars().all()
    if surplus:
        connection.execute(delete(tokens).where(tokens.c.id.in_(surplus)))


def _user_agent(request: Request) -> str | None:
    """The client's name for itself, without what no text may have, and cut where it is long."""
    sent = request.environ.get("HTTP_USER_AGENT", "")
    shown = "".join(character for character in sent if character.isprintable())
    return shown[:LONGEST_USER_AGENT] or None
