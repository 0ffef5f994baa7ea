"""Passwords in changes of users: hashed before a connection is taken, checked under the lock."""

from dataclasses import dataclass, replace

from pyramid.request import Request
from sqlalchemy import select

from users_service.auth.throttle import forget_current, reserve_current
from users_service.jsonapi import Change, Error, JSONAPIError, LoadedResource, field_error
from users_service.models.tables import users


@dataclass(frozen=True, slots=True)
class CurrentPassword:
    """The password that a caller says is its own.

    :param stored: the hash that it was held against; None if the caller has no password.
    :param is_right: whether it is the password of that hash.
    """

    stored: str | None
    is_right: bool


def prepare_user(request: Request, loaded: LoadedResource) -> LoadedResource:
    """Hash the password in a resource object, and hold the current one against the caller's.

    :raises JSONAPIError: 422 if the password is weak, as far as can be said before a connection is
        taken; 503 if too many passwords are hashed already.
    """
    values = dict(loaded.values)
    passwords = request.registry["passwords"]
    if (password := values.get("password")) is not None:
        fault = passwords.weakness(password, values.get("email", ""), values.get("name", ""))
        if fault:
            place = (*loaded.place, "attributes", "password")
            raise JSONAPIError(field_error("weak_password", "password", fault, *place, rule="weak"))
    if loaded.is_new:
        values.pop("current_password", None)  # who is new has none
    elif values.get("current_password") is not None:
        values["current_password"] = check_current(request, values["current_password"])
    if "password" in values:
        values["password_hash"] = None if password is None else passwords.hash(password)
    return loaded if values == loaded.values else replace(loaded, values=values)


def check_current(request: Request, password: str) -> CurrentPassword:
    """Hold a password against the caller's. Tries are bounded as those to sign in are.

    :raises JSONAPIError: 429 after too many; 503 if too many passwords are hashed already.
    """
    user_id = request.caller.user_id
    if user_id is None:
        return CurrentPassword(stored=None, is_right=False)
    reserve_current(request, user_id)
    stored = _stored_hash(request)
    is_right: bool = request.registry["passwords"].verify(stored, password)
    if is_right:
        forget_current(request, user_id)
    return CurrentPassword(stored, is_right)


def _stored_hash(request: Request) -> str | None:
    found = select(users.c.password_hash).where(users.c.id == request.caller.user_id)
    # A connection of its own: the request's is taken after hashing.
    with request.registry["reading"].connect() as connection:
        stored: str | None = connection.execute(found).scalar_one_or_none()
    return stored


def check_passwords(request: Request, change: Change) -> None:
    """Check the password that a change sets: that it is strong, and if it is the caller's own, that
    the current one was right.

    :raises JSONAPIError: 422.
    """
    if "password" not in change.sent:
        return
    user, faults = change.entity, []
    weakness = request.registry["passwords"].weakness
    if user.password is not None and (fault := weakness(user.password, user.email, user.name)):
        faults.append(_field_error(change, "weak_password", "password", fault, "weak"))
    if change.kind == "update" and change.id == request.caller.user_id:
        faults += _faults_of_current(change)
    if faults:
        raise JSONAPIError(*faults)


def _faults_of_current(change: Change) -> list[Error]:
    current = change.entity.current_password
    if current is None:
        message = "Is required to change your own password."
        return [_field_error(change, "missing_field", "current_password", message, "required")]
    if not current.is_right or current.stored != change.stored["password_hash"]:
        message = "Is not your current password."
        return [_field_error(change, "wrong_password", "current_password", message, "wrong")]
    return []


def _field_error(change: Change, code: str, name: str, message: str, rule: str) -> Error:
    error = field_error(code, name, message, rule=rule)
    return replace(error, source=change.source_of(name))
