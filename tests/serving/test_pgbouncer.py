"""The service through PgBouncer in transaction mode: no 5xx, limits that hold, nothing left over."""

import itertools
import os
import pwd
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from tests.client import user
from tests.serving.processes import PATIENCE, Service, free_port, refuses, wait_until
from users_service.database.engine import make_engine
from users_service.settings import load

PGBOUNCER = shutil.which(
    "pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
)

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer was not found")

# How many requests are sent by eight clients.
REQUESTS = int(os.environ.get("POOLER_REQUESTS", "400"))
CLIENTS = 8

# Fewer sessions of the server than connections of the service, so that they change hands.
CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
query_wait_timeout = 20
logfile =
{run_as}
"""


@contextmanager
def pgbouncer(url: URL) -> Iterator[URL]:
    """Run PgBouncer in front of PostgreSQL; yield the URL through it."""
    own = free_port()
    # It does not run as root, and has to reach PostgreSQL's socket.
    owner = pwd.getpwuid(Path(url.query["host"]).stat().st_uid).pw_name
    run_as = f"user = {owner}" if os.getuid() == 0 else ""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pgbouncer.ini"
        file.write_text(
            CONFIGURATION.format(
                host=url.query["host"],
                port=url.query["port"],
                user=url.username,
                own=own,
                run_as=run_as,
            )
        )
        file.chmod(0o644)
        Path(folder).chmod(0o755)
        process = subprocess.Popen([PGBOUNCER, "-q", file], stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: process.poll() is not None or not refuses(own))
            yield url.set(host="127.0.0.1", port=own, query={})
        finally:
            process.terminate()
            process.wait(PATIENCE)
