"""Retries requests whose transaction was rolled back by the engine because of a conflict."""

import random
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeVar

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from users_service.database.driver_errors import Outcome, rule_of
from users_service.database.engine import changes
from users_service.database.transactions import RETRIED, may_change
from users_service.settings import Settings

# Seconds. The limit of the wait before a retry doubles from the first to the longest. The wait is
# a random time below the limit, so that the same requests do not meet again.
FIRST_WAIT = 0.01
LONGEST_WAIT = 0.5

Result = TypeVar("Result")


class StartOverError(StaleDataError):
    """What a request was decided by has changed meanwhile: the request starts over."""


def includeme(config: Configurator) -> None:
    settings: Settings = config.registry["settings"]
    config.set_execution_policy(retry_policy(settings.retry_deadline, settings.max_body_size))


def is_conflict(error: BaseException | None) -> bool:
    """Whether the engine rolled a transaction back because of another one: a retry may succeed.

    A lost connection is no conflict: its COMMIT may have arrived, and a retry could store data
    twice.
    """
    if isinstance(error, StaleDataError):
        return True
    if not isinstance(error, DBAPIError) or error.connection_invalidated:
        return False
    return rule_of(error.orig).outcome is Outcome.RETRY


def _is_read_on_lost_connection(request: Request) -> bool:
    """Whether the connection of a request that only reads was lost: a retry is safe."""
    error = request.exception
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost and not may_change(request) and not rule_of(error.orig).read_only


def _is_repeatable(request: Request, max_body_size: int) -> bool:
    """Whether the body of a request is small enough to be kept for a retry, or not there."""
    if request.content_length is None:  # it is chunked, or not there (RFC 9112 §6.3)
        return "HTTP_TRANSFER_ENCODING" not in request.environ
    length: int = request.content_length
    return length <= max_body_size


def _keep_body(request: Request) -> None:
    """Make the body seekable, so that a retry can read it again."""
    if isinstance(request.environ["wsgi.input"], BytesIO):  # from waitress: no copy is needed
        request.is_body_seekable = True
    request.make_body_seekable()


def retry_policy(deadline: float, max_body_size: int) -> Any:
    """Return the execution policy of Pyramid that retries a request after a conflict.

    A retry begins from the start of the request. The policy finds the error in `request.exception`,
    which exception views set, both for statements and for COMMIT. After the deadline, the last
    response is returned.

    :param deadline: seconds after the start of a request in which a retry may begin.
    :param max_body_size: bytes of the largest body that is kept for retries.
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


def in_transaction(engine: Engine, work: Callable[[Connection], Result], deadline: float) -> Result:
    """Do something in a transaction of its own, and again if the engine rolls it back because of
    another one.

    :param work: reads and changes the database. If it raises, what it has changed is rolled back.
    :param deadline: seconds in which the transaction may begin again.
    :raises DBAPIError: as of the last attempt.
    """
    end = time.monotonic() + deadline
    longest = FIRST_WAIT
    with engine.connect() as connection:
        connection.execution_options(**changes(engine))
        while True:
            try:
                with connection.begin():
                    return work(connection)
            except DBAPIError as error:
                wait = random.uniform(0, longest)  # noqa: S311  # spreads contenders
                if not is_conflict(error) or time.monotonic() + wait > end:
                    raise
            time.sleep(wait)
            longest = min(2 * longest, LONGEST_WAIT)
