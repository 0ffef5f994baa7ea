"""The validators that Cornice runs before a view: what they read goes to `request.validated`."""

from typing import Any

from marshmallow import ValidationError
from pyramid.request import Request

from ..errors import not_found
from ..writing import body, load_linkage, read_json


def read_id(request: Request, **_: Any) -> None:
    """Read the id in the URL.

    :raises JSONAPIError: 404 if it is none.
    """
    resource = getattr(request.context, "source", request.context)
    try:
        request.validated["id"] = resource.load_id(request.matchdict["id"])
    except ValidationError:
        raise not_found() from None


def read_new(request: Request, **_: Any) -> None:
    """Read the document of a resource to create."""
    document = read_json(request, request.jsonapi_limits)
    loaded = body.load_new(request.context, body.primary_data(document))
    body.permit_linkages(request, loaded)
    request.validated["loaded"] = loaded


def read_changes(request: Request, **_: Any) -> None:
    """Read the document of a resource to change."""
    document = read_json(request, request.jsonapi_limits)
    loaded = body.load_changes(
        request.context, body.primary_data(document), request.validated["id"]
    )
    body.permit_linkages(request, loaded)
    request.validated["loaded"] = loaded


def read_linkage(request: Request, **_: Any) -> None:
    """Read the document of a relationship."""
    document = read_json(request, request.jsonapi_limits)
    request.validated["linkage"] = load_linkage(request.context, body.primary_data(document))


def read_operations(request: Request, **_: Any) -> None:
    """Read the document of atomic operations."""
    request.validated["document"] = read_json(request, request.jsonapi_limits)
