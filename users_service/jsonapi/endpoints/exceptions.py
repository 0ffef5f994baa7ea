"""The exception view below the prefix of the API: makes errors documents (§7 Errors).

Errors of the service are logged with the id of the request. The document shows only this id.
"""

import logging

from pyramid.config import Configurator
from pyramid.exceptions import URLDecodeError
from pyramid.httpexceptions import HTTPException, HTTPForbidden, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError

from ..api import api_of
from ..documents import error_response
from ..errors import Error, JSONAPIError, of_status
from ..resource import Resource
from ..writing import conflict

logger = logging.getLogger(__name__)

# Header fields of Pyramid's HTTP exceptions that errors documents keep.
STATUS_HEADERS = ("Retry-After", "WWW-Authenticate")

# Instead of the exception's own text, which may say more than a client should know.
DETAILS = {
    403: "You may not do this.",
    404: "There is no resource at this URL.",
    405: "This URL does not have the method {method}.",
}

# Pyramid chooses the exception view of the most specific class. Every class that a host may have a
# view for is listed here, so that the host's view is not chosen below the prefix.
EXCEPTIONS = (
    JSONAPIError,
    HTTPException,
    HTTPNotFound,
    HTTPForbidden,
    URLDecodeError,
    IntegrityError,
    DataError,
    OperationalError,
    InterfaceError,
    PoolTimeoutError,
    StaleDataError,
    Exception,
)


def error_of(exception: Exception, request: Request) -> JSONAPIError:
    """Return the errors for an exception, and log it if the client is not the cause.

    :param exception: a `JSONAPIError` is returned as it is. An HTTP exception of Pyramid or Cornice
        keeps its status; do not pass redirects. Errors of SQLAlchemy become 400, 409, 503 or 500,
        and all others 500.
    :param request: the request that raised it.
    """
    match exception:
        case JSONAPIError():
            return exception
        case HTTPException():
            return _http_error(exception, request)
        case URLDecodeError():
            return _error("bad_request", "The path of the URL is not UTF-8.")
        case IntegrityError() if isinstance(getattr(request, "context", None), Resource):
            return JSONAPIError(conflict(exception, request.context, ()))
        case DataError():
            return _error("bad_request", "A value cannot be stored by the database.")
        case StaleDataError():
            # The host may start the request over, which is no fault of anybody.
            logger.info("The request %s met another change.", request.request_id)
            return _unavailable()
        case OperationalError() | InterfaceError() | PoolTimeoutError():
            # The database is down or overloaded, or conflicts with other requests did not end.
            logger.warning("The database did not serve %s: %s", request.request_id, exception)
            return _unavailable()
        case _:
            logger.error("500 for request %s", request.request_id, exc_info=exception)
            detail = "The service failed. Its log has more under the id of this error."
            return _error("internal_error", detail)


def _http_error(error: HTTPException, request: Request) -> JSONAPIError:
    detail = DETAILS.get(error.status_int, "The request cannot be served.")
    headers = {name: error.headers[name] for name in STATUS_HEADERS if name in error.headers}
    if error.allow:
        headers["Allow"] = ", ".join(sorted(error.allow))
    method = request.method[:40]
    fault = of_status(error.status_int, detail.format(method=method))
    return JSONAPIError(fault, headers=headers)


def _unavailable() -> JSONAPIError:
    detail = "The database cannot serve this request now; try again later."
    return _error("unavailable", detail, **{"Retry-After": "1"})


def _error(code: str, detail: str, **headers: str) -> JSONAPIError:
    return JSONAPIError(Error(code=code, detail=detail), headers=headers)


def show_error(exception: Exception, request: Request) -> Response:
    """Answer a request below the API's prefix with an errors document."""
    if isinstance(exception, HTTPException) and exception.status_int < 400:
        return exception  # a redirect
    return error_response(request, error_of(exception, request))


class BelowPrefix:
    """A view predicate: whether the path of a request is below the prefix of the API.

    It compares paths, not routes, because an unknown URL has no route.
    """

    def __init__(self, wanted: bool, _config: Configurator) -> None:
        self.wanted = wanted

    def text(self) -> str:
        return f"below_jsonapi_prefix = {self.wanted}"

    phash = text

    def __call__(self, _context: object, request: Request) -> bool:
        # request.path_info raises an error if the path is not UTF-8.
        path = request.environ.get("PATH_INFO", "")
        return api_of(request.registry).covers(path) == self.wanted


def includeme(config: Configurator) -> None:
    config.add_view_predicate("below_jsonapi_prefix", BelowPrefix)
    for context in EXCEPTIONS:
        config.add_exception_view(show_error, context=context, below_jsonapi_prefix=True)
