"""Checks that the caller of a request may change the linkage in a resource object."""

from typing import Any

from pyramid.request import Request

from ..errors import JSONAPIError, Place, at
from ..reading import missing, permissions
from ..resource import Resource
from .body import members


def permit_linkages(
    request: Request, resource: Resource, data: Any, place: Place = ("data",)
) -> None:
    """Check that the caller may change all linkage in a resource object.

    It has the permission on the resource already. Linkage needs `update` on its target as well, or
    what the relationship needs in place of that.

    :param data: the resource object, which need not be valid.
    :param place: its place in the request document.
    :raises JSONAPIError: 403 with an error for each relationship of which it may not; 401 if nobody
        is authenticated.
    """
    names = members(data, "relationships") if isinstance(data, dict) else {}
    faults = []
    for name in names:
        relationship = resource.relationships.get(name)
        if relationship is None or not relationship.is_writable:
            continue
        context = relationship.target if relationship.permission is None else relationship
        wanted = permissions("update", context)
        faults += list(missing(request, wanted, at(*place, "relationships", name)))[:1]
    if faults:
        raise JSONAPIError(*faults)
