"""What was raised becomes an errors document (§7 Errors): for every request below the API's prefix.

Faults of the service are logged with the request's id, which the document repeats; the document
says no more than that.
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
from ..errors import Error, JSONAPIError, code_of_status
from ..resource import Resource
from ..writing import conflict

logger = logging.getLogger(__name__)

# What belongs to a status and not to the page that Pyramid would answer with.
KEPT_HEADERS = ("Retry-After", "WWW-Authenticate")

# A host's own words are not repeated: they may say more than a client should know.
DETAILS = {
    403: "This request is not permitted.",
    404: "There is no resource at this URL.",
    405: "This URL does not have the method.",
}

# A view answers for its own class of exceptions before those for their bases are asked: each class
# that a host may have a view for is listed, so that below the prefix the host's is not asked.
ANSWERED = (
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
    """Return what an errors document says of an exception, and log it if it is no client's fault.

    :param exception: whatever was raised. A `JSONAPIError` is returned as it is. What Pyramid and
        Cornice raise keeps its status where that has a code, and is 400 or 500 otherwise; redirects
        are no errors. What SQLAlchemy raises is 400, 409, 503 or 500, and all else is 500.
    :param request: the request that ended with it.
    """
    match exception:
        case JSONAPIError():
            return exception
        case HTTPException():
            return _http_error(exception)
        case URLDecodeError():
            return _error("bad_request", "The path of the URL is not UTF-8.")
        case IntegrityError() if isinstance(getattr(request, "context", None), Resource):
            return JSONAPIError(conflict(exception, request.context, ()))
        case DataError():
            return _error("bad_request", "A value cannot be stored by the database.")
        case OperationalError() | InterfaceError() | PoolTimeoutError() | StaleDataError():
            # The database is down, overloaded, or kept refusing this request in favour of others.
            logger.warning("The database did not serve %s: %s", request.request_id, exception)
            detail = "The database cannot serve this request now; try again."
            return _error("unavailable", detail, **{"Retry-After": "1"})
        case _:
            logger.error("500 for request %s", request.request_id, exc_info=exception)
            detail = "The service failed; its log has the id of this error."
            return _error("internal_error", detail)


def _http_error(error: HTTPException) -> JSONAPIError:
    code = code_of_status(error.status_int)
    detail = DETAILS.get(error.status_int, "The request cannot be served.")
    headers = {name: error.headers[name] for name in KEPT_HEADERS if name in error.headers}
    if error.allow:
        headers["Allow"] = ", ".join(sorted(error.allow))
    return _error(code, detail, **headers)


def _error(code: str, detail: str, **headers: str) -> JSONAPIError:
    return JSONAPIError(Error(code=code, detail=detail), headers=headers)


def show_error(exception: Exception, request: Request) -> Response:
    """Answer a request below the API's prefix with an errors document."""
    if isinstance(exception, HTTPException) and exception.status_int < 400:
        return exception  # a redirect
    return error_response(request, error_of(exception, request))


class BelowPrefix:
    """A view predicate: whether the path of a request is below the API's prefix.

    It looks at the path and not at the route, which there is none of if the URL is unknown.
    """

    def __init__(self, wanted: bool, _config: Configurator) -> None:
        self.wanted = wanted

    def text(self) -> str:
        return f"below_jsonapi_prefix = {self.wanted}"

    phash = text

    def __call__(self, _context: object, request: Request) -> bool:
        # request.path_info would fail for a path that is not UTF-8.
        path = request.environ.get("PATH_INFO", "")
        return api_of(request.registry).covers(path) == self.wanted


def includeme(config: Configurator) -> None:
    config.add_view_predicate("below_jsonapi_prefix", BelowPrefix)
    for context in ANSWERED:
        config.add_exception_view(show_error, context=context, below_jsonapi_prefix=True)
