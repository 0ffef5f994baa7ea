"""A host of the service, with views of its own for the tests of the real server."""

import socket
from typing import Any

from pyramid.request import Request
from pyramid.router import Router
from pyramid.security import NO_PERMISSION_REQUIRED
from pyramid.threadlocal import get_current_request
from sqlalchemy import text

from users_service import configure, waits
from users_service.models import Role

# An advisory lock that a session of PostgreSQL shares with others, or waits for.
LOCK = 6543


def main(global_config: dict[str, str], **ini: str) -> Router:
    config = configure(ini)
    for view in (share_lock, store_role, block):
        config.add_route(view.__name__, f"/{view.__name__}")
        options: dict[str, Any] = {"renderer": "json", "permission": NO_PERMISSION_REQUIRED}
        config.add_view(view, route_name=view.__name__, **options)
    return config.make_wsgi_app()


def share_lock(request: Request) -> bool:
    """Wait for a lock; then say whether this is still the request that Pyramid knows."""
    request.dbconnection.execute(text(f"SELECT pg_advisory_xact_lock_shared({LOCK})"))
    return get_current_request() is request


def store_role(request: Request) -> str:
    """Store a role by the session, and wait for a lock before it is committed."""
    role = Role(name=request.params["name"], permissions=[])
    request.dbsession.add(role)
    request.dbsession.flush()
    request.dbsession.execute(text(f"SELECT pg_advisory_xact_lock_shared({LOCK})"))
    return str(role.id)


def block(request: Request) -> str:
    """Keep the thread waiting until a port answers; say so before if it is asked to."""
    if "said" in request.params:
        waits.about_to_block()
    with socket.create_connection(("127.0.0.1", int(request.params["port"]))) as connection:
        return connection.recv(100).decode()
