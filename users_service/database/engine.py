"""Makes the SQLAlchemy engine for SQLite, PostgreSQL or MariaDB, with limits on waits and pools."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from users_service.settings import Settings

# Seconds. A connection that was used more recently is not pinged, which saves a round trip. If it
# was lost in the meantime, a read is retried, and a write is answered with 503.
IDLE_BEFORE_PING = 5.0

# Seconds. A connection counts as lost if the server is silent for so long after statement_timeout.
LOST_SERVER_TIMEOUT = 5.0

# The name of the execution option with the statement that begins a transaction on SQLite.
SQLITE_BEGIN = "sqlite_begin"

# A batch (a request with atomic operations) locks rows in the order of its operations, so that
# batches can deadlock. Retried batches run one at a time: they queue for an advisory lock.
# Seconds that the first attempt of a batch waits for each lock.
FIRST_LOCK_TIMEOUT = 0.2
# Seconds that a retried batch waits for each lock.
QUEUED_LOCK_TIMEOUT = 1.0
# The key of the advisory lock: any number that no other program uses.
BATCH_QUEUE_KEY = 0x5EAC7E57


def make_engine(settings: Settings) -> Engine:
    """Return the engine of `settings.database_url`, for requests that change something."""
    return _make(settings)


def make_reading_engine(settings: Settings, engine: Engine) -> Engine:
    """Return an engine for requests that only read.

    It has a pool of its own, so that reads go on while all writes wait for locks.

    On PostgreSQL its connections are read-only and in autocommit mode: a single statement then
    needs no BEGIN and ROLLBACK, each of which is a round trip. Results come in the binary format,
    which costs half the time of text.
    """
    if engine.dialect.name != "postgresql":
        return _make(settings)
    return _make(
        settings, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, reading=True
    )


def _make(settings: Settings, **more: Any) -> Engine:
    url = make_url(settings.database_url)
    options: dict[str, Any] = {
        "hide_parameters": True,  # the text of an error goes to the log
        "pool_size": settings.pool_size,
        "max_overflow": settings.pool_overflow,
        "pool_timeout": settings.pool_timeout,
        "pool_use_lifo": True,  # connections used more often have more statements prepared
        **more,
    }
    name = url.get_backend_name()
    configure = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mariadb}[name]
    engine = configure(url, settings, options)
    event.listen(engine, "checkin", _record_use)
    event.listen(engine, "checkout", partial(_ping_if_idle, engine))
    return engine


def _record_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _ping_if_idle(
    engine: Engine, connection: Any, record: ConnectionPoolEntry, _proxy: Any
) -> None:
    """Check at checkout that a connection is alive, if it was not used recently."""
    used = record.info.get("used")
    if used is None or time.monotonic() - used < IDLE_BEFORE_PING:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise DisconnectionError from None  # the pool replaces the connection


def snapshot(engine: Engine) -> dict[str, Any]:
    """Return the execution options for transactions whose statements all see the same state.

    SQLite needs none: every transaction does.
    """
    return {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}


def changes(engine: Engine) -> dict[str, Any]:
    """Return the execution options for transactions that read and write.

    On SQLite, BEGIN IMMEDIATE waits for the write lock and takes it. Without it, a transaction that
    has read and then writes fails with "database is locked" at once, if another one has written.
    """
    return {SQLITE_BEGIN: "BEGIN IMMEDIATE"} if engine.dialect.name == "sqlite" else {}


def limit_batch_locks(connection: Connection, lock_timeout: float, *, is_retry: bool) -> None:
    """Set the lock timeout of a batch, and let retried batches run one at a time.

    PostgreSQL looks for deadlocks only after a second. By then many transactions wait, and the one
    that is rolled back causes the next deadlock when it is retried. Nothing is set on the others:
    MariaDB finds deadlocks at once, and SQLite has one writer at a time.

    :param lock_timeout: seconds to wait for a lock, by the settings. It also limits the wait for
        the queue.
    :param is_retry: whether the batch was rolled back before.
    """
    if connection.dialect.name != "postgresql":
        return
    seconds = min(lock_timeout, QUEUED_LOCK_TIMEOUT if is_retry else FIRST_LOCK_TIMEOUT)
    limited = func.set_config("lock_timeout", str(_milliseconds(seconds)), True)
    queued = [func.pg_advisory_xact_lock(BATCH_QUEUE_KEY)] if is_retry else []
    # The columns are evaluated in this order: the wait for the queue has the old timeout.
    connection.execute(select(*queued, limited))


def _sqlite(url: URL, settings: Settings, options: dict[str, Any]) -> Engine:
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    # With isolation_level None the driver never begins a transaction by itself.
    arguments = {"isolation_level": None, "timeout": settings.lock_timeout}
    engine = create_engine(url, connect_args=arguments, **options)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "checkin")
    def _end_transaction(connection: Any, _record: Any) -> None:
        # After a failed COMMIT, SQLite keeps the transaction and its lock, but SQLAlchemy takes it
        # for ended.
        if connection is not None and connection.in_transaction:
            connection.rollback()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        begin = connection.get_execution_options().get(SQLITE_BEGIN, "BEGIN")
        connection.exec_driver_sql(begin)

    return engine


def _postgresql(url: URL, settings: Settings, options: dict[str, Any]) -> Engine:
    # psycopg is an optional dependency.
    from users_service.database.psycopg_cursors import (
        UNKNOWN,
        BinaryCursor,
        BinaryTextLoader,
        NameAndTypeCursor,
    )

    reading = options.pop("reading", False)
    parameters = {
        "default_transaction_read_only": "on" if reading else "off",
        "timezone": "UTC",
        "lock_timeout": _milliseconds(settings.lock_timeout),
        "statement_timeout": _milliseconds(settings.statement_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(settings.statement_timeout),
    }
    arguments = {
        "connect_timeout": settings.connect_timeout,
        # Normally the server cancels a statement first. These detect a lost server or network.
        "tcp_user_timeout": _milliseconds(settings.statement_timeout + LOST_SERVER_TIMEOUT),
        "keepalives_idle": round(LOST_SERVER_TIMEOUT),
        "keepalives_interval": round(LOST_SERVER_TIMEOUT),
        "options": " ".join(f"-c {name}={value}" for name, value in parameters.items()),
        "cursor_factory": BinaryCursor if reading else NameAndTypeCursor,
    }
    options["json_deserializer"] = orjson.loads
    engine = create_engine(url, connect_args=arguments, **options)

    if reading:

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            connection.adapters.register_loader(UNKNOWN, BinaryTextLoader)

    return engine


def _mariadb(url: URL, settings: Settings, options: dict[str, Any]) -> Engine:
    parameters = {
        "time_zone": "'+00:00'",
        "sql_mode": "'TRADITIONAL,NO_ENGINE_SUBSTITUTION'",
        "innodb_lock_wait_timeout": max(1, round(settings.lock_timeout)),
        "max_statement_time": settings.statement_timeout,
        "max_sort_length": 65_536,  # bytes of a text that ORDER BY compares; 1024 by default
    }
    assignments = ", ".join(f"SESSION {name} = {value}" for name, value in parameters.items())
    arguments = {
        "charset": "utf8mb4",
        "connect_timeout": settings.connect_timeout,
        # Normally the server cancels a statement first. These detect a lost server or network.
        "read_timeout": settings.statement_timeout + LOST_SERVER_TIMEOUT,
        "write_timeout": settings.statement_timeout + LOST_SERVER_TIMEOUT,
        "init_command": f"SET {assignments}",
    }
    return create_engine(url, isolation_level="READ COMMITTED", connect_args=arguments, **options)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
