"""Header fields by which browsers and caches guard answers: CORS, HSTS, what is never stored, and
what the pages of the browser UI may do.

Pages of the origins in the setting `cors_origins` may read answers, by the Fetch standard's CORS
protocol. They never get credentials that the browser keeps: cookies are for our own pages alone.
"""

from collections.abc import Callable

from pyramid.config import Configurator
from pyramid.registry import Registry
from pyramid.request import Request
from pyramid.response import Response

from users_service.jsonapi import RESPONSES_TWEEN

# The tween that adds these header fields.
TWEEN = f"{__name__}.guard_answers"

# What pages of other origins may send, besides what every page may. X-Requested-With is not among
# them: it makes the cookie count.
REQUEST_HEADERS = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-ID",
    "traceparent",
)
# What they may read of an answer, besides its body and what every page may.
RESPONSE_HEADERS = ("ETag", "Location", "Retry-After", "X-Request-ID")

# Seconds for which a browser may remember what a preflight has granted.
PREFLIGHT_AGE = 3600

# A year, in seconds (RFC 6797 §6.1.1). Other hosts below this one are not ours to speak for.
STRICT_TRANSPORT = "max-age=31536000"

# Below the prefix of the API: everything that is about tokens.
NEVER_STORED = ("/auth/", "/tokens")

# The path of the browser UI.
UI = "/ui"

# Its scripts, styles and requests are those of its own origin. Scripts build it of nodes: there is
# no way to make any out of a text (Trusted Types).
UI_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
# What browsers offer to pages, and the UI never needs.
UNUSED_FEATURES = (
    *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen"),
    *("geolocation", "gyroscope", "hid", "magnetometer", "microphone", "midi", "payment"),
    *("picture-in-picture", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"),
)
UI_HEADERS = {
    "Content-Security-Policy": UI_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{name}=()" for name in UNUSED_FEATURES),
    "Referrer-Policy": "no-referrer",
}


def readable_by(origins: frozenset[str], origin: str) -> dict[str, str]:
    """Return the header fields that let a page read an answer (Fetch, CORS protocol).

    :param origins: the origins whose pages may.
    :param origin: the origin of the page, which the request has in `Origin`.
    """
    if origin not in origins:
        return {}
    exposed = ", ".join(RESPONSE_HEADERS)
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": exposed}


def guarding(path: str) -> dict[str, str]:
    """Return the header fields that every answer at a path has, errors too.

    :param path: without the prefix of the service.
    """
    return UI_HEADERS if path == UI or path.startswith(f"{UI}/") else {}


def guard_answers(
    handler: Callable[[Request], Response], registry: Registry
) -> Callable[[Request], Response]:
    """Make the tween that adds the header fields to every answer of the application."""
    origins = registry["settings"].cors_origins
    private = tuple(f"{registry['api_prefix']}{path}" for path in NEVER_STORED)

    def guard(request: Request) -> Response:
        environ = request.environ
        response = handler(request)
        if environ["wsgi.url_scheme"] == "https":
            response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
        path = environ.get("PATH_INFO", "")
        response.headers.update(guarding(path))
        if path.startswith(private):
            response.headers["Cache-Control"] = "no-store"
        if origins:
            response.vary = (*(response.vary or ()), "Origin")
            if granted := readable_by(origins, environ.get("HTTP_ORIGIN", "")):
                response.headers.update(granted)
                response.headers.update(_allowed(request, response))
        return response

    return guard


def _allowed(request: Request, response: Response) -> dict[str, str]:
    """Return what an answer allows, if the request is a preflight.

    It is answered as any `OPTIONS`, whose `Allow` names the methods of the URL.
    """
    is_preflight = (
        request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.environ
    )
    if not is_preflight or response.status_int >= 300:
        return {}
    return {
        "Access-Control-Allow-Methods": response.headers.get("Allow", ""),
        "Access-Control-Allow-Headers": ", ".join(REQUEST_HEADERS),
        "Access-Control-Max-Age": str(PREFLIGHT_AGE),
    }


def includeme(config: Configurator) -> None:
    config.registry["api_prefix"] = f"/{config.route_prefix}" if config.route_prefix else ""
    config.add_tween(TWEEN, under=RESPONSES_TWEEN, over="users_service.targets.check_targets")
