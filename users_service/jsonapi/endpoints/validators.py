"""The validators that check and read a request before its view, into `request.validated`."""

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError
from pyramid.request import Request

from ..documents import media
from ..errors import not_found
from ..form import Form
from ..reading import Endpoint, parse_query, permit, refuse_parameters
from ..writing import body, load_linkage, load_operations, parse_json, permit_linkages, read_body

Validator = Callable[..., None]


def check_permission(action: str | None) -> Validator:
    """Make the validator of a permission: `<type>:<action>`, or none."""

    def check(request: Request, **_: Any) -> None:
        if action is not None:
            permit(request, action, request.context)

    return check


def negotiate(takes_document: bool, extension: str | None, profiles: frozenset[str]) -> Validator:
    """Make the validator that chooses the media type of the response, and checks that of the body.

    It stores them as `validated["media"]` and `validated["body"]`. The media type of an empty body
    does not matter: it is refused as no document.

    :param takes_document: whether the endpoint reads a request document.
    :param extension: the extension that requests and responses of the endpoint must have.
    :param profiles: the profiles that it applies if the request has them in `Accept`.
    """

    def choose(request: Request, **_: Any) -> None:
        environ, validated = request.environ, request.validated
        coding = environ.get("HTTP_CONTENT_ENCODING", "")
        if takes_document:
            validated["body"] = read_body(request, request.jsonapi_limits)
            if validated["body"]:
                media.check_coding(coding)
                media.check_type(request, extension)
        elif coding and (request.content_length or "HTTP_TRANSFER_ENCODING" in environ):
            media.check_coding(coding)
        validated["media"] = media.choose(environ.get("HTTP_ACCEPT", ""), extension, profiles)

    return choose


def read_query(endpoint: Endpoint | None) -> Validator:
    """Make the validator that reads the query parameters, as `validated["query"]`.

    :param endpoint: the parameters that it accepts; None for none.
    """

    def read(request: Request, **_: Any) -> None:
        if endpoint is None:
            refuse_parameters(request, request.jsonapi_limits)
        else:
            request.validated["query"] = parse_query(request, endpoint, request.jsonapi_limits)

    return read


def _document(request: Request) -> Any:
    return parse_json(request.validated["body"], request.jsonapi_limits)


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
    data = body.primary_data(_document(request))
    loaded = body.load_new_resource(request.context, data)
    permit_linkages(request, request.context, data)
    request.validated["loaded"] = body.prepare(request, request.context, loaded)


def read_form(form: Form) -> Validator:
    """Make the validator that reads a form, as `validated["values"]`."""

    taken: Any = form  # it has all that is read of a resource without relationships

    def read(request: Request, **_: Any) -> None:
        loaded = body.load_new_resource(taken, body.primary_data(_document(request)))
        request.validated["values"] = loaded.values

    return read


def read_changes(request: Request, **_: Any) -> None:
    """Read the document of a resource to change, as `validated["loaded"]`."""
    data = body.primary_data(_document(request))
    loaded = body.load_changed_resource(request.context, data, request.validated["id"])
    permit_linkages(request, request.context, data)
    request.validated["loaded"] = body.prepare(request, request.context, loaded)


def read_linkage(request: Request, **_: Any) -> None:
    """Read the document of a relationship, as `validated["linkage"]`."""
    document = _document(request)
    request.validated["linkage"] = load_linkage(request.context, body.primary_data(document))


def read_operations(request: Request, **_: Any) -> None:
    """Read the document of atomic operations, as `validated["operations"]`."""
    request.validated["operations"] = load_operations(request, _document(request))
