"""One request, one transaction: its connection, its session, and when they are committed."""

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
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from users_service.database.engine import (
    FIRST_LOCK_TIMEOUT,
    changes,
    limit_batch_locks,
    make_engine,
    make_reading_engine,
    snapshot,
)
from users_service.database.migrations import check_schema
from users_service.jsonapi import begin_changes, is_batch
from users_service.settings import Settings

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# In the WSGI environment of a request that is carried out once more.
RETRIED = "users_service.retried"


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
        settings = request.registry["settings"]
        if is_batch(request) and settings.retry_deadline > FIRST_LOCK_TIMEOUT:
            limit_batch_locks(
                connection, settings.lock_timeout, is_retry=RETRIED in request.environ
            )
        return connection
    connection = request.registry["reading"].connect()
    request.add_finished_callback(partial(_give_back, connection))
    return connection


def _give_back(connection: Connection, request: Request) -> None:
    with connection:  # which is closed in the end, and rolls back what a safe method has written
        # On PostgreSQL a snapshot, which can write nothing, ends by COMMIT: at a ROLLBACK psycopg
        # forgets which statements are prepared.
        is_snapshot = "isolation_level" in connection.get_execution_options()
        if is_snapshot and connection.dialect.name == "postgresql" and request.exception is None:
            # If it is lost by now, all has been read and answered nevertheless.
            with suppress(DBAPIError):
                connection.commit()
