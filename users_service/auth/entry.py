"""What the entry document says of the caller, and of the ways to sign in."""

from typing import Any

from pyramid.request import Request


def entry_meta(request: Request) -> dict[str, Any]:
    """Return the members of `meta` of the entry document: the caller and its token, what it may do,
    and which ways of authentication are on."""
    caller, settings = request.caller, request.registry["settings"]
    signed_in = caller.user_id is not None
    return {
        "caller": {"type": "users", "id": str(caller.user_id)} if signed_in else None,
        "token": {"type": "tokens", "id": str(caller.token_id)} if signed_in else None,
        "permissions": sorted(caller.permissions),
        "authentication": {
            "sign_in": True,
            "sign_up": settings.sign_up,
            "password_reset": settings.password_reset,
            "email_change": settings.email_change,
        },
    }
