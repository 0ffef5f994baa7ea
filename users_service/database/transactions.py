"""The connection and the session of a request, and their commit: one request, one transaction."""

from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any

import pyramid_tm
import transaction
import zope.sqlalchemy
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from users_service.database.driver_errors import rule_of
from users_service.database.engine import (
    FIRST_LOCK_TIMEOUT,
    changes,
    limit_batch_locks,
    make_engine,
    make_reading_engine,
    snapshot,
)
from users_service.database.migrations import check_schema
from users_service.database.requirements import is_read_only
from users_service.jsonapi import begin_changes, is_batch
from users_service.settings import Settings

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# A key of the WSGI environment: whether the request is a retry.
RETRIED = "users_service.retried"


def includeme(config: Configurator) -> None:
    settings: Settings = config.registry["settings"]
    engine = make_engine(settings)
    check_schema(engine)
    reading_engine = make_reading_engine(settings, engine)
    event.listen(engine, "handle_error", partial(_leave_read_only_server, reading_engine))
    config.registry["engines"] = {"writing": engine, "reading": reading_engine}
    config.registry["reading"] = reading_engine.execution_options(snapshot=snapshot(engine))
    config.registry["writing"] = engine.execution_options(changes=changes(engine))
    config.add_settings(
        {
            "tm.activate_hook": may_change,
            # An error response rolls back, also if it is returned and not raised.
            "tm.commit_veto": pyramid_tm.default_commit_veto,
            "tm.manager_hook": new_manager,
            "tm.annotate_user": False,
        }
    )
    config.include("pyramid_tm")
    config.add_tween(f"{__name__}.refuse_sys_exit", under=EXCVIEW)
    config.add_request_method(dbsession, reify=True)
    config.add_request_method(dbconnection, reify=True)


def _leave_read_only_server(reading_engine: Engine, context: ExceptionContext) -> None:
    """Discard the connections for reads too, once a change was refused as the server is read-only.

    Otherwise reads would go on at a server whose place another one has taken.
    """
    if rule_of(context.original_exception).read_only:
        reading_engine.dispose()


_manager: ContextVar[transaction.TransactionManager] = ContextVar("manager")


class _CurrentManager:
    """The transaction manager of the request that the current thread handles."""

    def get(self) -> Any:
        return _manager.get().get()


# One manager for the sessionmaker below, which is registered once. With the manager of each
# request, zope.sqlalchemy would have to register each session, which costs time.
MANAGER = _CurrentManager()

# Nothing is read after COMMIT: entities need not expire.
make_session = sessionmaker(expire_on_commit=False)
# Sessions count as changed from the start. Otherwise zope.sqlalchemy would roll back the writes of
# Core and text statements.
zope.sqlalchemy.register(make_session, initial_state="changed", transaction_manager=MANAGER)


def new_manager(_request: Request) -> transaction.TransactionManager:
    """Make the transaction manager of a request. It is explicit: pyramid_tm begins transactions."""
    manager = transaction.TransactionManager(explicit=True)
    _manager.set(manager)
    return manager


class ConnectionDataManager:
    """The data manager that commits or rolls back a connection with the transaction of a request.

    A session on the connection joins the transaction too, and is flushed before the COMMIT.
    """

    def __init__(self, manager: transaction.TransactionManager, engine: Engine) -> None:
        """Connect, and join the current transaction.

        :raises transaction.interfaces.NoTransaction: if none has begun.
        """
        self.transaction_manager = manager
        current = manager.get()
        self.connection = engine.connect()
        current.join(self)

    def sortKey(self) -> str:  # noqa: N802  # IDataManager's name
        return "~~"  # after zope.sqlalchemy, because a COMMIT cannot be undone

    def tpc_begin(self, _transaction: Any) -> None:
        """Does nothing: `tpc_vote` commits, where a failure still aborts the transaction."""

    commit = tpc_begin

    def tpc_vote(self, _transaction: Any) -> None:
        self.connection.commit()

    def _close(self, _transaction: Any) -> None:
        self.connection.close()  # rolls back if it is not committed

    abort = tpc_finish = tpc_abort = _close


def refuse_sys_exit(handler: Any, _registry: Any) -> Any:
    """Make the tween that turns SystemExit, from a view that calls `sys.exit`, into a RuntimeError.

    With a SystemExit, pyramid_tm would leave the transaction open, with its locks and connection.
    """

    def tween(request: Request) -> Response:
        try:
            return handler(request)
        except SystemExit as error:
            raise RuntimeError("A view called sys.exit.") from error

    return tween


def may_change(request: Request) -> bool:
    """Whether the method of a request is not safe, so that it needs a transaction to commit."""
    return request.method not in SAFE_METHODS


def dbsession(request: Request) -> Session:
    """`request.dbsession`: a session on `request.dbconnection`, flushed before its COMMIT."""
    if may_change(request):
        begin_changes(request.dbconnection)
        return make_session(bind=request.dbconnection)
    return Session(request.dbconnection)


def dbconnection(request: Request) -> Connection:
    """`request.dbconnection`: the connection of a request.

    Of an unsafe method, it is committed or rolled back with the transaction of the request. Of a
    safe method, it is only read from, and returned to the pool at the end of the request.
    """
    connection: Connection
    if may_change(request):
        connection = ConnectionDataManager(request.tm, request.registry["writing"]).connection
        settings = request.registry["settings"]
        if is_batch(request) and settings.retry_deadline > FIRST_LOCK_TIMEOUT:
            limit_batch_locks(
                connection, settings.lock_timeout, is_retry=RETRIED in request.environ
            )
        return connection
    connection = request.registry["reading"].connect()
    request.add_finished_callback(partial(_return_to_pool, connection))
    return connection


def takes_changes(request: Request) -> bool:
    """Whether the database takes changes now.

    If it does not, the connections are discarded: new ones may lead to a server that does.
    """
    if not is_read_only(request.dbconnection):
        return True
    if not request.dbconnection.invalidated:
        request.dbconnection.invalidate()
    for engine in request.registry["engines"].values():
        engine.dispose()
    return False


def _return_to_pool(connection: Connection, request: Request) -> None:
    with connection:  # closes it at the end, which rolls back what a safe method has written
        # On PostgreSQL a snapshot, which is read-only, ends by COMMIT, because psycopg forgets its
        # prepared statements at a ROLLBACK.
        is_snapshot = "isolation_level" in connection.get_execution_options()
        if is_snapshot and connection.dialect.name == "postgresql" and request.exception is None:
            # If the connection is lost now, the response is complete nevertheless.
            with suppress(DBAPIError):
                connection.commit()
