"""One request, one transaction: pyramid_tm, the session and connection of a request, and what is
tried again.
"""

import random
import time
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from io import BytesIO
from typing import Any

import pyramid_tm
import transaction
import zope.sqlalchemy
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from users_service.database.engine import (
    BRIEFLY,
    changes,
    lock_in_any_order,
    make_engine,
    make_reading_engine,
    snapshot,
)
from users_service.database.migrations import check_schema
from users_service.jsonapi import begin_changes, is_batch
from users_service.settings import Settings

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# Waits before a new attempt double from the first to the longest; each is drawn at random below
# that, so that contenders do not meet again.
FIRST_WAIT = 0.01
LONGEST_WAIT = 0.5

# In the environment of a request that may be tried again: whether it has been tried before.
AGAIN = "users_service.again"

# Deadlock, record changed since the last read, lock wait timeout.
MARIADB_CONFLICTS = {1213, 1020, 1205}
# Lock not available, which is lock_timeout's.
POSTGRESQL_LOCK_TIMEOUT = "55P03"
SQLITE_CONFLICTS = {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED


def includeme(config: Configurator) -> None:
    settings: Settings = config.registry["settings"]
    engine = make_engine(settings)
    check_schema(engine)
    reading_engine = make_reading_engine(settings, engine)
    config.registry["engines"] = {"writing": engine, "reading": reading_engine}
    config.registry["reading"] = reading_engine.execution_options(snapshot=snapshot(engine))
    config.registry["writing"] = engine.execution_options(changes=changes(engine))
    config.add_settings(
        {
            "tm.activate_hook": may_change,
            # An error that is returned and not raised must not commit what was flushed before it.
            "tm.commit_veto": pyramid_tm.default_commit_veto,
            "tm.manager_hook": new_manager,
            "tm.annotate_user": False,
        }
    )
    config.include("pyramid_tm")
    config.add_tween(f"{__name__}.keep_thread", under=EXCVIEW)
    config.add_request_method(dbsession, reify=True)
    config.add_request_method(dbconnection, reify=True)
    config.set_execution_policy(retry_policy(settings.retry_deadline, settings.max_body_size))


_manager: ContextVar[transaction.TransactionManager] = ContextVar("manager")


class _CurrentManager:
    """The transaction manager of the request that this thread carries out."""

    def get(self) -> Any:
        return _manager.get().get()


# Sessions are made for this one, once, where zope.sqlalchemy would have them listen to a manager of
# their own, request by request.
MANAGER = _CurrentManager()

# Nothing is read after the COMMIT.
make_session = sessionmaker(expire_on_commit=False)
# Sessions count as changed from the start: zope.sqlalchemy would otherwise roll back what Core and
# text statements wrote.
zope.sqlalchemy.register(make_session, initial_state="changed", transaction_manager=MANAGER)


def new_manager(_request: Request) -> transaction.TransactionManager:
    """Give a request a manager of its own, in which nothing begins by itself."""
    manager = transaction.TransactionManager(explicit=True)
    _manager.set(manager)
    return manager


class Committing:
    """Commits or rolls back a connection with the transaction of a request: a data manager.

    A session on that connection joins the transaction as well: it is flushed before this commits.
    """

    def __init__(self, manager: transaction.TransactionManager, engine: Engine) -> None:
        """:raises transaction.interfaces.NoTransaction: if none has begun."""
        self.transaction_manager = manager
        current = manager.get()
        self.connection = engine.connect()
        current.join(self)

    def sortKey(self) -> str:  # noqa: N802  # IDataManager's name
        return "~~"  # behind zope.sqlalchemy, as a COMMIT cannot be taken back

    def tpc_begin(self, _transaction: Any) -> None:
        """All is done in `tpc_vote`, where a failure still aborts the others."""

    commit = tpc_begin

    def tpc_vote(self, _transaction: Any) -> None:
        self.connection.commit()

    def _close(self, _transaction: Any) -> None:
        self.connection.close()  # which rolls back what is not committed

    abort = tpc_finish = tpc_abort = _close


def keep_thread(handler: Any, _registry: Any) -> Any:
    """Make an error of a view that calls `sys.exit`: pyramid_tm would leave its transaction open,
    with its locks and its connection.
    """

    def tween(request: Request) -> Response:
        try:
            return handler(request)
        except SystemExit as error:
            raise RuntimeError("A view called sys.exit.") from error

    return tween


def may_change(request: Request) -> bool:
    """Whether a request may change anything, and so needs a transaction to commit."""
    return request.method not in SAFE_METHODS


def dbsession(request: Request) -> Session:
    """A session on the connection of this request, flushed and ended with its transaction."""
    if may_change(request):
        begin_changes(request.dbconnection)
        return make_session(bind=request.dbconnection)
    return Session(request.dbconnection)


def dbconnection(request: Request) -> Connection:
    """The connection of this request: committed or rolled back with its transaction, or, where
    nothing is changed, given back in the end.
    """
    connection: Connection
    if may_change(request):
        connection = Committing(request.tm, request.registry["writing"]).connection
        again = request.environ.get(AGAIN)
        if again is not None and is_batch(request):
            lock_in_any_order(connection, request.registry["settings"].lock_timeout, again=again)
        return connection
    connection = request.registry["reading"].connect()
    request.add_finished_callback(partial(_give_back, connection))
    return connection


def _give_back(connection: Connection, request: Request) -> None:
    with connection:  # which is closed in the end
        # A snapshot ends by COMMIT: at a ROLLBACK psycopg forgets which statements are prepared.
        if "isolation_level" in connection.get_execution_options() and request.exception is None:
            # If it is lost by now, all has been read and answered nevertheless.
            with suppress(DBAPIError):
                connection.commit()


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


def _is_lost_read(request: Request) -> bool:
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
                if repeatable and deadline > BRIEFLY:
                    environ.setdefault(AGAIN, False)
                response: Response = router.invoke_request(request)
                conflict = repeatable and (is_conflict(request.exception) or _is_lost_read(request))
            wait = random.uniform(0, longest)  # noqa: S311  # spreads contenders; guards nothing
            if not conflict or time.monotonic() + wait > end:
                return response
            environ[AGAIN] = True
            time.sleep(wait)
            longest = min(2 * longest, LONGEST_WAIT)

    return policy
