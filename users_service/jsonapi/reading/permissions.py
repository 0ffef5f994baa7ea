"""Permission checks, by the host's security policy: for single requests and for operations."""

from collections.abc import Iterator
from typing import Any

from pyramid.request import Request
from pyramid.security import forget

from ..errors import Error, JSONAPIError
from ..resource import Relationship, Resource


def may(request: Request, action: str, resource: Resource) -> bool:
    """Whether the caller has the permission `<type>:<action>`."""
    return bool(request.has_permission(f"{resource.type}:{action}"))


def permissions(action: str, context: Resource | Relationship) -> list[str]:
    """The permissions that an action needs.

    Linkage belongs to both ends of a relationship: it needs the action's permission on both types.
    If the relationship has a permission of its own, changing it needs this one, and `read` on both.

    :param action: `read`, `create`, `update` or `delete`.
    """
    return list(_needed(action, context))


def _needed(action: str, context: Resource | Relationship) -> Iterator[str]:
    if isinstance(context, Resource):
        yield f"{context.type}:{action}"
        return
    if action == "update" and context.permission is not None:
        yield context.permission
        action = "read"
    for end in dict.fromkeys((context.source.type, context.target.type)):
        yield f"{end}:{action}"


def permit(
    request: Request,
    action: str,
    context: Resource | Relationship,
    source: dict[str, str] | None = None,
) -> None:
    """Check that the caller has the permissions for a resource, or for a relationship's linkage.

    :param action: `read`, `create`, `update` or `delete`.
    :param source: the part of the request that needs the permissions, as the error's source.
    :raises JSONAPIError: 403 if one is missing; 401 if nobody is authenticated.
    """
    for error in missing(request, permissions(action, context), source):
        raise JSONAPIError(error)


def missing(
    request: Request, wanted: list[str], source: dict[str, str] | None = None
) -> Iterator[Error]:
    """Yield an error for each permission that the caller has not.

    :param source: the part of the request that needs the permissions, as the error's source.
    """
    for name in wanted:
        if not request.has_permission(name):
            yield _refused(request, name, source)


def _refused(request: Request, name: str, source: dict[str, str] | None) -> Error:
    kind, _, action = name.partition(":")
    detail = f"You may not {action} {kind}."
    if is_anonymous(request) and challenge(request):
        detail = f"Authenticate: without that, you may not {action} {kind}."
        return Error(code="unauthorized", detail=detail, source=source)
    return Error(code="forbidden", detail=detail, source=source)


def is_anonymous(request: Request) -> bool:
    """Whether the host's security policy has authenticated nobody."""
    return request.authenticated_userid is None


def challenge(request: Request) -> dict[str, Any]:
    """The header field of a 401 that says how to authenticate (RFC 9110 §11.6.1).

    The host's security policy has it among those with which it forgets a caller. Without it, there
    is no way to authenticate, and nothing is 401.
    """
    return {name: value for name, value in forget(request) if name == "WWW-Authenticate"}
