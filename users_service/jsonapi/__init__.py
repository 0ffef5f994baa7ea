"""JSON:API 1.1 on Pyramid, Cornice, marshmallow-jsonapi and SQLAlchemy, for any host application.

What it gives: `config.add_jsonapi_resource(model, schema)` serves a mapped class at the URLs that
JSON:API recommends, below the route prefix of the caller; whatever goes wrong is answered with an
errors document. `config.set_jsonapi_limits(Limits(…))` bounds what clients control, and
`config.add_jsonapi_description(Information(…))` serves the OpenAPI document of all of it.

What it asks for: `request.dbconnection`, an SQLAlchemy connection whose transaction the host
commits or rolls back, and whose statements may lock rows in any order if `is_batch(request)`; a
security policy that knows the permissions `<type>:read`, `:create`, `:update` and `:delete`. For a
request with a safe method its execution option `snapshot` may have the options with which several
of its statements see one state. Constraints need names, by a naming convention, to be led back to
fields; text columns need a collation by code point to be sorted the same on every engine; ids and
integers need bounds in the schema. A Cornice service of the host's own answers in kind with
`error_handler=cornice_errors`, and to OPTIONS with the view `list_methods`.

It creates no session, commits nothing, spells no URL prefix, and knows none of the host's
resources.
"""

import random
import re
from collections.abc import Callable
from typing import Any

from pyramid.config import Configurator
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import INGRESS

from users_service.jsonapi.errors import Error, JSONAPIError
from users_service.jsonapi.limits import Limits
from users_service.jsonapi.links import base_url, description_url, is_batch
from users_service.jsonapi.media import revalidate
from users_service.jsonapi.openapi import Information
from users_service.jsonapi.services import (
    add_jsonapi_description,
    add_jsonapi_entry,
    add_jsonapi_resource,
    cornice_errors,
    include_cornice,
)
from users_service.jsonapi.views import list_methods

__all__ = [
    "Error",
    "Information",
    "JSONAPIError",
    "Limits",
    "cornice_errors",
    "includeme",
    "is_batch",
    "list_methods",
]


def includeme(config: Configurator) -> None:
    config.include(include_cornice)
    config.include("users_service.jsonapi.exceptions")
    config.add_directive("add_jsonapi_resource", add_jsonapi_resource)
    config.add_directive("add_jsonapi_entry", add_jsonapi_entry)
    config.add_directive("add_jsonapi_description", add_jsonapi_description)
    config.add_directive("set_jsonapi_limits", set_jsonapi_limits)
    config.set_jsonapi_limits(Limits())
    config.add_request_method(request_limits, "jsonapi_limits", property=True)
    config.add_request_method(request_id, reify=True)
    config.registry["jsonapi_paths"] = {}
    config.add_request_method(base_url, "jsonapi_base_url", reify=True)
    config.add_request_method(description_url, reify=True)
    config.add_tween("users_service.jsonapi.complete_responses", under=INGRESS)


def set_jsonapi_limits(config: Configurator, limits: Limits) -> None:
    config.registry["jsonapi_limits"] = limits


def request_limits(request: Request) -> Limits:
    limits: Limits = request.registry["jsonapi_limits"]
    return limits


def request_id(request: Request) -> str:
    """The client's `X-Request-ID` if it is harmless, or the trace that it is part of, or a new one.

    A trace is given by the header `traceparent` (W3C Trace Context §3.2).
    """
    given: str = request.environ.get("HTTP_X_REQUEST_ID", "")
    if given and re.fullmatch(r"[A-Za-z0-9._-]{1,128}", given):
        return given
    parent = request.environ.get("HTTP_TRACEPARENT", "")
    trace = re.fullmatch(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-.{2,}", parent)
    # It is no secret. To ask the system for randomness would let go of the interpreter's lock.
    return str(trace[1]) if trace else f"{random.getrandbits(128):032x}"


def complete_responses(handler: Any, _registry: Registry) -> Callable[[Request], Response]:
    """Make the tween that completes every response, errors included."""

    def complete(request: Request) -> Response:
        response: Response = handler(request)
        if "HTTP_IF_NONE_MATCH" in request.environ:
            revalidate(request, response)
        headers = response.headers
        vary = {*(response.vary or ()), "Accept"} if "Vary" in headers else {"Accept"}
        headers["Vary"] = ", ".join(sorted(vary))
        headers["X-Request-ID"] = request.request_id
        # Nobody takes JSON for a page, whatever is in its texts.
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("Cache-Control", "no-cache")
        return response

    return complete
