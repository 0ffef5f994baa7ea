"""The endpoints `/livez` and `/readyz`, and the exception view outside of the API.

A new endpoint that is not a resource can follow this module.
"""

from typing import Any

from cornice.service import Service
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPError
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from users_service.database import takes_changes
from users_service.jsonapi import Error, JSONAPIError, error_of, error_response, list_methods

# The path of the liveness check, which takes no database connection.
LIVENESS = "/livez"
# A key of the WSGI environment: whether the process is stopping.
STOPPING = "users_service.stopping"


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
    """Answer with an errors document, so that clients get the same kind of error at every URL."""
    return error_response(request, error_of(exception, request))


def includeme(config: Configurator) -> None:
    for view in (livez, readyz):
        service = Service(name=view.__name__, path=f"/{view.__name__}", renderer="json")
        service.add_view("GET", view, permission=NO_PERMISSION_REQUIRED)
        service.add_view("OPTIONS", list_methods, permission=NO_PERMISSION_REQUIRED)
        config.add_cornice_service(service)
    # HTTPError is listed too, because Pyramid has a view for it, which answers with an HTML page.
    for context in (HTTPError, Exception):
        config.add_exception_view(show_error, context=context)
