"""The letters of sign-in, and the codes in them, which are made with the letter and not before.

A letter has no text that a stranger could choose, such as a name: it would be sent in our name to
whomever the stranger likes.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, insert, select

from users_service.auth.secrets import digest, new_code
from users_service.models import email_key
from users_service.models.tables import codes, users
from users_service.outbox import Claimed, Letter
from users_service.settings import Settings


class Purpose(StrEnum):
    """What a mail is for, and its code."""

    SIGN_UP = "sign_up"
    PASSWORD_RESET = "password_reset"  # noqa: S105  # is none
    EMAIL_CHANGE = "email_change"
    EMAIL_CHANGED = "email_changed"


SIGN_UP = """\
Somebody, probably you, wants to sign up with this e-mail address.
To confirm it, open this page within {lifetime}:

{link}

If it was not you, ignore this mail: there will be no account.
"""

KNOWN = """\
Somebody, probably you, wants to use this e-mail address for an account.
There is one with it already, so nothing was changed.

If it was not you, ignore this mail.
"""

RESET = """\
Somebody, probably you, wants to set a new password for your account.
To do so, open this page within {lifetime}:

{link}

If it was not you, ignore this mail: your password stays.
"""

EMAIL_CHANGE = """\
Somebody, probably you, wants to use this e-mail address for an account.
To confirm it, open this page within {lifetime}:

{link}

If it was not you, ignore this mail: nothing will change.
"""

EMAIL_CHANGED = """\
The e-mail address of your account was changed: from now on, mail goes
to another one.

If it was not you, tell those who run this service.
"""


def composer(settings: Settings) -> Callable[[Connection, Claimed], Letter | None]:
    """Return what makes the letter of a mail, and stores its code."""
    makers = {
        Purpose.SIGN_UP: _sign_up,
        Purpose.PASSWORD_RESET: _password_reset,
        Purpose.EMAIL_CHANGE: _email_change,
        Purpose.EMAIL_CHANGED: _email_changed,
    }
    return lambda connection, mail: makers[Purpose(mail.purpose)](settings, connection, mail)


def _sign_up(settings: Settings, connection: Connection, mail: Claimed) -> Letter | None:
    if not settings.sign_up:
        return None
    if _user_at(connection, mail.email) is not None:
        return Letter(mail.email, "You have an account already", KNOWN)
    values = {"name": mail.data["name"], "password_hash": mail.data["password_hash"]}
    code = _new_code(connection, mail.purpose, settings.code_lifetime, email=mail.email, **values)
    text = _with_link(SIGN_UP, settings.sign_up_link, code, settings.code_lifetime)
    return Letter(mail.email, "Confirm your e-mail address", text)


def _password_reset(settings: Settings, connection: Connection, mail: Claimed) -> Letter | None:
    """To the address that the user has: the one that was sent may only look the same."""
    user = _user_at(connection, mail.email)
    if not settings.password_reset or user is None or not user.is_active:
        return None
    if user.password_hash is None:  # it is not meant to sign in by password
        return None
    lifetime = settings.reset_lifetime
    code = _code_of_user(connection, mail.purpose, lifetime, user, user.email)
    text = _with_link(RESET, settings.reset_link, code, lifetime)
    return Letter(user.email, "Set a new password", text)


def _email_change(settings: Settings, connection: Connection, mail: Claimed) -> Letter | None:
    found = _USERS.where(users.c.id == mail.user_id)
    user = connection.execute(found).one_or_none()
    if not settings.email_change or user is None or not user.is_active:
        return None
    if user.password_hash != mail.data["password_hash"]:
        return None
    holder = _user_at(connection, mail.email)
    if holder is not None and holder.id != user.id:
        return Letter(mail.email, "You have an account already", KNOWN)
    lifetime = settings.code_lifetime
    code = _code_of_user(connection, mail.purpose, lifetime, user, mail.email)
    text = _with_link(EMAIL_CHANGE, settings.email_link, code, lifetime)
    return Letter(mail.email, "Confirm your e-mail address", text)


def _email_changed(_settings: Settings, _connection: Connection, mail: Claimed) -> Letter:
    return Letter(mail.email, "Your e-mail address was changed", EMAIL_CHANGED)


_USERS = select(users.c.id, users.c.email, users.c.is_active, users.c.password_hash)


def _user_at(connection: Connection, email: str) -> Any:
    """The row of the user with an address; None if there is none."""
    return connection.execute(_USERS.where(users.c.email_key == email_key(email))).one_or_none()


def _code_of_user(
    connection: Connection, purpose: str, lifetime: int, user: Any, email: str
) -> str:
    """Make a code that is good while the user has the password that it has now."""
    values = {"user_id": user.id, "password_hash": user.password_hash}
    return _new_code(connection, purpose, lifetime, email=email, **values)


def _new_code(connection: Connection, purpose: str, lifetime: int, **values: Any) -> str:
    code = new_code()
    expiration = datetime.now(UTC) + timedelta(seconds=lifetime)
    values |= {"digest": digest(code), "purpose": purpose, "expiration_time": expiration}
    connection.execute(insert(codes).values(values))
    return code


def _with_link(text: str, link: str, code: str, lifetime: int) -> str:
    return text.format(link=link.replace("{code}", code), lifetime=_in_words(lifetime))


def _in_words(seconds: int) -> str:
    """Say a lifetime in whole hours or minutes, rounded down."""
    number, unit = (seconds // 3600, "hour") if seconds >= 7200 else (seconds // 60, "minute")
    return f"{number} {unit}{'' if number == 1 else 's'}"
