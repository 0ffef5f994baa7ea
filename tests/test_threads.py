"""The threads of the real server: who watches the sockets while requests are carried out."""

import http.client
import json
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import create_engine, make_url

from tests import engines
from tests.client import MEDIA_TYPE, user
from tests.far import far
from tests.server import ROOT, process
from users_service.migrations import upgrade
from users_service.seed import seed
from users_service.server import NEAR, threads_for

DATABASE_URL = "USERS_SERVICE_DATABASE_URL"
THREADS = (1, 2, 4)
# Seconds by which a database is far away, and the service knows it.
AWAY = (0, 0.002)
# Longer than the service waits for a lock; no test that holds takes this long.
PATIENCE = 20


class Service:
    """A process with its database, for tests that hold its requests up."""

    def __init__(self, address: str, pserve, url: str) -> None:
        self.netloc = urlsplit(address).netloc
        self.process = pserve
        self.url = make_url(url)
        self.pool = ThreadPoolExecutor(8)

    def connect(self) -> psycopg.Connection:
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)

    def request(self, method: str, path: str, document=None) -> tuple[int, dict]:
        connection = http.client.HTTPConnection(self.netloc, timeout=PATIENCE)
        body = None if document is None else json.dumps(document)
        headers = {} if document is None else {"Content-Type": MEDIA_TYPE}
        connection.request(method, f"/api/v1{path}", body, headers)
        response = connection.getresponse()
        try:
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def begin(self, *arguments) -> Future:
        return self.pool.submit(self.request, *arguments)

    def lives(self, timeout: float) -> bool:
        connection = http.client.HTTPConnection(self.netloc, timeout=timeout)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except TimeoutError:
            return False
        finally:
            connection.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let every statement about users wait until the block ends."""
        with self.connect() as connection, connection.transaction():
            connection.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
            yield

    def wait_for_waiting(self, number: int) -> None:
        """Return when so many statements wait for a lock."""
        waiting = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        end = time.monotonic() + PATIENCE
        with self.connect() as connection:
            while connection.execute(waiting).fetchone()[0] != number:
                assert time.monotonic() < end


@pytest.fixture
def service_with(tmp_path):
    """Start the service of production.ini with a number of threads, and some users, on a database
    that takes some seconds more to answer.
    """

    @contextmanager
    def start(threads: int, users: int = 5, away: float = 0) -> Iterator[Service]:
        ini = Path(shutil.copy(ROOT / "production.ini", tmp_path))
        text = ini.read_text(encoding="utf-8")
        ini.write_text(text.replace("threads = 4", f"threads = {threads}"), encoding="utf-8")
        assert f"\nthreads = {threads}\n" in ini.read_text(encoding="utf-8")
        with engines.database("postgresql", f"test_{uuid4().hex}", tmp_path) as url:
            environ = {
                DATABASE_URL: url,
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
            with (
                far(url, away) if away else nullcontext(url) as environ[DATABASE_URL],
                process(ini, environ) as (address, pserve),
            ):
                yield Service(address, pserve, url)

    return start


def first_id(service: Service) -> str:
    return service.request("GET", "/users?page[size]=1")[1]["data"][0]["id"]


@pytest.mark.parametrize("threads", [2, 4])
@pytest.mark.parametrize("path", ["/users", "/users?include=role"])
def test_a_request_that_waits_does_not_hold_up_the_others(service_with, threads, path):
    with service_with(threads) as service:
        with service.locked():
            waiting = [service.begin("GET", path) for _ in range(threads - 1)]
            service.wait_for_waiting(threads - 1)
            assert service.lives(PATIENCE / 4)
        assert [request.result()[0] for request in waiting] == [200] * (threads - 1)


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("threads", THREADS)
def test_more_requests_than_threads_are_all_answered(service_with, threads, away):
    with service_with(threads, away=away) as service:
        id = first_id(service)
        with service.locked():
            reads = [service.begin("GET", f"/users/{id}") for _ in range(5)]
            names = [f"Name {number}" for number in range(3)]
            writes = [service.begin("PATCH", f"/users/{id}", user(id, name=n)) for n in names]
            service.wait_for_waiting(threads)
        assert {request.result()[0] for request in reads + writes} == {200}
        found = {request.result()[1]["data"]["attributes"]["name"] for request in writes}
        assert found == set(names)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_interrupted_process_ends_with_the_requests_that_have_begun(
    service_with, threads, method
):
    with service_with(threads) as service:
        id = first_id(service)
        document = None if method == "GET" else user(id, name="Lovelace")
        with service.locked():
            request = service.begin(method, f"/users/{id}", document)
            service.wait_for_waiting(1)
            service.process.send_signal(signal.SIGINT)
        assert request.result()[0] == 200
        assert service.process.wait(PATIENCE) == 0
        with service.connect() as connection:
            (name,) = connection.execute("SELECT name FROM users WHERE id = %s", [id]).fetchone()
        assert (name == "Lovelace") == (method == "PATCH")


@pytest.mark.parametrize("threads", THREADS)
def test_an_idle_process_ends_when_it_is_interrupted(service_with, threads):
    with service_with(threads) as service:
        assert service.lives(PATIENCE)
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("threads", THREADS)
def test_requests_in_a_row_are_answered_in_order_to_a_client_that_reads_late(service_with, threads):
    number = 30
    with service_with(threads, users=1000) as service:
        host, port = service.netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(
                b"".join(
                    f"GET /api/v1/users?page[size]={size} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
                    for size in range(1000 - number, 1000)
                )
            )
            assert service.lives(PATIENCE)  # nobody waits for who does not read
            stream = connection.makefile("rb")
            for size in range(1000 - number, 1000):
                assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
                headers = http.client.parse_headers(stream)
                document = json.loads(stream.read(int(headers["Content-Length"])))
                assert len(document["data"]) == size


@pytest.mark.parametrize("running_service", ["postgresql"], indirect=True)
def test_more_threads_are_busy_at_once_if_the_database_is_far_away(app_with, service, caplog):
    caplog.set_level("INFO")
    threads_for(app_with(), 1)
    assert "up to 1 of 1 threads are busy" in caplog.messages[-1]
    with far(service.url, max(AWAY)) as url:
        app = app_with(database_url=url)
        assert app.registry["round_trip"] > max(AWAY)
        threads_for(app, 4)
        assert "up to 4 of 4 threads are busy" in caplog.messages[-1]
        app.registry["round_trip"] = NEAR
        threads_for(app, 4)
        assert "up to 2 of 4 threads are busy" in caplog.messages[-1]
    caplog.clear()
    assert threads_for(app.__call__, 4).busy == 2  # as behind a filter, which has no registry
    assert not caplog.messages


def test_a_client_that_leaves_while_its_request_waits_harms_nobody(service_with):
    with service_with(2) as service:
        id = first_id(service)
        with service.locked():
            host, port = service.netloc.split(":")
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
                connection.sendall(f"GET /api/v1/users/{id} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                service.wait_for_waiting(1)
            assert service.lives(PATIENCE / 4)
        assert service.request("GET", f"/users/{id}")[0] == 200
