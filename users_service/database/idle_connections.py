"""Notices that a server has cut a connection of the pool, before a request uses it."""

import select
import time
from functools import partial
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry

# Seconds. A connection that was used more recently is not pinged, which saves a round trip. A ping
# finds what a look at the socket cannot: a network or a firewall that has forgotten the connection.
IDLE_BEFORE_PING = 5.0


def look_at_idle_connections(engine: Engine) -> None:
    """Let each checkout from the pool of an engine look at the connection first."""
    event.listen(engine, "checkin", _record_use)
    event.listen(engine, "checkout", partial(_refuse_lost, engine))


def _record_use(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _refuse_lost(engine: Engine, connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """Check at checkout that the server has not cut a connection while nobody used it.

    Looking at the socket takes no round trip. Its end shows there, with TLS too. So does what a
    server sends on its own account, such as a changed parameter: a ping then tells which it was.

    :raises InvalidatePoolError: the pool replaces this connection, and the others that it has kept,
        since a server that has restarted or was cut off has lost all of them.
    """
    used = record.info.get("used")
    if used is None:  # it has just been opened
        return
    try:
        if time.monotonic() - used >= IDLE_BEFORE_PING or _has_news(connection):
            engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        raise InvalidatePoolError from None


def _has_news(connection: Any) -> bool:
    """Whether something has come from the server, or its end, on a connection that asked nothing.

    :raises Exception: the driver's own, if the connection is closed.
    """
    if hasattr(connection, "pgconn"):
        number = connection.fileno()
    elif hasattr(connection, "_sock"):  # PyMySQL shows it by no other name
        if connection._sock is None:
            return True
        number = connection._sock.fileno()
    else:  # SQLite's file
        return False
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))
