"""The validators that Cornice runs before a view; their results are in `request.validated`."""

from typing import Any

from marshmallow import ValidationError
from pyramid.request import Request

from ..errors import not_found
from ..writing import body, load_linkage, read_json


def read_id(request: Request, **_: Any) -> None:
    """Read the id in the URL, as `validated["id"]`.

    :raises JSONAPIError: 404 if it cannot be an id of the type.
    """
    resource = getattr(request.context, "source", request.context)
    try:
        request.validated["id"] = resource.load_id(request.matchdict["id"])
    except ValidationError:
        raise not_found() from None


def read_new(request: Request, **_: Any) -> None:
    """Read the document of a resource to create, as `validated["loaded"]`."""
    document = read_json(request, request.jsonapi_limits)
    loaded = body.load_new_resource(request.context, body.primary_data(document))
    body.permit_linkages(request, loaded)
    request.validated["loaded"] = loaded


def read_changes(request: Request, **_: Any) -> None:
    """Read the document of a resource to change, as `validated["loaded"]`."""
    document = read_json(request, request.jsonapi_limits)
    loaded = body.load_changed_resource(
        request.context, body.primary_data(document), request.validated["id"]
    )
    body.permit_linkages(request, loaded)
    request.validated["loaded"] = loaded


def read_linkage(request: Request, **_: Any) -> None:
    """Read the document of a relationship, as `validated["linkage"]`."""
    document = read_json(request, request.jsonapi_limits)
    request.validated["linkage"] = load_linkage(request.context, body.primary_data(document))


def read_operations(request: Request, **_: Any) -> None:
    """Read the document of atomic operations, as `validated["document"]`."""
    request.validated["document"] = read_json(request, request.jsonapi_limits)
