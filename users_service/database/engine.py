"""The database engine for each of SQLite, PostgreSQL and MariaDB: bounded, and exact."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from users_service.settings import Settings

# Seconds after its last use for which a connection is not pinged: a ping costs a round trip. One
# that is lost meanwhile costs a read another attempt, and a write a 503.
IDLE_BEFORE_PING = 5.0

# Seconds beyond `statement_timeout` after which a database that does not answer is given up.
LOST_SERVER_TIMEOUT = 5.0

# The execution option that says how a transaction begins on SQLite.
SQLITE_BEGIN = "sqlite_begin"

# Batches lock rows in the order of their operations, and so may wait for each other in a circle.
# Seconds that the first attempt of one waits for each lock.
FIRST_LOCK_TIMEOUT = 0.2
# Seconds that a retried one waits for each lock: until it ends, no other one is retried.
QUEUED_LOCK_TIMEOUT = 1.0
# The advisory lock that retried ones queue up for: a number of our own.
BATCH_QUEUE_KEY = 0x5EAC7E57


def make_engine(settings: Settings) -> Engine:
    """Return the engine of `settings.database_url`, with bounded pools, waits and statements."""
    return _make(settings)


def make_reading_engine(settings: Settings, engine: Engine) -> Engine:
    """Return an engine for requests that only read, with a pool of its own, so that reads go on
    while all writes wait for locks.

    On PostgreSQL a statement on its own needs no BEGIN and no ROLLBACK, each of which is a round
    trip, if its connection commits by itself. Such connections can write nothing. What they read
    comes in PostgreSQL's binary format, which costs half of what text does.
    """
    if engine.dialect.name != "postgresql":
        return _make(settings)
    return _make(
        settings, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, reading=True
    )


def _make(settings: Settings, **more: Any) -> Engine:
    url = make_url(settings.database_url)
    options: dict[str, Any] = {
        "hide_parameters": True,  # an error's text ends up in logs
        "pool_size": settings.pool_size,
        "max_overflow": settings.pool_overflow,
        "pool_timeout": settings.pool_timeout,
        "pool_use_lifo": True,  # few connections that are used have more at hand than many
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
    """Ask whether a connection is still there if it has not been used for a while."""
    used = record.info.get("used")
    if used is None or time.monotonic() - used < IDLE_BEFORE_PING:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise DisconnectionError from None  # the pool takes a new one in its place


def snapshot(engine: Engine) -> dict[str, Any]:
    """Return the options of a connection on which several statements see one state.

    On SQLite every transaction does.
    """
    return {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}


def changes(engine: Engine) -> dict[str, Any]:
    """Return the options of a connection on which statements change what they read.

    On SQLite their transaction takes the write lock when it begins, and waits for it: one that has
    read first is told "database is locked" at once when it comes to write.
    """
    return {SQLITE_BEGIN: "BEGIN IMMEDIATE"} if engine.dialect.name == "sqlite" else {}


def limit_batch_locks(connection: Connection, lock_timeout: float, *, is_retry: bool) -> None:
    """Bound how long a batch waits for each lock, and let retried batches run one at a time.

    PostgreSQL looks for a circle of waiting transactions only after a second. By then many wait in
    it, and the one that it ends starts the next circle when it is retried. MariaDB finds a circle
    at once, and SQLite has one writer at a time.

    :param lock_timeout: that of the settings, in seconds; it bounds the wait in the queue too.
    """
    if connection.dialect.name != "postgresql":
        return
    seconds = min(lock_timeout, QUEUED_LOCK_TIMEOUT if is_retry else FIRST_LOCK_TIMEOUT)
    limited = func.set_config("lock_timeout", str(_milliseconds(seconds)), True)
    queued = [func.pg_advisory_xact_lock(BATCH_QUEUE_KEY)] if is_retry else []
    connection.execute(select(*queued, limited))  # in this order


def _sqlite(url: URL, settings: Settings, options: dict[str, Any]) -> Engine:
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    # With isolation_level None the driver never begins on its own.
    arguments = {"isolation_level": None, "timeout": settings.lock_timeout}
    engine = create_engine(url, connect_args=arguments, **options)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        # SQLite's own lower() knows the letters of ASCII alone.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "checkin")
    def _end_transaction(connection: Any, _record: Any) -> None:
        # A COMMIT that SQLite refuses leaves the transaction and its lock as they were, and
        # SQLAlchemy takes it for ended.
        if connection is not None and connection.in_transaction:
            connection.rollback()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        begin = connection.get_execution_options().get(SQLITE_BEGIN, "BEGIN")
        connection.exec_driver_sql(begin)

    return engine


def _lower(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


def _postgresql(url: URL, settings: Settings, options: dict[str, Any]) -> Engine:
    # psycopg is there only where PostgreSQL is used.
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
        # The server ends a statement first; these are for a server, or a network, that is gone.
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
        "max_sort_length": 65_536,  # bytes of a text that count in ORDER BY; 1024 by default
    }
    assignments = ", ".join(f"SESSION {name} = {value}" for name, value in parameters.items())
    arguments = {
        "charset": "utf8mb4",
        "connect_timeout": settings.connect_timeout,
        # The server ends a statement first; this is for a server that is gone.
        "read_timeout": settings.statement_timeout + LOST_SERVER_TIMEOUT,
        "write_timeout": settings.statement_timeout + LOST_SERVER_TIMEOUT,
        "init_command": f"SET {assignments}",
    }
    return create_engine(url, isolation_level="READ COMMITTED", connect_args=arguments, **options)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
