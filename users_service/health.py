"""The endpoints `/livez` and `/readyz`, and the exception view outside of the API.

A new endpoint that is not a resource can follow this module.
"""

from html import escape
from typing import Any

from cornice.service import Service
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPError
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from users_service.database import takes_changes
from users_service.jsonapi import (
    MEDIA_TYPE,
    Error,
    JSONAPIError,
    error_of,
    error_response,
    list_methods,
    preferred,
)

# The paths of the checks. That of liveness takes no database connection.
LIVENESS = "/livez"
READINESS = "/readyz"
# A key of the WSGI environment: whether the process is stopping.
STOPPING = "users_service.stopping"

# The page of an error, made of an error object.
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{status} {title}</title>
</head>
<body>
<h1>{title}</h1>
<p>{detail}</p>
<p>Request: <code>{id}</code></p>
</body>
</html>
"""
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def livez(request: Request) -> dict[str, Any]:
    """Answer 200 while the process can answer requests."""
    return {"status": "ok"}


def readyz(request: Request) -> dict[str, Any]:
    """Answer 200 if the database takes changes and the process is not stopping; 503 otherwise."""
    if request.environ.get(STOPPING):
        raise _unavailable("This process is stopping; try another one.")
    if not takes_changes(request):
        raise _unavailable("The database takes no changes now.")
    return {"status": "ok"}


def _unavailable(detail: str) -> JSONAPIError:
    return JSONAPIError(Error(code="unavailable", detail=detail), headers={"Retry-After": "1"})


def show_error(exception: Exception, request: Request) -> Response:
    """Answer with a page to those who prefer HTML, as browsers do; with an errors document to
    others, so that clients get the same kind of error at every URL.
    """
    error = error_of(exception, request)
    accept = request.headers.get("Accept", "")
    if preferred(accept, (MEDIA_TYPE, "application/json", "text/html")) == "text/html":
        return error_page(request, error)
    return error_response(request, error)


def error_page(request: Request, error: JSONAPIError) -> Response:
    """Return the response with a page that loads nothing, and says what an errors document would.

    :param request: has the id that the page shows.
    """
    shown = error.errors[0].as_object(request.request_id)
    page = PAGE.format_map({name: escape(str(text)) for name, text in shown.items()})
    response = Response(page, status=error.status, content_type="text/html", charset="utf-8")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers.update(error.headers)
    return response


def includeme(config: Configurator) -> None:
    for view in (livez, readyz):
        service = Service(name=view.__name__, path=f"/{view.__name__}", renderer="json")
        service.add_view("GET", view, permission=NO_PERMISSION_REQUIRED)
        service.add_view("OPTIONS", list_methods, permission=NO_PERMISSION_REQUIRED)
        config.add_cornice_service(service)
    # HTTPError is listed too, because Pyramid has a view for it, which answers with an HTML page.
    for context in (HTTPError, Exception):
        config.add_exception_view(show_error, context=context)
