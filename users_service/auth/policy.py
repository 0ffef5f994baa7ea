"""The security policy: which permissions open which door.

A door is opened by its own permission, or by one with which some of the resources behind it can be
reached; which ones, and which fields of them, the rules of the resource decide.
"""

from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.security import Allowed, Denied

from users_service.auth.callers import Caller
from users_service.auth.credentials import challenge
from users_service.jsonapi import JSONAPIError
from users_service.permissions import covers

# What opens a door besides its own permission.
ALSO_BY = {
    "users:read": ("self:read",),
    "roles:read": ("self:read",),
    "groups:read": ("self:read",),
    "tokens:read": ("self:read",),
    "users:update": ("self:update", "roles:assign", "groups:update"),
    "groups:update": ("self:update",),  # of managers
    "roles:update": ("roles:assign",),
    "tokens:update": ("self:update",),
}

# Whoever sends a password may sign in, and whoever has a token may end it.
OPEN = "tokens:create"
OF_ITS_HOLDER = "tokens:delete"


def may(caller: Caller, permission: str) -> bool:
    """Whether a caller has a permission. Those of oneself need somebody who has signed in."""
    if permission.startswith("self:") and caller.user_id is None:
        return False
    return covers(caller.permissions, permission)


def demand_good_credentials(request: Request) -> None:
    """Check the credentials of a request that everyone may send. A cookie may have expired: then
    one signs in again.

    :raises JSONAPIError: 400 or 401 if `Authorization` is not valid.
    """
    try:
        _ = request.caller  # before the request changes anything, its caller perhaps
    except JSONAPIError:
        if "HTTP_AUTHORIZATION" in request.environ:
            raise


class SecurityPolicy:
    """A security policy of Pyramid for tokens."""

    def identity(self, request: Request) -> Caller:
        caller: Caller = request.caller
        return caller

    def authenticated_userid(self, request: Request) -> str | None:
        """The id of the caller; None if nobody has signed in, or the credentials are not valid."""
        try:
            user_id = request.caller.user_id
        except JSONAPIError:
            return None
        return None if user_id is None else str(user_id)

    def permits(self, request: Request, context: Any, permission: str) -> Allowed | Denied:
        if permission == OPEN:
            demand_good_credentials(request)
            return Allowed("everyone may try to sign in")
        caller: Caller = request.caller
        if permission == OF_ITS_HOLDER and caller.token_id is not None:
            return Allowed("a token may be ended by its holder")
        others = request.registry["also_by"].get(permission) or ()
        names = [permission, *(name for other in others for name in other or ())]
        if any(may(caller, name) for name in names):
            return Allowed("%s is granted", permission)
        return Denied("%s is not granted", permission)

    def remember(self, request: Request, userid: str, **options: Any) -> list[tuple[str, str]]:
        """Return no header fields: signing in is `POST /tokens`."""
        return []

    def forget(self, request: Request, **options: Any) -> list[tuple[str, str]]:
        """Return the header fields of a request for credentials (RFC 9110 §11.6.1)."""
        return list(challenge().items())


SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of `POST /tokens`: `Authorization: Bearer ust_…` (RFC 6750).",
}

# What takes a password, by the ids of the description's operations.
THROTTLED = ("tokens_create", "users_update", "operations")


def includeme(config: Configurator) -> None:
    config.set_security_policy(SecurityPolicy())
    # What belongs to users is added to it, when the resources are known.
    also_by: dict[str, list[tuple[str, ...] | None]] = {
        permission: [(name,) for name in names] for permission, names in ALSO_BY.items()
    }
    also_by |= {OPEN: [None], OF_ITS_HOLDER: [()]}
    config.registry["also_by"] = also_by
    config.set_jsonapi_security(SCHEME, instead=also_by, throttled=THROTTLED)
