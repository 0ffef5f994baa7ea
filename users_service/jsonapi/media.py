"""The media type: negotiation (§5 Content Negotiation), and the renderer of documents."""

import re
from collections.abc import Callable
from typing import Any

import orjson
from pyramid.request import Request
from pyramid.response import Response
from webob.acceptparse import Accept

from users_service.jsonapi.errors import Error, JSONAPIError, errors_document

MEDIA_TYPE = "application/vnd.api+json"
# The only parameters that the media type may carry (§5.1).
PARAMETERS = {"ext", "profile"}

_Instance = tuple[str, dict[str, str], float]


def negotiate(request: Request) -> None:
    """Refuse a request that cannot be answered with, or does not send, the media type.

    :raises JSONAPIError: 406 for the Accept header (§5.3; RFC 9110 §12.5.1), 415 for the
        Content-Type of a body (§5.3).
    """
    _check_accept(request.headers.get("Accept", ""))
    if request.method in ("POST", "PATCH") and (
        "Content-Type" in request.headers or request.is_body_readable
    ):
        _check_content_type(request.headers.get("Content-Type", ""))


def _check_accept(header: str) -> None:
    try:
        instances = _instances(header)
    except ValueError:
        raise _not_acceptable("The Accept header is malformed.") from None
    if instances and not _accepts(instances):
        raise _not_acceptable(f"Only {MEDIA_TYPE} is served, without parameters but profile.")


def _accepts(instances: list[_Instance]) -> bool:
    """Whether these media types leave ours; a more specific one outweighs the wildcards."""
    weights: dict[str, float] = {}
    for name, parameters, weight in instances:
        served = 0 if name == MEDIA_TYPE and _fault(parameters) else weight
        weights[name] = max(served, weights.get(name, 0))
    # Clients that ask for JSON alone are served as well.
    wildcard = weights.get("application/*", weights.get("*/*", 0))
    return bool(weights.get(MEDIA_TYPE, wildcard or weights.get("application/json", 0)))


def _check_content_type(header: str) -> None:
    try:
        ((name, parameters, _),) = _instances(header)
    except ValueError:  # malformed, or not exactly one
        raise _unsupported(f"A body must be sent as {MEDIA_TYPE}.") from None
    if name != MEDIA_TYPE:
        raise _unsupported(f"A body must be sent as {MEDIA_TYPE}.")
    if re.search(r";\s*q\s*=", header, re.IGNORECASE):  # a weight in Accept, a parameter here
        raise _unsupported("The media type parameter q is not allowed.")
    if fault := _fault(parameters):
        raise _unsupported(fault)


def _instances(header: str) -> list[_Instance]:
    """Split a header into its media types, each with its parameters and its weight.

    :raises ValueError: if the header does not follow RFC 9110 §12.5.1.
    """
    return [
        (media_range.partition(";")[0].lower(), {k.lower(): v for k, v in parameters}, quality)
        for media_range, quality, parameters, _ in Accept.parse(header)
    ]


def _fault(parameters: dict[str, str]) -> str:
    """Say why an instance of the media type with these parameters cannot be served."""
    if foreign := sorted(set(parameters) - PARAMETERS):
        return f"The media type parameter {foreign[0][:40]} is not allowed."
    if parameters.get("ext", "").split():
        return "No extension is supported here."
    return ""


def _not_acceptable(detail: str) -> JSONAPIError:
    return JSONAPIError(Error(code="not_acceptable", detail=detail, source={"header": "Accept"}))


def _unsupported(detail: str) -> JSONAPIError:
    return JSONAPIError(
        Error(code="unsupported_media_type", detail=detail, source={"header": "Content-Type"}),
        headers={"Accept": MEDIA_TYPE},
    )


def renderer(_info: Any) -> Callable[[Any, dict[str, Any]], bytes]:
    """Make documents into responses: the renderer called `jsonapi`."""

    def render(document: Any, system: dict[str, Any]) -> bytes:
        response = system["request"].response
        response.headers["Content-Type"] = MEDIA_TYPE
        return orjson.dumps(document)

    return render


def error_response(request: Request, error: JSONAPIError) -> Response:
    """Answer with an errors document; negotiation does not apply to it."""
    document = errors_document(error.errors, request.request_id)
    response = Response(orjson.dumps(document), status=error.status)
    response.headers["Content-Type"] = MEDIA_TYPE
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(error.headers)
    return response
