"""The service through PgBouncer in transaction mode: limits hold, and nothing is left behind."""

import http.client
import itertools
import json
import os
import pwd
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from copy import copy
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError

from tests.client import MEDIA_TYPE, user
from tests.server import ROOT, refused
from tests.serving.processes import PATIENCE, Service, free_port, refuses, wait_until
from users_service.database.engine import make_engine, make_reading_engine
from users_service.settings import load

PGBOUNCER = shutil.which(
    "pgbouncer", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
)

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer was not found")

# How many requests are sent by eight clients.
REQUESTS = int(os.environ.get("POOLER_REQUESTS", "400"))
CLIENTS = 8

ATOMIC = f'{MEDIA_TYPE}; ext="https://jsonapi.org/ext/atomic"'
# What is answered to each kind of request.
STATUSES = {
    "read": 200,
    "list": 200,
    "include": 200,
    "create": 201,
    "change": 200,
    "join": 204,
    "batch": 200,
    "delete": 204,
}

# Fewer sessions of the server than connections of the service, so that they change hands.
SESSIONS = 3

CONFIGURATION = """\
[databases]
* = host={host} port={port} user={user}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 200
query_wait_timeout = {wait}
logfile =
{run_as}
"""


@contextmanager
def pgbouncer(url: URL, sessions: int = SESSIONS, wait: int = PATIENCE) -> Iterator[URL]:
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
                sessions=sessions,
                wait=wait,
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


@pytest.fixture(scope="module")
def pooled(database) -> Iterator[Service]:
    """A process of the service behind PgBouncer, and what is there to be changed."""
    with ExitStack() as stack:
        url = stack.enter_context(pgbouncer(database.url))
        seen = copy(database)
        seen.environ = database.environ | {
            "USERS_SERVICE_DATABASE_URL": url.render_as_string(hide_password=False),
            "USERS_SERVICE_DATABASE_POOLER": "transaction",
        }
        yield stack.enter_context(seen.running())


class Load:
    """A client that sends requests of every kind, and counts the answers."""

    def __init__(self, service: Service, number: int) -> None:
        self.connection = http.client.HTTPConnection(*service.place, timeout=PATIENCE)
        self.random = random.Random(number)
        self.answers: Counter[tuple[str, int]] = Counter()
        self.group = service.request("GET", "/api/v1/groups?page[size]=1")[1]["data"][0]["id"]
        self.ids: list[str] = []

    def send(self) -> None:
        kinds = (
            self.read,
            self.list,
            self.include,
            self.create,
            self.change,
            self.join,
            self.batch,
        )
        kind = self.random.choice(kinds if self.ids else (self.create,))
        self.answers[kind.__name__, kind()] += 1
        if len(self.ids) > 5:
            self.answers["delete", self.request("DELETE", self.path(self.ids.pop()))] += 1

    def request(self, method: str, path: str, document: Any = None, type_: str = MEDIA_TYPE) -> int:
        body = None if document is None else json.dumps(document)
        self.connection.request(method, path, body, {"Content-Type": type_} if body else {})
        response = self.connection.getresponse()
        self.said = response.read()
        return response.status

    def path(self, id: str) -> str:
        return f"/api/v1/users/{id}"

    def read(self) -> int:
        return self.request("GET", self.path(self.random.choice(self.ids)))

    def list(self) -> int:
        order = self.random.choice(("name", "-email", "creation_time"))
        return self.request("GET", f"/api/v1/users?sort={order}&page[number]=2&page[size]=20")

    def include(self) -> int:
        filters = f"filter[groups]={self.group}&filter[name][icontains]=a"
        return self.request("GET", f"/api/v1/users?include=groups,role&{filters}")

    def create(self) -> int:
        document = user(email=f"{uuid4().hex}@example.com", name="Ada")
        status = self.request("POST", "/api/v1/users", document)
        self.ids.append(json.loads(self.said)["data"]["id"])
        return status

    def change(self) -> int:
        id = self.random.choice(self.ids)
        return self.request("PATCH", self.path(id), user(id, name=f"Ada {self.random.random()}"))

    def join(self) -> int:
        """Change the linkage of a group that all clients change."""
        method = self.random.choice(("POST", "DELETE"))
        members = [{"type": "users", "id": id} for id in self.ids]
        path = f"/api/v1/groups/{self.group}/relationships/members"
        return self.request(method, path, {"data": members})

    def batch(self) -> int:
        ids = self.random.sample(self.ids, k=len(self.ids))
        operations = [
            {"op": "update", "data": user(id, name=f"Ada {self.random.random()}")["data"]}
            for id in ids
        ]
        document = {"atomic:operations": operations}
        return self.request("POST", "/api/v1/operations", document, ATOMIC)


