"""The database engine for each of SQLite, PostgreSQL and MariaDB: bounded, and exact."""

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from users_service.settings import Settings

# How a transaction begins on SQLite; `immediate` takes the write lock at once.
SQLITE_BEGIN = "sqlite_begin"


def make_engine(settings: Settings) -> Engine:
    """Return the engine of `settings.database_url`, with bounded pools, waits and statements."""
    url = make_url(settings.database_url)
    options: dict[str, Any] = {
        "hide_parameters": True,  # an error's text ends up in logs
        "pool_pre_ping": True,
        "pool_size": settings.pool_size,
        "max_overflow": settings.pool_overflow,
        "pool_timeout": settings.pool_timeout,
    }
    name = url.get_backend_name()
    configure = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mariadb}[name]
    return configure(url, settings, options)


def writing(engine: Engine) -> Engine:
    """Return the same engine for transactions that are going to write.

    On SQLite they take the write lock when they begin and wait for it; a transaction that read
    first is told "database is locked" at once when it comes to write.
    """
    return engine.execution_options(**{SQLITE_BEGIN: "BEGIN IMMEDIATE"})


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
    parameters = {
        "timezone": "UTC",
        "lock_timeout": _milliseconds(settings.lock_timeout),
        "statement_timeout": _milliseconds(settings.statement_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(settings.statement_timeout),
    }
    arguments = {
        "connect_timeout": settings.connect_timeout,
        "options": " ".join(f"-c {name}={value}" for name, value in parameters.items()),
    }
    return create_engine(url, connect_args=arguments, **options)


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
        "read_timeout": settings.statement_timeout + 5,
        "write_timeout": settings.statement_timeout + 5,
        "init_command": f"SET {assignments}",
    }
    return create_engine(url, isolation_level="READ COMMITTED", connect_args=arguments, **options)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
