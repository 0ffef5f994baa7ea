"""What is outside of the API: whether the process lives and can serve, and how errors are answered.

It is the pattern for an endpoint that is no resource.
"""

from typing import Any

from cornice.service import Service
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPError
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy import select

from users_service.jsonapi import Error, JSONAPIError, error_of, error_response, list_methods

# The path that tells whether the process lives: it takes no connection, and waits for nothing.
LIVENESS = "/livez"
# In the WSGI environment: whether the process has been told to stop.
STOPPING = "users_service.stopping"


def livez(request: Request) -> dict[str, Any]:
    """Answer as long as the process can answer at all."""
    return {"status": "ok"}


def readyz(request: Request) -> dict[str, Any]:
    """Answer if the database does and the process is not about to stop; 503 otherwise."""
    if request.environ.get(STOPPING):
        error = Error(code="unavailable", detail="This process is about to stop.")
        raise JSONAPIError(error, headers={"Retry-After": "1"})
    request.dbconnection.execute(select(1))
    return {"status": "ok"}


def show_error(exception: Exception, request: Request) -> Response:
    """Answer as the API does, so that clients find one kind of error at every URL."""
    return error_response(request, error_of(exception, request))


def includeme(config: Configurator) -> None:
    for view in (livez, readyz):
        service = Service(name=view.__name__, path=f"/{view.__name__}", renderer="json")
        service.add_view("GET", view, permission=NO_PERMISSION_REQUIRED)
        service.add_view("OPTIONS", list_methods, permission=NO_PERMISSION_REQUIRED)
        config.add_cornice_service(service)
    # Pyramid's own view for HTTP errors, which would answer with a page, has their class as well.
    for context in (HTTPError, Exception):
        config.add_exception_view(show_error, context=context)
