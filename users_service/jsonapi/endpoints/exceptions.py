"""Every exception view: whatever goes wrong, the answer is an errors document.

Faults of the service are logged with the request's id, which the document repeats; the document
says no more than that.
"""

import logging

from pyramid.config import Configurator
from pyramid.exceptions import URLDecodeError
from pyramid.httpexceptions import HTTPException
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError

from ..documents.responses import error_response
from ..errors import Error, JSONAPIError, code_of_status
from ..resource import Resource
from ..writing.conflicts import conflict

logger = logging.getLogger(__name__)

# What belongs to a status and not to the page that Pyramid would answer with.
KEPT_HEADERS = ("Retry-After", "WWW-Authenticate")

# A host's own words are not repeated: they may say more than a client should know.
DETAILS = {
    403: "This request is not permitted.",
    404: "There is no resource at this URL.",
    405: "This URL does not have the method.",
}


def jsonapi_error(error: JSONAPIError, request: Request) -> Response:
    return error_response(request, error)


def http_error(error: HTTPException, request: Request) -> Response:
    """What Pyramid and Cornice raise: 404, 405, 403 and their like."""
    if error.status_int < 400:
        return error
    code = code_of_status(error.status_int)
    detail = DETAILS.get(error.status_int, "The request cannot be served.")
    headers = {name: error.headers[name] for name in KEPT_HEADERS if name in error.headers}
    if error.allow:
        headers["Allow"] = ", ".join(sorted(error.allow))
    return error_response(request, JSONAPIError(Error(code=code, detail=detail), headers=headers))


def undecodable_url(_error: URLDecodeError, request: Request) -> Response:
    detail = "The path of the URL is not UTF-8."
    return error_response(request, JSONAPIError(Error(code="bad_request", detail=detail)))


def integrity_error(error: IntegrityError, request: Request) -> Response:
    resource = getattr(request, "context", None)
    if not isinstance(resource, Resource):
        return internal_error(error, request)
    return error_response(request, JSONAPIError(conflict(error, resource, ())))


def data_error(_error: DataError, request: Request) -> Response:
    detail = "A value cannot be stored by the database."
    return error_response(request, JSONAPIError(Error(code="bad_request", detail=detail)))


def database_unavailable(error: Exception, request: Request) -> Response:
    """The database is down, overloaded, or kept refusing this request in favour of others."""
    logger.warning("The database did not serve request %s: %s", request.request_id, error)
    detail = "The database cannot serve this request now; try again."
    return error_response(
        request,
        JSONAPIError(Error(code="unavailable", detail=detail), headers={"Retry-After": "1"}),
    )


def internal_error(error: Exception, request: Request) -> Response:
    logger.error("500 for request %s", request.request_id, exc_info=error)
    detail = "The service failed; its log has the id of this error."
    return error_response(request, JSONAPIError(Error(code="internal_error", detail=detail)))


def includeme(config: Configurator) -> None:
    for context, view in (
        (JSONAPIError, jsonapi_error),
        (HTTPException, http_error),
        (URLDecodeError, undecodable_url),
        (IntegrityError, integrity_error),
        (DataError, data_error),
        (OperationalError, database_unavailable),
        (InterfaceError, database_unavailable),
        (PoolTimeoutError, database_unavailable),
        (StaleDataError, database_unavailable),
        (Exception, internal_error),
    ):
        config.add_exception_view(view, context=context)
