"""Who may do what, asked of the host's security policy: for single requests and for operations."""

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
    """Make sure that the caller may do something with a resource or with linkage.

    Linkage belongs to both of its ends: to read or to update it takes that right on both types.

    :param action: `read`, `create`, `update` or `delete`.
    :param source: what in the request asks for it, as the source of the error.
    :raises JSONAPIError: 403 if a permission is missing.
    """
    ends = (context,) if isinstance(context, Resource) else (context.source, context.target)
    for resource in dict.fromkeys(ends):
        if not may(request, action, resource):
            raise JSONAPIError(forbidden(action, resource, source))


def forbidden(action: str, resource: Resource, source: dict[str, str] | None = None) -> Error:
    detail = f"You may not {action} {resource.type}."
    return Error(code="forbidden", detail=detail, source=source)
