"""A host of the service, with views of its own for the tests of the real server."""

import sys
import threading
from typing import Any

from pyramid.request import Request
from pyramid.router import Router
from pyramid.security import NO_PERMISSION_REQUIRED
from sqlalchemy import text

from users_service import configure

# An advisory lock that a session of PostgreSQL shares with others, or waits for.
LOCK = 6543
WAIT = text(f"SELECT pg_advisory_xact_lock_shared({LOCK})")

_lock = threading.Lock()


def main(global_config: dict[str, str], **ini: str) -> Router:
    config = configure(ini)
    for view in (hold_lock, take_second_connection, leave, stream):
        config.add_route(view.__name__, f"/{view.__name__}")
        options: dict[str, Any] = {"renderer": "json", "permission": NO_PERMISSION_REQUIRED}
        config.add_view(view, route_name=view.__name__, **options)
    return config.make_wsgi_app()


def hold_lock(request: Request) -> bool:
    """Hold a lock of the process over a statement that waits."""
    with _lock:
        request.dbconnection.execute(WAIT)
    return True


def take_second_connection(request: Request) -> bool:
    """Wait on the connection of the request, and then take another one."""
    request.dbconnection.execute(WAIT)
    with request.registry["engines"]["writing"].connect() as second:
        return bool(second.scalar(text("SELECT true")))


def leave(request: Request) -> None:
    """Change every user, and end the thread."""
    request.dbconnection.execute(text("UPDATE users SET name = 'Nobody'"))
    sys.exit("done")


def stream(request: Request) -> Any:
    """Answer with so many megabytes, one after the other."""
    request.response.app_iter = (b"x" * (1 << 20) for _ in range(int(request.params["megabytes"])))
    return request.response
