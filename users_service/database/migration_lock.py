"""The lock under which a database is migrated: by one process at a time, on each engine.

It belongs to the transaction or the session that migrates. So it ends with it, however that ends;
after a process was killed, not before the server has ended the statement that it left.

On the servers, a step may commit what was done and go on under the lock again (`go_on`). Then the
whole migration may be begun anew, so each of its steps does what is missing.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, inspect, text

from users_service.database.engine import BEGIN
from users_service.database.requirements import SchemaError

log = logging.getLogger(__name__)

WAITING = "Another process is migrating this database, or uses all of it: waiting until it ends."

# Any number that no other program uses. PostgreSQL has these locks in each database.
POSTGRESQL_KEY = 0x5EAC7E58
# MariaDB has them in the whole server; a name has at most 64 characters.
MARIADB_NAME = "CONCAT('users_service.', SHA1(DATABASE()))"
# Seconds of one wait for MariaDB's lock, which has no wait without end.
MARIADB_WAIT = 3600

# The name in `Connection.info` of the function that commits what was done and goes on.
GO_ON = "go_on"


class OvertakenError(Exception):
    """While the lock was free, another process has migrated the database."""


def go_on(connection: Connection) -> bool:
    """Commit what a migration has done so far, and go on in a new transaction, under the lock.

    It does nothing on SQLite, and where whoever called Alembic has a transaction of their own.

    :returns: whether it was done.
    :raises OvertakenError: if another process has migrated the database in between.
    """
    commit: Callable[[], None] | None = connection.info.get(GO_ON)
    if commit is not None:
        commit()
    return commit is not None


def revisions_of(connection: Connection) -> list[str]:
    """The revisions of a database: one, or none where nothing was migrated yet."""
    if not inspect(connection).has_table("alembic_version"):
        return []
    return sorted(connection.scalars(text("SELECT version_num FROM alembic_version")))


@contextmanager
def locked(connection: Connection, lock_timeout: float) -> Iterator[None]:
    """Begin the transaction of a migration under the lock, and commit it at the end.

    Waits for another migration for as long as it takes, and says so. Statements may take any time;
    `lock_timeout` bounds how long they wait for a lock of another transaction.

    :param connection: one without a transaction, that is closed afterwards.
    :param lock_timeout: seconds.
    :raises DBAPIError: if a lock is not to be had in time; on SQLite also the lock itself.
    :raises SchemaError: if a foreign key leads nowhere at the end, on SQLite.
    """
    match connection.dialect.name:
        case "sqlite":
            lock = _sqlite
        case "postgresql":
            lock = _postgresql
        case _:
            lock = _mariadb
    with lock(connection, lock_timeout):
        yield


@contextmanager
def _postgresql(connection: Connection, lock_timeout: float) -> Iterator[None]:
    def begin() -> None:
        # Everything is of the transaction, so that it holds behind PgBouncer in transaction mode.
        connection.begin()
        _set_locally(connection, "0", "lock_timeout", "statement_timeout", "transaction_timeout")
        _set_locally(connection, "0", "idle_in_transaction_session_timeout")
        if not connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({POSTGRESQL_KEY})")):
            log.warning(WAITING)
            connection.execute(text(f"SELECT pg_advisory_xact_lock({POSTGRESQL_KEY})"))
        _set_locally(connection, f"{round(lock_timeout * 1000)}ms", "lock_timeout")

    with _in_parts(connection, begin):
        yield


@contextmanager
def _in_parts(connection: Connection, begin: Callable[[], object]) -> Iterator[None]:
    """Begin a transaction, let `go_on` commit it and begin the next, and commit the last one."""

    def commit_and_begin() -> None:
        before = revisions_of(connection)
        connection.commit()
        begin()
        if revisions_of(connection) != before:
            raise OvertakenError

    begin()
    info = connection.info  # once: a connection that was lost would have none any more
    info[GO_ON] = commit_and_begin
    try:
        yield
        connection.commit()
    finally:
        info.pop(GO_ON)
        connection.rollback()


def _set_locally(connection: Connection, value: str, *names: str) -> None:
    """Set parameters until the end of the transaction, as far as this version has them."""
    statement = "SELECT set_config(name, :value, true) FROM pg_settings WHERE name = ANY(:names)"
    connection.execute(text(statement), {"value": value, "names": list(names)}).all()


@contextmanager
def _mariadb(connection: Connection, lock_timeout: float) -> Iterator[None]:
    seconds = max(1, round(lock_timeout))
    with connection.begin():
        connection.execute(
            text(
                "SET SESSION max_statement_time = 0, wait_timeout = 28800,"
                f" lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"
            )
        )
        if not connection.scalar(text(f"SELECT GET_LOCK({MARIADB_NAME}, 0)")):
            log.warning(WAITING)
            wait = text(f"SELECT GET_LOCK({MARIADB_NAME}, {MARIADB_WAIT})")
            while not connection.scalar(wait):
                pass
    # On this connection and not on one of its own: the lock is held for exactly as long as the
    # session that migrates is there.
    with _in_parts(connection, connection.begin):
        yield


@contextmanager
def _sqlite(connection: Connection, lock_timeout: float) -> Iterator[None]:
    driver: Any = connection.connection.dbapi_connection
    # A table is altered by making it anew and dropping the old one, which would delete the rows
    # that refer to it. The pragma does nothing within a transaction.
    driver.execute("PRAGMA foreign_keys = OFF")
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        driver.execute("BEGIN EXCLUSIVE")
        driver.execute("ROLLBACK")
    except sqlite3.Error as error:  # any other will come again below
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            log.warning(WAITING)
    driver.execute(f"PRAGMA busy_timeout = {round(lock_timeout * 1000)}")
    # Exclusive from the start: a reader would keep the COMMIT from being carried out.
    with connection.execution_options(**{BEGIN: "BEGIN EXCLUSIVE"}).begin():
        yield
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if lost:
            tables = ", ".join(sorted({str(row[0]) for row in lost}))
            raise SchemaError(f"Rows refer to rows that are not there, in {tables}.")
