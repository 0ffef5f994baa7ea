"""Codes that were mailed: each is taken once, and proves that the address is the user's.

Rows are locked in the order of the API's own changes: roles, then users; then codes.
"""

import logging
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import UUID

from pyramid.request import Request
from sqlalchemy import Connection, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from users_service.auth.letters import Purpose
from users_service.auth.roles import take_role
from users_service.auth.secrets import digest
from users_service.auth.tokens import end_tokens_of
from users_service.database import delete_some
from users_service.jsonapi import Answer, JSONAPIError, begin, field_error
from users_service.models import User
from users_service.models.tables import codes, users
from users_service.outbox import drop, put

log = logging.getLogger(__name__)

DONE = Answer(status=204)

# What an address is proven for; the settings have the same names.
VERIFIED = (Purpose.SIGN_UP, Purpose.EMAIL_CHANGE)


def verify(request: Request) -> Answer:
    """Prove an address by the code that was mailed to it: it makes the user who has signed up, or
    gives a user its new address."""
    code = request.validated["values"]["code"]
    settings = request.registry["settings"]
    begin(request)
    session: Session = request.dbsession
    on = [purpose for purpose in VERIFIED if getattr(settings, purpose)]
    row = _find(request.dbconnection, code, *on)
    if row.purpose == Purpose.SIGN_UP:
        session.add(_new_user(request, row))
    else:
        _change_email(session, row)
    _take(session, row)
    try:
        session.flush()
    except IntegrityError:  # somebody has the address by now
        _refuse()
    return DONE


def _change_email(session: Session, row: Any) -> None:
    user = _locked_user(session, row)
    if user.email != row.email:
        put(session.connection(), Purpose.EMAIL_CHANGED, user.email, user_id=user.id)
    user.email, user.verification_time = row.email, datetime.now(UTC)
    of_user = (codes.c.user_id == user.id, codes.c.purpose == Purpose.EMAIL_CHANGE)
    # Those for other addresses must not take this one back.
    session.connection().execute(delete(codes).where(*of_user, codes.c.digest != row.digest))
    drop(session.connection(), Purpose.EMAIL_CHANGE, user.id)


def _new_user(request: Request, row: Any) -> User:
    name: str = request.registry["settings"].sign_up_role
    role_id = take_role(request.dbconnection, name) if name else None
    if name and role_id is None:
        log.warning("Who signs up gets no role: there is none of the name in sign_up_role.")
    return User(
        email=row.email,
        name=row.name,
        password_hash=row.password_hash,
        is_active=True,
        verification_time=datetime.now(UTC),
        role_id=role_id,
    )


def set_password(request: Request) -> Answer:
    """Set a password by a code that was mailed, and end all tokens of the user."""
    values = request.validated["values"]
    code, password = values["code"], values["password"]
    passwords = request.registry["passwords"]
    # Over a connection of its own, and before the hash: who has no code costs one statement.
    with request.registry["reading"].connect() as connection:
        row = _find(connection, code, Purpose.PASSWORD_RESET)
        name = connection.execute(_name_of(row.user_id)).scalar() or _refuse()
    if fault := passwords.weakness(password, row.email, name):
        place = ("data", "attributes", "password")
        raise JSONAPIError(field_error("weak_password", "password", fault, *place, rule="weak"))
    hashed = passwords.hash(password)
    begin(request)
    session: Session = request.dbsession
    user = _locked_user(session, row)
    if user.email != row.email:
        _refuse()
    _take(session, row)
    user.password_hash = hashed
    user.verification_time = user.verification_time or datetime.now(UTC)
    session.flush()
    end_tokens_of(session.connection(), user.id)
    return DONE


def _name_of(user_id: UUID) -> Any:
    return select(users.c.name).where(users.c.id == user_id)


def _find(connection: Connection, code: str, *purposes: Purpose) -> Any:
    """Find the row of a code that has not expired.

    :raises JSONAPIError: 422 if there is none.
    """
    found = select(codes).where(codes.c.digest == digest(code), codes.c.purpose.in_(purposes))
    found = found.where(codes.c.expiration_time > datetime.now(UTC))
    return connection.execute(found).one_or_none() or _refuse()


def _locked_user(session: Session, row: Any) -> User:
    """Lock the user of a code, who is active and still has the password of when it was made.

    :raises JSONAPIError: 422 if there is none.
    """
    user = session.get(User, row.user_id, with_for_update=True)
    if user is None or not user.is_active or user.password_hash != row.password_hash:
        _refuse()
    return user


def _take(session: Session, row: Any) -> None:
    """Take a code, so that nobody takes it again.

    :raises JSONAPIError: 422 if another request has.
    """
    statement = delete(codes).where(codes.c.digest == row.digest)
    if session.connection().execute(statement).rowcount != 1:
        _refuse()


def _refuse() -> NoReturn:
    message = "Is unknown, was used, has expired, or does not fit any more: ask for another one."
    place = ("data", "attributes", "code")
    raise JSONAPIError(field_error("invalid_code", "code", message, *place, rule="code"))


def purge_codes(connection: Connection) -> int:
    """Delete some of the codes that have expired; return how many."""
    return delete_some(connection, codes.c.digest, codes.c.expiration_time <= datetime.now(UTC))
