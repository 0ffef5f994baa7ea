"""Requests that are carried out once more, because an engine gave their transaction up."""

import random
import time
from io import BytesIO
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from users_service.database.transactions import RETRIED, may_change
from users_service.settings import Settings

# Waits before a new attempt double from the first to the longest; each is drawn at random below
# that, so that contenders do not meet again.
FIRST_WAIT = 0.01
LONGEST_WAIT = 0.5

# Deadlock, record changed since the last read, lock wait timeout.
MARIADB_CONFLICTS = {1213, 1020, 1205}
# Lock not available, which is lock_timeout's.
POSTGRESQL_LOCK_TIMEOUT = "55P03"
SQLITE_CONFLICTS = {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED


def includeme(config: Configurator) -> None:
    settings: Settings = config.registry["settings"]
    config.set_execution_policy(retry_policy(settings.retry_deadline, settings.max_body_size))


def is_conflict(error: BaseException | None) -> bool:
    """Whether an engine gave this transaction up in favour of another: it may succeed next time.

    A violated constraint is no conflict but an answer. Nor is a lost connection: whether a COMMIT
    arrived is not known then, and a second one could store a thing twice.
    """
    if isinstance(error, StaleDataError):
        return True
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return False
    original: Any = error.orig
    if state := getattr(original, "sqlstate", None):
        return str(state).startswith("40") or state == POSTGRESQL_LOCK_TIMEOUT
    if code := getattr(original, "sqlite_errorcode", None):
        return (code & 0xFF) in SQLITE_CONFLICTS
    return bool(original.args) and original.args[0] in MARIADB_CONFLICTS


def _is_read_on_lost_connection(request: Request) -> bool:
    """Whether a connection was lost by a request that changes nothing: another one will do."""
    error = request.exception
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost and not may_change(request)


def _is_repeatable(request: Request, max_body_size: int) -> bool:
    """Whether the body of a request, if it has one, can be kept for another attempt."""
    if request.content_length is None:  # then it is chunked, or not there (RFC 9112 §6.3)
        return "HTTP_TRANSFER_ENCODING" not in request.environ
    length: int = request.content_length
    return length <= max_body_size


def _keep_body(request: Request) -> None:
    """Let the body be read once more, from its start."""
    if isinstance(request.environ["wsgi.input"], BytesIO):  # as waitress gives it
        request.is_body_seekable = True
    request.make_body_seekable()


def retry_policy(deadline: float, max_body_size: int) -> Any:
    """Return the execution policy that tries a request again, from its start, after a conflict.

    It looks at `request.exception`, which exception views leave behind, for errors of statements
    and of COMMIT alike. Once the deadline has passed, the view's answer is the answer.

    :param deadline: seconds from a request's start in which a new attempt may begin.
    :param max_body_size: the largest body, in bytes, that is kept for further attempts.
    """

    def policy(environ: dict[str, Any], router: Any) -> Response:
        end = time.monotonic() + deadline
        longest = FIRST_WAIT
        while True:
            with router.request_context(environ) as request:
                repeatable = _is_repeatable(request, max_body_size)
                if repeatable and request.content_length:
                    _keep_body(request)
                response: Response = router.invoke_request(request)
                conflict = repeatable and (
                    is_conflict(request.exception) or _is_read_on_lost_connection(request)
                )
            wait = random.uniform(0, longest)  # noqa: S311  # spreads contenders; guards nothing
            if not conflict or time.monotonic() + wait > end:
                return response
            environ[RETRIED] = True
            time.sleep(wait)
            longest = min(2 * longest, LONGEST_WAIT)

    return policy
