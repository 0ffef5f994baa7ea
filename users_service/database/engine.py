"""Makes the SQLAlchemy engine for SQLite, PostgreSQL or MariaDB, with limits on waits and pools."""

from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, func, select

from users_service.database.driver_errors import restate_errors
from users_service.database.idle_connections import look_at_idle_connections
from users_service.settings import SSL, Settings, SettingsError, file_of, ssl_of

# Seconds. A connection counts as lost if the server is silent for so long after statement_timeout.
LOST_SERVER_TIMEOUT = 5.0

# The name of the execution option with the statement that begins a transaction, where the driver
# does not begin it: on SQLite, and on PostgreSQL through a pooler.
BEGIN = "begin"

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
    which costs half the time of text. Through a pooler, reads are transactions: nothing else can
    carry their limits.
    """
    if engine.dialect.name != "postgresql":
        return _make(settings)
    if settings.database_pooler == "transaction":
        return _make(settings, reading=True)
    return _make(
        settings, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, reading=True
    )


def make_migrating_engine(settings: Settings) -> Engine:
    """Return an engine for migrations, whose statements may take any time.

    It has room for the connection that holds the lock, and for one in autocommit beside it.
    """
    return _make(replace(settings, statement_timeout=0, pool_overflow=settings.pool_overflow + 1))


def in_autocommit(engine: Engine) -> Engine:
    """Return an engine of the same pool whose statements are no transactions, on PostgreSQL.

    Its connections must not be kept: limits of the session may be changed.
    """
    return engine.execution_options(isolation_level="AUTOCOMMIT", **{BEGIN: ""})


def _make(settings: Settings, **more: Any) -> Engine:
    url = settings.database_url
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
    restate_errors(engine, may_change="reading" not in more)
    if BEGIN in engine.get_execution_options():
        event.listen(engine, "begin", _begin)
    event.listen(engine, "do_connect", _connect)
    look_at_idle_connections(engine)
    return engine


def _begin(connection: Connection) -> None:
    if statement := connection.get_execution_options()[BEGIN]:
        connection.exec_driver_sql(statement)


def _connect(dialect: Dialect, _record: Any, arguments: Any, options: Any) -> Any:
    """Connect; whatever a driver raises if it cannot, such as for a certificate that is not there,
    is an error of the database.
    """
    try:
        return dialect.connect(*arguments, **options)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise dialect.loaded_dbapi.OperationalError(str(error)) from error


def snapshot(engine: Engine) -> dict[str, Any]:
    """Return the execution options for transactions whose statements all see the same state.

    SQLite needs none, and PostgreSQL through a pooler neither: every transaction of reads does.
    """
    begins_itself = BEGIN in engine.get_execution_options()
    return {} if begins_itself else {"isolation_level": "REPEATABLE READ"}


def changes(engine: Engine) -> dict[str, Any]:
    """Return the execution options for transactions that read and write.

    On SQLite, BEGIN IMMEDIATE waits for the write lock and takes it. Without it, a transaction that
    has read and then writes fails with "database is locked" at once, if another one has written.
    """
    return {BEGIN: "BEGIN IMMEDIATE"} if engine.dialect.name == "sqlite" else {}


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
    if file := file_of(url):
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fault = f"users_service.database_url: {file.parent} cannot be made: {error.strerror}"
            raise SettingsError([fault]) from None
    # With isolation_level None the driver never begins a transaction by itself.
    arguments = {"isolation_level": None, "timeout": settings.lock_timeout}
    options["execution_options"] = {BEGIN: "BEGIN"}
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

    return engine


def _postgresql(url: URL, settings: Settings, options: dict[str, Any]) -> Engine:
    # psycopg is an optional dependency.
    from users_service.database.psycopg_cursors import (
        UNKNOWN,
        BinaryCursor,
        BinaryTextLoader,
        NameAndTypeCursor,
        PooledBinaryCursor,
    )

    reading, pooled = options.pop("reading", False), settings.database_pooler == "transaction"
    parameters = _postgresql_limits(settings)
    arguments: dict[str, Any] = {
        # Not that of the environment or of the database, which could be SQL_ASCII.
        "client_encoding": "utf8",
        "connect_timeout": settings.connect_timeout,
        # Normally the server cancels a statement first. These detect a lost server or network.
        "tcp_user_timeout": _milliseconds(_silence(settings) or 0),
        "keepalives_idle": round(LOST_SERVER_TIMEOUT),
        "keepalives_interval": round(LOST_SERVER_TIMEOUT),
    }
    if pooled:
        options |= _begin_with(parameters, reading=reading)
        arguments["prepare_threshold"] = None
    else:
        parameters["default_transaction_read_only"] = "on" if reading else "off"
        ours = " ".join(f"-c {name}={value}" for name, value in parameters.items())
        arguments["options"] = f"{url.query.get('options', '')} {ours}".lstrip()
        url = url.difference_update_query(["options"])
    arguments = {name: arguments[name] for name in arguments.keys() - url.query.keys()}
    binary = PooledBinaryCursor if pooled else BinaryCursor
    arguments["cursor_factory"] = binary if reading else NameAndTypeCursor
    options["json_deserializer"] = orjson.loads
    engine = create_engine(url, connect_args=arguments, **options)

    if reading:

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            connection.adapters.register_loader(UNKNOWN, BinaryTextLoader)

    return engine


def _postgresql_limits(settings: Settings) -> dict[str, Any]:
    """Return the parameters of PostgreSQL for every session, or every transaction of one."""
    return {
        "timezone": "UTC",
        "lock_timeout": _milliseconds(settings.lock_timeout),
        "statement_timeout": _milliseconds(settings.statement_timeout),
        "idle_in_transaction_session_timeout": _milliseconds(settings.statement_timeout),
    }


def _begin_with(parameters: dict[str, Any], *, reading: bool) -> dict[str, Any]:
    """Return the options of an engine whose transactions say their limits when they begin, in the
    same round trip: through a pooler, the next one may have another session of the server.
    """
    mode = "ISOLATION LEVEL REPEATABLE READ READ ONLY" if reading else "READ WRITE"
    limits = "".join(f"; SET LOCAL {name} = '{value}'" for name, value in parameters.items())
    return {
        "isolation_level": "AUTOCOMMIT",  # psycopg begins nothing
        "execution_options": {BEGIN: f"BEGIN {mode}{limits}"},
    }


def _mariadb(url: URL, settings: Settings, options: dict[str, Any]) -> Engine:
    parameters = {
        "time_zone": "'+00:00'",
        "sql_mode": "'TRADITIONAL,NO_ENGINE_SUBSTITUTION'",
        "innodb_lock_wait_timeout": max(1, round(settings.lock_timeout)),
        "max_statement_time": settings.statement_timeout,
        "max_sort_length": 65_536,  # bytes of a text that ORDER BY compares; 1024 by default
    }
    assignments = ", ".join(f"SESSION {name} = {value}" for name, value in parameters.items())
    ours = f"SET {assignments}"
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "connect_timeout": settings.connect_timeout,
        # Normally the server cancels a statement first. These detect a lost server or network.
        "read_timeout": _silence(settings),
        "write_timeout": _silence(settings),
        "init_command": ours,
    }
    arguments = {name: arguments[name] for name in arguments.keys() - url.query.keys()}
    arguments |= ssl_of(url)
    if url.password:
        arguments["password"] = url.password.encode()  # PyMySQL takes texts for Latin-1
    url = url.difference_update_query(SSL)
    engine = create_engine(url, isolation_level="READ COMMITTED", connect_args=arguments, **options)

    if "init_command" in url.query:

        @event.listens_for(engine, "connect")
        def _configure(connection: Any, _record: Any) -> None:
            with connection.cursor() as cursor:
                cursor.execute(ours)

    return engine


def _silence(settings: Settings) -> float | None:
    """Seconds in which a server must answer, or None if a statement may take any time."""
    return settings.statement_timeout + LOST_SERVER_TIMEOUT if settings.statement_timeout else None


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