def test_eight_clients_that_send_requests_of_all_kinds(pooled):
    number = itertools.count(1)

    def send_all(client: Load) -> Counter:
        with closing(client.connection):
            while next(number) <= REQUESTS:
                client.send()
        return client.answers

    clients = [Load(pooled, each) for each in range(CLIENTS)]
    answers = sum(pooled.pool.map(send_all, clients), Counter())
    assert answers.total() >= REQUESTS
    assert {kind for kind, _ in answers} == STATUSES.keys()
    assert [each for each in answers if each[1] != STATUSES[each[0]]] == []


SESSION = """SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),
    current_setting('idle_in_transaction_session_timeout'),
    current_setting('default_transaction_read_only'),
    (SELECT count(*) FROM pg_prepared_statements) + (SELECT count(*) FROM pg_listening_channels())
    + (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory')
    + (SELECT count(*) FROM pg_class WHERE relpersistence = 't')"""


def test_nothing_of_the_service_is_left_in_a_session(pooled):
    client = Load(pooled, CLIENTS)
    with closing(client.connection), ExitStack() as stack:
        while client.answers.keys() < {("batch", 200), ("include", 200), ("change", 200)}:
            client.send()
        for _ in range(SESSIONS):  # each holds one until the end
            connection = stack.enter_context(psycopg.connect(through(pooled)))
            assert connection.execute(SESSION).fetchone() == ("0", "0", "0", "off", 0)


def through(service: Service) -> str:
    """The address of the database through PgBouncer, as libpq takes it."""
    url = make_url(service.environ["USERS_SERVICE_DATABASE_URL"])
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


LIMITS = {
    "timezone": "UTC",
    "statement_timeout": "200ms",
    "lock_timeout": "100ms",
    "idle_in_transaction_session_timeout": "200ms",
}
READ_ONLY = {True: "on", False: "off"}


@pytest.mark.parametrize("reading", [True, False])
def test_the_limits_hold_in_each_transaction(pooled, reading):
    ini = {"users_service.statement_timeout": "0.2", "users_service.lock_timeout": "0.1"}
    settings = load(ini, without_limits(pooled.environ))
    engine = make_engine(settings)
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        if reading:
            engine = make_reading_engine(settings, engine)
            stack.callback(engine.dispose)
        for _ in range(2):
            with engine.connect() as connection:
                for name, value in LIMITS.items():
                    assert connection.scalar(text(f"SHOW {name}")) == value
                with pytest.raises(DBAPIError, match="statement timeout"):
                    connection.execute(text("SELECT pg_sleep(20)"))
        with engine.connect() as connection:
            assert connection.scalar(text("SHOW transaction_read_only")) == READ_ONLY[reading]


def without_limits(environ: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if "TIMEOUT" not in name}


def test_a_wait_for_a_session_that_is_too_long_is_answered(database):
    """`query_wait_timeout` bounds it: PgBouncer then closes the connection."""
    with ExitStack() as stack:
        url = stack.enter_context(pgbouncer(database.url, sessions=1, wait=1))
        seen = copy(database)
        seen.environ = database.environ | {
            "USERS_SERVICE_DATABASE_URL": url.render_as_string(hide_password=False),
            "USERS_SERVICE_DATABASE_POOLER": "transaction",
        }
        service = stack.enter_context(seen.running(retry_deadline="0"))
        with psycopg.connect(through(seen)) as connection:
            connection.execute("SELECT 1")  # begins a transaction, and holds the only session
            assert service.request("GET", "/api/v1/users?page[size]=1")[0] == 503
            assert service.request("GET", "/readyz")[0] == 503
        assert service.request("GET", "/api/v1/users?page[size]=1")[0] == 200


def test_without_the_setting_it_is_said_what_is_missing(pooled):
    environ = {k: v for k, v in pooled.environ.items() if k != "USERS_SERVICE_DATABASE_POOLER"}
    said = refused(ROOT / "production.ini", environ)
    assert "options" in said
    assert "database_pooler = transaction" in said
    assert "Traceback" not in said
