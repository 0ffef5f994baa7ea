"""Permission checks, by the host's security policy: for single requests and for operations."""

from pyramid.request import Request

from ..errors import Error, JSONAPIError
from ..resource import Relationship, Resource


def may(request: Request, action: str, resource: Resource) -> bool:
    """Whether the caller has the permission `<type>:<action>`."""
    return bool(request.has_permission(f"{resource.type}:{action}"))


def permit(
    request: Request,
    action: str,
    context: Resource | Relationship,
    source: dict[str, str] | None = None,
) -> None:
    """Check that the caller has the permission for a resource, or for a relationship's linkage.

    Linkage belongs to both ends of a relationship: it needs the permission on both types.

    :param action: `read`, `create`, `update` or `delete`.
    :param source: the part of the request that needs the permission, as the error's source.
    :raises JSONAPIError: 403 if the permission is missing.
    """
    ends = (context,) if isinstance(context, Resource) else (context.source, context.target)
    for resource in dict.fromkeys(ends):
        if not may(request, action, resource):
            raise JSONAPIError(forbidden(action, resource, source))


def forbidden(action: str, resource: Resource, source: dict[str, str] | None = None) -> Error:
    detail = f"You may not {action} {resource.type}."
    return Error(code="forbidden", detail=detail, source=source)
