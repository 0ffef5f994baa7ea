"""Makes HTTP responses: the body, entity tags, conditional requests, and common header fields."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response

from ..api import api_of
from ..errors import JSONAPIError, errors_document
from ..reading import challenge, is_anonymous
from .media import PLAIN, Media
from .tags import entity_tag

# A key of the WSGI environment: the id that was made for a request.
REQUEST_ID = "jsonapi.request_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of a view, from which the response is made.

    :param document: the response document; None for a response without content.
    :param headers: further header fields.
    :param version: the version of the resource in the document, for the entity tag.
    :param media: the media type; None for the negotiated one.
    :param changes: the `Change`s that the view has made, for the host's change handlers.
    """

    document: dict[str, Any] | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None
    media: Media | None = None
    changes: Sequence[Any] = ()


def dumps(document: Any) -> bytes:
    """Return a document as JSON. A datetime in UTC is written as in RFC 3339 §5.6, with a Z."""
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def respond(request: Request, answer: Answer) -> Response:
    """Return the response for an answer."""
    document = answer.document
    headers = {**_headers_of_secrecy(request), **answer.headers}
    if document is None:
        return Response(status=answer.status, content_type=None, headerlist=list(headers.items()))
    media = _negotiated(request) if answer.media is None else answer.media
    if media != PLAIN:
        document["jsonapi"] = media.jsonapi_object
        if "links" in document:
            link = {"href": document["links"]["self"], "type": media.content_type}
            document["links"]["self"] = link
    _link_to_description(request, document)
    body = dumps(document)
    headerlist = [("Content-Type", media.content_type), ("Content-Length", str(len(body)))]
    headerlist += headers.items()
    if answer.version is not None or request.method in ("GET", "HEAD"):
        headerlist.append(("ETag", f'"{entity_tag(answer.version, media, body)}"'))
    return Response(app_iter=[body], status=answer.status, headerlist=headerlist)


def error_response(request: Request, error: JSONAPIError) -> Response:
    """Return the response with an errors document (§7 Errors), also for exception views of a host.

    Its media type is the negotiated one, or JSON:API's without parameters if the request failed
    before the negotiation. Caches may not store it (RFC 9111 §5.2.2.5). Where an error is 401, it
    says how to authenticate.

    :param request: has the id that each error object repeats.
    :param error: has the error objects, their common status, and header fields.
    """
    media = _negotiated(request)
    document = errors_document(error.errors, request.request_id, media.jsonapi_object)
    _link_to_description(request, document)
    response = Response(orjson.dumps(document), status=error.status)
    response.headers["Content-Type"] = media.content_type
    response.headers["Cache-Control"] = "no-store"
    if vary := _vary(request):
        response.headers["Vary"] = vary
    if any(one.status == HTTPStatus.UNAUTHORIZED for one in error.errors):
        response.headers.update(challenge(request))
    response.headers.update(error.headers)
    return response


def _headers_of_secrecy(request: Request) -> dict[str, str]:
    """The header fields that keep an answer from those whom it is not for (RFC 9111 §5.2.2.5)."""
    headers = {}
    if vary := _vary(request):
        headers["Vary"] = vary
    if not is_anonymous(request):
        headers["Cache-Control"] = "no-store"
    return headers


def _vary(request: Request) -> str:
    """The request header fields by which the security policy decides, as a value of `Vary`."""
    security = api_of(request.registry).security
    return "" if security is None else ", ".join(security.vary)


def _negotiated(request: Request) -> Media:
    """The negotiated media type; the plain one before the negotiation."""
    media: Media = getattr(request, "validated", {}).get("media", PLAIN)
    return media


def _link_to_description(request: Request, document: dict[str, Any]) -> None:
    """Add the link to the OpenAPI document, if there is one (§5.1 `describedby`)."""
    if request.description_url is not None:
        document.setdefault("links", {})["describedby"] = request.description_url


def revalidate(request: Request, response: Response) -> None:
    """Answer 304 to a client that has the current representation (RFC 9110 §13.1.2)."""
    known = request.headers.get("If-None-Match", "")
    tag = response.etag
    if tag is None or response.status_int != 200 or request.method not in ("GET", "HEAD"):
        return
    # Weak comparison. WebOb's own knows neither W/ nor *.
    if known.strip() == "*" or tag in re.findall(r'(?:W/)?"([^"]*)"', known):
        response.status_int = 304
        response.app_iter = []
        response.content_length = None
        del response.headers["Content-Type"]


def request_id(request: Request) -> str:
    """The id of a request: a valid `X-Request-ID`, the trace id, or else a random one.

    The trace id is that of the header `traceparent` (W3C Trace Context §3.2). A request that the
    host starts over keeps its id.
    """
    given: str = request.environ.get("HTTP_X_REQUEST_ID", "")
    if given and re.fullmatch(r"[A-Za-z0-9._-]{1,128}", given):
        return given
    parent = request.environ.get("HTTP_TRACEPARENT", "")
    trace = re.fullmatch(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-.{2,}", parent)
    if trace:
        return str(trace[1])
    # The id is no secret: it need not come from the operating system, which takes longer.
    made: str = request.environ.setdefault(REQUEST_ID, f"{random.getrandbits(128):032x}")
    return made


def complete_responses(handler: Any, _registry: Registry) -> Callable[[Request], Response]:
    """Make the tween that adds common header fields to every response, errors included."""

    def complete(request: Request) -> Response:
        response: Response = handler(request)
        if "HTTP_IF_NONE_MATCH" in request.environ:
            revalidate(request, response)
        headers = response.headers
        vary = {*(response.vary or ()), "Accept"} if "Vary" in headers else {"Accept"}
        headers["Vary"] = ", ".join(sorted(vary))
        headers["X-Request-ID"] = request.request_id
        # Browsers must not take JSON for HTML, whatever text is in it.
        headers["X-Content-Type-Options"] = "nosniff"
        has_credentials = "HTTP_AUTHORIZATION" in request.environ
        headers.setdefault("Cache-Control", "no-store" if has_credentials else "no-cache")
        return response

    return complete
