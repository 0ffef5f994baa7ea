"""What a request is for: its host and its path, as the client wrote them."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from pyramid.config import Configurator
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response

from users_service.health import LIVENESS, READINESS
from users_service.hosts import host_of, is_allowed
from users_service.jsonapi import RESPONSES_TWEEN, Error, JSONAPIError, error_response

METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST"

# What stands before the path of an absolute URL.
BEFORE_PATH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?]*")
ENCODED_SLASH = re.compile("%2[fF]")

HOST = {"header": "Host"}
MALFORMED_HOST = Error(
    code="invalid_host",
    detail="The host of the request must be one name or address, with or without a port.",
    source=HOST,
)
NO_HOST = Error(
    code="invalid_host",
    detail="The request has no Host, and links cannot be made without one.",
    source=HOST,
)
ASTERISK = Error(code="bad_request", detail="The target * is for OPTIONS alone.")


def check_targets(handler: Any, registry: Registry) -> Callable[[Request], Response]:
    """Make the tween that refuses requests by their host (RFC 9110 §7.2), whatever their path is.

    `/livez` and `/readyz` make no links. They also answer those who call a process by its address.
    """
    judge = _judge(registry["settings"].allowed_hosts)

    def check(request: Request) -> Response:
        environ = request.environ
        path = environ.get("PATH_INFO", "")
        given = environ.get("HTTP_HOST")
        host, refusal = judge(given)
        if refusal is not None:
            request.description_url = None  # no link is made of this host
            if path not in (LIVENESS, READINESS) or not _may_be_foreign(environ, host):
                return error_response(request, JSONAPIError(refusal))
        elif host != given:
            environ["HTTP_HOST"] = host
        if path == "*":
            return _answer_for_the_server(request)
        keep_slashes(environ)
        return handler(request)

    return check


def _judge(allowed: frozenset[str]) -> Callable[[str | None], tuple[str | None, Error | None]]:
    """Return a function from what a client sent as its host to the host in one spelling, and to the
    error if it is refused. It remembers some of them, as they are few.
    """

    @lru_cache(maxsize=256)
    def judge(given: str | None) -> tuple[str | None, Error | None]:
        if given is None:
            return None, NO_HOST
        host = host_of(given)
        if host is None:
            return None, MALFORMED_HOST
        if is_allowed(host, allowed):
            return host, None
        detail = f"The service does not answer for {host}: its setting allowed_hosts lacks it."
        return host, Error(code="invalid_host", detail=detail, source=HOST)

    return judge


def _may_be_foreign(environ: dict[str, Any], host: str | None) -> bool:
    """Whether a request is well-formed with a host that is refused: it has a valid one, or it has
    none and is older than HTTP/1.1, which demands one (RFC 9112 §3.2).
    """
    is_old = environ.get("SERVER_PROTOCOL") != "HTTP/1.1"
    return host is not None or ("HTTP_HOST" not in environ and is_old)


def _answer_for_the_server(request: Request) -> Response:
    """Answer `OPTIONS *`, which asks about the server as a whole (RFC 9110 §9.3.7)."""
    if request.method != "OPTIONS":
        return error_response(request, JSONAPIError(ASTERISK))
    return Response(status=204, content_type=None, headerlist=[("Allow", METHODS)])


def keep_slashes(environ: dict[str, Any]) -> None:
    """Keep `%2F` in the path, where the slash is part of a segment (RFC 3986 §2.2), and the number
    of slashes at its beginning.

    WSGI servers decode the path. Some also give the target as it was sent: waitress and others as
    `REQUEST_URI`, gunicorn as `RAW_URI`. Under the rest, `%2F` is a slash.
    """
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    if "%2" not in target and "//" not in target:
        return
    path = BEFORE_PATH.sub("", target.partition("?")[0], count=1)
    if not ENCODED_SLASH.search(path) and not path.startswith("//"):
        return
    kept = unquote_to_bytes(ENCODED_SLASH.sub("%252F", path).encode("latin-1")).decode("latin-1")
    environ["PATH_INFO"] = kept.removeprefix(environ.get("SCRIPT_NAME", ""))


def includeme(config: Configurator) -> None:
    config.add_tween(f"{__name__}.check_targets", under=RESPONSES_TWEEN)
