"""What asks for mail: sign-ups, password resets, and changes of one's own address.

The answer is 202 whether the address is known or not, after the same statements: who has it is
looked up when the mail is made.
"""

from collections.abc import Callable

from pyramid.request import Request

from users_service.auth.checks import demand_own, permissions_of_user
from users_service.auth.credentials import challenge
from users_service.auth.letters import Purpose
from users_service.auth.policy import demand_good_credentials, may
from users_service.auth.throttle import reserve_mail
from users_service.auth.user_passwords import check_current
from users_service.jsonapi import Answer, Error, JSONAPIError, begin, field_error, not_found
from users_service.models import email_key
from users_service.outbox import put

ACCEPTED = Answer(status=202)


def check_setting(*names: str) -> Callable[[Request], None]:
    """Return a guard that lets requests pass if one of some settings is on.

    :returns: a function that raises 404 if none is, and 401 for bad credentials.
    """

    def check(request: Request) -> None:
        settings = request.registry["settings"]
        if not any(getattr(settings, name) for name in names):
            on = " or ".join(names)
            raise not_found(f"This service does not do this: its setting {on} is not on.")
        demand_good_credentials(request)

    return check


def check_email_change(request: Request) -> None:
    """Let a request pass if the setting is on, and the caller may change itself.

    :raises JSONAPIError: 404, 401 or 403.
    """
    check_setting("email_change")(request)
    if request.caller.user_id is None:
        detail = "Authenticate: this changes your own address."
        raise JSONAPIError(Error(code="unauthorized", detail=detail), headers=challenge())
    if not may(request.caller, "self:update"):
        raise JSONAPIError(Error(code="forbidden", detail="You may not change your address."))


def create_sign_up(request: Request) -> Answer:
    """Sign up: a mail to the address has a code that makes the user.

    The answer does not say whether somebody has the address.
    """
    values = request.validated["values"]
    password, passwords = values["password"], request.registry["passwords"]
    if fault := passwords.weakness(password, values["email"], values["name"]):
        raise JSONAPIError(_fault("weak_password", "password", fault, "weak"))
    reserve_mail(request, email_key(values["email"]))
    hashed = passwords.hash(password)
    data = {"name": values["name"], "password_hash": hashed}
    begin(request)
    put(request.dbconnection, Purpose.SIGN_UP, values["email"], data=data)
    return ACCEPTED


def create_password_reset(request: Request) -> Answer:
    """Ask for a mail with a code that sets a new password.

    It is sent to active users with a password. The answer does not say whether there is one.
    """
    email = request.validated["values"]["email"]
    reserve_mail(request, email_key(email))
    begin(request)
    put(request.dbconnection, Purpose.PASSWORD_RESET, email)
    return ACCEPTED


def create_email_change(request: Request) -> Answer:
    """Change one's own address: a mail to the new one has a code that does it.

    The answer does not say whether somebody has the address. A code for the address that one has
    proves it.
    """
    values = request.validated["values"]
    reserve_mail(request, email_key(values["email"]))
    current = check_current(request, values["current_password"])
    if not current.is_right:
        message = "Is not your current password."
        raise JSONAPIError(_fault("wrong_password", "current_password", message, "wrong"))
    user_id = request.caller.user_id
    begin(request)
    connection = request.dbconnection
    demand_own(request.caller, permissions_of_user(connection, user_id))
    data = {"password_hash": current.stored}  # the code is good as long as this is the password
    put(connection, Purpose.EMAIL_CHANGE, values["email"], user_id=user_id, data=data)
    return ACCEPTED


def _fault(code: str, name: str, message: str, rule: str) -> Error:
    return field_error(code, name, message, "data", "attributes", name, rule=rule)
