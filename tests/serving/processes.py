"""A real process of the service with its database, behind a proxy that can freeze it."""

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, make_url

from tests import engines
from tests.client import MEDIA_TYPE
from tests.server import ROOT, process
from users_service.cli.seeding import seed
from users_service.database.migrations import upgrade
from users_service.serving.listening import ignore_packets

# Longer than the service waits for a lock; no test that holds takes this long.
PATIENCE = 20


class Freezer:
    """A proxy of PostgreSQL over TCP; what is sent while it is frozen arrives when it is not."""

    def __init__(self, url: str) -> None:
        query = make_url(url).query
        self._target = f"{query['host']}/.s.PGSQL.{query['port']}"
        self._runs = threading.Event()
        self._runs.set()
        self._clients: list[socket.socket] = []
        self.has_received = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = (
            make_url(url)
            .set(host="127.0.0.1", port=self._listener.getsockname()[1], query={})
            .render_as_string(hide_password=False)
        )
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # at the end
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with source, contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if not self._runs.is_set():
                    self.has_received.set()
                self._runs.wait()
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)  # which ends the other direction as well

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._runs.clear()
        try:
            yield
        finally:
            self._runs.set()

    def vanish(self) -> None:
        """Let the clients' packets come to nothing, as if the network were gone."""
        for client in self._clients:
            ignore_packets(client)

    def close(self) -> None:
        self._listener.close()


class Service:
    """A process of the service, what is sent to it, and its database."""

    def __init__(self, ini: Path, environ: dict[str, str], url: str) -> None:
        self.ini = ini
        self.environ = environ
        self.url = make_url(url)
        self.pool = ThreadPoolExecutor(64)
        self.address = ""
        self.process: Any = None

    @property
    def place(self) -> tuple[str, int]:
        parts = urlsplit(self.address)
        return str(parts.hostname), int(parts.port or 80)

    @contextmanager
    def running(self, *options: str, **settings: str) -> Iterator["Service"]:
        environ = {f"USERS_SERVICE_{name.upper()}": value for name, value in settings.items()}
        command = ("http_port=0", *options)
        with process(self.ini, self.environ | environ, options=command) as found:
            started = copy(self)
            started.address, started.process = found
            yield started

    def database(self) -> psycopg.Connection:
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)

    def request(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(*self.place, timeout=PATIENCE)
        body = None if document is None else json.dumps(document)
        headers = {} if document is None else {"Content-Type": MEDIA_TYPE}
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def begin(self, *arguments: Any) -> Future:
        return self.pool.submit(self.request, *arguments)

    def connect(self) -> socket.socket:
        return socket.create_connection(self.place, timeout=PATIENCE)

    def is_quick(self, path: str = "/livez") -> bool:
        """Whether a request is answered with 200 within a second."""
        connection = http.client.HTTPConnection(*self.place, timeout=1)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                return connection.getresponse().status == 200
            except TimeoutError:
                return False

    @contextmanager
    def locked(self, how: str) -> Iterator[None]:
        """Hold a lock in the database until the block ends."""
        with self.database() as connection, connection.transaction():
            connection.execute(how)
            yield

    def wait_for_waiting(self, number: int) -> None:
        """Return when at least so many statements wait for a lock."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        end = time.monotonic() + PATIENCE
        with self.database() as connection:
            while connection.execute(waiting).fetchone()[0] < number:
                assert time.monotonic() < end
                time.sleep(0.005)

    def first_id(self) -> str:
        return self.request("GET", "/api/v1/users?page[size]=1")[1]["data"][0]["id"]


@contextmanager
def prepared(folder: Path, users: int = 20, **lines: str) -> Iterator[Service]:
    """The service of production.ini under tests/host.py, migrated and filled; not started.

    :param lines: of the ini file's [server:main].
    """
    text = (ROOT / "production.ini").read_text(encoding="utf-8")
    text = text.replace("use = egg:users_service\n", "use = call:tests.host:main\n", 1)
    more = "".join(f"{name} = {value}\n" for name, value in lines.items())
    text = re.sub(r"(\[server:main\]\n.*\n)", rf"\1{more}", text)
    ini = folder / "production.ini"
    ini.write_text(text, encoding="utf-8")
    with engines.database("postgresql", f"test_{uuid4().hex}", folder) as url:
        environ = {
            "PYTHONPATH": str(ROOT),
            "USERS_SERVICE_DATABASE_URL": url,
            "USERS_SERVICE_ALLOWED_HOSTS": "127.0.0.1 x",
            "USERS_SERVICE_ANONYMOUS_PERMISSIONS": "*",
            "USERS_SERVICE_LOCK_TIMEOUT": str(PATIENCE),
        }
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            upgrade(str(ini))
        engine = create_engine(url)
        seed(engine, users=users, groups=1, seed=1)
        engine.dispose()
        yield Service(ini, environ, url)


def descriptors(process: subprocess.Popen) -> int:
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def peak_memory(process: subprocess.Popen) -> float:
    """The most MiB that a process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def wait_until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def exchange(port: int, method: str, path: str, document=None, **headers: str):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        body = None if document is None else json.dumps(document)
        if body:
            headers["Content-Type"] = MEDIA_TYPE
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response, json.loads(response.read())
